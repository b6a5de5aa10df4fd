"""What users ask for, from reports of edges that come one after the other, or not at all."""

from dataclasses import replace

from crossfade.core.failover.users import Users
from crossfade.engine.loops.comparing import Comparing
from crossfade.engine.loops.counting import NOBODY, Counting
from crossfade.ports.edge import EdgeSight, EdgeTargetSight
from crossfade.testing.builders import APP, application


def report(edge, at, requests, seconds=1.0):
    target = EdgeTargetSight(APP, "aws", healthy=True, requests=requests)
    return EdgeSight(edge, at, (target,), seconds=seconds)


def recent(counting, before, now):
    return counting.load(application(), before, now).recent


def test_a_hub_that_has_just_begun_knows_from_the_store_how_many_users_there_are():
    """One edge has reported twice by then, and the other one once: that counts nobody."""
    counting, before = Counting(), Users(APP, recent=300)
    assert recent(counting, before, 10.0) == 300

    counting.take_in((report("edge-1", 10.0, 0, 0.0), report("edge-2", 10.4, 0, 0.0)))
    counting.take_in((report("edge-1", 11.0, 150),))
    assert recent(counting, before, 11.1) == 300


def test_after_a_few_seconds_a_hub_takes_its_own_count():
    counting, before = Counting(), Users(APP, recent=300)
    for second in range(10, 15):
        counting.take_in((report("edge-1", float(second), 150),))

    assert recent(counting, before, 14.0) == 150


def test_a_first_report_counts_nobody_as_nobody_knows_since_when():
    counting = Counting()
    counting.take_in((report("edge-1", 10.0, 900, 0.0),))

    assert recent(counting, Users(APP), 10.0) is None
    assert counting.demand(APP, Users(APP), 10.0) is None


def test_a_hub_that_was_busy_counts_all_users_of_all_edges():
    """It reads what several edges have said meanwhile, one edge after the other."""
    counting, comparing = Counting(), Comparing()
    first = (report("edge-1", 10.0, 0, 0.0), report("edge-2", 10.5, 0, 0.0))
    comparing.fresh(first)
    newest = []
    for begin in first:
        later = [report(begin.edge, begin.at + second, 100) for second in range(1, 10)]
        newest.append(replace(later[-1], earlier=(begin, *later[:-1])))
    counting.take_in(comparing.fresh(tuple(newest)))

    for now in range(20, 27):
        assert recent(counting, Users(APP), float(now)) == 200, now


def test_when_all_users_have_left_they_are_not_remembered_as_if_some_were_still_there():
    counting = Counting()
    for second in range(10, 40):
        counting.take_in((report("edge-1", float(second), 300 if second < 20 else 0),))
    before = Users(APP, recent=30)

    assert recent(counting, before, 39.0) == NOBODY
    assert recent(counting, before, 39.5) == NOBODY
