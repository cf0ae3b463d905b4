"""A real Dask cluster for tests: a scheduler and workers, each a process of its own on free ports."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parent.parent


class DaskCluster:
    """The processes and where they listen.

    Args:
        folder: For what they write.
        certificates: What `perfcast cluster certificates` made; then nobody gets in without one of them.
        paths: Where the scheduler looks for modules first.
    """

    def __init__(self, folder: Path, certificates: Path | None = None, paths: Sequence[str] = ()) -> None:
        self._folder, self._certificates = folder, certificates
        self._begun = 0
        self._processes: list[subprocess.Popen[bytes]] = []
        contact = folder / "scheduler.json"
        command = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        self._scheduler = self._start("scheduler", *command, "--scheduler-file", str(contact), paths=paths)
        self.address = _address(contact, self._scheduler, folder)

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers that live."""
        return [process.pid for process in self._processes if process.poll() is None]

    def add_worker(self, *, paths: Sequence[str] = (), unseen: Path | None = None) -> int:
        """Start a worker of one thread; gives its process id.

        Args:
            paths: Where it looks for modules first.
            unseen: A folder that it finds empty, as another machine would.
        """
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1", "--memory-limit", "0"]
        command = ["distributed.cli.dask_worker", self.address, *options, "--local-directory", str(self._folder)]
        apart = (
            () if unseen is None else ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs t "$0" && exec "$@"', str(unseen))
        )
        process = self._start("worker", *command, "--death-timeout", "30", paths=paths, apart=apart)
        self._processes.append(process)
        return process.pid

    def kill(self, pid: int) -> None:
        """SIGKILL a worker."""
        process = next(process for process in self._processes if process.pid == pid)
        process.kill()
        process.wait()

    def stop_scheduler(self) -> None:
        """SIGKILL the scheduler."""
        self._scheduler.kill()
        self._scheduler.wait()

    def close(self) -> None:
        """End all of it."""
        for process in (*self._processes, self._scheduler):
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()

    def environment(self, role: str = "client", paths: Sequence[str] = ()) -> dict[str, str]:
        """Of a process that plays a part in this cluster."""
        searched = [*paths, str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
        known = {} if self._certificates is None else {"DASK_CONFIG": str(self._certificates / f"{role}.yaml")}
        return os.environ | known | {"PYTHONPATH": os.pathsep.join(searched)}

    def _start(
        self, role: str, module: str, *arguments: str, paths: Sequence[str] = (), apart: Sequence[str] = ()
    ) -> "subprocess.Popen[bytes]":
        self._begun += 1
        with (self._folder / f"{self._begun}.log").open("wb") as log:
            protocol = () if self._certificates is None else ("--protocol", "tls")
            command = [*apart, sys.executable, "-m", module, *arguments, *protocol]
            return subprocess.Popen(command, stdout=log, stderr=log, env=self.environment(role, paths))


@contextmanager
def dask_cluster(
    workers: int = 2, certificates: Path | None = None, paths: Sequence[str] = ()
) -> Iterator[DaskCluster]:
    """A scheduler and workers of one thread each, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="perfcast-dask-", ignore_cleanup_errors=True) as name:
        cluster = DaskCluster(Path(name), certificates, paths)
        try:
            for _ in range(workers):
                cluster.add_worker()
            yield cluster
        finally:
            cluster.close()


def _address(contact: Path, scheduler: "subprocess.Popen[bytes]", folder: Path) -> str:
    import json

    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and scheduler.poll() is None:
        try:
            return str(json.loads(contact.read_text())["address"])
        except (OSError, ValueError, KeyError):
            time.sleep(0.05)
    raise RuntimeError(f"the Dask scheduler did not start: {(folder / '1.log').read_text()}")
