"""Passwords are kept so that they cannot be read, and told from others."""

import pytest

from crossfade.adapters.passwords import ArgonPasswords


@pytest.fixture
def passwords():
    return ArgonPasswords()


async def test_a_password_fits_what_was_kept_of_it_and_no_other_does(passwords):
    kept = await passwords.hashed("pässword 1")

    assert await passwords.fits("pässword 1", kept)
    assert not await passwords.fits("password 1", kept)
    assert not await passwords.fits("", kept)


async def test_the_same_password_is_kept_differently_each_time(passwords):
    assert await passwords.hashed("same") != await passwords.hashed("same")


async def test_nothing_fits_what_is_no_hash(passwords):
    assert not await passwords.fits("", "")
    assert not await passwords.fits("a", "a")
