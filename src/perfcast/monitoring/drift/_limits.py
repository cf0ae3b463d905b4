"""Least numbers of rows, below which nothing is said."""

LEAST_ROWS = 10
"""Actuals of a block: hours with fewer are taken together."""
LEAST_DAY_ROWS = 240
"""Predictions of a day whose inputs are compared."""
LEAST_HOURS = 20
"""Hours of a day that must have some: a day is compared whole."""
