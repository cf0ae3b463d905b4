"""The built-in workloads."""

import pytest

from perfcast.workloads import Workload, builtin_workloads


@pytest.fixture
def cpu() -> Workload:
    return builtin_workloads()["cpu-utilization"]


@pytest.fixture
def cnn() -> Workload:
    return builtin_workloads()["cnn-execution-time"]
