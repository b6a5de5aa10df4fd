"""Keys in a file and in a variable: made once, rotated, never readable for others."""

import base64
import stat

import pytest

from crossfade.adapters.secrets.sealing import KeyRing
from crossfade.base.errors import Denied, InputError, Unavailable
from crossfade.base.secrets import Secret

KEYS = [base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3)]
VALUE = Secret("value")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state/sealing.key"


def ring(file, given=""):
    return KeyRing(file, "CROSSFADE_KEY", given)


def test_a_key_is_made_once_and_only_its_owner_may_read_it(file):
    first = ring(file).newest()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ring(file).newest() == first


def test_a_key_file_that_others_may_read_is_not_used(file):
    ring(file).newest()
    file.chmod(0o640)

    with pytest.raises(Denied, match="others may read") as raised:
        ring(file).newest()
    assert "chmod 600" in raised.value.hint


def test_a_new_key_seals_and_the_one_before_still_opens(file):
    old = ring(file).seal("a", VALUE, 0.0)
    newest = ring(file).rotate()

    assert ring(file).seal("a", VALUE, 0.0).key == newest != old.key
    assert ring(file).open("a", old) == VALUE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ring(file).rotate()
    assert len(file.read_text().split()) == 2


def test_keys_of_the_variable_go_before_the_file_and_the_first_one_seals(file):
    old = ring(file, KEYS[0]).seal("a", VALUE, 0.0)
    both = ring(file, f"{KEYS[1]} {KEYS[0]}")

    assert both.open("a", old) == VALUE
    assert both.newest() == ring(file, KEYS[1]).newest()
    assert not file.exists()
    with pytest.raises(InputError, match="in the variable CROSSFADE_KEY"):
        both.rotate()


@pytest.mark.parametrize("text", ["short", "AAAA", "%%%"])
def test_what_is_no_key_is_refused_without_being_shown(file, text):
    with pytest.raises(InputError, match="no key of 32 bytes") as raised:
        ring(file, text).newest()
    assert text not in str(raised.value)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "state").write_text("in the way")

    with pytest.raises(Unavailable, match="key file"):
        ring(tmp_path / "state/sealing.key").newest()
