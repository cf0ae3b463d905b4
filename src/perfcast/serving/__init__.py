"""Answering from registered versions, with nothing but ONNX Runtime.

A `Predictor` is one version loaded and warm. A `Reader` turns the JSON features of its workload into a row of numbers.
`Routes` is an immutable snapshot of what answers to which model reference, and `Follower` keeps the newest one in
place while the registry changes, without a gap (rule R7). Nothing here knows HTTP.
"""

from perfcast.serving._answer_cache import AnswerCache, MemoryAnswers, RedisAnswers, make_answer_cache
from perfcast.serving._body import BodyReader, Request, UnknownReference, parse_object
from perfcast.serving._columns import Column, ColumnReader
from perfcast.serving._follower import Follower
from perfcast.serving._items import ItemReader
from perfcast.serving._predictor import Answer, Prediction, Predictor
from perfcast.serving._reaching import read_reaching
from perfcast.serving._reader import Reader
from perfcast.serving._routes import NO_ROUTES, Routes

__all__ = [
    "NO_ROUTES",
    "Answer",
    "AnswerCache",
    "BodyReader",
    "Column",
    "ColumnReader",
    "Follower",
    "ItemReader",
    "MemoryAnswers",
    "Prediction",
    "Predictor",
    "Reader",
    "RedisAnswers",
    "Request",
    "Routes",
    "UnknownReference",
    "make_answer_cache",
    "parse_object",
    "read_reaching",
]
