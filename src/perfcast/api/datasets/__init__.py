"""Datasets over HTTP: what measured rows there are, how their values lie, and some of them."""
