"""What was judged before anybody knew that users were moving is taken back, and nothing else."""

from crossfade.core.analysis.counters import Tally
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.evidence import begin, look
from crossfade.core.analysis.past import Past, again, before_first, spoiled, takes_back
from crossfade.core.analysis.spec import Judge
from crossfade.core.failover.during_rollout import Shift

JUDGE = Judge(window_seconds=10.0, min_seconds=60.0, max_seconds=600.0)
FIRST = begin(JUDGE, {"aws": "aws", "gcp": "gcp"}, Tally(0), 50.0, now=100.0)


def window(end, cluster="aws", errors=(0, 0)):
    return Window(int(end // 10), cluster, 100, 1000, {"errors": errors}, float(end))


def past(end, *, percent=10.0, errors=(0, 0), **more):
    both = (window(end, "aws", errors), window(end, "gcp"))
    return Past(both, percent, 200.0, float(end), **more)


def judged(*looks):
    evidence = FIRST
    for each in looks:
        evidence = look(evidence, each.windows, each.percent, each.rps, (), each.at).after
    return evidence


def test_evidence_is_as_if_what_was_taken_back_had_never_been_judged():
    clean, bad = (past(110), past(120)), past(150, errors=(60, 0))
    after = judged(*clean, bad)
    assert after.state.log_e > judged(*clean).state.log_e

    found = again(before_first(after), [*clean, bad], spoiled([*clean, bad], Shift(160.0), 10.0))

    assert found.state == judged(*clean).state
    assert (found.requests, found.errors) == (400, 0)


def test_of_looks_of_which_nothing_is_taken_back_the_same_evidence_follows():
    looks = [past(110), past(120, percent=20.0), past(130, percent=20.0, errors=(3, 1))]

    assert again(before_first(judged(*looks)), looks, ()) == judged(*looks)


def test_only_what_the_shift_spoils_is_taken_back_and_only_once():
    looks = [past(110), past(140), past(150)]
    found = spoiled(looks, Shift(160.0), 10.0)
    assert [(each.cluster, each.at_s) for each in found] == [("aws", 150.0), ("gcp", 150.0)]

    thrown = Past((), 10.0, 200.0, 161.0, still=True, discarded=found)
    assert spoiled([*looks, thrown], Shift(160.0), 10.0) == ()
    assert spoiled(looks, Shift(200.0, 210.0), 10.0) == ()


def test_windows_that_nobody_had_judged_yet_change_no_evidence():
    assert not takes_back([past(110)], [window(120)])
    assert takes_back([past(110)], [window(110)])


def test_a_later_look_does_not_bring_back_what_was_taken_back():
    """As when another loss follows the first one."""
    looks = [past(110), past(150, errors=(60, 0))]
    first = spoiled(looks, Shift(160.0), 10.0)
    looks += [Past((), 10.0, 200.0, 161.0, still=True, discarded=first), past(300)]
    found = again(FIRST, looks, spoiled(looks, Shift(310.0), 10.0))

    assert found.state == judged(past(110)).state
