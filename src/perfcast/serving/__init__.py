"""Answering from registered versions, with nothing but ONNX Runtime.

A `Predictor` is one version loaded and warm. A `Reader` turns the JSON features of its workload into a row of numbers.
`Routes` is an immutable snapshot of what answers to which model reference: an `Arm`, whose `Slot` is a version's place,
its graph in memory or not. `Follower` keeps the newest routes in place while the registry changes, without a gap (rule
R7), and `GraphCache` keeps the graphs within a bound. `Shadows` asks further versions behind the caller's back.
`upload` registers a graph that was made elsewhere, once it has been looked through. Nothing here knows HTTP.
"""

from perfcast.serving._answer_cache import AnswerCache
from perfcast.serving._arms import Arm, Key
from perfcast.serving._body import Request, UnknownReference, coverage_of, parse_json, parse_object
from perfcast.serving._cache import Slot
from perfcast.serving._explained import explain_row, short
from perfcast.serving._follower import Follower
from perfcast.serving._foreign import open_foreign, try_rows
from perfcast.serving._items import ItemReader
from perfcast.serving._predictor import Answer, Prediction, Predictor, declared_workload
from perfcast.serving._reaching import reach, read_reaching
from perfcast.serving._reader import Reader
from perfcast.serving._shadows import Shadows
from perfcast.serving._upload import LARGEST_MANIFEST, read_statement, upload

__all__ = [
    "LARGEST_MANIFEST",
    "Answer",
    "AnswerCache",
    "Arm",
    "Follower",
    "ItemReader",
    "Key",
    "Prediction",
    "Predictor",
    "Reader",
    "Request",
    "Shadows",
    "Slot",
    "UnknownReference",
    "coverage_of",
    "declared_workload",
    "explain_row",
    "open_foreign",
    "parse_json",
    "parse_object",
    "reach",
    "read_reaching",
    "read_statement",
    "short",
    "try_rows",
    "upload",
]
