"""Grants as people write them."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.access.people import grant_of, written_grant
from crossfade.core.access.roles import Grant, Role


@pytest.mark.parametrize(
    ("text", "grant"),
    [
        ("viewer", Grant(Role.VIEWER)),
        ("releaser:colors", Grant(Role.RELEASER, "colors")),
        ("admin:colors@aws", Grant(Role.ADMIN, "colors", "aws")),
        ("releaser:*@aws", Grant(Role.RELEASER, "*", "aws")),
    ],
)
def test_a_grant_is_read_as_it_is_written(text, grant):
    assert grant_of(text) == grant
    assert written_grant(grant) == text


@pytest.mark.parametrize("text", ["", "king", "Viewer", ":colors"])
def test_a_role_that_is_none_is_refused_with_those_that_are(text):
    with pytest.raises(InputError, match="is no role") as raised:
        grant_of(text)
    assert "viewer, developer, releaser, admin" in raised.value.hint
