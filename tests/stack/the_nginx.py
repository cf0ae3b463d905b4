"""The shipped nginx configuration in containers: with an nginx that looks replicas up itself, and with an older one."""

import json
import os
import socket
import ssl
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.patience import until
from tests.services import free_port
from tests.stack.engine import ROOT, engine, remove

BASE = os.environ.get("BASE_IMAGE", "python:3.13-slim-bookworm")
CALLER = httpx2.Client(verify=False, timeout=60)
"""Made once: each new one reads all certificates."""
IMAGES = {
    "looks replicas up": os.environ.get("NGINX_IMAGE", "nginx:1.29-alpine"),
    "is told of replicas": os.environ.get("OLD_NGINX_IMAGE", "nginx:1.22-alpine"),
}


class Site:
    """nginx and those behind it, on a network of their own."""

    def __init__(self) -> None:
        self.ports = {inside: free_port() for inside in (8080, 8000, 8501, 8443)}
        self._containers: dict[str, str] = {}
        self.secrets = Path()
        self.nginx, self._network = "", f"perfcast-nginx-{self.ports[8080]}"

    def open(self, image: str, *options: str) -> None:
        """Begin all of it."""
        engine("network", "create", self._network)
        published = [f"-p127.0.0.1:{outside}:{inside}" for inside, outside in self.ports.items()]
        self.start("a", "ml-api", 8000)
        self.start("u", "ui", 8501)
        self.start("v", "ui", 8501)
        hardened = ["--read-only", "--tmpfs=/tmp:mode=1777", "--cap-drop=ALL", "--user=10001:10001"]
        mounted = f"-v{ROOT}/deploy/nginx:/etc/nginx/perfcast:ro"
        command = ["--entrypoint=sh", *options, image, "/etc/nginx/perfcast/start.sh"]
        self.nginx = engine("run", "-d", f"--network={self._network}", *hardened, mounted, *published, *command).strip()

    def start(self, name: str, called: str, port: int) -> None:
        """One more replica of what is called so."""
        mounted = f"-v{ROOT}/tests/stack/echo.py:/echo.py:ro"
        options = [f"--network={self._network}", f"--network-alias={called}", f"--hostname={name}", mounted]
        self._containers[name] = engine("run", "-d", *options, BASE, "python3", "/echo.py", str(port)).strip()

    def end(self, name: str) -> None:
        """Kill a replica."""
        remove(self._containers.pop(name))

    def seen(self, name: str) -> list[str]:
        """The requests that a replica read."""
        return engine("exec", self._containers[name], "sh", "-c", "cat /tmp/seen || true").splitlines()

    def log(self) -> list[dict[str, Any]]:
        """What nginx wrote of requests."""
        return [json.loads(line) for line in engine("logs", self.nginx).splitlines() if line.startswith("{")]

    def close(self) -> None:
        """Remove all of it."""
        for container in filter(None, [self.nginx, *self._containers.values()]):
            remove(container)
        engine("network", "rm", self._network)

    def url(self, inside: int) -> str:
        """Where a port of the container is reached."""
        return f"http://127.0.0.1:{self.ports[inside]}"

    def answers(self, url: str) -> bool:
        """Whether somebody behind nginx answers."""
        try:
            return CALLER.get(url, timeout=2).status_code == 200
        except httpx2.HTTPError:
            return False


@pytest.fixture(scope="module", params=IMAGES.values(), ids=list(IMAGES))
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    site = Site()
    try:
        site.open(request.param)
        until(lambda: site.answers(site.url(8000)) and site.answers(site.url(8501)))
        yield site
    finally:
        site.close()


def names(url: str, requests: int = 60) -> Counter[str]:
    """Who answers."""
    answers = (CALLER.get(url) for _ in range(requests))
    return Counter(answer.json().get("name", answer.text) for answer in answers)


def test_each_port_and_path_leads_where_it_should(site: Site) -> None:
    assert CALLER.get(site.url(8000) + "/models").json()["path"] == "/models"
    assert CALLER.get(site.url(8080) + "/api/models?x=1").json()["path"] == "/models?x=1"
    assert CALLER.post(site.url(8080) + "/api/predict", json={}).json()["path"] == "/predict"
    assert CALLER.post(site.url(8080) + "/api/predict/batch", json=[]).json()["path"] == "/predict/batch"
    assert CALLER.get(site.url(8080) + "/predict").json()["name"] in "uv"
    assert CALLER.get(site.url(8501) + "/predict").json()["name"] in "uv"


def test_replicas_are_found_as_they_come_and_go(site: Site) -> None:
    site.start("b", "ml-api", 8000)
    site.start("c", "ml-api", 8000)
    until(lambda: set(names(site.url(8000))) == {"a", "b", "c"})
    spread = names(site.url(8000), 300)
    assert min(spread.values()) > 50, spread
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(lambda: [CALLER.get(site.url(8000)).status_code for _ in range(600)])
        site.end("b")
        site.end("c")
        assert set(asked.result()) == {200}
    until(lambda: set(names(site.url(8000))) == {"a"})


def test_training_is_never_asked_twice_but_predictions_are(site: Site) -> None:
    site.start("b", "ml-api", 8000)
    until(lambda: set(names(site.url(8000))) == {"a", "b"})
    dying = {"X-Die": "1"}
    before = [*site.seen("a"), *site.seen("b")].count("POST /predict")
    assert CALLER.post(site.url(8000) + "/train", json={}, headers=dying).status_code == 503
    assert CALLER.post(site.url(8000) + "/predict", json={}, headers=dying).status_code == 503
    seen = site.seen("a") + site.seen("b")
    assert seen.count("POST /train") == 1
    assert seen.count("POST /predict") >= before + 2  # by each replica
    site.end("b")
    until(lambda: set(names(site.url(8000))) == {"a"})  # which counts as dead for a while itself


def test_callers_cannot_say_where_they_come_from(site: Site) -> None:
    headers = CALLER.get(site.url(8000), headers={"X-Forwarded-For": "1.2.3.4"}).json()["headers"]
    assert "1.2.3.4" not in headers["X-Forwarded-For"]


def test_the_ui_is_told_the_port_that_was_asked_for(site: Site) -> None:
    for host in ("perfcast.example:8501", "perfcast.example"):
        assert CALLER.get(site.url(8501), headers={"Host": host}).json()["headers"]["Host"] == host


def test_bodies_are_bounded_by_what_they_are_for(site: Site) -> None:
    assert CALLER.post(site.url(8000) + "/predict", content=b"x" * 10_000_000).status_code == 200
    refused = CALLER.post(site.url(8080) + "/api/predict", content=b"x" * 11_000_000)
    assert refused.status_code == 413
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["status"] == 413
    assert (
        CALLER.post(site.url(8000) + "/predict/batch", content=b"x" * 11_000_000, timeout=60).json()["bytes"]
        == 11_000_000
    )


def test_web_sockets_pass(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.ports[8080]), 10) as connection:
        wanted = "GET /_stcore/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        connection.sendall(wanted.encode())
        answer = b""
        while b"hello from the socket" not in answer:
            read = connection.recv(4096)
            assert read, answer
            answer += read
    assert answer.startswith(b"HTTP/1.1 101")


def test_a_browser_stays_with_its_copy_of_the_ui(site: Site) -> None:
    firsts = Counter()
    for _ in range(20):
        CALLER.cookies.clear()
        found = {CALLER.get(site.url(8080) + "/").json()["name"] for _ in range(10)}
        assert len(found) == 1
        firsts.update(found)
    assert set(firsts) == {"u", "v"}


def test_headers_keep_pages_to_themselves_and_files_in_caches(site: Site) -> None:
    page = CALLER.get(site.url(8080) + "/").headers
    assert page["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'self'" in page["Content-Security-Policy"]
    assert page["Cache-Control"] == "no-cache"
    assert "Strict-Transport-Security" not in page
    assert "nginx/" not in page["Server"]
    file = CALLER.get(site.url(8080) + "/static/js/index.abc.js").headers
    assert file["Cache-Control"] == "public, max-age=31536000, immutable"


def test_the_log_is_json_without_keys(site: Site) -> None:
    CALLER.get(site.url(8000) + "/logged?key=hidden-word", headers={"X-API-Key": "hidden-word", "X-Request-ID": "r-1"})
    until(lambda: any(line["path"] == "/logged" for line in site.log()))
    line = next(line for line in site.log() if line["path"] == "/logged")
    assert (line["status"], line["request_id"], line["method"]) == (200, "r-1", "GET")
    assert "hidden-word" not in engine("logs", site.nginx)


@pytest.fixture(params=IMAGES.values(), ids=list(IMAGES))
def behind_a_proxy(request: pytest.FixtureRequest) -> Iterator[Site]:
    site = Site()
    try:
        site.open(request.param, "-eNGINX_REAL_IP_FROM=192.0.2.0/24 0.0.0.0/0")
        until(lambda: site.answers(site.url(8000)))
        yield site
    finally:
        site.close()


def test_a_proxy_that_is_named_is_believed_who_the_caller_is(behind_a_proxy: Site) -> None:
    headers = CALLER.get(behind_a_proxy.url(8000), headers={"X-Forwarded-For": "1.2.3.4"}).json()["headers"]
    assert headers["X-Forwarded-For"] == "1.2.3.4"


def certify(folder: Path) -> None:
    """A certificate signed by itself; where there is one, its files are written over."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    files = {"-keyout": folder / "tls_key", "-out": folder / "tls_certificate"}
    for file in files.values():
        file.touch(mode=0o644)
    subprocess.run([*made, *(str(word) for pair in files.items() for word in pair)], check=True, capture_output=True)
    for file in files.values():
        file.chmod(0o644)


@pytest.fixture(scope="module", params=IMAGES.values(), ids=list(IMAGES))
def safe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("secrets")
    folder.chmod(0o755)
    certify(folder)
    options = [f"-v{folder}:/run/secrets:ro", "-eNGINX_SITE=https", "-eNGINX_RATE=5r/s", "-eNGINX_BURST=10"]
    site = Site()
    site.secrets = folder
    try:
        site.open(request.param, *options)
        until(lambda: _redirects(site))
        yield site
    finally:
        site.close()


def _redirects(site: Site) -> bool:
    try:
        return CALLER.get(site.url(8080), timeout=2).status_code == 301
    except httpx2.HTTPError:
        return False


def test_with_tls_the_open_port_only_leads_to_the_safe_one(safe: Site) -> None:
    answer = CALLER.get(safe.url(8080) + "/models?x=1", headers={"Host": "perfcast.example"})
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://perfcast.example/models?x=1")


def test_with_tls_browsers_are_told_to_stay_with_it_and_callers_are_limited(safe: Site) -> None:
    statuses = []
    for _ in range(40):
        answer = CALLER.get(f"https://127.0.0.1:{safe.ports[8443]}/api/models")
        statuses.append(answer.status_code)
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")
    assert {200, 429} == set(statuses)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("version", "taken"),
    [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)],
)
def test_old_tls_is_refused(safe: Site, version: ssl.TLSVersion, taken: bool) -> None:  # noqa: FBT001
    context = ssl._create_unverified_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", safe.ports[8443]), 10) as connection:
        try:
            with context.wrap_socket(connection, server_hostname="localhost"):
                agreed = True
        except (ssl.SSLError, ConnectionError):
            agreed = False
    assert agreed is taken


def test_a_new_certificate_is_taken_without_a_restart(safe: Site) -> None:
    before = shown(safe)
    certify(safe.secrets)
    engine("exec", safe.nginx, "sh", "/etc/nginx/perfcast/start.sh", "reload")
    until(lambda: shown(safe) != before)
    assert shown(safe) == (safe.secrets / "tls_certificate").read_text()


def shown(site: Site) -> str:
    """The certificate that callers see."""
    return ssl.get_server_certificate(("127.0.0.1", site.ports[8443]), timeout=10)
