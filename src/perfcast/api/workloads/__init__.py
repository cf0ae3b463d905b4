"""Workloads over HTTP: what can be predicted, by which models, and rows with names to begin with."""
