"""
The acts of `demo --verdicts`: versions are judged by what their users meet, and by nothing else.

Stable fails now and then, as programs do, and takes its time; so a verdict is a comparison.  What
is measured of users is counted by the load; evidence and harm are the judge's.
"""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.spec import Analysis, Judge
from crossfade.core.release.values import parse_set
from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.spec import Pause, SetWeight, Strategy
from crossfade.core.rollout.state import ClusterPhase, Outcome, Phase, Progress, Rollout
from crossfade.engine.records import ROLLOUT, rollout_name
from crossfade.ports.documents import Event
from crossfade.sandbox.demo.acts import first_for_all, last_of
from crossfade.sandbox.demo.programme import Programme
from crossfade.sandbox.demo.stage import Stage
from crossfade.sandbox.load_figures import Source

TROUBLED = "aws"
"""The cloud that is in trouble itself, whatever the version."""
FAULTY = "gcp"
"""The cloud on which alone a version is bad."""
HOLDS = f"rolled back on {FAULTY} alone"
"""What a rollout says that waits for a person."""
BUDGET = 100.0
USUAL = ("errorRate=0.005", "latencyMs=150")
"""
What stable is like, and every good version.

Twice its latency is on the other side of 250 ms, from which on gateways count answers as slow,
with room on both sides for what a busy machine adds.
"""
STRATEGY = Strategy(
    steps=(SetWeight(10), Pause(5.0), SetWeight(50), Pause(3.0)),
    keep_old_seconds=0.0,
    drain_seconds=1.0,
)
# All pods, gateways and users share one small machine, so that pods of one version differ by
# themselves: evidence counts less.
ANALYSIS = Analysis(Judge(budget=BUDGET, dispersion=1.5, window_seconds=1.0, min_requests=50))
_ENOUGH = 1500
"""Requests of stable after which the judge knows what is usual."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One version on trial."""

    version: str
    answers: Counter[Source]
    """All answers of the load before it, good ones."""

    def requests(self, stage: Stage, cloud: str = "") -> int:
        """Return how many requests of users the version has answered, errors included."""
        figures = stage.load.figures
        good = _of(figures.sources, self.version, cloud) - _of(self.answers, self.version, cloud)
        return good + self.errors(stage, cloud)

    def errors(self, stage: Stage, cloud: str = "") -> int:
        """Return how many users got an error from the version."""
        return _of(stage.load.figures.errors, self.version, cloud)


def _of(counts: Counter[Source], version: str, cloud: str = "") -> int:
    return sum(
        many
        for source, many in counts.items()
        if source.version == version and cloud in ("", source.cloud)
    )


def _in_trouble(stage: Stage, version: str) -> tuple[int, int]:
    """Return how many users got an error from it on the cloud in trouble, and how many asked."""
    errors = _of(stage.load.figures.errors, version, TROUBLED)
    return errors, errors + _of(stage.load.figures.sources, version, TROUBLED)


async def blue_for_all(stage: Stage) -> None:
    """Act 1: a version that is as good as programs usually are serves everybody."""
    stage.begin("blue, which fails once in 200 requests, goes to every cloud")
    _incidents(stage).mkdir(parents=True, exist_ok=True)
    await first_for_all(stage, "colour=blue", *_values(stage))


async def users_come(stage: Stage) -> None:
    """Still act 1, until there are enough requests to know what is usual."""
    stage.note(f"users come: {stage.load.rate:g} requests per second through the edge")

    async def enough() -> bool:
        return stage.load.figures.answered >= _ENOUGH

    await stage.until(enough, 30.0, f"{_ENOUGH} answers")
    figures = stage.load.figures
    part = figures.errors_of_versions() / figures.requests
    stage.claim("blue fails as seldom as it should", part < 0.02, f"{100 * part:.2f} %")


async def more_errors(stage: Stage) -> None:
    """Act 2: five points of errors more than stable."""
    act = stage.begin("red, which fails five requests in 100 more than blue")
    trial = await _begin(stage, "red", "errorRate=0.055", "latencyMs=150")
    rollout = await stage.until_ended()
    await _claim_rolled_back(stage, rollout, "errors is worse")
    await _claim_gone(stage, trial)
    events = await _decisions(stage, rollout)
    _measure(stage, trial, events, _first_back(events))
    harmed = trial.errors(stage)
    act.measured["harmed_requests"] = harmed
    stage.claim(
        "fewer users were harmed than the budget allows",
        0 < harmed < BUDGET,
        f"{harmed} of {trial.requests(stage)} that met it; the budget is {BUDGET:g}",
    )


async def twice_as_slow(stage: Stage) -> None:
    """Act 3: answers take twice as long, and none fails that would not have."""
    act = stage.begin("orange, which takes twice as long as blue")
    trial = await _begin(stage, "orange", "errorRate=0.005", "latencyMs=300")
    rollout = await stage.until_ended()
    await _claim_rolled_back(stage, rollout, "slower-")
    await _claim_gone(stage, trial)
    events = await _decisions(stage, rollout)
    _measure(stage, trial, events, _first_back(events))
    slowed = trial.requests(stage)
    act.measured["slowed_requests"] = slowed
    act.measured["harmed_requests"] = trial.errors(stage)
    part = slowed / max(1, _met(stage))
    stage.claim("few users had to wait", 0 < part < 0.2, f"{slowed}, {100 * part:.1f} %")


async def innocent_in_trouble(stage: Stage) -> None:
    """Act 4: a good version, while a whole cloud is in trouble: it is not to blame."""
    stage.begin(f"teal, which is as good as blue, while {TROUBLED} itself is in trouble")
    trial = await _begin(stage, "teal", *USUAL)
    await stage.until_level(10)
    trouble = _incidents(stage) / f"{TROUBLED}.json"
    before = [_in_trouble(stage, each) for each in ("blue", "teal")]
    trouble.write_text(json.dumps({"errorRate": 0.2, "latencyMs": 20}), "utf-8")
    stage.note(f"{TROUBLED}: a fifth of all answers fails, whatever the version")
    await stage.until_level(50, 60.0)
    after = [_in_trouble(stage, each) for each in ("blue", "teal")]
    stable, canary = (
        (errors - errors_before) / max(1, requests - requests_before)
        for (errors, requests), (errors_before, requests_before) in zip(after, before, strict=True)
    )
    stage.claim(
        f"both versions fail on {TROUBLED}",
        stable > 0.1 and canary > 0.05,
        f"blue {100 * stable:.1f} %, teal {100 * canary:.1f} %",
    )
    rollout = await stage.until_ended()
    trouble.unlink()
    stage.note(f"{TROUBLED} is well again")
    stage.claim(
        "teal is promoted all the same",
        rollout.state.outcome is Outcome.SUCCEEDED,
        rollout.state.reason,
    )
    await last_of(stage, "blue")
    teal = stage.shares(stage.now() - 1.0).versions.get("teal", 0.0)
    stage.claim("then teal serves every user", teal == 1.0, f"{100 * teal:.1f} %")
    events = await _decisions(stage, rollout)
    _measure(stage, trial, events, events[-1])


async def bad_on_one_cloud(stage: Stage) -> None:
    """Act 5: bad on one cloud, good on the others: it goes back there, and a person decides."""
    stage.begin(f"purple, which fails every fifth request on {FAULTY}, and only there")
    trial = await _begin(stage, "purple", "errorRate=0.2", "latencyMs=150", f"faultClouds={FAULTY}")
    await stage.until(lambda: _back_alone(stage), 40.0, f"{FAULTY} to go back alone")
    since = stage.note(f"{FAULTY} has gone back alone")
    await asyncio.sleep(3.0)  # the share of purple there is measured meanwhile
    await stage.until(lambda: _holds(stage), 20.0, "the rollout to hold")
    rollout = await stage.rollout()
    stage.claim(
        "the rollout holds for a person",
        rollout.active and HOLDS in rollout.state.reason,
        rollout.state.reason,
    )
    early = _shares_on(stage, FAULTY, since + 1.0)
    stage.claim(f"on {FAULTY} nobody meets purple", early == 0.0, f"{100 * early:.1f} %")
    others = [each for each in stage.layout.clouds if each != FAULTY]
    least = min(_shares_on(stage, each, since) for each in others)
    stage.claim("elsewhere the canary goes on", least > 0.03, f"at least {100 * least:.1f} %")
    events = await _decisions(stage, rollout)
    alone = (each for each in events if f"{FAULTY} goes back" in each.reason)
    _measure(stage, trial, events, next(alone, events[-1]))
    await stage.hands.commands.change(stage.name, Command.PROMOTE)
    stage.note("promote: a person lets it go on without that cloud")
    rollout = await stage.until_ended()
    harmed = trial.errors(stage)
    stage.record.acts[-1].measured["harmed_requests"] = harmed
    budget = f"{harmed}, all on {FAULTY}; the budget is {BUDGET:g}"
    only = harmed == trial.errors(stage, FAULTY)
    stage.claim("fewer users were harmed than the budget allows", only and harmed < BUDGET, budget)
    stage.claim(
        f"the others get purple, {FAULTY} stays on teal",
        rollout.state.outcome is Outcome.SUCCEEDED and await _divided(stage, others),
        rollout.state.reason,
    )


PROGRAMME = Programme(
    opening=blue_for_all,
    acts=(users_come, more_errors, twice_as_slow, innocent_in_trouble, bad_on_one_cloud),
    strategy=STRATEGY,
    analysis=ANALYSIS,
    rate=240.0,
)


def _incidents(stage: Stage) -> Path:
    """Return the folder in which the pods of all clouds look for trouble."""
    return stage.layout.directory / "incidents"


def _values(stage: Stage) -> tuple[str, ...]:
    return (*USUAL, f"incidents={_incidents(stage)}")


async def _begin(stage: Stage, version: str, *values: str) -> Trial:
    trial = Trial(version, Counter(stage.load.figures.sources))
    incidents = f"incidents={_incidents(stage)}"
    await stage.hands.deployments.deploy(
        stage.name, parse_set([f"colour={version}", *values, incidents])
    )
    return trial


async def _claim_rolled_back(stage: Stage, rollout: Rollout, why: str) -> None:
    state = rollout.state
    clouds = len(stage.layout.clouds)
    everywhere = f"rolled back {clouds}/{clouds}" in state.reason
    back = state.outcome is Outcome.ROLLED_BACK and everywhere
    stage.claim("it is rolled back everywhere by itself", back, state.reason)
    stage.claim("for the right reason", why in state.reason, why)


async def _claim_gone(stage: Stage, trial: Trial) -> None:
    over = stage.now()
    last = await last_of(stage, trial.version)
    calm = last <= stage.now() - 0.8
    stage.claim("then nobody meets it", calm, f"the last one {max(0.0, last - over):.2f} s later")


async def _decisions(stage: Stage, rollout: Rollout) -> list[Event]:
    """Return all decisions on the rollout, oldest first."""
    name = f"{ROLLOUT}/{rollout_name(stage.name, rollout.number)}"
    events = await stage.hands.commands.records.events(name, 0)
    return [each for each in events if "percent" in each.facts]


def _first_back(events: list[Event]) -> Event:
    """Return the decision to go back, the last one when there was none."""
    back = (each for each in events if each.facts["phase"] == Phase.ROLLING_BACK)
    return next(back, events[-1])


def _measure(stage: Stage, trial: Trial, events: list[Event], verdict: Event) -> None:
    """Write down what the verdict rests on, and how long it took since the first user."""
    began = next((each.at for each in events if each.facts["percent"] > 0), verdict.at)
    stage.record.acts[-1].measured |= {
        "requests": trial.requests(stage),
        "errors": trial.errors(stage),
        "harmed_requests": float(verdict.facts["harmed"]),
        "evidence": float(verdict.facts["evidence"]),
        "strongest_evidence": max(float(each.facts["evidence"]) for each in events),
        "seconds_to_verdict": verdict.at - began,
    }


async def _back_alone(stage: Stage) -> bool:
    """Return whether the bad cloud has confirmed that nobody meets the version there."""
    rollout = await stage.rollout()
    if not rollout.active:
        return True  # what was done instead is in the claims
    back = rollout.state.clusters.get(ClusterName(FAULTY), Progress()).phase is ClusterPhase.BACK
    view = await stage.hands.queries.rollout(stage.name)
    return back and any(each.cluster == FAULTY and each.percent == 0 for each in view.clusters)


async def _holds(stage: Stage) -> bool:
    rollout = await stage.rollout()
    return not rollout.active or HOLDS in rollout.state.reason


def _shares_on(stage: Stage, cloud: str, since: float) -> float:
    """Return the part of purple in the cloud's answers since then."""
    found = stage.load.figures.answers_of(cloud, since - stage.record.load_began)
    return found.get("purple", 0) / max(1, sum(found.values()))


async def _divided(stage: Stage, others: list[str]) -> bool:
    """Return whether purple serves the others, and nobody on the cloud where it is bad."""
    since = stage.now()
    await asyncio.sleep(1.5)
    bad = _shares_on(stage, FAULTY, since)
    return bad == 0.0 and all(_shares_on(stage, each, since) == 1.0 for each in others)


def _met(stage: Stage) -> int:
    """Return the requests of the act that is on."""
    act = stage.record.acts[-1]
    shares = stage.shares(act.began)
    return shares.answers + shares.failed
