"""A store of objects that speaks S3, in a process of its own: a pytest plugin."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from tests.services import free_port, wait_until_it_listens

_NOBODY = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Address of a moto server of this session's own, which keeps everything in memory."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, env=os.environ | _NOBODY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_it_listens(server, port, "moto")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def new_bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Makes an empty bucket at each call and returns its address; this process and those it starts find the server."""
    import s3fs  # type: ignore[import-untyped]

    for name, value in {**_NOBODY, "AWS_ENDPOINT_URL": s3_server}.items():
        monkeypatch.setenv(name, value)

    def new() -> str:
        name = f"bucket-{secrets.token_hex(8)}"
        s3fs.S3FileSystem().mkdir(name)
        return f"s3://{name}/perfcast"

    return new
