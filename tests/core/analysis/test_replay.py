"""Verdicts on a record."""

import pytest

from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Metric, Plan
from crossfade.core.analysis.replay import replay, ticks
from crossfade.core.analysis.verdict import Action

PLAN = Plan((Metric("errors"),), ("aws", "gcp"))


def record(count, x_c=1, names=PLAN.clusters, at=None):
    return [
        Window(n, name, 150, 1350, {"errors": (x_c, 13)}, None if at is None else at + 15 * n)
        for n in range(1, count + 1)
        for name in names
    ]


def test_there_is_a_verdict_for_each_tick_and_the_last_is_the_one_on_all():
    found = replay(PLAN, record(60))

    assert [each.tick for each in found] == list(range(1, 61))
    assert found[-1].verdict.action is Action.PROMOTE
    assert found[9].verdict.action is not Action.PROMOTE


def test_a_record_of_a_bad_canary_is_rolled_back_and_stays_so():
    actions = [each.verdict.action for each in replay(PLAN, record(30, x_c=8))]
    first = actions.index(Action.ROLLBACK)

    assert first < 10
    assert set(actions[first:]) == {Action.ROLLBACK}


def test_time_of_day_in_a_record_changes_nothing():
    plain, dated = replay(PLAN, record(60)), replay(PLAN, record(60, at=1.7e9))

    assert [each.verdict for each in plain] == [each.verdict for each in dated]


def test_a_file_that_is_sorted_by_cluster_is_the_same_record():
    by_cluster = sorted(record(20), key=lambda each: each.cluster)

    assert replay(PLAN, by_cluster) == replay(PLAN, record(20))


def test_lines_that_were_written_twice_count_once():
    assert replay(PLAN, [*record(20), *record(20)]) == replay(PLAN, record(20))


def test_a_record_out_of_order_is_refused():
    one, two, *_ = record(3, names=("gcp",))

    with pytest.raises(ValueError, match="window 1 of gcp comes after window 2"):
        ticks([two, one])


def test_a_record_without_windows_has_no_verdict():
    assert replay(PLAN, []) == ()


def test_a_cluster_that_falls_silent_in_the_record_is_named():
    silent = replay(PLAN, [*record(20), *(w for w in record(60, names=("gcp",)) if w.id > 20)])

    assert silent[-1].verdict.silent == ("aws",)
