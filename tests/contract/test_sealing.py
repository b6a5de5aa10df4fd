"""What every implementation of the port Sealing does."""

import base64
from dataclasses import replace

import pytest

from crossfade.adapters.secrets.sealing import KeyRing
from crossfade.base.errors import Denied
from crossfade.base.secrets import Secret

KEYS = [base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2)]
VALUE = Secret("https://hooks.example.com/T0/abc")


@pytest.fixture(params=["file", "variable"])
def ring(request, tmp_path):
    given = KEYS[0] if request.param == "variable" else ""
    return KeyRing(tmp_path / "state/sealing.key", "KEY", given)


def test_what_was_sealed_is_opened_again_and_cannot_be_read(ring):
    sealed = ring.seal("slack", VALUE, 7.0)

    assert ring.open("slack", sealed) == VALUE
    assert VALUE.reveal() not in str(sealed)
    assert VALUE.reveal().encode() not in base64.b64decode(sealed.text)
    assert (sealed.key, sealed.at) == (ring.newest(), 7.0)


def test_the_same_value_looks_different_each_time(ring):
    assert ring.seal("a", VALUE, 0.0) != ring.seal("a", VALUE, 0.0)


def test_a_text_that_was_moved_to_another_name_is_not_opened(ring):
    sealed = ring.seal("slack", VALUE, 0.0)

    with pytest.raises(Denied, match="was changed"):
        ring.open("smtp", sealed)


@pytest.mark.parametrize("place", [0, 12, 30, -1])
def test_a_text_that_was_changed_is_not_opened(ring, place):
    sealed = ring.seal("slack", VALUE, 0.0)
    data = bytearray(base64.b64decode(sealed.text))
    data[place] ^= 1

    with pytest.raises(Denied) as raised:
        ring.open("slack", replace(sealed, text=base64.b64encode(data).decode()))
    assert VALUE.reveal() not in str(raised.value)


@pytest.mark.parametrize("text", ["", "x", "AAAA", "é"])
def test_a_text_that_is_none_is_not_opened(ring, text):
    sealed = ring.seal("slack", VALUE, 0.0)

    with pytest.raises(Denied):
        ring.open("slack", replace(sealed, text=text))


def test_a_key_that_is_gone_is_named(ring):
    sealed = replace(ring.seal("slack", VALUE, 0.0), key="0123456789ab")

    with pytest.raises(Denied, match="0123456789ab") as raised:
        ring.open("slack", sealed)
    assert "bring the key back" in raised.value.hint
