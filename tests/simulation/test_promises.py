"""Each promise that stories are held to is really looked at: code that breaks it is found out."""

from dataclasses import replace

import pytest

from crossfade.base.errors import Unavailable
from crossfade.core.failover import decide as failover
from crossfade.core.failover import users
from crossfade.core.release.converge import Uninstall
from crossfade.core.rollout import back, decide
from crossfade.core.rollout.bars import Bars
from crossfade.core.rollout.state import Decision, Outcome, Phase
from crossfade.core.traffic.demand import Unheard
from crossfade.core.traffic.destinations import Eligibility
from crossfade.engine.loops import convergence, traffic
from crossfade.engine.loops.rollouts import Rollouts
from crossfade.testing.broken import Broken
from crossfade.testing.builders import APP
from crossfade.testing.fake_store import FakeStore
from crossfade.testing.histories import SHOP, Moment, Story, begin, moments, opening, tell
from crossfade.testing.mishaps import Mishap


@pytest.fixture(autouse=True, scope="module")
def begun():
    """The worlds in which stories begin are made by code that is whole."""
    for edges, capacities in ((1, ()), (2, ()), (2, (120, 120, 120))):
        begin(edges, capacities, ())
    begin(1, (), (SHOP,))
    begin(1, (120, 120, 120), (SHOP,))


CALM = Story(0, bad=False, moments=())
BAD = Story(0, bad=True, moments=())


def happening(*told, **more):
    """Return a story in which this happens: turn, mishap, index of the cluster."""
    return Story(0, bad=False, moments=tuple(Moment(*each, 1) for each in told), **more)


def broken(told):
    with pytest.raises(Broken) as found:
        tell(told)
    return found.value.number


def test_rule_1_finds_users_that_nobody_asked_for(monkeypatch):
    right = convergence.wanted_route

    def too_many(record, cluster):
        route = right(record, cluster)
        if len(route.backends) < 2:
            return route
        shares = zip(route.backends, (40.0, 60.0), strict=True)
        return replace(route, backends=tuple(replace(b, percent=p) for b, p in shares))

    monkeypatch.setattr(convergence, "wanted_route", too_many)
    assert broken(CALM) == 1


def test_rule_2_finds_a_revision_that_was_removed_under_its_users(monkeypatch):
    stable = next(iter(begin().clusters["aws"].shares(APP)))
    monkeypatch.setattr(convergence, "next_act", lambda *_: Uninstall(stable))
    assert broken(CALM) == 2


def test_rule_2_finds_edges_that_are_left_without_any_cluster(monkeypatch):
    right = traffic.edge_route

    def nobody(*arguments):
        route = right(*arguments)
        return replace(route, targets=tuple(replace(each, weight=0) for each in route.targets))

    monkeypatch.setattr(traffic, "edge_route", nobody)
    assert broken(CALM) == 2


def test_rule_3_finds_two_clouds_that_are_taken_out_within_a_minute(monkeypatch):
    monkeypatch.setattr(failover, "over_budget", lambda *_, **__: "")
    told = happening((3, Mishap.LOSE, 0), (9, Mishap.LOSE, 1), edges=2)
    assert broken(told) == 3


def test_rule_3_finds_users_whom_somebody_moved_away_for_nothing(monkeypatch):
    right = users.admittance

    def doubtful(presence, **more):
        found = right(presence, **more)
        out = replace(found, eligibility=Eligibility.OUT)
        return out if presence.cluster == "aws" else found

    monkeypatch.setattr(users, "admittance", doubtful)
    assert broken(CALM) == 3


def test_rule_4_finds_users_that_rise_on_silence(monkeypatch):
    monkeypatch.setattr(decide, "bars", lambda *_: Bars())
    assert broken(happening((0, Mishap.QUIET, 0))) == 4


def test_rule_5_finds_users_on_a_cluster_that_is_behind():
    telling = opening(CALM)
    for _ in range(4):
        telling.run(telling.turn())
    cluster = telling.world.clusters["gcp"]
    cluster.served = {key: replace(each, epoch=1) for key, each in cluster.served.items()}
    telling.promises.asked["gcp"][1] = cluster.shares(APP)
    telling.promises.check(telling.world)
    telling.world.clock.advance(11.0)

    with pytest.raises(Broken, match="rule 5"):
        telling.promises.check(telling.world)


def test_rule_5_finds_users_who_are_sent_to_a_cluster_before_it_has_converged(monkeypatch):
    monkeypatch.setattr(users, "stale", lambda *_, **__: "")
    telling = opening(replace(BAD, edges=2))
    cluster = telling.world.clusters["gcp"]

    def until(condition, *mishaps):
        for each in mishaps:
            telling.run(telling.happen(each, "gcp", 0))
        for _ in range(80):
            telling.run(telling.turn())
            if condition():
                return

    until(lambda: telling.promises.canary in cluster.shares(APP))
    until(lambda: telling.world.clusters["aws"].shares(APP) == {telling.promises.stable: 100.0},
          Mishap.LOSE)  # fmt: skip
    with pytest.raises(Broken, match="rule 5"):
        # It takes no new routes, so it serves what it served when it was lost.
        until(lambda: False, Mishap.BACK, Mishap.LATE)


def test_rule_6_finds_a_revision_that_was_not_drained(monkeypatch):
    right = convergence.next_act

    def at_once(wanted, seen, held, _drain_seconds, now):
        return right(wanted, seen, held, 0.0, now)

    monkeypatch.setattr(convergence, "next_act", at_once)
    assert broken(BAD) == 6


def test_rule_7_finds_a_success_that_is_none(monkeypatch):
    def over(rollout, _sight, _now):
        want = replace(rollout.state, phase=Phase.ENDED, outcome=Outcome.ROLLED_BACK)
        return Decision(want, "rolled back 3/3")

    monkeypatch.setattr(decide, "roll_back", over)
    assert broken(happening((9, Mishap.LATE, 1), (10, Mishap.ABORT, 0))) == 7


def test_rule_8_finds_a_rollout_that_never_ends(monkeypatch):
    async def nothing(*_):
        raise Unavailable("no answer", hint="wait")

    monkeypatch.setattr(Rollouts, "reconcile", nothing)
    assert broken(CALM) == 8


def test_rule_9_finds_a_hub_that_writes_after_it_was_replaced(monkeypatch):
    monkeypatch.setattr(FakeStore, "_check", lambda *_: None)
    assert broken(happening((3, Mishap.REPLACE, 0))) == 9


def test_rule_10_finds_users_who_were_moved_onto_a_broken_stable(monkeypatch):
    monkeypatch.setattr(back, "broken_stable", lambda *_: [])
    for telling in moments(CALM):
        if any(each.shares(APP).get(telling.promises.canary) for each in clusters(telling)):
            break
    for cluster in clusters(telling):
        cluster.stop_pods(telling.promises.stable)
    for _ in range(2):
        telling.run(telling.turn())

    with pytest.raises(Broken, match="rule 10"):
        telling.run(abort(telling))


def test_rule_11_finds_a_cluster_that_is_sent_more_than_it_carries(monkeypatch):
    monkeypatch.setattr(users, "capacity", lambda *_: None)
    assert broken(happening((3, Mishap.LOSE, 0), edges=2, capacities=(120, 120, 120))) == 11


def test_rule_11_finds_users_of_an_edge_that_is_cut_off_and_were_forgotten(monkeypatch):
    cut = (14, Mishap.DEAF, 0), (30, Mishap.LOSE, 0)
    tell(happening(*cut, edges=2, capacities=(120, 120, 120)))

    monkeypatch.setattr(Unheard, "left", lambda *_: 0.0)
    assert broken(happening(*cut, edges=2, capacities=(120, 120, 120))) == 11


def test_rule_11_finds_users_who_are_turned_away_in_vain(monkeypatch):
    right = users.plan_while_lost

    def stingy(goal, lost):
        plan, short = right(goal, lost)
        return plan, replace(short, shed={"everybody": 3000})

    monkeypatch.setattr(users, "plan_while_lost", stingy)
    assert broken(happening(capacities=(120, 120, 120))) == 11


def test_rule_4_finds_a_good_revision_that_goes_back_because_of_another_application():
    telling = opening(replace(CALM, beside=(SHOP,), deploying=(SHOP.name,)))
    shop = telling.promises.others[0]
    telling.world.error_rates[shop.canary] = 0.5  # of which nobody was told

    async def goes_on():
        for _ in range(60):
            await telling.turn()

    with pytest.raises(Broken, match="rule 4"):
        telling.run(goes_on())


def test_rule_11_finds_clusters_that_several_applications_ask_too_much_of(monkeypatch):
    monkeypatch.setattr(traffic, "carried", lambda *_: {})
    assert broken(replace(CALM, capacities=(120, 120, 120), beside=(SHOP,))) == 11


def test_rule_11_finds_important_users_who_are_turned_away_for_less_important_ones(monkeypatch):
    def upside_down(values, key=None):
        return sorted(values, key=key, reverse=key is not None)

    monkeypatch.setattr(traffic, "sorted", upside_down, raising=False)
    assert broken(replace(CALM, capacities=(120, 120, 120), beside=(SHOP,))) == 11


def clusters(telling):
    return telling.world.clusters.values()


async def abort(telling):
    await telling.ask(Mishap.ABORT, "aws")
    await telling.turn()
