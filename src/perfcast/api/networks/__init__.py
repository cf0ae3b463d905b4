"""Whole networks over HTTP: the presets, and what one costs on a device."""
