"""What is done about a cluster, and what never is, in every history."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.failover.decide import Action, Fleet, Wishes, decide
from crossfade.core.failover.evidence import DOWN, Condition, Evidence
from crossfade.core.failover.standing import Presence, Standing

HEALTHY, API_DOWN, UNKNOWN = Condition.HEALTHY, Condition.API_DOWN, Condition.UNKNOWN
LOST, DARK, GREY = Condition.BOTH_DOWN, Condition.DATA_PLANE_DOWN, Condition.GREY
NAMES = ("aws", "gcp", "onprem")


def fleet(*names, **standings):
    presences = {name: Presence(name) for name in names or NAMES}
    presences |= {n: Presence(n, s, wait_seconds=60.0) for n, s in standings.items()}
    return Fleet(presences)


def seen(**conditions):
    return Evidence(dict.fromkeys(NAMES, HEALTHY) | conditions)


def step(state, evidence, now=0.0, **wishes):
    after, decisions = decide(state, evidence, Wishes(**wishes), now)
    return (
        after,
        {each.cluster: each.action for each in decisions},
        {each.cluster: each.reason for each in decisions},
    )


@pytest.mark.parametrize(
    ("condition", "action"),
    [(HEALTHY, Action.STAY), (API_DOWN, Action.STAY), (UNKNOWN, Action.STAY), (GREY, Action.STAY), (DARK, Action.MOVE), (LOST, Action.MOVE)],
)  # fmt: skip
def test_users_move_only_when_they_are_not_served(condition, action):
    _, actions, _ = step(fleet(), seen(aws=condition))

    assert actions == {"aws": action, "gcp": Action.STAY, "onprem": Action.STAY}


def test_when_all_look_dead_everything_is_frozen():
    state = fleet()
    after, actions, reasons = step(state, seen(aws=LOST, gcp=LOST, onprem=UNKNOWN))

    assert after == state
    assert actions == {"aws": Action.FREEZE, "gcp": Action.FREEZE, "onprem": Action.STAY}
    assert "we who are cut off" in reasons["aws"]


def test_of_two_clouds_that_die_together_the_second_waits_its_minute():
    state, actions, reasons = step(fleet(), seen(aws=LOST, gcp=LOST))
    assert (actions["aws"], actions["gcp"]) == (Action.MOVE, Action.FREEZE)
    assert reasons["gcp"].startswith("budget: aws went out")

    state, actions, _ = step(state, seen(aws=LOST, gcp=LOST), now=59.0)
    assert (actions["aws"], actions["gcp"]) == (Action.STAY, Action.FREEZE)

    _, actions, _ = step(state, seen(aws=LOST, gcp=LOST), now=60.0)
    assert actions["gcp"] is Action.MOVE


def test_small_clusters_may_leave_together():
    capacity = {"aws": 10, "gcp": 10, "onprem": 80}

    _, actions, _ = step(fleet(), seen(aws=LOST, gcp=LOST), capacity=capacity)

    assert (actions["aws"], actions["gcp"]) == (Action.MOVE, Action.MOVE)


def test_small_clusters_that_leave_one_after_the_other_add_up():
    names = ("aws", "gcp", "onprem", "azure")
    capacity = dict(zip(names, (17, 17, 17, 49), strict=True))
    state, lost = fleet(*names), dict.fromkeys(names, HEALTHY)
    acts = []
    for now, name in enumerate(names[:3]):
        lost[name] = LOST
        state, actions, _ = step(state, Evidence(dict(lost)), float(now), capacity=capacity)
        acts.append(actions[name])

    assert acts == [Action.MOVE, Action.MOVE, Action.FREEZE]


def test_the_last_copy_is_not_taken_out_while_it_still_serves_some():
    state = fleet(gcp=Standing.OUT, onprem=Standing.OUT)
    doubted = Fleet({**state.presences, "aws": Presence("aws", Standing.DOUBTED, -10.0)})

    after, actions, reasons = step(doubted, seen(aws=GREY, gcp=LOST, onprem=LOST))

    assert actions["aws"] is Action.FREEZE
    assert reasons["aws"] == "last copy: no other cluster than aws is known to serve"
    assert after.presences["aws"].serves


def test_a_person_cannot_drain_the_last_copy_by_mistake():
    state = fleet(gcp=Standing.OUT, onprem=Standing.OUT)

    _, actions, reasons = step(state, seen(gcp=LOST, onprem=LOST), drained=frozenset({"aws"}))
    assert (actions["aws"], "last copy" in reasons["aws"]) == (Action.FREEZE, True)

    _, actions, _ = step(fleet(), seen(), drained=frozenset({"aws"}))
    assert actions["aws"] is Action.DRAIN


def test_users_do_not_move_to_clusters_that_a_person_has_drained():
    wishes = {"drained": frozenset({"gcp", "onprem"})}

    _, actions, _ = step(fleet(), seen(aws=LOST), **wishes)

    assert actions["aws"] is Action.FREEZE


def test_users_return_after_the_wait():
    state, _, _ = step(fleet(), seen(aws=LOST))
    actions = {}
    for now in range(10, 71):
        state, actions, reasons = step(state, seen(), now=float(now))
        assert (actions["aws"] is Action.RETURN) is (now == 70)

    assert reasons["aws"] == "well for 60 s"


def test_a_cluster_that_is_well_returns_early_when_no_other_is_left():
    state = fleet(aws=Standing.OUT, gcp=Standing.OUT)

    after, actions, _ = step(state, seen(gcp=LOST, onprem=LOST))

    assert actions["aws"] is Action.RETURN
    assert after.presences["aws"].serves


def test_every_reason_says_what_is_the_matter():
    state = fleet(aws=Standing.RECOVERING, gcp=Standing.OUT)
    _, _, reasons = step(state, seen(gcp=DARK, onprem=API_DOWN))

    assert reasons == {
        "aws": "well, and must be for 60 s",
        "gcp": "out: data-plane-down",
        "onprem": "serving; only its API server is away, so users stay",
    }
    _, _, reasons = step(fleet(), seen(aws=UNKNOWN, gcp=GREY))
    assert "silent or do not agree" in reasons["aws"]
    assert reasons["gcp"] == "grey; watched before users leave"


CONDITIONS = st.sampled_from([HEALTHY] * 5 + [LOST] * 3 + [DARK, API_DOWN, GREY, UNKNOWN])
LOOKS = st.tuples(
    st.integers(1, 40),
    st.dictionaries(st.sampled_from("abcde"), CONDITIONS, max_size=5),
    st.booleans(),
)


def lives(state, conditions):
    return [n for n, each in state.presences.items() if each.serves and conditions[n] not in DOWN]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(LOOKS, max_size=40),
    st.lists(st.integers(1, 50), min_size=2, max_size=5),
    st.sets(st.sampled_from("abcde"), max_size=2),
)
def test_no_history_breaks_the_budget_or_takes_the_last_copy(looks, capacities, drained):
    capacity = dict(zip("abcde", capacities, strict=False))
    state, now, out = Fleet({name: Presence(name) for name in capacity}), 0.0, []
    conditions = dict.fromkeys(capacity, HEALTHY)
    for seconds, changes, repeat in looks:
        now += seconds
        conditions |= {name: each for name, each in changes.items() if name in capacity}
        wishes = Wishes(frozenset(drained), capacity)
        evidence = Evidence(conditions)
        before = state
        state, decisions = decide(state, evidence, wishes, now)
        moved = [each.cluster for each in decisions if each.action is Action.MOVE]
        out += [(name, now) for name in moved]

        minute = {name for name, at in out if now - at < 60.0}
        share = 100 * sum(capacity[name] for name in minute) / sum(capacity.values())
        assert len(minute) <= 1 or share <= 34 + 1e-6, "the budget was broken"
        if lives(before, conditions):
            assert lives(state, conditions), "the last copy was taken out"
        if evidence.all_look_dead:
            assert state == before, "changed while everybody looked dead"
        for name in moved:
            assert conditions[name] in DOWN or conditions[name] is GREY
        if repeat:
            again, second = decide(state, evidence, wishes, now)
            assert not [each for each in second if each.action is Action.MOVE]
            assert {n: p.serves for n, p in again.presences.items()} == {
                n: p.serves for n, p in state.presences.items()
            }
