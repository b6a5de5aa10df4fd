"""An authority of one's own: what it signs is trusted for its name, and for nothing else."""

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from crossfade.base.certificates import Authority, Validity, ends_at, is_signed_by
from crossfade.base.errors import InputError
from crossfade.base.secrets import Secret

NOW = 1_800_000_000.0
GOOD = Validity(NOW, 90)


def trusted(authority: Authority, pem: str, name: str) -> None:
    """Raise unless the certificate is good for a server of this name."""
    store = Store([x509.load_pem_x509_certificate(authority.pem.encode())])
    certificate = x509.load_pem_x509_certificate(pem.encode())
    at = certificate.not_valid_before_utc
    verifier = PolicyBuilder().store(store).time(at).build_server_verifier(x509.DNSName(name))
    verifier.verify(certificate, [])


def test_what_is_signed_is_good_for_its_names():
    authority = Authority.new("ours", Validity(NOW, 3650))
    made = authority.sign("hub.crossfade", ("localhost", "127.0.0.1"), GOOD)

    trusted(authority, made.pem, "hub.crossfade")
    trusted(authority, made.pem, "localhost")
    with pytest.raises(VerificationError):
        trusted(authority, made.pem, "berlin")
    with pytest.raises(VerificationError):
        trusted(Authority.new("ours", Validity(NOW, 3650)), made.pem, "hub.crossfade")


def test_what_is_signed_signs_nothing_itself():
    authority = Authority.new("ours", Validity(NOW, 3650))
    edge = authority.sign("berlin", (), GOOD)
    false = Authority.read(edge.pem, edge.key).sign("hub.crossfade", (), GOOD)

    with pytest.raises(VerificationError):
        trusted(authority, false.pem, "hub.crossfade")


def test_its_end_is_told():
    made = Authority.new("ours", GOOD)

    assert ends_at(made.pem) == NOW + 90 * 86400


def test_nothing_that_is_signed_is_said_to_be_good_for_longer_than_the_authority():
    authority = Authority.new("ours", GOOD)

    assert ends_at(authority.sign("berlin", (), Validity(NOW, 365)).pem) == NOW + 90 * 86400


def test_it_is_told_who_has_signed():
    ours, other = Authority.new("same", GOOD), Authority.new("same", GOOD)
    made = ours.sign("berlin", (), GOOD)

    assert is_signed_by(made.pem, ours.pem)
    assert is_signed_by(made.pem, other.pem + ours.pem)
    assert not is_signed_by(made.pem, other.pem)


def test_a_key_is_never_shown():
    assert "PRIVATE" not in repr(Authority.new("ours", GOOD).sign("berlin", (), GOOD))


def test_a_kept_authority_goes_on():
    kept = Authority.new("ours", GOOD)
    made = Authority.read(kept.pem, kept.key).sign("berlin", (), GOOD)

    trusted(kept, made.pem, "berlin")


def test_files_that_are_no_authority_are_refused_without_what_they_say():
    one, other = Authority.new("ours", GOOD), Authority.new("ours", GOOD)
    for pem, key in ((one.pem, other.key), ("x", one.key), (one.pem, Secret("top-secret"))):
        with pytest.raises(InputError) as caught:
            Authority.read(pem, key)
        assert "top-secret" not in str(caught.value)
    with pytest.raises(InputError):
        ends_at("top-secret")
