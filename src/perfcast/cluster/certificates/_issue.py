"""The folders of certificates, one for each part that a machine plays."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from textwrap import indent

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from perfcast.cluster.certificates._signing import Authority, key_pem, pem, write
from perfcast.errors import Conflict, InvalidSetting

ROLES = ("scheduler", "worker", "client")
"""The parts: the scheduler, a worker, and Perfcast, which sends them work."""
AUTHORITY_DAYS = 730
_ALWAYS = ("localhost", "127.0.0.1")
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*")
_SETTINGS = """\
# Dask reads this where DASK_CONFIG names it: what a {role} of the cluster needs. It holds a key; keep it to yourself.
distributed:
  comm:
    require-encryption: true
    tls:
      min-version: 1.3
      ca-file: |
{authority}
      {role}:
        cert: |
{certificate}
        key: |
{key}
"""


def issue(folder: Path, hosts: Sequence[str] = (), *, days: int = 90) -> datetime:
    """Make certificates for a cluster, or renew them: all of the same authority, which is made where there is none.

    Writes `authority.pem` and `authority-key.pem`, which sign and belong on no machine of the cluster, and for each
    role `ROLE.yaml`, which is all that its machines need: Dask reads it when `DASK_CONFIG` names it, wherever it then
    lies. Files are readable by their owner alone.

    Args:
        folder: Where to.
        hosts: Names and addresses of the machines of scheduler and workers, beside `localhost`.
        days: How long they are valid.

    Returns:
        From when on they are valid no more.

    Raises:
        InvalidSetting: A host is neither a name nor an address.
        Conflict: The authority ends before they would.
        InvalidData: The authority can't be read.
    """
    names = [_alternative(host) for host in dict.fromkeys([*_ALWAYS, *hosts])]
    ends = datetime.now(UTC) + timedelta(days=days)
    authority = _authority(folder, ends)
    for role in ROLES:
        write(folder / f"{role}.yaml", _settings(role, names, authority, ends).encode())
    return ends


def _authority(folder: Path, ends: datetime) -> Authority:
    """The one in a folder, made where there is none."""
    certificate, key = folder / "authority.pem", folder / "authority-key.pem"
    if certificate.exists():
        authority = Authority.read(certificate, key)
        last = authority.certificate.not_valid_after_utc
        if ends > last:
            raise Conflict(
                f"{certificate} is valid until {last:%Y-%m-%d}, and the certificates should be until {ends:%Y-%m-%d}: "
                "delete it, run this again, and give every machine its new file"
            )
        return authority
    authority = Authority.new(datetime.now(UTC) + timedelta(days=AUTHORITY_DAYS))
    write(key, key_pem(authority.key))
    write(certificate, pem(authority.certificate))
    return authority


def _settings(role: str, names: Sequence[x509.GeneralName], authority: Authority, ends: datetime) -> str:
    """A new key with its certificate, as Dask reads them."""
    key, purposes = ec.generate_private_key(ec.SECP256R1()), [ExtendedKeyUsageOID.CLIENT_AUTH]
    if role != "client":  # who listens, which a client doesn't
        purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
    certificate = authority.sign(f"Perfcast's Dask {role}", ends, key, names, purposes)
    return _SETTINGS.format(
        role=role,
        authority=_within(pem(authority.certificate), 8),
        certificate=_within(pem(certificate), 10),
        key=_within(key_pem(key), 10),
    )


def _within(text: bytes, spaces: int) -> str:
    """Lines as a part of a YAML document."""
    return indent(text.decode().rstrip(), " " * spaces)


def _alternative(host: str) -> x509.GeneralName:
    """What a machine is called, in a certificate's words."""
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        if _NAME.fullmatch(host) is None:
            raise InvalidSetting(
                f"--host: '{host}' is neither a host's name nor an address; examples are dask-scheduler and 10.0.0.5"
            ) from None
        return x509.DNSName(host)
