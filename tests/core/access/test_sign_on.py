"""What makes a provider, and what people are called."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.access.roles import Grant, Role
from crossfade.core.access.sign_on import Claims, account_of, grants_for, provider_of

VIEWER, ADMIN = Grant(Role.VIEWER), Grant(Role.ADMIN)
GROUPS = {"a": [VIEWER], "b": [ADMIN, VIEWER]}


def provider(issuer="https://login.example.com/", url="http://127.0.0.1:8780"):
    return provider_of(issuer, "client", url, GROUPS)


def test_groups_give_rights_once():
    assert grants_for(provider(), Claims("s", "n", ("a", "b", "c"))) == (VIEWER, ADMIN)


@pytest.mark.parametrize(
    "address",
    ["http://login.example.com", "login.example.com", "", "https://", "ftp://x", "https://a?b",
     "https://user@a", "http://127.0.0.1.example.com", "https://[", "javascript:alert(1)",
     "https://a:99999", "https://a b"],
)  # fmt: skip
def test_an_address_that_others_can_listen_to_is_refused(address):
    for arguments in ({"issuer": address}, {"url": address}):
        with pytest.raises(InputError, match="cannot be trusted"):
            provider(**arguments)


@pytest.mark.parametrize(
    ("name", "account"),
    [("Ann", "ann"), ("ann@example.com", "ann@example.com"), ("ann smith", None), ("", None)],
)
def test_a_name_that_is_none_here_is_replaced_by_one_that_stays_the_same(name, account):
    found = account_of(provider(), Claims("s", name))

    assert found == (account or found)
    assert account or found.startswith("sso-")
    assert found == account_of(provider(), Claims("s", name))


def test_without_groups_nobody_could_sign_in():
    with pytest.raises(InputError, match="no group has a role"):
        provider_of("https://a", "c", "https://b", {})
