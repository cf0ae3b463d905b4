"""A file that runs code when it is loaded can't do harm, and is reported."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Timer

import joblib
import msgspec
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from perfcast.discovery import Converter
from perfcast.discovery._messages import Failed, Order, Outcome
from perfcast.errors import Refused, Stopped
from perfcast.workloads import builtin_workloads

CNN = builtin_workloads()["cnn-execution-time"].document()
ATTEMPTS = """
import os, socket, subprocess
outcome = {}
def attempt(name, action):
    try:
        outcome[name] = f"came through: {action()}"
    except BaseException as error:
        outcome[name] = type(error).__name__
attempt("connect", lambda: socket.create_connection(("127.0.0.1", PORT), 2))
attempt("unix", lambda: socket.socket(socket.AF_UNIX))
attempt("program", lambda: subprocess.run(["true"]))
attempt("fork", os.fork)
attempt("signal", lambda: os.kill(os.getppid(), 0))
attempt("worker", lambda: open(f"/proc/{os.getppid()}/environ").read())
attempt("memory", lambda: open(f"/proc/{os.getppid()}/mem").read(1))
os.system("touch MARKER")
secrets = [name for name, value in os.environ.items() if "s3cret" in value]
raise RuntimeError(f"{sorted(outcome.items())} secrets: {secrets}")
"""


class Code:
    """Runs when it is unpickled."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return exec, (self.code, {})


def pickled(value: object) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer)
    return buffer.getvalue()


def converter(seconds: float = 60, *, unconfined: bool = False) -> Converter:
    return Converter([CNN], seconds, unconfined=unconfined)


def test_it_reaches_no_network_no_secret_and_no_other_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setenv("API_KEY", "s3cret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:s3cret@host/database")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        code = ATTEMPTS.replace("PORT", str(listener.getsockname()[1])).replace("MARKER", str(tmp_path / "marker"))
        with pytest.raises(Refused) as refused:
            converter().convert("best_model.joblib", {"best_model.joblib": pickled(Code(code))})
        with pytest.raises(TimeoutError):
            listener.accept()
    told = str(refused.value)
    assert "came through" not in told
    assert told.count("Error'") == 7
    assert "secrets: []" in told
    assert not (tmp_path / "marker").exists()


def test_the_same_code_does_harm_when_nothing_holds_it(tmp_path: Path) -> None:
    """So the test above can fail."""
    code = f"import os; os.system('touch {tmp_path / 'marker'}')"
    joblib.load(io.BytesIO(pickled(Code(code))))
    assert (tmp_path / "marker").exists()


def test_it_is_ended_when_its_time_is_over() -> None:
    begun = time.monotonic()
    with pytest.raises(Refused, match="longer than the 6 s that MODELS_CONVERT_SECONDS allows"):
        converter(6).convert("best_model.joblib", {"best_model.joblib": pickled(Code("import time; time.sleep(600)"))})
    assert time.monotonic() - begun < 60


def test_it_is_ended_when_the_worker_stops() -> None:
    stopping = Event()
    Timer(0.5, stopping.set).start()
    data = {"best_model.joblib": pickled(Code("import time; time.sleep(600)"))}
    with pytest.raises(Stopped):
        converter().convert("best_model.joblib", data, stopping=stopping)


def test_its_memory_is_bounded() -> None:
    data = {"best_model.joblib": pickled(Code("x = bytearray(6 << 30)"))}
    with pytest.raises(Refused, match="more memory"):
        converter().convert("best_model.joblib", data)


def test_what_it_prints_and_a_sudden_end_are_no_outcome() -> None:
    code = "import os, sys; print('x' * 1000); sys.stdout.flush(); os.write(1, b'y'); os._exit(3)"
    with pytest.raises(Refused, match="its conversion ended with status 3"):
        converter().convert("best_model.joblib", {"best_model.joblib": pickled(Code(code))})


@pytest.mark.parametrize(("unconfined", "expected"), [(False, "MODELS_UNCONFINED=true"), (True, "came to be loaded")])
def test_where_the_kernel_grants_no_namespace_only_the_setting_lets_it_load(*, unconfined: bool, expected: str) -> None:
    data = pickled(Code("raise RuntimeError('came to be loaded')"))
    order = Order("best_model.joblib", {"best_model.joblib": data}, [CNN], unconfined, os.getpid())
    refusing = (
        "import perfcast.discovery.conversion.__main__ as child\n"
        "from perfcast.discovery.conversion import _confinement as confinement\n"
        "child.leave_network = lambda: False\n"
        "confinement.forbid_system_calls = lambda: False\n"
        "child.main()\n"
    )
    words = [sys.executable, "-c", refusing]
    shown = subprocess.run(words, input=msgspec.msgpack.encode(order), capture_output=True, check=True, timeout=120)
    outcome = msgspec.msgpack.decode(shown.stdout, type=Outcome)
    assert isinstance(outcome, Failed)
    assert expected in outcome.reason


def test_a_good_file_comes_through_all_of_it() -> None:
    random = np.random.default_rng(0)
    rows = random.integers(1, 100, (50, 7)).astype(np.float64)
    converted = converter().convert(
        "best_model.joblib", {"best_model.joblib": pickled(Ridge().fit(rows, rows[:, 0] + 9))}
    )
    assert converted.family == "polynomial"
    assert converted.parity.worst < 1e-4
