"""Keys, certificates, and files that only their owner reads."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from perfcast.errors import InvalidData
from perfcast.files import appearing

_EARLY = timedelta(minutes=5)
"""How far the clocks of machines may differ."""
_USES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


class Authority:
    """A certificate that signs others, with its key."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate, self.key = certificate, key

    @classmethod
    def new(cls, ends: datetime) -> "Authority":
        """One that did not exist before."""
        key, name = ec.generate_private_key(ec.SECP256R1()), "Authority of a Perfcast cluster"
        extensions: list[x509.ExtensionType] = [
            x509.BasicConstraints(ca=True, path_length=0),
            _used_for("key_cert_sign", "crl_sign"),
        ]
        return cls(_signed(name, _called(name), ends, key.public_key(), key, extensions), key)

    @classmethod
    def read(cls, certificate: Path, key: Path) -> "Authority":
        """One that is in files; raises `InvalidData` where they hold something else."""
        try:
            signs = load_pem_private_key(key.read_bytes(), None)
            known = x509.load_pem_x509_certificate(certificate.read_bytes())
        except (ValueError, TypeError) as error:
            raise InvalidData(f"{certificate} and {key.name} can't be read as an authority: {error}") from None
        if not isinstance(signs, ec.EllipticCurvePrivateKey) or signs.public_key() != known.public_key():
            raise InvalidData(f"{key} is not the key of {certificate.name} beside it")
        return cls(known, signs)

    def sign(
        self,
        name: str,
        ends: datetime,
        key: ec.EllipticCurvePrivateKey,
        alternatives: Sequence[x509.GeneralName],
        purposes: Sequence[x509.ObjectIdentifier],
    ) -> x509.Certificate:
        """A certificate of this authority for someone's key, with other names of theirs, for some purposes alone."""
        extensions: list[x509.ExtensionType] = [
            x509.BasicConstraints(ca=False, path_length=None),
            _used_for("digital_signature"),
            x509.ExtendedKeyUsage(purposes),
            x509.SubjectAlternativeName(alternatives),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
        ]
        return _signed(name, self.certificate.subject, ends, key.public_key(), self.key, extensions)


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate as text."""
    return certificate.public_bytes(Encoding.PEM)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key as text, in the clear."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write(path: Path, content: bytes) -> None:
    """Put a file in place whole, readable by its owner alone from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with appearing(path, 0o600) as unfinished:
        unfinished.write_bytes(content)


def _signed(
    name: str, issuer: x509.Name, ends: datetime, public: ec.EllipticCurvePublicKey,
    key: ec.EllipticCurvePrivateKey, extensions: Sequence[x509.ExtensionType],
) -> x509.Certificate:  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(_called(name))
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - _EARLY)
        .not_valid_after(ends)
        .public_key(public)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    for extension in extensions:
        builder = builder.add_extension(
            extension, critical=isinstance(extension, x509.BasicConstraints | x509.KeyUsage)
        )
    return builder.sign(key, hashes.SHA256())


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _used_for(*uses: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in uses for use in _USES})
