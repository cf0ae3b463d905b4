"""A server behind tokens, certificates and proxies: it is given what it wants, and nobody else is."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from tests.metric_servers import SHOP_BEGINS
from tests.patience import PATIENCE_SECONDS
from tests.services import free_port, wait_until_it_listens
from tests.unit.collect.conftest import Bench, Make
from tests.unit.collect.odd import SPAN, always, ask, matrix, odd

from perfcast.collect import Prometheus
from perfcast.errors import PerfcastError, Unavailable


def test_secrets_go_to_no_other_address(collection_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "hidden")
    with odd(lambda path, form: (200, {}, matrix(form))) as other:
        with odd(always(302, Location=f"{other.url}/login")) as server, pytest.raises(PerfcastError, match="points to"):
            ask(server.url, collection_of, bearer_token={"env": "SHOP_TOKEN"})
        assert other.asked == []


def test_a_refused_token_is_said_without_it(collection_of: Make, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hidden\n")
    with odd(always(401, b"no")) as server, pytest.raises(PerfcastError, match=r"401.*check bearer_token") as raised:
        ask(server.url, collection_of, bearer_token={"file": str(tmp_path / "token")})
    assert "hidden" not in str(raised.value)
    assert server.headers[0]["authorization"] == "Bearer hidden"


def test_a_token_that_changes_is_read_again(collection_of: Make, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    with odd(lambda path, form: (200, {}, matrix(form))) as server:
        access = {"url": server.url, "bearer_token": {"file": str(token)}, "headers": {"X-Scope-OrgID": "shop"}}
        asker = Prometheus(collection_of(server.url, server=access).document.server)
        asker.series("up", SPAN)
        token.write_text("second")
        asker.series("up", SPAN)
    assert [headers["authorization"] for headers in server.headers] == ["Bearer first", "Bearer second"]
    assert server.headers[0]["x-scope-orgid"] == "shop"


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with an authority, and certificates of a server and of a client that it signed."""
    folder = tmp_path / "tls"
    folder.mkdir()

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=our authority", "-keyout", "ca.key", "-out", "ca.pem")  # fmt: skip
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")  # fmt: skip
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-extfile", "names", "-out", f"{name}.pem")  # fmt: skip
    return folder


@pytest.fixture
def proxy_url(certificates: Path, prometheus_url: str, tmp_path: Path) -> Iterator[str]:
    """nginx that wants a client's certificate, a tenant and a password, with Prometheus below a path."""
    program = which("nginx") or which("nginx", path="/usr/sbin")
    if program is None:
        raise RuntimeError("tests need nginx: apt-get install nginx-light")
    port, kinds = free_port(), ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {tmp_path / kind};" for kind in kinds)
    (tmp_path / "nginx.conf").write_text(f"""
        pid {tmp_path / "pid"}; error_log {tmp_path / "nginx.log"} warn; daemon off; user root; events {{}}
        http {{ access_log off; {temporary} server {{
          listen 127.0.0.1:{port} ssl;
          ssl_certificate {certificates}/server.pem; ssl_certificate_key {certificates}/server.key;
          ssl_client_certificate {certificates}/ca.pem; ssl_verify_client on;
          location /teams/shop/ {{
            if ($http_x_scope_orgid != "shop") {{ return 403; }}
            if ($http_authorization != "Basic cmVhZGVyOmhpZGRlbg==") {{ return 401; }}
            proxy_pass {prometheus_url}/;
          }} }} }}""")
    log = tmp_path / "nginx.log"
    server = subprocess.Popen([program, "-c", tmp_path / "nginx.conf", "-p", tmp_path, "-e", log])
    wait_until_it_listens(server, port, "nginx")
    yield f"https://127.0.0.1:{port}/teams/shop"
    server.terminate()
    server.wait(PATIENCE_SECONDS)


def test_a_proxy_is_given_what_it_wants(
    proxy_url: str,
    certificates: Path,
    collection_of: Make,
    bench_of: Callable[..., Bench],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "hidden")
    access: dict[str, Any] = {
        "url": proxy_url,
        "ca_file": str(certificates / "ca.pem"),
        "cert_file": str(certificates / "client.pem"),
        "key_file": str(certificates / "client.key"),
        "headers": {"X-Scope-OrgID": "shop"},
        "username": "reader",
        "password": {"env": "SHOP_PASSWORD"},
    }
    bench = bench_of(collection_of(proxy_url, server=access))
    bench.collector.backfill(SHOP_BEGINS, SHOP_BEGINS + 3600)
    assert len(bench.journal) > 50
    lacking = [
        ({"headers": {}}, "answers 403.*check bearer_token, username, password and headers"),
        ({"username": "other"}, "answers 401"),
        ({"cert_file": "", "key_file": ""}, "answers 400"),
        ({"url": proxy_url.replace("shop", "nobody")}, "answers 404.*check the path in server.url"),
    ]
    for change, told in lacking:
        with pytest.raises(PerfcastError, match=told):
            ask(proxy_url, collection_of, **access | change)
    with pytest.raises(PerfcastError, match=r"can't be trusted.*server\.ca_file") as raised:
        ask(proxy_url, collection_of, **access | {"ca_file": ""})
    assert not isinstance(raised.value, Unavailable)
