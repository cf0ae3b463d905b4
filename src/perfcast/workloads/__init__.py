"""Kinds of work whose cost can be predicted.

A workload is a YAML declaration (`_declaration`): typed features, derived quantities, rules and one cost. The two
built-in ones lie in subfolders, each with what belongs to it alone: a simulator, a profiler, measured data. A user's
own are read from a folder or from an installed package (`_catalogue`). `Workload` checks rows and turns features into
model inputs with exact arithmetic (`_expressions`) that runs the same on arrays, on single rows and in a graph. Two
declarations of one workload are compared in one place (`_comparison`). Presets (`_presets`) are rows with names, for
people to begin with.
"""

from perfcast.workloads._catalogue import (
    Catalogue,
    builtin_workloads,
    find_workload,
    load_workload,
    load_workloads,
    survey_workloads,
    without_features,
    workload_from_document,
)
from perfcast.workloads._clock import (
    NOWHEN,
    clock_columns,
    no_moment,
    numbered_moments,
    offsets,
    read_moment,
    stated_moment,
)
from perfcast.workloads._comparison import differences, document_differences, encoded_for, same_rows
from perfcast.workloads._expressions import ArrayArithmetic, Expression, Name, Operator, evaluate, names, parse
from perfcast.workloads._feature import EXACT, LARGEST, Feature, exact, inexact
from perfcast.workloads._rows import TIMESTAMP, RowReader, missing_feature, unknown_feature
from perfcast.workloads._table import Refusal, check_table, merged, right_rows, rules_hold
from perfcast.workloads._terms import Plan, Step, Term
from perfcast.workloads._workload import Cost, Preset, Rows, Workload
from perfcast.workloads._yaml import read_yaml

__all__ = [
    "EXACT",
    "LARGEST",
    "NOWHEN",
    "TIMESTAMP",
    "ArrayArithmetic",
    "Catalogue",
    "Cost",
    "Expression",
    "Feature",
    "Name",
    "Operator",
    "Plan",
    "Preset",
    "Refusal",
    "RowReader",
    "Rows",
    "Step",
    "Term",
    "Workload",
    "builtin_workloads",
    "check_table",
    "clock_columns",
    "differences",
    "document_differences",
    "encoded_for",
    "evaluate",
    "exact",
    "find_workload",
    "inexact",
    "load_workload",
    "load_workloads",
    "merged",
    "missing_feature",
    "names",
    "no_moment",
    "numbered_moments",
    "offsets",
    "parse",
    "read_moment",
    "read_yaml",
    "right_rows",
    "rules_hold",
    "same_rows",
    "stated_moment",
    "survey_workloads",
    "unknown_feature",
    "without_features",
    "workload_from_document",
]
