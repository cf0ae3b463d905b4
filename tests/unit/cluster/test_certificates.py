"""Certificates of a cluster's own authority: short, for one part, and read by nobody else."""

import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from perfcast.cluster.certificates import AUTHORITY_DAYS, ROLES, issue
from perfcast.errors import Conflict, InvalidData, InvalidSetting


def certificate(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())


def test_openssl_trusts_each_for_its_part_alone(tmp_path: Path) -> None:
    issue(tmp_path)
    trusted = {
        (role, purpose)
        for role in ROLES
        for purpose in ("sslclient", "sslserver")
        if subprocess.run(
            ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", tmp_path / role / "ca.pem",
             tmp_path / role / "cert.pem"],
            check=False, capture_output=True,
        ).returncode == 0
    }  # fmt: skip
    every = {(role, purpose) for role in ROLES for purpose in ("sslclient", "sslserver")}
    assert trusted == every - {("client", "sslserver")}


def test_they_name_the_machines_and_end_on_their_day(tmp_path: Path) -> None:
    ends = issue(tmp_path, ["dask-scheduler", "10.0.0.7", "fd00::7", "localhost"], days=30)
    assert abs(ends - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=5)
    for role in ROLES:
        made = certificate(tmp_path / role)
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["localhost", "dask-scheduler"]
        assert [str(at) for at in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "10.0.0.7", "fd00::7"]
        assert made.not_valid_after_utc == ends.replace(microsecond=0)


def test_nobody_but_their_owner_reads_them(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    issue(folder)
    modes = {path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777 for path in folder.rglob("*")}
    assert {modes[name] for name in ("authority", *ROLES)} == {0o700}
    assert {mode for name, mode in modes.items() if name.endswith(".pem")} == {0o600}
    assert len(modes) == 4 + 2 + 3 * 4


def test_made_again_they_are_of_the_same_authority_with_new_keys(tmp_path: Path) -> None:
    issue(tmp_path)
    authority, key, own = (
        (tmp_path / name).read_bytes() for name in ("authority/ca.pem", "worker/key.pem", "authority/key.pem")
    )
    issue(tmp_path)
    assert (tmp_path / "authority/ca.pem").read_bytes() == (tmp_path / "worker/ca.pem").read_bytes() == authority
    assert (tmp_path / "authority/key.pem").read_bytes() == own
    assert (tmp_path / "worker/key.pem").read_bytes() != key
    context = ssl.create_default_context(cafile=tmp_path / "client/ca.pem")
    context.load_cert_chain(tmp_path / "worker/cert.pem", tmp_path / "worker/key.pem")  # refuses a key of another


def test_an_authority_that_ends_before_them_is_told_about(tmp_path: Path) -> None:
    issue(tmp_path)
    with pytest.raises(Conflict, match=r"authority is valid until \d{4}-.* delete that folder"):
        issue(tmp_path, days=AUTHORITY_DAYS + 1)


def test_an_authority_that_can_not_be_read_is_told_about_and_left(tmp_path: Path) -> None:
    issue(tmp_path)
    other = tmp_path / "other"
    issue(other)
    broken = tmp_path / "authority/key.pem"
    broken.write_bytes((other / "authority/key.pem").read_bytes())
    with pytest.raises(InvalidData, match=r"key\.pem is not the key of ca\.pem"):
        issue(tmp_path)
    broken.write_text("nonsense")
    with pytest.raises(InvalidData, match="can't be read as an authority"):
        issue(tmp_path)
    assert broken.read_text() == "nonsense"


@pytest.mark.parametrize("host", ["", "a b", "*", "-a", "a..b", "https://a", "a:8786", "ä"])
def test_what_is_no_host_is_refused_with_its_value_and_nothing_is_written(host: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="--host: '"):
        issue(tmp_path / "new", [host])
    assert not (tmp_path / "new").exists()
