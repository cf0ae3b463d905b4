"""Tables as people have them: how a file is written, which column is which feature, and what its values mean.

`open_table` gives a file's rows as batches in bounded memory, whatever its format (`_text`, `_open`); `map_columns`
finds the columns; `ColumnReader` turns columns into rows for a model, by the declaration of each feature and never by a
guess, and says which rows are wrong; `read_moments` reads times. Files and requests go the same way. PyArrow is
imported where a table is opened, never before.
"""

from perfcast.tables._mapping import BatchReader, ColumnMap, check_kinds, map_columns
from perfcast.tables._moments import Moments, read_moments
from perfcast.tables._open import FORMATS, ParquetTable, Table, is_table, open_table
from perfcast.tables._reader import TIME, Column, ColumnReader, Taken
from perfcast.tables._text import TextTable

__all__ = [
    "FORMATS",
    "TIME",
    "BatchReader",
    "Column",
    "ColumnMap",
    "ColumnReader",
    "Moments",
    "ParquetTable",
    "Table",
    "Taken",
    "TextTable",
    "check_kinds",
    "is_table",
    "map_columns",
    "open_table",
    "read_moments",
]
