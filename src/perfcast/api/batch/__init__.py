"""`POST /predict/batch`: many predictions in one request, in the form that suits the caller.

A JSON list of `/predict` bodies (`_list`), or columns: as JSON (`_json_columns`), an Arrow stream, CSV or Parquet
(`_arrow_forms`). `Batches` reads, predicts in threads and gives the answer in pieces; how many rows and bytes it takes
is bounded, and so is what waits. PyArrow is imported when a body of its forms comes.
"""

from perfcast.api.batch._batches import Batches, BatchReply
from perfcast.api.batch._forms import ARROW, CSV, JSON, PARQUET

__all__ = ["ARROW", "CSV", "JSON", "PARQUET", "BatchReply", "Batches"]
