"""Who may do what, over all roles and scopes."""

from itertools import product

import pytest

from crossfade.core.access.roles import ANY, NEEDS, Action, Grant, Identity, Role


@pytest.mark.parametrize(("role", "action"), list(product(Role, Action)))
def test_a_role_allows_what_needs_it_or_less_and_nothing_else(role, action):
    who = Identity("ann", (Grant(role),))

    assert who.may(action) is (list(Role).index(role) >= list(Role).index(NEEDS[action]))


@pytest.mark.parametrize("action", Action)
def test_a_grant_on_one_application_is_worth_nothing_on_others_or_on_all(action):
    who = Identity("ann", (Grant(Role.ADMIN, "colors"),))

    assert who.may(action, "colors")
    assert not who.may(action, "shapes")
    assert not who.may(action, ANY)


@pytest.mark.parametrize("action", Action)
def test_who_may_not_touch_one_of_the_clusters_may_not_do_it(action):
    who = Identity("ann", (Grant(Role.ADMIN, "colors", "aws"), Grant(Role.ADMIN, "colors", "gcp")))

    assert who.may(action, "colors", ["aws", "gcp"])
    assert not who.may(action, "colors", ["aws", "onprem"])
    assert not who.may(action, "colors", [])


@pytest.mark.parametrize(("mine", "token"), list(product(Role, Role)))
def test_a_token_allows_no_more_than_its_owner_and_no_more_than_itself(mine, token):
    alone = [Identity("ann", (Grant(role),)) for role in (mine, token)]
    both = Identity("ann", (Grant(mine),), within=(Grant(token),))

    for action in Action:
        assert both.may(action) is all(each.may(action) for each in alone)


def test_what_a_token_is_not_for_is_not_seen_with_it():
    who = Identity("ann", (Grant(Role.ADMIN),), within=(Grant(Role.VIEWER, "colors", "aws"),))

    assert who.sees("colors")
    assert not who.sees("shapes")
    assert who.sees_cluster("aws")
    assert not who.sees_cluster("gcp")


def test_a_token_without_grants_allows_nothing():
    who = Identity("ann", (Grant(Role.ADMIN),), within=())

    assert not any(who.may(action) for action in Action)
    assert not who.sees("colors")
