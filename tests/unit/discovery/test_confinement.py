"""A file that runs code when it is loaded can't do harm, and is reported."""

import ast
import io
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Timer

import joblib
import msgspec
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from perfcast.discovery._converter import Converter, Order, Outcome
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


CHANGES = """
import ctypes, os, shutil, tempfile
libc = ctypes.CDLL(None, use_errno=True)
path = FOLDER
victim, other, inside = path + "/victim", path + "/other", path + "/inside"
outcome = {}
def remove(place):
    if os.path.isdir(place) and not os.path.islink(place):
        shutil.rmtree(place)
    elif os.path.lexists(place):
        os.unlink(place)
def restore():
    try:
        for place in (victim, other, inside, path + "/new"):
            remove(place)
        os.makedirs(inside)
        open(victim, "w").close()
    except OSError:
        pass
def attempt(name, action):
    restore()
    try:
        outcome[name] = f"came through: {action()}"
    except OSError as error:
        outcome[name] = type(error).__name__
def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)
def raw(*arguments):
    if libc.syscall(*arguments) == -1:
        raise OSError(ctypes.get_errno(), str(arguments))
reading = lambda: os.open(victim, os.O_RDONLY)
attempt("create", lambda: open(path + "/new", "w"))
attempt("create to read", lambda: os.open(path + "/new", os.O_RDONLY | os.O_CREAT))
attempt("creat", lambda: call("creat", (path + "/new").encode(), 0o600))
attempt("openat", lambda: os.open("new", os.O_WRONLY | os.O_CREAT, dir_fd=os.open(path, os.O_RDONLY)))
attempt("openat2", lambda: raw(437, -100, victim.encode(), (ctypes.c_uint64 * 3)(1, 0, 0), 24))
attempt("nameless", lambda: os.open(path, os.O_RDWR | os.O_TMPFILE))
attempt("temporary", lambda: tempfile.TemporaryFile())
attempt("overwrite", lambda: open(victim, "r+b"))
attempt("append", lambda: open(victim, "ab"))
attempt("truncate on opening", lambda: os.open(victim, os.O_RDONLY | os.O_TRUNC))
attempt("truncate", lambda: os.truncate(victim, 0))
attempt("reopen", lambda: open(f"/proc/self/fd/{reading()}", "r+b"))
attempt("rename", lambda: os.rename(victim, other))
attempt("replace", lambda: os.replace(victim, other))
attempt("exchange", lambda: call("renameat2", -100, victim.encode(), -100, inside.encode(), 2))
attempt("unlink", lambda: os.unlink(victim))
attempt("unlinkat", lambda: os.unlink("victim", dir_fd=os.open(path, os.O_RDONLY)))
attempt("rmdir", lambda: os.rmdir(inside))
attempt("rmtree", lambda: shutil.rmtree(path))
attempt("mkdir", lambda: os.mkdir(path + "/new"))
attempt("link", lambda: os.link(victim, path + "/new"))
attempt("symlink", lambda: os.symlink(victim, path + "/new"))
attempt("fifo", lambda: os.mkfifo(path + "/new"))
attempt("chmod", lambda: os.chmod(victim, 0))
attempt("fchmod", lambda: os.fchmod(reading(), 0))
attempt("chown", lambda: os.chown(victim, os.getuid(), os.getgid()))
attempt("utime", lambda: os.utime(victim, (1, 1)))
attempt("utime of one read", lambda: os.utime(reading(), (1, 1)))
attempt("xattr", lambda: os.setxattr(victim, "user.mark", b"x"))
if HELD:
    attempt("mount", lambda: call("mount", b"none", path.encode(), b"tmpfs", 0, None))
    attempt("shared memory", lambda: call("shmget", 0, 4096, 0o1600))
refused = sorted(name for name, end in outcome.items() if "through" not in end)
raise RuntimeError(f"{len(outcome)} tried, {len(refused)} refused: {set(outcome.values()) if HELD else refused}")
"""
SIGNALS = """
import ctypes, fcntl, os, resource, signal, struct
libc = ctypes.CDLL(None, use_errno=True)
victim = VICTIM
outcome = {}
def attempt(name, action):
    try:
        action()
        outcome[name] = "came through"
    except OSError as error:
        outcome[name] = type(error).__name__
def raw(x86_64, aarch64, *arguments):
    number = x86_64 if os.uname().machine == "x86_64" else aarch64
    if libc.syscall(number, *arguments) == -1:
        raise OSError(ctypes.get_errno(), str(number))
info = struct.pack("iiiiii104x", 9, 0, -1, 0, os.getpid(), os.getuid())
def by_readiness():
    reading, writing = os.pipe()
    fcntl.fcntl(reading, fcntl.F_SETOWN, victim)
    fcntl.fcntl(reading, fcntl.F_SETSIG, 9)
    fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC)
    os.write(writing, b"x")
attempts = {
    "kill": lambda: os.kill(victim, 9),
    "killpg": lambda: os.killpg(victim, 9),
    "tkill": lambda: raw(200, 130, victim, 9),
    "tgkill": lambda: raw(234, 131, victim, victim, 9),
    "tgkill of a wide number": lambda: raw(234, 131, ctypes.c_uint64((1 << 32) + victim), victim, 9),
    "rt_sigqueueinfo": lambda: raw(129, 138, victim, 9, info),
    "rt_tgsigqueueinfo": lambda: raw(297, 240, victim, victim, 9, info),
    "pidfd_send_signal": lambda: signal.pidfd_send_signal(os.pidfd_open(victim), 9),
    "F_SETOWN": by_readiness,
    "process_vm_writev": lambda: raw(311, 271, victim, None, 0, None, 0, 0),
    "prlimit64": lambda: resource.prlimit(victim, resource.RLIMIT_CPU, (1, 1)),
    "sched_setaffinity": lambda: os.sched_setaffinity(victim, {max(os.sched_getaffinity(0))}),
    "setpriority": lambda: os.setpriority(os.PRIO_PROCESS, victim, 19),
}
for name, action in attempts.items():
    if WANTED in (name, "all"):
        attempt(name, action)
"""
MEANS = ("kill", "killpg", "tkill", "tgkill", "tgkill of a wide number", "rt_sigqueueinfo", "rt_tgsigqueueinfo")


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


def furnished(folder: Path) -> dict[str, tuple[int, int, int, str]]:
    """A folder with things to spoil, and how it looks."""
    (folder / "inside").mkdir()
    (folder / "inside" / "deep").write_text("deep")
    (folder / "victim").write_text("precious")
    return looks(folder)


def looks(folder: Path) -> dict[str, tuple[int, int, int, str]]:
    stats = {path: path.stat() for path in folder.rglob("*")}
    return {
        str(path): (stat.st_mode, stat.st_mtime_ns, stat.st_ctime_ns, path.read_text() if path.is_file() else "")
        for path, stat in stats.items()
    }


def test_it_can_neither_make_nor_change_nor_delete_files(tmp_path: Path) -> None:
    before = furnished(tmp_path)
    code = CHANGES.replace("FOLDER", repr(str(tmp_path))).replace("HELD", "True")
    with pytest.raises(Refused) as refused:
        converter().convert("best_model.joblib", {"best_model.joblib": pickled(Code(code))})
    assert looks(tmp_path) == before
    assert "31 tried, 31 refused: " in str(refused.value)


def test_the_same_code_changes_files_when_nothing_holds_it(tmp_path: Path) -> None:
    before = furnished(tmp_path)
    code = CHANGES.replace("FOLDER", repr(str(tmp_path))).replace("HELD", "False")
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    refused = ast.literal_eval(shown.stderr.strip().rpartition(": ")[2])
    assert set(refused) <= {"exchange", "nameless", "xattr"}  # not every file system has them
    assert looks(tmp_path) != before


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the same user, which leads a group."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True) as process:
        yield process
        process.kill()


def test_it_can_signal_and_restrain_no_other_process(victim: subprocess.Popen[bytes]) -> None:
    limits, places = resource.prlimit(victim.pid, resource.RLIMIT_CPU), os.sched_getaffinity(victim.pid)
    code = SIGNALS.replace("VICTIM", str(victim.pid)).replace("WANTED", "'all'")
    code += "raise RuntimeError(f'{len(outcome)} tried: {set(outcome.values())}')"
    with pytest.raises(Refused, match=r"13 tried: \{'PermissionError'\}$"):
        converter().convert("best_model.joblib", {"best_model.joblib": pickled(Code(code))})
    assert victim.poll() is None
    assert os.getpriority(os.PRIO_PROCESS, victim.pid) == os.getpriority(os.PRIO_PROCESS, 0)
    assert resource.prlimit(victim.pid, resource.RLIMIT_CPU) == limits
    assert os.sched_getaffinity(victim.pid) == places


@pytest.mark.parametrize("means", [*MEANS, "pidfd_send_signal", "F_SETOWN"])
def test_the_same_code_ends_a_process_when_nothing_holds_it(victim: subprocess.Popen[bytes], means: str) -> None:
    code = SIGNALS.replace("VICTIM", str(victim.pid)).replace("WANTED", repr(means))
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert victim.wait(30) == -9


def test_it_may_still_end_itself() -> None:
    data = {"best_model.joblib": pickled(Code("import os; os.abort()"))}
    with pytest.raises(Refused, match="killed by signal 6"):
        converter().convert("best_model.joblib", data)


def test_of_many_words_before_a_sudden_end_the_last_are_told() -> None:
    code = "import os, sys; os.write(2, b'x' * 1_000_000 + b'\\nthe last'); os._exit(3)"
    with pytest.raises(Refused, match=r"ended with status 3: the last$"):
        converter().convert("best_model.joblib", {"best_model.joblib": pickled(Code(code))})


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
        "child.leave_network = lambda: None\n"
        "confinement.forbid_system_calls = lambda: False\n"
        "child.main()\n"
    )
    words = [sys.executable, "-c", refusing]
    shown = subprocess.run(words, input=msgspec.msgpack.encode(order), capture_output=True, check=True, timeout=120)
    outcome = msgspec.msgpack.decode(shown.stdout, type=Outcome)
    assert isinstance(outcome, str)
    assert expected in outcome


def test_a_good_file_comes_through_all_of_it() -> None:
    random = np.random.default_rng(0)
    rows = random.integers(1, 100, (50, 7)).astype(np.float64)
    converted = converter().convert(
        "best_model.joblib", {"best_model.joblib": pickled(Ridge().fit(rows, rows[:, 0] + 9))}
    )
    assert converted.family == "polynomial"
    assert converted.parity.worst < 1e-4
