"""A search and a scoring on a Dask cluster over TLS that loses a worker on the way, and who is not let in."""

import re
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import polars as pl
import pytest
import yaml
from tests.dask_cluster import DaskCluster, dask_cluster
from tests.patience import PATIENCE_SECONDS, until
from tests.workers import small_dataset

from perfcast.cluster import Cluster
from perfcast.cluster.certificates import issue
from perfcast.datasets import Datasets
from perfcast.errors import Unavailable
from perfcast.storage import Blobs, Database

MODEL = "cpu-utilization"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    issue(folder)
    return folder


@pytest.fixture(scope="module")
def cluster(certificates: Path) -> Iterator[DaskCluster]:
    with dask_cluster(workers=2, certificates=certificates) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `DATA_DIR` with rows."""
    folder = tmp_path_factory.mktemp("home")
    database = Database(f"sqlite:///{folder / 'perfcast.db'}")
    database.migrate()
    Datasets(database, Blobs(str(folder / "artifacts"))).add(small_dataset(600))
    database.close()
    return folder


def perfcast(cluster: DaskCluster, home: Path, *words: str, **given: str) -> "subprocess.Popen[str]":
    """A command of Perfcast whose work is done on the cluster."""
    environment = cluster.environment() | {"DATA_DIR": str(home), "DASK_SCHEDULER_ADDRESS": cluster.address} | given
    command = [sys.executable, "-m", "perfcast", *words]
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def said(process: "subprocess.Popen[str]") -> str:
    told, _ = process.communicate(timeout=4 * PATIENCE_SECONDS)
    return told


def _finished(journals: Path) -> int:
    """How many trials a search has noted as complete."""
    return sum(len(re.findall(r'"state": ?1\b', path.read_text())) for path in journals.glob("*.journal"))


def with_two(cluster: DaskCluster) -> None:
    while len(cluster.workers) < 2:
        cluster.add_worker()


def test_a_search_and_a_scoring_lose_nothing_with_a_worker(cluster: DaskCluster, home: Path, tmp_path: Path) -> None:
    assert cluster.address.startswith("tls://")
    with_two(cluster)
    wanted = ("--trials", "12", "--families", "polynomial,random_forest", "--resume", "night", "--promote", "auto")
    search = perfcast(cluster, home, "train", "--dataset", "simulated", *wanted)
    until(lambda: search.poll() is not None or _finished(home / "studies") > 1)
    assert search.poll() is None, said(search)
    cluster.kill(cluster.workers[0])
    told = said(search)
    assert search.returncode == 0, told
    assert "activated" in told or "champion" in told, told
    shown = said(perfcast(cluster, home, "models", "show", f"{MODEL}:1", "--json"))
    assert re.search(r'"trials": 12\b', shown), shown

    with_two(cluster)
    rows = 300_000
    dataset = small_dataset(rows)
    source, target = tmp_path / "rows.parquet", tmp_path / "scored"
    frame = pl.DataFrame(dict(zip(dataset.workload.feature_names, dataset.features.T, strict=True)))
    frame.with_row_index("id").write_parquet(source, row_group_size=30_000)
    scoring = perfcast(cluster, home, "score", str(source), str(target), "--model", MODEL)
    until(lambda: scoring.poll() is not None or list(tmp_path.glob(".scored.*/**/part-*")))
    assert scoring.poll() is None, said(scoring)
    cluster.kill(cluster.workers[0])
    told = said(scoring)
    assert scoring.returncode == 0, told
    scored = pl.read_parquet(sorted(target.iterdir()))
    assert scored["id"].to_list() == list(range(rows))
    assert scored["cost"].null_count() == 0


def test_without_tls_nobody_is_let_in(cluster: DaskCluster, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfcast.cluster._connection.CONNECT_SECONDS", 3)
    with pytest.raises(Unavailable, match="no Dask scheduler answers at tcp://"):
        Cluster(cluster.address.replace("tls://", "tcp://"))


@pytest.mark.parametrize("command", [("train", "--dataset", "simulated"), ("score", "in", "out", "--model", "any")])
def test_an_unencrypted_address_elsewhere_is_refused_by_the_commands(
    cluster: DaskCluster, home: Path, command: tuple[str, ...]
) -> None:
    refused = perfcast(cluster, home, *command, DASK_SCHEDULER_ADDRESS="tcp://192.0.2.1:8786")
    told = said(refused)
    assert refused.returncode == 1
    assert "DASK_SCHEDULER_ADDRESS is 'tcp://192.0.2.1:8786': not encrypted" in told


def test_without_a_certificate_it_says_which_setting_is_missing(cluster: DaskCluster, home: Path) -> None:
    bare = perfcast(cluster, home, "train", "--dataset", "simulated", DASK_CONFIG="/nowhere")
    told = said(bare)
    assert bare.returncode == 1
    assert "asks for a certificate, and there is none here: set DASK_CONFIG" in told


def test_who_has_no_certificate_or_one_of_another_authority_is_not_let_in(
    cluster: DaskCluster, certificates: Path, tmp_path: Path
) -> None:
    issue(tmp_path)
    authority = str(certificates / "authority.pem")
    assert answers(cluster.address, authority, certificates)
    assert not answers(cluster.address, authority, None)
    assert not answers(cluster.address, authority, tmp_path)


def answers(address: str, authority: str, own: Path | None) -> bool:
    """Whether a scheduler says anything to who comes as a client that a folder's authority knows, or that none does."""
    context = ssl.create_default_context(cafile=authority)
    if own is not None:
        show(context, own)
    host, _, port = address.removeprefix("tls://").rpartition(":")
    try:
        with (
            socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as encrypted,
        ):
            return bool(encrypted.recv(1))  # TLS 1.3: a refusal comes after the handshake
    except (ssl.SSLError, ConnectionResetError):
        return False


def show(context: ssl.SSLContext, folder: Path, role: str = "client") -> None:
    """Have a context come with the certificate of a role."""
    own = yaml.safe_load((folder / f"{role}.yaml").read_text())["distributed"]["comm"]["tls"][role]
    with tempfile.TemporaryDirectory() as name:
        both = Path(name) / "both.pem"
        both.write_text(own["cert"] + own["key"])
        context.load_cert_chain(both)


@pytest.mark.parametrize(("role", "believed"), [("scheduler", "yes"), ("client", "no")])
def test_a_client_s_certificate_does_not_pass_for_a_scheduler(certificates: Path, role: str, believed: str) -> None:
    authority = certificates / "authority.pem"
    listens, calls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context(cafile=authority)
    show(listens, certificates, role)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = listens.wrap_bio(there, back, server_side=True)
    client = calls.wrap_bio(back, there, server_hostname="localhost")
    with nullcontext() if believed == "yes" else pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        for side in (client, server, client):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
