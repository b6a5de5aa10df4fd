"""A certificate authority of one's own, and certificates for both ends of TLS that it signs."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crossfade.base.errors import InputError
from crossfade.base.secrets import Secret

_USAGE = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, both as PEM."""

    pem: str
    key: Secret


@dataclass(frozen=True, slots=True)
class Validity:
    """From when on, in Unix seconds, and for how long a certificate is good."""

    now: float
    days: int


class Authority:
    """Signs certificates."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._certificate, self._key = certificate, key

    @classmethod
    def new(cls, name: str, validity: Validity) -> "Authority":
        """Return a fresh authority of this name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name)
        builder = (
            _builder(subject, subject, key.public_key(), key.public_key())
            .not_valid_before(_begin(validity))
            .not_valid_after(_end(validity))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
        )
        return cls(builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def read(cls, pem: str, key: Secret) -> "Authority":
        """Return the authority that was kept as `pem` and `key`.  Raises InputError."""
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
            private = serialization.load_pem_private_key(key.reveal().encode(), None)
        except ValueError:  # from nothing: that error may have parts of the key
            raise InputError(
                "the authority cannot be read", hint="it is a certificate and a key in PEM"
            ) from None
        if not isinstance(private, ec.EllipticCurvePrivateKey) or (
            private.public_key() != certificate.public_key()
        ):
            raise InputError(
                "the key of the authority is not that of its certificate",
                hint="bring back the two files as they were made together",
            )
        return cls(certificate, private)

    @property
    def pem(self) -> str:
        """The certificate, as others need it to trust what is signed."""
        return _pem(self._certificate)

    @property
    def key(self) -> Secret:
        """What signs."""
        return _secret(self._key)

    def sign(self, name: str, others: Sequence[str], validity: Validity) -> Certificate:
        """
        Return a new certificate, for the end that calls as for the one that answers.

        `name`, and the `others`, each a name or an IP address, are what it is good for; it is not
        good for longer than the authority is.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        own, subject = self._certificate.subject, _subject(name)
        builder = (
            _builder(subject, own, key.public_key(), self._key.public_key())
            .not_valid_before(_begin(validity))
            .not_valid_after(min(_end(validity), self._certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([_name(each) for each in (name, *others)]),
                critical=False,
            )
            .add_extension(x509.ExtendedKeyUsage(_USAGE), critical=False)
        )
        return Certificate(_pem(builder.sign(self._key, hashes.SHA256())), _secret(key))


def ends_at(pem: str) -> float:
    """Return until when a certificate is good, in Unix seconds.  Raises InputError."""
    return _certificates(pem)[0].not_valid_after_utc.timestamp()


def is_signed_by(pem: str, authorities: str) -> bool:
    """Say whether one of these authorities has signed a certificate.  Raises InputError."""
    (certificate, *_), signers = _certificates(pem), _certificates(authorities)
    return any(_signed(certificate, each) for each in signers)


def _signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _certificates(pem: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        hint = "it begins with -----BEGIN CERTIFICATE-----"
        raise InputError("what should be a certificate in PEM is none", hint=hint) from error


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    signs: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signs), critical=False)
    )


def _begin(validity: Validity) -> datetime:
    # A clock that is set back a little must not make it untrusted.
    return datetime.fromtimestamp(validity.now, UTC) - timedelta(days=1)


def _end(validity: Validity) -> datetime:
    return datetime.fromtimestamp(validity.now, UTC) + timedelta(days=validity.days)


def _usage(*, authority: bool) -> x509.KeyUsage:
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


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _secret(key: ec.EllipticCurvePrivateKey) -> Secret:
    return Secret(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
    )
