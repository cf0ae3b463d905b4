"""`perfcast doctor --production`: what each check says of an installation that is fit, and of one that isn't."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from deploy.dashboards._files import DEPLOY
from deploy.dashboards.rules import GROUPS
from tests.metric_servers import AlertmanagerServer, PrometheusServer
from tests.patience import until

from perfcast.cli import main
from perfcast.cli._doctor import _machine, _state
from perfcast.cli._doctor._watching import NEEDED
from perfcast.settings import Settings

Doctor = Callable[..., dict[str, dict[str, str]]]
KEY = "9f1c4be27a60d85390bb7d1e24c6fa18"


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Ask it in this process, not as root and not in a container; gives findings by what was looked at."""
    for name in (*(field.upper() for field in Settings.model_fields), "SETTINGS_DIR", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 10001)
    monkeypatch.setattr("perfcast.cli._doctor._deployment.Deployment.in_container", False)

    def ask(*words: str, **environment: str) -> dict[str, dict[str, str]]:
        with monkeypatch.context() as there:
            for name, value in environment.items():
                there.setenv(name, value)
            there.setattr("sys.argv", ["perfcast", "doctor", "--production", "--json", *words])
            capsys.readouterr()
            with pytest.raises(SystemExit) as stopped:
                main()
        found = {finding["what"]: finding for finding in json.loads(capsys.readouterr().out)}
        assert stopped.value.code == int(any(finding["verdict"] == "wrong" for finding in found.values()))
        return found

    return ask


@pytest.mark.parametrize(
    ("what", "verdict", "environment"),
    [
        ("authentication", "wrong", {}),
        ("authentication", "ok", {"API_KEY": KEY}),
        ("keys' strength", "ok", {"API_KEY": f"{KEY}:admin,{KEY[::-1]}:predict"}),
        ("keys' strength", "wrong", {"API_KEY": f"{KEY},changeme1:read"}),
        ("keys' strength", "wrong", {"API_KEY": "0123456789abcde"}),
        ("keys' strength", "wrong", {"API_KEY": "ab" * 20}),
        ("keys' scopes", "warning", {"API_KEY": KEY}),
        ("keys' scopes", "ok", {"API_KEY": f"{KEY}:admin,{KEY[::-1]}:predict"}),
        ("TLS", "wrong", {"API_HOST": "0.0.0.0"}),
        ("TLS", "wrong", {"API_PUBLIC_URL": "http://api.example.com"}),
        ("TLS", "warning", {"API_HOST": "0.0.0.0", "TRUSTED_PROXIES": "10.0.0.0/8"}),
        ("interfaces", "warning", {"UI_HOST": "0.0.0.0"}),
        ("proxies", "wrong", {"TRUSTED_PROXIES": "10.0.0.5,0.0.0.0/0"}),
        ("proxies", "ok", {"TRUSTED_PROXIES": "10.0.0.5"}),
        ("rate limit", "warning", {}),
        ("rate limit", "warning", {"RATE_LIMIT": "600/minute", "API_PROCESSES": "2"}),
        ("rate limit", "ok", {"RATE_LIMIT": "600/minute", "API_PROCESSES": "2", "REDIS_URL": "redis://localhost"}),
        ("request bounds", "ok", {}),
        ("request bounds", "warning", {"MAX_BODY_BYTES": "500000000"}),
        ("password in DATABASE_URL", "wrong", {"DATABASE_URL": "postgresql://perfcast:perfcast@db/perfcast"}),
        ("password in DATABASE_URL", "warning", {"DATABASE_URL": "postgresql://perfcast:x1y2z3@db/perfcast"}),
        ("password in DATABASE_URL", "ok", {"DATABASE_URL": f"postgresql://perfcast:{KEY}@db/perfcast"}),
        ("password in REDIS_URL", "wrong", {"REDIS_URL": "redis://redis:6379/0"}),
        ("password in REDIS_URL", "warning", {"REDIS_URL": "redis://127.0.0.1:6379/0"}),
        ("wire to the database", "warning", {"DATABASE_URL": f"postgresql://perfcast:{KEY}@db/perfcast"}),
        ("wire of REDIS_URL", "warning", {"REDIS_URL": f"redis://:{KEY}@redis:6379"}),
        ("wire to Dask", "wrong", {"DASK_SCHEDULER_ADDRESS": "tcp://scheduler:8786"}),
        ("where secrets come from", "warning", {"API_KEY": KEY}),
        ("debugging", "wrong", {"PYTHONASYNCIODEBUG": "1"}),
        ("log level", "warning", {"LOG_LEVEL": "debug"}),
        ("log level", "warning", {"LOG_LEVEL": "ERROR"}),
        ("database", "warning", {"API_PROCESSES": "4"}),
        ("database", "wrong", {"REDIS_URL": "redis://localhost"}),
        ("database", "ok", {"DATABASE_URL": f"postgresql://perfcast:{KEY}@db/perfcast"}),
        ("retention", "warning", {"PREDICTION_LOG_BYTES": ""}),
        ("retention", "ok", {}),
        ("foreign models", "wrong", {"MODELS_DIR": ".", "MODELS_UNCONFINED": "1"}),
        ("foreign models", "warning", {"MODELS_DIR": "."}),
        ("foreign models", "ok", {}),
        ("account", "ok", {}),
    ],
)
def test_a_setting_is_judged(doctor: Doctor, what: str, verdict: str, environment: dict[str, str]) -> None:
    found = doctor(**environment)[what]
    assert found["verdict"] == verdict, found
    assert bool(found["do"]) == (verdict != "ok")


def test_no_key_and_no_password_is_ever_shown(doctor: Doctor) -> None:
    weak = {
        "API_KEY": "letmein77:admin",
        "DATABASE_URL": "postgresql://u:letmein77@db/p",
        "REDIS_URL": "redis://:letmein77@r",
    }
    assert "letmein77" not in json.dumps(doctor(**weak))


def test_root_is_wrong(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert doctor()["account"]["verdict"] == "wrong"


def test_files_of_secrets_tell_the_keys_age_and_must_not_be_open_to_all(doctor: Doctor, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "api_key").write_text(KEY)
    (folder / "api_key").chmod(0o600)
    given = {"SETTINGS_DIR": str(folder), "API_KEY": KEY}
    found = doctor(**given)
    assert [found[what]["verdict"] for what in ("keys' age", "where secrets come from")] == ["ok", "ok"]
    year_ago = (folder / "api_key").stat().st_mtime - 400 * 86400
    os.utime(folder / "api_key", (year_ago, year_ago))
    assert doctor(**given)["keys' age"]["verdict"] == "warning"


def test_what_others_can_read_is_a_warning_and_what_they_can_change_is_wrong(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TemporaryDirectory() as name:  # pytest's own folders are closed to others
        folder = Path(name)
        monkeypatch.chdir(folder)
        folder.chmod(0o755)
        (folder / ".env").write_text(f"API_KEY={KEY}\n")
        for mode, verdict in ((0o600, "ok"), (0o644, "warning"), (0o646, "wrong")):
            (folder / ".env").chmod(mode)
            assert doctor()["file permissions"]["verdict"] == verdict
        folder.chmod(0o700)  # whoever can't enter the folder can't read what is in it
        assert doctor()["file permissions"]["verdict"] == "ok"
        monkeypatch.undo()


def test_backups_are_looked_at_by_their_age(doctor: Doctor, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    assert doctor()["backups"]["verdict"] == "warning"
    assert doctor("--backups", str(folder))["backups"]["verdict"] == "wrong"
    newest = folder / "perfcast-20260302.backup"
    newest.write_bytes(b"bytes")
    now = newest.stat().st_mtime
    for hours, verdict in ((1, "ok"), (30, "warning"), (200, "wrong")):
        os.utime(newest, (now - hours * 3600,) * 2)
        assert doctor("--backups", str(folder))["backups"]["verdict"] == verdict
    assert "No such file" in doctor("--backups", str(tmp_path / "nowhere"))["backups"]["found"]


def test_a_port_on_all_interfaces_is_told(doctor: Doctor) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listening:
        found = doctor()["open ports"]
        assert found["verdict"] == "warning"
        assert str(listening.getsockname()[1]) in found["found"]
    assert "ufw" in found["do"]


def test_old_packages_and_a_machine_that_does_not_update_itself_are_told(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_machine, "_UPGRADES", tmp_path / "apt")
    (tmp_path / "apt").mkdir()
    (tmp_path / "apt/20auto-upgrades").write_text('APT::Periodic::Unattended-Upgrade "0";\n')
    monkeypatch.setattr(_machine, "_installed_at", lambda: 0.0)
    found = doctor()
    assert [found[what]["verdict"] for what in ("packages", "system updates")] == ["warning", "warning"]
    (tmp_path / "apt/20auto-upgrades").write_text('APT::Periodic::Unattended-Upgrade "1";\n')
    assert doctor()["system updates"]["verdict"] == "ok"


def test_sqlite_on_a_network_file_system_is_wrong(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_state, "_file_system", lambda _: "nfs4")
    assert doctor()["database"]["verdict"] == "wrong"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], tuple[Path, Path]]:
    """Makes a certificate for localhost that holds so many days, and its key."""
    folder = tmp_path_factory.mktemp("certificates")

    def make(days: int) -> tuple[Path, Path]:
        paths = folder / f"{days}.pem", folder / f"{days}.key"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", str(days)]
        subprocess.run([*command, *names, "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
        return paths

    return make


@contextmanager
def speaking_tls(certificate: Path, key: Path) -> Iterator[int]:
    """A server that shakes hands and hangs up; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            while True:
                try:
                    caller, _ = listening.accept()
                except OSError:
                    return
                with suppress(OSError):
                    context.wrap_socket(caller, server_side=True).close()

        threading.Thread(target=answer, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def test_a_certificate_is_looked_at_as_browsers_do(doctor: Doctor, certificate) -> None:
    long, short = certificate(90), certificate(5)
    with speaking_tls(*long) as port:
        address = f"https://localhost:{port}"
        assert doctor(API_PUBLIC_URL=address)["TLS"]["verdict"] == "wrong"  # nobody has signed it
        found = doctor(API_PUBLIC_URL=address, SSL_CERT_FILE=str(long[0]))["TLS"]
        assert found["verdict"] == "ok", found
        assert "ends in 89 days" in found["found"]
    with speaking_tls(*short) as port:
        found = doctor(API_PUBLIC_URL=f"https://localhost:{port}", SSL_CERT_FILE=str(short[0]))["TLS"]
        assert found["verdict"] == "warning"
    assert "can't be reached" in doctor(API_PUBLIC_URL=f"https://localhost:{port}")["TLS"]["found"]


@contextmanager
def grafana(password: str, path: str = "") -> Iterator[str]:
    """What Grafana answers to those who have its password, and to others; gives its address, without the path."""
    right = "Basic " + b64encode(f"admin:{password}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith(f"{path}/"):
                self.send_response(200 if self.headers["Authorization"] == right else 401)
            else:
                self.send_response(301)
                self.send_header("Location", f"https://public.invalid{path}{self.path}")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("path", ["", "/grafana"])
@pytest.mark.parametrize(("password", "verdict"), [("admin", "wrong"), ("admin123", "wrong"), (KEY, "ok")])
def test_grafanas_well_known_passwords_are_tried(doctor: Doctor, password: str, verdict: str, path: str) -> None:
    with grafana(password, path) as address:
        assert doctor(GRAFANA_URL=address)["Grafana's password"]["verdict"] == verdict
        assert doctor(GRAFANA_URL=f"{address}{path}/")["Grafana's password"]["verdict"] == verdict
    assert doctor("--grafana", address)["Grafana's password"]["verdict"] == "warning"


def test_prometheus_is_asked_for_the_alerts(doctor: Doctor, tmp_path: Path) -> None:
    with PrometheusServer(tmp_path / "bare", "# EOF\n") as bare:
        found = doctor("--prometheus", bare.url)["alerts"]
        assert (found["verdict"], "PerfcastKeysRefused" in found["found"]) == ("wrong", True)
    ruled = PrometheusServer(tmp_path / "ruled", "# EOF\n")
    shutil.copytree(DEPLOY / "prometheus/rules", tmp_path / "ruled/rules")
    (tmp_path / "ruled/prometheus.yml").write_text("rule_files: [rules/*.yml]\n")
    with ruled as prometheus:
        found = doctor("--prometheus", prometheus.url)
        assert [found[what]["verdict"] for what in ("alerts", "who is told")] == ["ok", "warning"]
    assert doctor("--prometheus", ruled.url)["alerts"]["verdict"] == "warning"


def test_an_alertmanager_that_sends_to_nobody_is_told(doctor: Doctor, tmp_path: Path) -> None:
    shipped = (DEPLOY / "prometheus/alertmanager.yml").read_text()
    sending = (
        "receivers: [{name: on-call, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}]\nroute: {receiver: on-call}"
    )
    alertmanager = AlertmanagerServer(tmp_path / "alertmanager", shipped)
    prometheus = PrometheusServer(tmp_path / "prometheus", "# EOF\n")
    told = {"static_configs": [{"targets": [alertmanager.url.removeprefix("http://")]}]}
    (tmp_path / "prometheus/prometheus.yml").write_text(json.dumps({"alerting": {"alertmanagers": [told]}}))

    def found() -> dict[str, str]:
        return doctor("--prometheus", prometheus.url)["who is told"]

    with prometheus:
        with alertmanager:
            until(lambda: "no Alertmanager" not in found()["found"])
            assert (found()["verdict"], "to nobody" in found()["found"]) == ("warning", True)
            assert "alertmanager.yml" in found()["do"]
        assert (found()["verdict"], "can't be asked" in found()["found"]) == ("warning", True)
        (tmp_path / "alertmanager/alertmanager.yml").write_text(sending)
        with alertmanager:
            assert (found()["verdict"], found()["found"]) == ("ok", "1 Alertmanager, which sends to: on-call")


def test_every_alert_that_the_doctor_asks_for_is_shipped() -> None:
    assert set(NEEDED) <= {alert.name for group in GROUPS for alert in group.alerts}
