"""Tokens and cookies count with their secret, until their time is over."""

import pytest

from crossfade.core.access.tokens import COOKIE_PREFIX, Token, digest_of, parted, written


def test_a_token_counts_with_its_own_secret_until_it_expires():
    token = Token("1", "t", "ann", digest_of("s3cret"), (), 0.0, 10.0)

    assert token.valid("s3cret", 9.9)
    assert not token.valid("s3cret", 10.0)
    assert not token.valid("other", 0.0)
    assert not token.valid(token.digest, 0.0)


def test_a_secret_may_have_any_characters_of_base64():
    assert parted(written("ab12", "x_-_y")) == ("ab12", "x_-_y")


@pytest.mark.parametrize("text", ["", "cfd", "cfd_", "cfd_1", "cfd_1_", "cfd__s", "cfs_1_s", "x"])
def test_what_is_no_token_is_not_taken_apart(text):
    assert parted(text) is None


def test_a_cookie_is_no_token():
    assert parted(written("1", "s", COOKIE_PREFIX)) is None
