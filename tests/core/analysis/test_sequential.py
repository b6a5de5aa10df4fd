"""The sequential judge's evidence: when it may be added, and how often it errs."""

import json
import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.base.codec import from_json, to_json
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.plan import Metric, Plan, bad_ratio
from crossfade.core.analysis.sequential import State, all_of, log_evidence, log_safe, update

PLAN = Plan((Metric("errors"), Metric("slow", harm=0.0)), ("aws", "gcp", "onprem"))
ONE = Plan((Metric("errors"),), ("gcp",))
START = State(0.0)


def window(number, x_c, x_s, n=(75, 1425), cluster="gcp"):
    return Window(number, cluster, *n, {"errors": (x_c, x_s)})


@st.composite
def histories(draw, most=12):
    """Windows in order, of all clusters, with gaps, silence and missing metrics now and then."""
    found = []
    for number in range(1, draw(st.integers(1, most)) + 1):
        for cluster in PLAN.clusters:
            if draw(st.integers(0, 9)) == 0:
                continue
            n_c, n_s = draw(st.integers(0, 200)), draw(st.integers(0, 2000))
            counts = st.tuples(st.integers(0, n_c), st.integers(0, n_s))
            few = st.tuples(st.integers(0, min(3, n_c)), st.integers(0, min(20, n_s)))
            names = draw(st.sampled_from([("errors", "slow")] * 9 + [("errors",), ()]))
            events = {name: draw(st.one_of(few, few, few, counts)) for name in names}
            found.append(Window(number, cluster, n_c, n_s, events))
    return found


@given(histories())
def test_a_window_that_comes_twice_counts_once(history):
    state = START
    for each in history:
        state = update(state, PLAN, each)
        assert update(state, PLAN, each) is state

    assert all_of(state, PLAN, history) is state


@given(histories(), st.integers(0, 36))
def test_a_hub_that_starts_again_in_between_comes_to_the_same_end(history, cut):
    before = all_of(START, PLAN, history[:cut])
    restarted = from_json(State, json.loads(json.dumps(to_json(before))))

    assert restarted == before
    assert all_of(restarted, PLAN, history[cut:]) == all_of(before, PLAN, history[cut:])


@given(histories())
def test_evidence_never_becomes_a_number_that_json_cannot_hold(history):
    state = all_of(START, PLAN, history)

    assert math.isfinite(log_evidence(state, PLAN))
    json.dumps(to_json(state), allow_nan=False)


def test_a_window_that_comes_after_a_later_one_of_its_cluster_is_refused():
    state = all_of(START, ONE, [window(1, 0, 4), window(3, 0, 4)])

    with pytest.raises(ValueError, match="window 2 of gcp comes after window 3"):
        update(state, ONE, window(2, 0, 4))


def test_clusters_need_not_report_in_step():
    late = [window(1, 0, 4), window(2, 1, 5), window(1, 2, 3, cluster="aws")]
    in_step = [late[0], late[2], late[1]]

    assert log_evidence(all_of(START, PLAN, late), PLAN) == pytest.approx(
        log_evidence(all_of(START, PLAN, in_step), PLAN)
    )


def test_a_cluster_that_is_not_judged_is_refused():
    with pytest.raises(ValueError, match="cluster azure is not in the plan: gcp"):
        update(START, ONE, window(1, 0, 4, cluster="azure"))


def test_evidence_is_not_mixed_up_with_that_of_another_plan():
    state = update(START, ONE, window(1, 0, 4))

    with pytest.raises(ValueError, match="other metrics than the state"):
        update(state, PLAN, window(2, 0, 4))


def test_gaps_do_not_make_the_state_grow_without_end():
    state = all_of(START, ONE, [window(2 * number, 0, 4) for number in range(500)])

    assert len(state.clusters["gcp"].missed) == 100


def test_a_cluster_that_says_nothing_neither_accuses_nor_acquits():
    bad = [window(number, 3, 7) for number in range(1, 10)]
    only = replace(PLAN, clusters=("gcp",))
    alone = math.exp(log_evidence(all_of(START, only, bad), only))
    with_silent = math.exp(log_evidence(all_of(START, PLAN, bad), PLAN))

    # Pooled evidence is the same; of the mean over three clusters two count as 1.
    assert with_silent == pytest.approx(0.8 * alone, rel=0.05)


def test_faults_of_different_clouds_are_never_mixed_into_one():
    """A canary that has more of its users where errors are usual is not worse (Simpson)."""
    usual = Window(1, "gcp", 900, 1000, {"errors": (90, 100)})
    rare = Window(1, "aws", 100, 9000, {"errors": (1, 90)})

    assert log_evidence(all_of(START, PLAN, [usual, rare]), PLAN) < 0


@pytest.mark.parametrize("by_cloud", [0.0, 0.05])
def test_evidence_in_one_of_five_clusters_is_found_and_pooling_finds_what_is_thin_everywhere(
    by_cloud,
):
    names = ("a", "b", "c", "d", "e")
    clouds = dict.fromkeys(names, "x") | {"e": "y"}
    plan = Plan((Metric("errors"),), names, clouds=clouds, by_cloud=by_cloud)
    one = [window(n, 5 if name == "e" else 0, 7, cluster=name) for n in range(9) for name in names]
    thin = [window(n, 1, 7, cluster=name) for n in range(12) for name in names]

    assert log_evidence(all_of(START, plan, one), plan) > math.log(100)
    assert log_evidence(all_of(START, plan, thin), plan) > math.log(100)


def test_a_weighted_mean_is_taken_first_and_compared_afterwards():
    """The largest of many would cross by chance; the mean does not."""
    names = tuple(f"c{number}" for number in range(50))
    plan = Plan((Metric("errors"),), names, pooled=0.0)
    lucky = all_of(START, plan, [window(1, 3, 7, cluster="c0")])

    alone = lucky.clusters["c0"].strata[0].log_e
    mean = math.exp(log_evidence(lucky, plan))
    assert mean == pytest.approx((math.exp(alone) + 49) / 50)


@pytest.mark.parametrize(
    ("canary", "stable"),
    [
        pytest.param([100] * 7 + [1] * 3, [1] * 10, id="most-of-the-points-are-far-away"),
        pytest.param([0, 1, 2, 1, 0, 0], [0] * 6, id="sparse-errors-where-there-were-none"),
    ],
)
def test_what_users_say_a_judge_must_see_is_seen(canary, stable):
    """Both series pass Mann-Whitney with its usual settings; here 5 % of users, a window each."""
    pairs = enumerate(zip(canary, stable, strict=True), 1)
    windows = [Window(n, "gcp", 500, 9500, {"errors": (x, s)}) for n, (x, s) in pairs]

    assert all_of(START, ONE, windows).peak >= math.log(100)


def test_a_canary_that_varies_more_around_the_same_middle_is_seen():
    """Half of its requests are twice as fast, half twice as slow: no shift, but a longer tail."""
    rng = random.Random(1)  # noqa: S311 - a simulation
    windows = []
    for number in range(1, 21):
        fast_or_slow = [rng.choice((0.5, 2.0)) * rng.lognormvariate(0, 0.3) for _ in range(200)]
        usual = [rng.lognormvariate(0, 0.3) for _ in range(1800)]
        slow = sum(each > 1.6 for each in fast_or_slow), sum(each > 1.6 for each in usual)
        windows.append(Window(number, "gcp", 200, 1800, {"errors": slow}))

    assert all_of(START, ONE, windows).peak >= math.log(100)


def binomial(rng, trials, chance):
    count, place = 0, 0
    while True:
        place += math.ceil(math.log(1 - rng.random()) / math.log(1 - chance))
        if place > trials:
            return count
        count += 1


def test_good_canaries_are_rolled_back_no_more_often_than_was_accepted():
    """1,000 canaries at the edge of what is tolerated, looked at 40 times each."""
    rng, crossings = random.Random(7), 0  # noqa: S311 - a simulation
    for _ in range(1000):
        state = START
        for number in range(1, 41):
            x = binomial(rng, 100, 0.044), binomial(rng, 400, 0.04)
            state = update(state, ONE, Window(number, "gcp", 100, 400, {"errors": x}))
        crossings += state.peak >= math.log(1 / ONE.alpha)

    assert crossings <= 1000 * ONE.alpha


def test_bad_canaries_are_proven_good_no_more_often_than_was_accepted():
    """1,000 canaries that are just bad enough, looked at until a proof or for 40 windows."""
    plan = replace(ONE, metrics=(Metric("errors", r1=2.0),))
    rng, proofs = random.Random(8), 0  # noqa: S311 - a simulation
    for _ in range(1000):
        state = START
        for number in range(1, 41):
            x = binomial(rng, 100, 0.04), binomial(rng, 400, 0.02)
            state = update(state, plan, Window(number, "gcp", 100, 400, {"errors": x}))
            if log_safe(state, plan, plan.metrics[0]) >= math.log(1 / plan.beta):
                proofs += 1
                break

    assert proofs <= 1000 * plan.beta


def test_a_service_without_any_error_can_be_proven_good():
    errors = Metric("errors", r1=bad_ratio(0.0005), rise=0.005)
    plan = replace(ONE, metrics=(errors,))
    quiet = [window(number, 0, 0) for number in range(1, 16)]

    assert log_safe(all_of(START, plan, quiet), plan, errors) >= math.log(20)
    assert log_safe(all_of(START, ONE, quiet), ONE, ONE.metrics[0]) == 0


def test_what_counts_as_negligible_is_not_proven_by_canaries_that_fail_as_often_as_that():
    errors = Metric("errors", r1=bad_ratio(0.0005), rise=0.005)
    plan = replace(ONE, metrics=(errors,))
    rng, proofs = random.Random(9), 0  # noqa: S311 - a simulation
    for _ in range(500):
        state = START
        for number in range(1, 31):
            x = binomial(rng, 100, 0.0055), binomial(rng, 900, 0.0005)
            state = update(state, plan, Window(number, "gcp", 100, 900, {"errors": x}))
            if log_safe(state, plan, errors) >= math.log(1 / plan.beta):
                proofs += 1
                break

    assert proofs <= 500 * plan.beta


def test_an_incident_that_hits_both_arms_alike_is_no_evidence():
    calm = [window(number, 0 if number % 3 else 1, 7) for number in range(1, 20)]
    incident = [window(number, 3, 57) for number in range(20, 40)]

    assert all_of(START, ONE, calm + incident).peak < math.log(5)


def test_where_stable_itself_is_above_the_rise_nothing_is_staked_on_staying_below_it():
    """Half of the proof on what cannot be shown would cost ln 2, times the dispersion."""
    windows = [Window(n, "gcp", 500, 4500, {"errors": (5, 45)}) for n in range(1, 30)]
    both = Metric("errors", r1=1.5, rise=0.005)
    known, unknown = replace(both, p0=0.01), replace(both, p0=None)

    def proof(metric):
        plan = replace(ONE, metrics=(metric,))
        return log_safe(all_of(START, plan, windows), plan, metric)

    assert proof(known) == pytest.approx(proof(replace(both, rise=0.0)) + math.log(0.9), abs=0.01)
    assert proof(unknown) == pytest.approx(proof(known) - math.log(1.8), abs=0.01)


def test_a_service_that_has_stopped_failing_is_proven_good_though_its_history_is_bad():
    errors = Metric("errors", r1=1.5, rise=0.005, p0=0.01)
    plan = replace(ONE, metrics=(errors,))
    quiet = [Window(n, "gcp", 500, 4500, {"errors": (0, 0)}) for n in range(1, 5)]

    grown = math.exp(2000 * math.log(0.999 / 0.995))
    found = log_safe(all_of(START, plan, quiet), plan, errors)
    assert found == pytest.approx(math.log(0.9 + 0.1 * grown))
    assert found >= math.log(20)
