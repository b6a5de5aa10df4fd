"""What is remembered of one rollout, and what it says."""

from dataclasses import replace

import pytest

from crossfade.core.analysis.counters import Tally
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.evidence import (
    begin,
    grown,
    judgement_of,
    latency_edges,
    verdict_of,
)
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.analysis.spec import Judge

CLOUDS = {"aws": "aws", "gcp": "gcp"}
UNKNOWN = Tally(0)
KNOWN = Tally(
    10_000,
    {
        "errors": 50,
        "slower-50ms": 2400,
        "slower-100ms": 600,
        "slower-500ms": 90,
        "slower-2500ms": 9,
    },
)
EDGES = [f"slower-{edge}ms" for edge in (50, 100, 500, 2500)]
SLOW = dict.fromkeys(EDGES, (1, 10))
JUDGE = Judge(window_seconds=10.0, min_seconds=60.0)


def begun(judge=JUDGE, history=KNOWN):
    return begin(judge, CLOUDS, history, 50.0, now=100.0)


def windows(first, last, errors=0, requests=100, clusters=tuple(CLOUDS)):
    return [
        Window(number, name, requests, 10 * requests, {"errors": (errors, 5), **SLOW})
        for number in range(first, last + 1)
        for name in clusters
    ]


def told(evidence, now, excluded=()):
    return judgement_of(JUDGE, evidence, verdict_of(evidence, excluded, now))


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (("errors", "latency"), ["errors", *EDGES]),
        (("errors",), ["errors"]),
        (("latency",), EDGES),
    ],
)
def test_only_what_the_file_names_is_judged(asked, names):
    plan = begun(replace(JUDGE, metrics=asked)).plan

    assert [each.name for each in plan.metrics] == names


def test_what_the_file_tolerates_holds_for_every_metric():
    plan = begun(replace(JUDGE, tolerance=1.2, dispersion=3.0)).plan

    assert {(each.r0, each.phi) for each in plan.metrics} == {(1.2, 3.0)}
    assert sum(each.weight for each in plan.metrics) == pytest.approx(2), "errors count half"


def test_latency_may_differ_between_pods_while_errors_do_not():
    errors, *slow = begun(replace(JUDGE, dispersion=4.0, latency_dispersion=1.0)).plan.metrics

    assert errors.phi == 4.0
    assert {each.phi for each in slow} == {1.0}


def test_a_service_that_is_judged_by_latency_alone_has_a_budget_of_slow_answers():
    plan = begun(replace(JUDGE, metrics=("latency",))).plan

    assert sum(plan.harm_of(each) for each in plan.metrics) == 1.0


def test_how_often_stable_is_slow_is_known_from_its_history():
    _, *slow = begun().plan.metrics

    assert [each.p0 for each in slow] == pytest.approx([0.24, 0.06, 0.009, 0.0009], rel=0.06)
    assert {each.p0 for each in begun(history=UNKNOWN).plan.metrics} == {None}


def test_how_often_stable_fails_says_how_much_worse_is_bad():
    errors, *_ = begun().plan.metrics

    assert errors.p0 == pytest.approx(0.005, rel=0.02)
    assert errors.r1 == pytest.approx(2, rel=0.02)
    assert begun(history=UNKNOWN).plan.metrics[0].p0 is None


def test_without_a_history_latency_is_watched_at_edges_that_services_usually_have():
    assert latency_edges(UNKNOWN) == (250, 1000)
    assert latency_edges(Tally(999, {"slower-50ms": 300})) == (250, 1000)
    assert latency_edges(Tally(5_000, {"errors": 3})) == (250, 1000)


def test_a_window_of_a_cluster_that_came_later_or_was_taken_in_already_changes_nothing():
    evidence = grown(begun(), windows(11, 12), 10.0, 200.0, 130.0)
    again = grown(evidence, windows(12, 12), 10.0, 200.0, 131.0)
    newcomer = grown(evidence, windows(13, 13, clusters=("onprem",)), 10.0, 200.0, 141.0)

    assert again == evidence == newcomer


def test_requests_at_an_earlier_share_do_not_count_for_the_next_one():
    at_ten = grown(begun(), windows(11, 14), 10.0, 200.0, 150.0)
    at_fifty = grown(at_ten, (), 50.0, 200.0, 151.0)

    assert (at_ten.level_requests, at_ten.requests) == (800, 800)
    assert (at_fifty.level_requests, at_fifty.level_since) == (0, 151.0)
    assert told(at_ten, 150.0).verdict is Verdict.PASS
    waits = told(at_fifty, 151.0)
    assert waits.verdict is Verdict.UNKNOWN
    assert "0 of 50 requests at 50 % needed" in waits.reason


def test_a_cluster_that_says_nothing_is_neither_good_nor_bad():
    evidence = grown(begun(), windows(11, 30, clusters=("aws",)), 10.0, 200.0, 310.0)
    found = told(evidence, 310.0)

    assert found.verdict is Verdict.UNKNOWN
    assert "gcp" in found.reason
    assert told(evidence, 310.0, excluded=("gcp",)).verdict is Verdict.PASS


def test_a_version_that_fails_is_taken_back_and_what_it_cost_is_told():
    evidence = grown(begun(), windows(11, 14, errors=20), 10.0, 200.0, 150.0)
    found = told(evidence, 150.0)

    assert found.verdict is Verdict.FAIL
    assert (found.requests, found.errors) == (800, 160)
    assert found.harmed > 100
    assert not found.proven


def test_nobody_says_how_many_users_may_come_while_nobody_knows_how_many_there_are():
    assert told(grown(begun(), (), 0.0, 0.0, 100.0), 100.0).ramp is None
    assert told(grown(begun(), (), 0.0, 200.0, 100.0), 100.0).ramp is not None
