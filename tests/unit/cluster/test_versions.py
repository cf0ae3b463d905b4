"""What runs elsewhere has the versions that are here, or nothing is sent there."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.dask_cluster import dask_cluster
from tests.patience import PATIENCE_SECONDS, until

from perfcast.cluster import Cluster
from perfcast.cluster._versions import differences, summary
from perfcast.errors import Unavailable

HERE = {"python": "3.11.7.final.0", "perfcast": "1.2.0", "numpy": "2.4.0", "torch": "2.8.0+cpu", "xgboost-cpu": "3.0.1"}


@pytest.fixture
def other(tmp_path: Path) -> Callable[[str, str], str]:
    """Makes a folder that, searched first, says that a distribution has another version."""

    def make(name: str, version: str) -> str:
        about = tmp_path / name / f"{name}-{version}.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        return str(about.parent)

    return make


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfcast.cluster._connection.CONNECT_SECONDS", PATIENCE_SECONDS)


def test_a_worker_with_another_version_is_refused_before_anything_is_sent(other: Callable[[str, str], str]) -> None:
    with dask_cluster(workers=0) as cluster:
        cluster.add_worker(paths=[other("numpy", "1.0.0")])
        with pytest.raises(Unavailable) as refused:
            Cluster(cluster.address)
    text = str(refused.value)
    assert (
        f"numpy is {sys.modules['numpy'].__version__} on {socket.gethostname()} and 1.0.0 on the worker tcp://" in text
    )
    assert text.count(" and 1.0.0 ") == 1


def test_a_scheduler_with_another_perfcast_is_refused(other: Callable[[str, str], str]) -> None:
    told = r"perfcast is \S+ on \S+ and 9\.9\.9 on the scheduler\. Install"
    with dask_cluster(1, paths=[other("perfcast", "9.9.9")]) as cluster, pytest.raises(Unavailable, match=told):
        Cluster(cluster.address)


def test_a_worker_that_comes_later_is_looked_at_too(other: Callable[[str, str], str]) -> None:
    with dask_cluster(workers=1) as cluster, Cluster(cluster.address) as connection:
        assert connection.send(os.getpid).result(timeout=PATIENCE_SECONDS) in cluster.workers
        cluster.add_worker(paths=[other("torch", "0.1.0")])
        with pytest.raises(Unavailable, match=r"and 0\.1\.0 on the worker"):
            until(lambda: connection.threads == 2)


def test_the_same_everywhere_is_no_difference() -> None:
    assert differences(HERE, HERE, {"tls://a:1": HERE, "tls://b:1": dict(HERE)}) == []


def test_builds_and_small_pythons_may_differ() -> None:
    there = HERE | {"python": "3.11.2.final.0", "torch": "2.8.0+cu128", "xgboost-cpu": None, "xgboost": "3.0.1"}
    assert differences(HERE, there, {"tls://a:1": there}) == []


def test_a_scheduler_may_lack_what_only_workers_need_and_a_client_what_it_does_not_have() -> None:
    bare = HERE | {"torch": None, "xgboost-cpu": None}
    assert differences(HERE, bare, {}) == []
    assert differences(bare, HERE, {"tls://a:1": HERE}) == []
    assert differences(HERE, HERE, {"tls://a:1": bare}) == [
        f"torch is 2.8.0 on {socket.gethostname()} and not installed on the worker tls://a:1",
        f"xgboost is 3.0.1 on {socket.gethostname()} and not installed on the worker tls://a:1",
    ]


def test_of_many_differences_the_first_are_told_and_the_others_counted() -> None:
    assert summary(["a", "b", "c"], most=2) == "a; b; and 1 more"
    assert summary(["a", "b"], most=2) == "a; b"
