"""The judge takes bad revisions back, and says what it rests on; after a restart it goes on."""

from collections import Counter
from dataclasses import replace

import pytest

from crossfade.base.errors import InputError, Unavailable
from crossfade.core.analysis.counters import Reading, Tally, closes_at
from crossfade.core.analysis.evidence import verdict_of
from crossfade.core.analysis.presets import Preset
from crossfade.core.analysis.sources import PrometheusSource
from crossfade.core.analysis.spec import Analysis, CounterSource, Judge
from crossfade.core.rollout.spec import Pause, Ramp, SetWeight
from crossfade.core.rollout.state import Outcome
from crossfade.engine.history import History
from crossfade.engine.loops import judging
from crossfade.engine.loops.judging import Judging
from crossfade.engine.loops.telemetry import rules_for
from crossfade.engine.records import Records, rollout_name
from crossfade.testing.builders import APP, application
from crossfade.testing.fake_cluster import FakeCounts

JUDGE = Judge(window_seconds=1.0, min_requests=20, min_seconds=20.0)
YELLOW = {"colour": "yellow"}


def judged(*steps, judge=JUDGE, **more):
    return application(*steps, analysis=Analysis(judge, **more))


async def test_a_revision_that_fails_more_often_is_taken_back_with_its_figures(world):
    await world.commands.apply(judged(SetWeight(10), Pause(600.0)))
    rollout = await world.deployments.deploy(APP, YELLOW)
    world.error_rates[rollout.canary.id] = 0.2
    ended = await world.until_ended()

    assert ended.state.outcome is Outcome.ROLLED_BACK
    assert "errors is worse on the canary" in ended.state.reason


async def test_a_revision_that_is_bad_on_one_cluster_is_taken_back_there_alone(world, turn_until):
    await world.commands.apply(judged(SetWeight(50), Pause(600.0)))
    rollout = await world.deployments.deploy(APP, YELLOW)
    world.error_rates_at["gcp", rollout.canary.id] = 0.3
    await turn_until(world, lambda each: "gcp" in str(each.state.reason), turns=400)
    for _ in range(20):
        await world.turn()

    assert world.clusters["gcp"].shares(APP).get(rollout.canary.id, 0) == 0
    assert world.clusters["aws"].shares(APP)[rollout.canary.id] == 50
    assert (await world.rollout()).active


async def test_an_incident_that_hits_stable_as_well_takes_nobody_back(world):
    await world.commands.apply(judged(SetWeight(10), Pause(60.0)))
    rollout = await world.deployments.deploy(APP, YELLOW)
    stable = (await world.queries.record(APP)).active
    for revision in (rollout.canary.id, stable.id):
        world.error_rates_at["gcp", revision] = 0.2
    ended = await world.until_ended(turns=800)

    assert ended.state.outcome is Outcome.SUCCEEDED


async def test_a_revision_that_supersedes_a_bad_one_is_not_judged_by_what_that_one_did(world):
    """Nor is a bad one proven by what a good one did before it."""
    await world.commands.apply(judged(SetWeight(10), Pause(60.0)))
    first = await world.deployments.deploy(APP, YELLOW)
    while not (await world.rollout()).state.meets_users:
        await world.turn()
    for _ in range(12):
        await world.turn()
    second = await world.deployments.deploy(APP, {"colour": "green"})
    while not (await world.rollout()).state.meets_users:
        await world.turn()
    for _ in range(12):
        await world.turn()
    records = world.hub.records
    one = await records.find_evidence(f"{APP}.{first.number:06d}")
    two = await records.find_evidence(f"{APP}.{second.number:06d}")

    assert one is not None
    assert two is not None
    assert two.value.state.since_s > one.value.state.since_s
    assert 0 < two.value.requests < 12 * world.requests_per_second


async def test_a_ramp_rises_with_the_evidence_until_the_revision_is_proven(world):
    world.requests_per_second = 300
    await world.commands.apply(judged(Ramp(50.0)))
    await world.deployments.deploy(APP, YELLOW)
    shares = []
    for _ in range(3000):
        await world.turn()
        rollout = await world.rollout()
        if rollout.state.percent not in shares[-1:]:
            shares.append(rollout.state.percent)
        if not rollout.active:
            break

    assert (await world.rollout()).state.outcome is Outcome.SUCCEEDED
    rising = shares[: shares.index(50.0) + 1]
    assert rising == sorted(rising)
    assert len(rising) >= 4
    assert rising[1] < 5, "300 requests may be harmed, and 900 come each second"


async def test_a_new_hub_goes_on_with_the_evidence_of_the_old_one(world, turn_until):
    await world.commands.apply(judged(SetWeight(10), Pause(600.0)))
    await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, lambda each: each.state.level(10))
    for _ in range(20):
        await world.turn()
    name = "colors.000002"
    before = await world.hub.records.find_evidence(name)
    world.start_hub()
    for _ in range(20):
        await world.turn()
    after = await world.hub.records.find_evidence(name)

    assert after.value.requests > before.value.requests > 0
    assert after.value.state.since_s == before.value.state.since_s


async def test_the_story_of_a_rollout_comes_out_the_same_again(world):
    await world.commands.apply(judged(SetWeight(10), Pause(5.0)))
    rollout = await world.deployments.deploy(APP, YELLOW)
    world.error_rates[rollout.canary.id] = 0.2
    await world.until_ended()
    story = await History(world.queries).story(APP, again=True)

    assert story.replayed > 10
    assert story.different == ()
    assert {each.kind for each in story.chapters} == {"decision", "verdict", "command"}


@pytest.mark.parametrize(("failing", "outcome"), [(0.3, "rolled-back"), (0.0, "succeeded")])
async def test_counters_of_prometheus_judge_as_those_of_gateways_do(world, failing, outcome):
    counters = CounterSource(Preset.ISTIO, {"cluster": "{{cluster}}"})
    spec = judged(
        SetWeight(10),
        Pause(40.0),
        judge=replace(JUDGE, metrics=("errors",)),
        source=PrometheusSource("http://prometheus.test"),
        counters=counters,
    )
    await world.commands.apply(spec)
    rollout = await world.deployments.deploy(APP, YELLOW)
    stable = (await world.queries.record(APP)).active
    totals = {rollout.canary.id: 0, stable.id: 0}
    for _ in range(800):
        for revision, each in totals.items():
            totals[revision] = each + 50
            bad = int(failing * totals[revision]) if revision == rollout.canary.id else 0
            tally = Tally(totals[revision], {"errors": bad})
            at = world.clock.now()
            world.measurements.readings.append(Reading(revision, "pod", at, tally))
        await world.turn()
        if not (await world.rollout()).active:
            break

    assert (await world.rollout()).state.outcome.value == outcome


async def test_gateways_that_fall_silent_are_noticed_though_the_evidence_stays_the_same(
    world, turn_until, monkeypatch
):
    async def silent(_counts, _application):
        raise Unavailable("no counters", hint="restore the gateway")

    await world.commands.apply(judged(Ramp(50.0)))
    await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, lambda each: each.state.percent > 0, turns=100)
    for _ in range(20):
        await world.turn()
    monkeypatch.setattr(FakeCounts, "read", silent)

    await turn_until(world, lambda each: "no telemetry from" in each.state.reason, turns=60)


async def test_a_verdict_is_not_worked_out_anew_while_nothing_speaks_for_another_one(
    world, turn_until, monkeypatch
):
    asked = []

    def counted(evidence, excluded, now):
        asked.append(now)
        return verdict_of(evidence, excluded, now)

    slow = Judge(window_seconds=15.0)
    await world.commands.apply(judged(SetWeight(10), Pause(600.0), judge=slow))
    await world.deployments.deploy(APP, YELLOW)
    await turn_until(world, lambda each: each.state.percent == 10, turns=100)
    monkeypatch.setattr(judging, "verdict_of", counted)
    for _ in range(100):  # 50 seconds
        await world.turn()

    # One a window, and one more after each limit of time that passes meanwhile.
    assert 3 <= len(asked) <= 8


async def test_windows_of_a_thousand_applications_do_not_all_end_at_one_moment(world, turn_until):
    """What a hub has to do at the end of a window would come all at once."""
    await world.commands.apply(
        judged(SetWeight(10), Pause(600.0), judge=Judge(window_seconds=15.0))
    )
    rollout = await world.deployments.deploy(APP, YELLOW)
    ends = [
        closes_at(1_000_000.0, rules_for(replace(rollout, application=f"app-{number}")))
        for number in range(1000)
    ]
    tenths = Counter(int((each - 1_000_000.0) / 1.5) for each in ends)

    assert sorted(tenths) == list(range(10))
    assert all(60 <= many <= 140 for many in tenths.values())


async def test_a_window_is_judged_when_it_is_over_not_a_while_later(world, turn_until):
    await world.commands.apply(
        judged(SetWeight(10), Pause(600.0), judge=Judge(window_seconds=15.0))
    )
    await world.deployments.deploy(APP, YELLOW)
    rollout = await turn_until(world, lambda each: each.state.percent == 10, turns=100)
    loop = Judging(Records(world.store), world.hub._telemetry, world.clock)
    pause = await loop.reconcile(APP)

    assert 0 < pause <= 15
    assert world.clock.now() + pause == pytest.approx(
        closes_at(world.clock.now(), rules_for(rollout))
    )


async def test_looks_that_another_version_wrote_down_keep_no_rollout_from_being_judged(
    world, turn_until, monkeypatch
):
    async def unreadable(*_):
        raise InputError("the verdict cannot be read", hint="another version wrote it")

    monkeypatch.setattr(judging, "read_past", unreadable)
    await world.commands.apply(judged(SetWeight(10), Pause(60.0)))
    await world.deployments.deploy(APP, {"colour": "yellow"})
    await turn_until(world, lambda each: each.state.percent == 10)
    faults = world.clusters["gcp"].faults
    faults.unreachable = faults.gateway_down = True
    rollout = await turn_until(world, lambda each: each.state.shift is not None)
    for _ in range(20):
        await world.turn()
    name = rollout_name(APP, rollout.number)

    assert (await Records(world.store).find_evidence(name)).value.shifted_at is not None
