"""What is remembered of an application: who serves, what is kept, what clusters should run."""

from dataclasses import replace

import pytest

from crossfade.core.rollout.record import HISTORY, Kept, advance, next_expiry, renewed, with_wanted
from crossfade.core.rollout.spec import SetHeaderRoute, Strategy
from crossfade.core.rollout.state import ClusterPhase, Decision, Outcome, Phase, Progress, State
from crossfade.core.traffic.split import HeaderMatch, HeaderRoute, Mirror, Sticky
from crossfade.testing.builders import (
    BLUE,
    CLUSTERS,
    RED,
    YELLOW,
    record,
    revision,
    rollout,
    stepping,
)

AWS, GCP, ONPREM = CLUSTERS
TESTERS = SetHeaderRoute("testers", (HeaderMatch("x-tester", "yes"),))


def all_at(phase, percent=0.0, **more):
    return dict.fromkeys(CLUSTERS, Progress(phase, percent=percent, scale=100, **more))


def moving(phase=Phase.PROGRESSING, clusters=None, **more):
    return rollout(state=State(phase, clusters or {}), **more)


PROMOTED = Decision(
    State(Phase.ENDED, all_at(ClusterPhase.DONE, 100.0), outcome=Outcome.SUCCEEDED), "done"
)


@pytest.mark.parametrize(
    ("phase", "clusters", "stable", "shares", "installed"),
    [
        pytest.param(Phase.INSTALLING, all_at(ClusterPhase.WAITING), BLUE, {BLUE.id: 100}, {BLUE.id}, id="waiting"),
        pytest.param(Phase.INSTALLING, all_at(ClusterPhase.INSTALLING), BLUE, {BLUE.id: 100}, {BLUE.id, YELLOW.id}, id="installing"),
        pytest.param(Phase.PROGRESSING, all_at(ClusterPhase.STEPPING, 10.0), BLUE, {BLUE.id: 90, YELLOW.id: 10}, {BLUE.id, YELLOW.id}, id="stepping"),
        pytest.param(Phase.PROGRESSING, all_at(ClusterPhase.STEPPING, 33.33), BLUE, {BLUE.id: 66.67, YELLOW.id: 33.33}, {BLUE.id, YELLOW.id}, id="shares-sum-to-100"),
        pytest.param(Phase.PROMOTING, all_at(ClusterPhase.DONE, 100.0), BLUE, {YELLOW.id: 100}, {BLUE.id, YELLOW.id}, id="stable-stays-until-the-end"),
        pytest.param(Phase.PROGRESSING, all_at(ClusterPhase.BACK), BLUE, {BLUE.id: 100}, {BLUE.id}, id="back"),
        pytest.param(Phase.ROLLING_BACK, all_at(ClusterPhase.BACK), BLUE, {BLUE.id: 100}, {BLUE.id}, id="rolling-back"),
        pytest.param(Phase.INSTALLING, all_at(ClusterPhase.INSTALLING), None, {}, {YELLOW.id}, id="first"),
        pytest.param(Phase.PROMOTING, all_at(ClusterPhase.STEPPING, 100.0), None, {YELLOW.id: 100}, {YELLOW.id}, id="first-with-users"),
        pytest.param(Phase.ROLLING_BACK, all_at(ClusterPhase.BACK), None, {}, set(), id="a-first-one-that-failed-leaves-nothing"),
    ],
)  # fmt: skip
def test_what_clusters_should_run(phase, clusters, stable, shares, installed):
    after = with_wanted(
        record(active=stable), moving(phase, clusters, stable=stable), CLUSTERS, 10.0
    )

    for name in CLUSTERS:
        assert after.at(name).split.shares == shares
        assert set(after.at(name).revisions) == installed
    assert {each.id for each in after.revisions} == installed


def test_every_cluster_is_asked_for_where_it_stands():
    clusters = {
        AWS: Progress(ClusterPhase.DONE, percent=100.0, scale=100),
        GCP: Progress(ClusterPhase.BACK),
        ONPREM: Progress(ClusterPhase.STEPPING, percent=10.0, scale=20),
    }
    after = with_wanted(record(), moving(clusters=clusters), CLUSTERS, 10.0)

    assert [after.at(name).share(YELLOW.id) for name in CLUSTERS] == [100, 0, 10]
    assert [after.at(name).pods(YELLOW.id) for name in CLUSTERS] == [100, 100, 20]
    assert all(after.at(name).pods(BLUE.id) == 100 for name in CLUSTERS)


def test_the_route_says_all_that_the_steps_said():
    each = Progress(ClusterPhase.STEPPING, percent=10.0, scale=10, headers=(TESTERS,), mirror=20)
    sticky = Sticky("crossfade", 60.0)
    asked = replace(moving(clusters={AWS: each}), strategy=Strategy(sticky=sticky))
    split = with_wanted(record(), asked, (AWS,), 10.0).at(AWS).split

    assert split.headers == (HeaderRoute("testers", TESTERS.matches, YELLOW.id),)
    assert split.mirror == Mirror(YELLOW.id, 20)
    assert split.sticky == sticky


@pytest.mark.parametrize("percent", [0.0, 100.0])
def test_no_user_is_bound_by_a_cookie_where_there_is_only_one_revision_to_meet(percent):
    each = Progress(ClusterPhase.STEPPING, percent=percent)
    asked = replace(
        moving(clusters={AWS: each}), strategy=Strategy(sticky=Sticky("crossfade", 60.0))
    )

    assert with_wanted(record(), asked, (AWS,), 10.0).at(AWS).split.sticky is None


def test_only_clusters_whose_route_changes_get_a_new_epoch():
    first = with_wanted(record(), None, CLUSTERS, 1.0)
    clusters = {**all_at(ClusterPhase.STEPPING), AWS: Progress(ClusterPhase.STEPPING, percent=10.0)}
    second = with_wanted(first, moving(clusters=clusters), CLUSTERS, 2.0)
    again = with_wanted(second, moving(clusters=clusters), CLUSTERS, 3.0)

    assert [second.at(name).epoch for name in CLUSTERS] == [2, 1, 1]
    assert (second.at(AWS).previous, second.epoch) == (1, 2)
    assert again == second


def test_clusters_confirm_anew_when_the_route_itself_has_changed():
    before = with_wanted(record(), None, CLUSTERS, 1.0)
    after = renewed(before, 9.0)

    assert {each.epoch for each in after.wanted.values()} == {2}
    assert {each.previous for each in after.wanted.values()} == {1}


def test_a_promoted_revision_serves_and_the_old_one_is_kept_for_a_swap():
    after, _ = advance(record(active=BLUE), rollout(), PROMOTED, CLUSTERS, 10.0)

    assert after.active == YELLOW
    assert after.kept == (Kept(BLUE, 610.0),)
    assert {each.id for each in after.revisions} == {YELLOW.id, BLUE.id}
    assert after.at(AWS).split.shares == {YELLOW.id: 100}
    assert after.history == (YELLOW,)


@pytest.mark.parametrize(
    ("seconds", "limit", "kept"),
    [
        pytest.param(0.0, 3, [], id="0-removes"),
        pytest.param(60.0, 3, [(BLUE.id, 70.0), (RED.id, 99.0)], id="for-a-while"),
        pytest.param(None, 3, [(BLUE.id, None), (RED.id, 99.0)], id="for-ever"),
        pytest.param(None, 1, [(BLUE.id, None)], id="no-more-than-the-limit"),
        pytest.param(None, 0, [], id="a-limit-of-none"),
    ],
)
def test_how_long_and_how_many_old_revisions_are_kept(seconds, limit, kept):
    asked = rollout(strategy=Strategy(keep_old_seconds=seconds, keep_limit=limit))
    before = replace(record(active=BLUE), kept=(Kept(RED, 99.0),) if seconds != 0 else ())
    after, _ = advance(before, asked, PROMOTED, CLUSTERS, 10.0)

    assert [(each.revision.id, each.until) for each in after.kept] == kept
    assert set(after.at(AWS).revisions) == {YELLOW.id, *(name for name, _ in kept)}


def test_a_revision_that_serves_again_is_no_longer_kept():
    kept = replace(record(active=YELLOW), kept=(Kept(BLUE, 99.0),), history=(YELLOW, BLUE))
    swap = replace(rollout(stable=YELLOW, swap=True), canary=BLUE)

    after, _ = advance(kept, swap, PROMOTED, CLUSTERS, 10.0)

    assert [each.revision for each in after.kept] == [YELLOW]
    assert after.history == (BLUE, YELLOW)


def test_a_kept_revision_is_removed_when_its_time_is_over():
    kept = replace(record(active=YELLOW), kept=(Kept(BLUE, 50.0),))

    assert set(with_wanted(kept, None, (AWS,), 49.0).at(AWS).revisions) == {YELLOW.id, BLUE.id}
    assert set(with_wanted(kept, None, (AWS,), 50.0).at(AWS).revisions) == {YELLOW.id}
    assert (next_expiry(kept, 49.0), next_expiry(kept, 50.0)) == (1.0, None)


def test_what_is_kept_for_ever_is_never_due():
    assert next_expiry(replace(record(), kept=(Kept(RED, None),)), 1e9) is None


def test_a_rollback_leaves_who_served():
    back = Decision(
        State(Phase.ENDED, all_at(ClusterPhase.BACK), outcome=Outcome.ROLLED_BACK), "bad"
    )

    after, ended = advance(record(active=BLUE), rollout(), back, CLUSTERS, 10.0)

    assert after.active == BLUE
    assert after.at(AWS).split.shares == {BLUE.id: 100}
    assert ended.state.reason == "bad"


def promoted_without_gcp():
    clusters = {**all_at(ClusterPhase.DONE, 100.0), GCP: Progress(ClusterPhase.BACK)}
    end = replace(PROMOTED, want=replace(PROMOTED.want, clusters=clusters))
    return advance(record(active=BLUE), rollout(), end, CLUSTERS, 10.0)[0]


def test_a_cluster_that_was_taken_back_alone_stays_on_what_served_it():
    after = promoted_without_gcp()

    assert after.active == YELLOW
    assert after.pinned == {GCP: BLUE.id}
    assert after.at(GCP).split.shares == {BLUE.id: 100}
    assert after.at(AWS).split.shares == {YELLOW.id: 100}
    later = with_wanted(after, None, CLUSTERS, 1e9)
    assert later.at(GCP).revisions == (BLUE.id,), "it serves, so it outlives what is kept"


def test_the_next_revision_moves_a_pinned_cluster_from_what_it_runs():
    after = promoted_without_gcp()
    state = stepping(10, 1)
    asked = replace(rollout(stable=YELLOW, state=state), canary=RED)

    assert with_wanted(after, asked, CLUSTERS, 20.0).at(GCP).split.shares == {
        BLUE.id: 90,
        RED.id: 10,
    }


def test_a_pinned_cluster_is_one_of_all_again_when_the_next_revision_is_done_there():
    after = promoted_without_gcp()
    next_one = replace(rollout(stable=YELLOW), canary=RED)
    later, _ = advance(after, next_one, PROMOTED, CLUSTERS, 20.0)

    assert later.pinned == {}
    assert later.at(GCP).split.shares == {RED.id: 100}


def test_a_pinned_cluster_that_goes_back_again_stays_on_what_it_ran():
    after = promoted_without_gcp()
    clusters = {**all_at(ClusterPhase.DONE, 100.0), GCP: Progress(ClusterPhase.BACK)}
    end = replace(PROMOTED, want=replace(PROMOTED.want, clusters=clusters))
    later, _ = advance(after, replace(rollout(stable=YELLOW), canary=RED), end, CLUSTERS, 20.0)

    assert later.pinned == {GCP: BLUE.id}


def test_what_a_cluster_that_left_should_run_is_forgotten():
    before = with_wanted(record(), None, CLUSTERS, 1.0)

    assert set(with_wanted(before, None, (AWS,), 2.0).wanted) == {AWS}


def test_a_cluster_that_joins_serves_the_stable_revision_until_it_has_caught_up():
    asked = rollout(state=replace(stepping(50, 1), clusters={AWS: Progress(ClusterPhase.STEPPING)}))

    assert with_wanted(record(), asked, CLUSTERS, 1.0).at(GCP).split.shares == {BLUE.id: 100}


def test_history_is_remembered_up_to_a_limit():
    remembered = record(active=BLUE)
    for number in range(HISTORY + 5):
        moved = replace(rollout(), canary=revision(f"r{number}"))
        remembered, _ = advance(remembered, moved, PROMOTED, CLUSTERS, 10.0)

    assert len(remembered.history) == HISTORY
    assert remembered.history[0].id == f"r{HISTORY + 4}"
