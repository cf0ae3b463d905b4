"""Real servers for tests, started on free ports and ended with the session: a pytest plugin.

`tests/conftest.py` names it in `pytest_plugins`. A server that isn't installed is an error, never a skipped test.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psutil
import psycopg
import pytest
from tests.patience import PATIENCE_SECONDS

from perfcast.storage import Database, schema


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Address of a PostgreSQL server of this session's own, with one empty database."""
    with running_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Address of a Redis server of this session's own."""
    with redis_server() as server:
        yield server.url


@pytest.fixture(scope="session")
def new_postgres_url(postgres_url: str) -> Callable[[], str]:
    """Makes an empty database at each call and returns its address; they go with the server."""
    names = (f"test_{number}" for number in count())

    def new() -> str:
        name = next(names)
        _administer(postgres_url, f"CREATE DATABASE {name}")
        return f"{postgres_url.rpartition('/')[0]}/{name}"

    return new


@pytest.fixture(scope="session")
def migrated_postgres_url(new_postgres_url: Callable[[], str]) -> str:
    """Address of a migrated database that tests share; `empty` it before each."""
    url = new_postgres_url()
    database = Database(url)
    database.migrate()
    database.close()
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file without a row, for tests to copy: that is quicker than migrating anew."""
    path = tmp_path_factory.mktemp("migrated") / "perfcast.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


def empty(database: Database) -> None:
    """Leave a migrated database as if it had just been made."""
    with database.begin() as connection:
        for table in reversed(schema.metadata.sorted_tables):
            if table is not schema.revision:
                connection.execute(table.delete())
        connection.execute(schema.revision.update().values(value=0))


class PostgresServer:
    """A PostgreSQL server on loopback that trusts everybody; it can be stopped and started again.

    Args:
        folder: For its data; belongs to the account it runs as.
        user: That account; None for this process's.
    """

    def __init__(self, folder: Path, user: str | None) -> None:
        self._binaries, self._folder, self._user = _postgres_binaries(), folder, user
        self._port = free_port()
        self.url = f"postgresql://perfcast:secret@127.0.0.1:{self._port}/postgres"
        initdb = [self._binaries / "initdb", "--no-sync", "--auth=trust", "--username=perfcast", "--locale=C"]
        command = [*initdb, "-E", "UTF8", "-D", folder / "data"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, user=user)

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            options = ["-h", "127.0.0.1", "-p", str(self._port), "-k", self._folder, "-F", "-c", "max_connections=200"]
            command = [self._binaries / "postgres", "-D", self._folder / "data", *options]
            self._server = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder, user=self._user)
        _wait_until_it_answers(self._server, self.url, self._folder / "log")

    def stop(self) -> None:
        """Stop it; connections are cut."""
        _end(self._server)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Suspend it; connections stay."""
        server = psutil.Process(self._server.pid)
        suspended = [server, *server.children(recursive=True)]
        for process in suspended:
            process.suspend()
        try:
            yield
        finally:
            for process in suspended:
                process.resume()


@contextmanager
def running_postgres() -> Iterator[str]:
    """A PostgreSQL server that forgets everything at the end; gives its address."""
    with postgres_server() as server:
        yield server.url


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server that forgets everything at the end."""
    folder = Path(tempfile.mkdtemp(prefix="perfcast-pg-"))
    try:
        server = PostgresServer(folder, _unprivileged_owner(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class RedisServer:
    """A Redis server on loopback that keeps nothing: started again, it is empty."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise RuntimeError("tests need a Redis server: apt-get install redis-server")
        self._port = free_port()
        options = ["--bind", "127.0.0.1", "--port", str(self._port), "--save", "", "--appendonly", "no"]
        self._command = [program, *options, "--dir", tempfile.gettempdir()]
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._server = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until_it_listens(self._server, self._port, "Redis")

    def stop(self) -> None:
        """Stop it; what it held is gone."""
        self._server.kill()
        self._server.wait()


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A Redis server, ended at the end."""
    server = RedisServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


class NginxServer:
    """The shipped nginx configuration in front of two addresses.

    Args:
        folder: For what it writes.
        ports: Of the two API processes behind it, on loopback.
    """

    def __init__(self, folder: Path, ports: tuple[int, int]) -> None:
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if program is None:
            raise RuntimeError("tests need nginx: apt-get install nginx-light")
        port = free_port()
        shipped = (Path(__file__).parent.parent / "deploy/nginx/perfcast.conf").read_text()
        given = {"listen 8000;": f"listen 127.0.0.1:{port};", ":8001": f":{ports[0]}", ":8002": f":{ports[1]}"}
        for written, wanted in given.items():
            assert written in shipped
            shipped = shipped.replace(written, wanted)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{kind}_temp_path {folder / kind};\n" for kind in kinds)
        (folder / "nginx.conf").write_text(
            f"pid {folder / 'pid'};\nerror_log {folder / 'error.log'} warn;\ndaemon off;\nuser root;\n"
            f"events {{ worker_connections 4096; }}\nhttp {{\naccess_log off;\n{temporary}{shipped}}}\n"
        )
        self._command = [program, "-c", folder / "nginx.conf", "-p", folder, "-e", folder / "error.log"]
        self._port, self.log = port, folder / "error.log"
        self.url = f"http://127.0.0.1:{port}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._server = subprocess.Popen(self._command)
        wait_until_it_listens(self._server, self._port, "nginx")

    def stop(self) -> None:
        """Stop it."""
        self._server.terminate()
        self._server.wait(PATIENCE_SECONDS)


def wait_until_it_listens(server: subprocess.Popen[bytes], port: int, name: str) -> None:
    """Return once somebody listens on the port."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not start on port {port}") from None
            time.sleep(0.02)
        else:
            return


def free_port() -> int:
    """A port on loopback that nobody listens on just now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _postgres_binaries() -> Path:
    """The folder of initdb and postgres, the newest where there are several."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = str(debian[-1]) if debian else shutil.which("initdb")
    if found is None:
        raise RuntimeError("tests need a PostgreSQL server: apt-get install postgresql")
    return Path(found).resolve().parent


def _unprivileged_owner(folder: Path) -> str | None:
    """PostgreSQL refuses to run as root: give the folder to the account that Debian's package makes."""
    if os.getuid() != 0:
        return None
    shutil.chown(folder, "postgres", "postgres")
    return "postgres"


def _wait_until_it_answers(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            _administer(url, "SELECT 1")
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return


def _end(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)  # what PostgreSQL calls a fast shutdown
    try:
        server.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _administer(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement.encode())
