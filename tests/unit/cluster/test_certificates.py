"""Certificates of a cluster's own authority: short, for one part, and read by nobody else."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from perfcast.cluster.certificates import AUTHORITY_DAYS, ROLES, issue
from perfcast.errors import Conflict, InvalidData, InvalidSetting


@dataclass(frozen=True)
class Issued:
    """What a role was given."""

    authority: str
    cert: str
    key: str

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.cert.encode())


def issued(folder: Path, role: str) -> Issued:
    comm = yaml.safe_load((folder / f"{role}.yaml").read_text())["distributed"]["comm"]
    assert comm["require-encryption"] is True
    return Issued(comm["tls"]["ca-file"], **comm["tls"][role])


def test_openssl_trusts_each_for_its_part_alone(tmp_path: Path) -> None:
    issue(tmp_path)
    trusted = {
        (role, purpose)
        for role in ROLES
        for purpose in ("sslclient", "sslserver")
        if subprocess.run(
            ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", tmp_path / "authority.pem"],
            check=False, capture_output=True, input=issued(tmp_path, role).cert.encode(),
        ).returncode == 0
    }  # fmt: skip
    every = {(role, purpose) for role in ROLES for purpose in ("sslclient", "sslserver")}
    assert trusted == every - {("client", "sslserver")}


def test_they_name_the_machines_and_end_on_their_day(tmp_path: Path) -> None:
    ends = issue(tmp_path, ["dask-scheduler", "10.0.0.7", "fd00::7", "localhost"], days=30)
    assert abs(ends - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=5)
    for role in ROLES:
        made = issued(tmp_path, role).certificate
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["localhost", "dask-scheduler"]
        assert [str(at) for at in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "10.0.0.7", "fd00::7"]
        assert made.not_valid_after_utc == ends.replace(microsecond=0)


def test_nobody_but_their_owner_reads_them(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    issue(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == dict.fromkeys(["authority.pem", "authority-key.pem", *(f"{role}.yaml" for role in ROLES)], 0o600)


def test_made_again_they_are_of_the_same_authority_with_new_keys(tmp_path: Path) -> None:
    issue(tmp_path)
    first, own = issued(tmp_path, "worker"), (tmp_path / "authority-key.pem").read_bytes()
    issue(tmp_path)
    again = issued(tmp_path, "worker")
    assert again.authority == first.authority
    assert (tmp_path / "authority-key.pem").read_bytes() == own
    assert again.key != first.key
    assert load_pem_private_key(again.key.encode(), None).public_key() == again.certificate.public_key()


def test_an_authority_that_ends_before_them_is_told_about(tmp_path: Path) -> None:
    issue(tmp_path)
    with pytest.raises(Conflict, match=r"authority\.pem is valid until \d{4}-.*: delete it"):
        issue(tmp_path, days=AUTHORITY_DAYS + 1)


def test_an_authority_that_can_not_be_read_is_told_about_and_left(tmp_path: Path) -> None:
    issue(tmp_path)
    other = tmp_path / "other"
    issue(other)
    broken = tmp_path / "authority-key.pem"
    broken.write_bytes((other / "authority-key.pem").read_bytes())
    with pytest.raises(InvalidData, match=r"authority-key\.pem is not the key of authority\.pem"):
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
