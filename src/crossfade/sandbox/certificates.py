"""A certificate authority for one sandbox, and a server certificate for each of its clouds."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crossfade.sandbox.files import write_text

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

_YEARS = 10


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs the certificates of one sandbox."""

    certificate: "x509.Certificate"
    key: "ec.EllipticCurvePrivateKey"

    @property
    def pem(self) -> str:
        """The certificate, as clients need it to trust the clouds."""
        from cryptography.hazmat.primitives import serialization

        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def new_authority(now: float) -> Authority:
    """Return a fresh authority; its key is never written to disk.  `now` in Unix seconds."""
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("crossfade-sandbox-ca")
    certificate = _sign(_Request(name, key, None, now), name, key)
    return Authority(certificate, key)


def write_server(authority: Authority, cloud: str, folder: Path, now: float) -> None:
    """Write `server.crt` and `server.key` (0600) for the API of a cloud."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    request = _Request(_name(f"{cloud}.crossfade-sandbox"), key, cloud, now)
    certificate = _sign(request, authority.certificate.subject, authority.key)
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    write_text(folder / "server.crt", pem)
    write_text(folder / "server.key", secret)


@dataclass(frozen=True, slots=True)
class _Request:
    subject: "x509.Name"
    key: "ec.EllipticCurvePrivateKey"
    cloud: str | None
    """None: the certificate of the authority itself."""
    now: float


def _sign(
    request: _Request, issuer: "x509.Name", key: "ec.EllipticCurvePrivateKey"
) -> "x509.Certificate":
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID

    start = datetime.datetime.fromtimestamp(request.now, datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(issuer)
        .public_key(request.key.public_key())
        .serial_number(x509.random_serial_number())
        # A clock that is set back a little must not make the sandbox untrusted.
        .not_valid_before(start - datetime.timedelta(days=1))
        .not_valid_after(start + datetime.timedelta(days=365 * _YEARS))
        .add_extension(
            x509.BasicConstraints(ca=request.cloud is None, path_length=None), critical=True
        )
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(request.key.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .add_extension(_usage(authority=request.cloud is None), critical=True)
    )
    if request.cloud is not None:
        names: list[x509.GeneralName] = [
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.DNSName("localhost"),
            x509.DNSName(f"{request.cloud}.crossfade-sandbox"),
            x509.DNSName("kubernetes.default.svc"),
        ]
        builder = builder.add_extension(
            x509.SubjectAlternativeName(names), critical=False
        ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(key, hashes.SHA256())


def _usage(*, authority: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> "x509.Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
