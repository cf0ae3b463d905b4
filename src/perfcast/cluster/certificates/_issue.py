"""The folders of certificates, one for each part that a machine plays."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

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
# Dask reads this where DASK_CONFIG names the folder.
distributed:
  comm:
    require-encryption: true
    tls:
      ca-file: $DASK_CONFIG/ca.pem
      {role}: {{cert: $DASK_CONFIG/cert.pem, key: $DASK_CONFIG/key.pem}}
"""


def issue(folder: Path, hosts: Sequence[str] = (), *, days: int = 90) -> datetime:
    """Make certificates for a cluster, or renew them: all of the same authority, which is made where there is none.

    Writes `folder/authority`, which signs and belongs on no machine of the cluster, and for each role a folder that is
    all that its machines need: `ca.pem`, `cert.pem`, `key.pem`, and `dask.yaml`, which Dask reads when `DASK_CONFIG`
    names the folder, wherever it then lies. Files are readable by their owner alone.

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
    authority = _authority(folder / "authority", ends)
    for role in ROLES:
        _write_role(folder / role, role, names, authority, ends)
    return ends


def _authority(folder: Path, ends: datetime) -> Authority:
    """The one in a folder, made where there is none."""
    certificate, key = folder / "ca.pem", folder / "key.pem"
    if certificate.exists():
        authority = Authority.read(certificate, key)
        last = authority.certificate.not_valid_after_utc
        if ends > last:
            raise Conflict(
                f"the authority in {folder} is valid until {last:%Y-%m-%d}, and the certificates should be until "
                f"{ends:%Y-%m-%d}: delete that folder, run this again, and give every machine its new files"
            )
        return authority
    authority = Authority.new(datetime.now(UTC) + timedelta(days=AUTHORITY_DAYS))
    write(key, key_pem(authority.key))
    write(certificate, pem(authority.certificate))
    return authority


def _write_role(
    folder: Path, role: str, names: Sequence[x509.GeneralName], authority: Authority, ends: datetime
) -> None:
    key, purposes = ec.generate_private_key(ec.SECP256R1()), [ExtendedKeyUsageOID.CLIENT_AUTH]
    if role != "client":  # who listens, which a client doesn't
        purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
    certificate = authority.sign(f"Perfcast's Dask {role}", ends, key, names, purposes)
    write(folder / "dask.yaml", _SETTINGS.format(role=role).encode())
    write(folder / "ca.pem", pem(authority.certificate))
    write(folder / "key.pem", key_pem(key))
    write(folder / "cert.pem", pem(certificate))


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
