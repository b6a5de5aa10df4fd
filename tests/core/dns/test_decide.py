"""What is published under a name, and what is never done to it."""

import itertools
from dataclasses import replace

import pytest

from crossfade.core.dns.decide import MOST_CHANGES, Past, Wish, decide
from crossfade.core.dns.record import Published

A, B, C = "192.0.2.1", "192.0.2.2", "192.0.2.3"
US = Published((A, B), 30, "us")


def wish(*fit: str, reachable=(A, B, C), ttl: int = 30) -> Wish:
    return Wish("us", ttl, fit, frozenset(reachable))


def published(*addresses: str, ttl: int = 30) -> Published:
    return Published(addresses, ttl, "us")


@pytest.mark.parametrize(
    ("wanted", "zone", "want", "reason"),
    [
        pytest.param(wish(A, B), US, US, "in place", id="nothing-to-do"),
        pytest.param(wish(A, B), Published(), US, f"add {A}, add {B}", id="a-new-name"),
        pytest.param(wish(A), US, published(A), f"remove {B}", id="a-site-is-gone"),
        pytest.param(wish(), US, US, "no address is fit, so the last answers stay", id="never-the-last"),
        pytest.param(wish(), Published(), Published(), "no address is fit yet", id="nothing-yet"),
        pytest.param(
            wish(A, B, C, reachable=(A,)), US, US,
            f"in place; {C} answers nobody and is not published", id="nobody-reaches-the-new-one",
        ),
        pytest.param(wish(A, B, reachable=()), US, US, "in place", id="who-is-published-and-fit-stays"),
        pytest.param(wish(A, B, ttl=60), US, published(A, B, ttl=60), "TTL 30s to 60s", id="a-ttl"),
    ],
)  # fmt: skip
def test_decide(wanted, zone, want, reason):
    got = decide(wanted, zone, Past(), 1000.0)

    assert (got.want, got.reason, got.refused) == (want, reason, False)


def test_a_name_of_somebody_else_is_left_alone():
    got = decide(wish(C), replace(US, owner="them"), Past(), 1000.0)

    assert (got.want, got.refused) == (replace(US, owner="them"), True)
    assert "belongs to `them`" in got.reason


def test_addresses_that_a_person_published_are_left_alone():
    by_hand = Published((A,), 3600, "")
    got = decide(wish(B), by_hand, Past(), 1000.0)

    assert (got.want, got.refused) == (by_hand, True)


def test_a_site_that_flaps_changes_the_name_four_times_a_minute_at_most():
    past, zone, made = Past(), US, 0
    for now in range(1000, 1060):
        wanted = wish(A) if now % 2 else wish(A, B, ttl=30 + now % 7)
        got = decide(wanted, zone, past, float(now))
        if got.want != zone:
            past, zone, made = past.after(zone, got.want, float(now)), got.want, made + 1
    assert made == MOST_CHANGES

    assert decide(wish(A, B, ttl=60), zone, past, 1062.0).want.ttl_seconds == 60


def test_sites_leave_one_by_one_so_that_the_rest_can_carry_the_users():
    zone, past = published(A, B, C), Past()
    got = decide(wish(A), zone, past, 1000.0)
    assert got.want == published(A, C)
    assert got.reason == f"remove {B}; {C} stays until a minute after the last removal"

    past, zone = past.after(zone, got.want, 1000.0), got.want
    assert decide(wish(A), zone, past, 1059.0).want == zone
    assert decide(wish(A), zone, past, 1060.0).want == published(A)


def test_of_many_sites_a_third_may_leave_at_once():
    sites = tuple(f"192.0.2.{number}" for number in range(10, 20))
    got = decide(wish(*sites[6:], reachable=()), published(*sites), Past(), 1000.0)

    assert got.want.addresses == sites[3:]


def test_whatever_is_seen_no_name_loses_its_last_answer_and_no_silent_site_gets_one():
    """Every case of three sites: in the zone or not, fit or not, reachable or not."""
    sites = (A, B, C)
    subsets = [s for n in range(4) for s in itertools.combinations(sites, n)]
    for there, fit, reachable in itertools.product(subsets, repeat=3):
        zone = published(*there) if there else Published()
        got = decide(wish(*fit, reachable=reachable), zone, Past(), 0.0)
        assert got.want.addresses or not there, "the last answer was removed"
        assert set(got.want.addresses) - set(there) <= set(reachable) & set(fit)
        assert len(set(there) - set(got.want.addresses)) <= 1, "too many leave at once"
        if set(fit) & (set(reachable) | set(there)) and set(there) - set(fit):
            assert set(there) - set(got.want.addresses), "a site that is not fit keeps users"
