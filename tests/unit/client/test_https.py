"""Servers behind TLS: certificates are checked, by the authorities of the machine or of `SSL_CERT_FILE`."""

import ssl
import subprocess
from pathlib import Path

import pytest
from tests.unit.client.conftest import Scripted

from perfcast_client import Client, ConnectionFailed


@pytest.fixture
def authority(scripted: Scripted, tmp_path: Path) -> Path:
    """The file of who signed the server's certificate, which is for 127.0.0.1."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=shop", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    scripted.encrypt(context)
    return tmp_path / "cert.pem"


def test_a_certificate_of_an_authority_that_is_named_is_trusted(
    scripted: Scripted, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with Client(scripted.url) as client:
        assert client.live().status == "alive"


def test_any_other_is_not_and_the_key_is_not_sent(
    scripted: Scripted, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert authority.exists()
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    told = r"certificate that can't be trusted .*; .* SSL_CERT_FILE"
    asking = Client(scripted.url, api_key="hunter2", max_retries=0)
    with asking as client, pytest.raises(ConnectionFailed, match=told):
        client.live()
    assert scripted.asked == []
