"""Users come back step by step, on proof, and never to a cluster that is stale."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.base.ids import Epoch
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.failover.failback import (
    RAMP,
    Failback,
    Phase,
    Return,
    ReturnSight,
    advance,
)

PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN


def sight(verdict=PASS, reported=4, wanted=4, approved=False):
    return ReturnSight(
        None if reported is None else Epoch(reported), Epoch(wanted), verdict, approved
    )


def ramping(step=0, since=0.0, epoch=4):
    return Return("aws", Phase.RAMPING, step, since, Epoch(epoch))


def test_users_come_back_in_five_steps_of_a_minute():
    back, seen = Return("aws"), []
    for now in range(0, 400, 10):
        back, _ = advance(back, sight(), Failback.RAMP, float(now))
        seen.append(back.percent)

    assert list(dict.fromkeys(seen)) == [1, 5, 25, 50, 100]
    assert seen.index(5) == 6
    assert back.phase is Phase.BACK
    assert RAMP == (1, 5, 25, 50, 100)


@pytest.mark.parametrize(
    ("back", "now_seen", "percent", "told"),
    [
        pytest.param(Return("aws"), sight(reported=None), 0, "epoch none, wanted is 4", id="no-report-since-it-is-back"),
        pytest.param(Return("aws"), sight(reported=3), 0, "epoch 3, wanted is 4", id="stale"),
        pytest.param(ramping(2), sight(UNKNOWN), 25, "no verdict yet", id="silence-holds"),
        pytest.param(ramping(2), sight(FAIL), 0, "worse than the others", id="a-bad-verdict-takes-all-off"),
        pytest.param(ramping(2), sight(reported=3), 0, "not converged", id="it-has-lost-the-epoch-it-had"),
        pytest.param(ramping(2), sight(wanted=5), 25, "wanted is 5", id="a-new-epoch-is-on-its-way"),
        pytest.param(ramping(4), sight(PASS), 100, "whole share", id="the-end"),
    ],
)  # fmt: skip
def test_one_step(back, now_seen, percent, told):
    after, reason = advance(back, now_seen, Failback.RAMP, 60.0)

    assert after.percent == percent
    assert told in reason


def test_a_step_lasts_a_minute_even_with_a_good_verdict():
    after, reason = advance(ramping(), sight(), Failback.RAMP, 59.9)

    assert (after.percent, reason) == (1, "at 1 % for 60 s")


@pytest.mark.parametrize(("policy", "percent"), [(Failback.MANUAL, 1), (Failback.NEVER, 100)])
def test_a_person_lets_users_come_back(policy, percent):
    waiting, reason = advance(Return("aws"), sight(), policy, 0.0)
    assert waiting.percent == 0
    assert "aws waits for a person to bring it back" in reason

    asked, _ = advance(waiting, sight(approved=True), policy, 0.0)
    assert asked.percent == percent


def test_not_even_a_person_gives_users_to_a_stale_cluster():
    after, _ = advance(Return("aws"), sight(reported=3, approved=True), Failback.NEVER, 0.0)

    assert after.percent == 0


SIGHTS = st.builds(
    sight,
    st.sampled_from([PASS] * 5 + [UNKNOWN, FAIL]),
    st.sampled_from([4] * 6 + [3, None]),
    st.just(4),
    st.booleans(),
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 90), SIGHTS), max_size=60), st.sampled_from(Failback))
def test_no_history_skips_a_step_or_gives_users_to_a_stale_or_unproven_cluster(history, policy):
    back, now, raised_at = Return("aws"), 0.0, 0.0
    for seconds, seen in history:
        now += seconds
        before, (back, _) = back, advance(back, seen, policy, now)
        if back.percent > before.percent:
            assert seen.reported == seen.wanted, "users for a stale cluster"
            if policy is not Failback.NEVER:
                index = RAMP.index(back.percent)
                assert index == 0 or RAMP[index - 1] == before.percent, "a step was skipped"
                assert index == 0 or (seen.verdict is PASS and now - raised_at >= 60)
            assert policy is Failback.RAMP or before.percent or seen.approved
            raised_at = now
        if seen.verdict is FAIL and before.phase is Phase.RAMPING:
            assert back.percent == 0


def test_a_return_that_was_judged_bad_is_tried_again_later_each_time():
    back, _ = advance(ramping(2), sight(FAIL), Failback.RAMP, 60.0)
    assert advance(back, sight(), Failback.RAMP, 179.0)[0].percent == 0
    again, _ = advance(back, sight(), Failback.RAMP, 180.0)
    assert again.phase is Phase.WAITING

    second = advance(Return("aws", Phase.RAMPING, failures=1), sight(FAIL), Failback.RAMP, 200.0)[0]
    assert advance(second, sight(), Failback.RAMP, 439.0)[0].phase is Phase.FAILED
    assert advance(second, sight(), Failback.RAMP, 440.0)[0].phase is Phase.WAITING
