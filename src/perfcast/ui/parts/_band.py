"""The band of a batch's intervals."""

from perfcast.ui.charts import Band
from perfcast_client.answers import Batch


def band_of(found: Batch) -> Band | None:
    """The bounds of all rows; None where the version gives none."""
    lower = [bound for bound in found.lower if bound is not None]
    upper = [bound for bound in found.upper if bound is not None]
    return Band(lower, upper) if len(lower) == len(upper) == len(found) else None
