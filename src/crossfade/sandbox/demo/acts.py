"""The five acts of the demo.  Shares are counted from answers, never read from configuration."""

import asyncio
from collections.abc import Mapping

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.spec import Analysis, Judge
from crossfade.core.application import Failover
from crossfade.core.failover.evidence import DOWN
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.release.values import parse_set
from crossfade.core.rollout.spec import Pause, SetWeight, Strategy
from crossfade.core.rollout.state import Outcome, Rollout
from crossfade.engine.queries import ClusterView
from crossfade.sandbox.demo.programme import Programme
from crossfade.sandbox.demo.stage import Stage
from crossfade.sandbox.load import Load

LOST = ClusterName("gcp")
"""The cloud that dies."""
STRATEGY = Strategy(
    steps=(SetWeight(10), Pause(6.0), SetWeight(50), Pause(9.0)),
    keep_old_seconds=600.0,
    drain_seconds=2.0,
)
FAILOVER = Failover(recover_seconds=3.0, step_seconds=1.0)
"""A cloud that is back gets users within seconds, step by step; by itself it takes minutes."""
ANALYSIS = Analysis(Judge(window_seconds=1.0, min_requests=50))
"""The judge looks once a second: a demo has no quarter of an hour."""


async def blue_for_all(stage: Stage) -> None:
    """Act 1: blue goes to all clouds; users begin to come, and never stop until the end."""
    stage.begin("blue goes to every cloud")
    await first_for_all(stage, "colour=blue")


async def first_for_all(stage: Stage, *values: str) -> None:
    """Bring the clouds into the fleet, and the first revision onto all of them."""
    hands = stage.hands
    await stage.until(hands.hub, 20.0, "the hub")
    for cloud in stage.layout.clouds:
        cluster = Cluster(
            ClusterName(cloud),
            context=cloud,
            kubeconfig=str(stage.layout.kubeconfig),
            provider=cloud,
            region="sandbox",
            labels={"tier": "prod"},
        )
        await hands.commands.add_cluster(cluster)
    await hands.commands.apply(stage.application)
    await hands.deployments.deploy(stage.name, parse_set([*values]))
    await stage.until_ended()
    await stage.until(lambda: _all_serve(stage), 20.0, "an answer from every cloud")
    answered = stage.note("every cloud answers with blue")
    stage.record.acts[-1].measured["first_answer_seconds"] = answered


async def _all_serve(stage: Stage) -> bool:
    """Return whether a few users, before the others come, are served by every cloud."""
    figures = await Load(stage.target, rate=100.0).run(0.3)
    return figures.failed == 0 and set(figures.clouds()) >= set(stage.layout.clouds)


async def users_come(stage: Stage) -> None:
    """Still act 1, once the load runs."""
    since = stage.note(f"users come: {stage.load.rate:g} requests per second through the edge")
    await asyncio.sleep(3.0)
    shares = stage.shares(since + 0.5)
    blue = shares.versions.get("blue", 0.0)
    stage.claim("every user sees blue", blue == 1.0, _percent(blue))
    part = min(shares.clouds.get(cloud, 0.0) for cloud in stage.layout.clouds)
    stage.claim("every cloud serves its part", part > 0.2, f"the smallest is {_percent(part)}")


async def yellow_as_canary(stage: Stage) -> None:
    """Act 2: yellow gets 10 %, then 50 % of the users of each cloud."""
    act = stage.begin("yellow as a canary: 10 %, then 50 %")
    await stage.hands.deployments.deploy(stage.name, parse_set(["colour=yellow"]))
    for percent, seconds, tolerance in ((10, 5.0, 0.04), (50, 4.0, 0.07)):
        since = await stage.until_level(percent)
        await asyncio.sleep(seconds)
        yellow = stage.shares(since + 0.2).versions.get("yellow", 0.0)
        act.measured[f"share_at_{percent}_percent"] = yellow
        held = abs(yellow - percent / 100) <= tolerance
        stage.claim(f"{percent} % of the answers are yellow", held, _percent(yellow))


async def cloud_dies(stage: Stage) -> None:
    """Act 3: a cloud is killed at 50 %; users do not notice; it comes back and catches up."""
    act = stage.begin(f"{LOST} dies in the middle of the rollout")
    failed = stage.failures()
    killed = stage.note(f"{LOST} is killed: its API, its gateway and its pods")
    await stage.break_cloud("kill", LOST)
    await stage.until(lambda: _is(stage, lost=True), 20.0, f"the hub to see {LOST} lost")
    act.measured["hub_knew_seconds"] = stage.note(f"the hub knows that {LOST} is lost") - killed
    await asyncio.sleep(3.0)
    rollout = await stage.rollout()
    stage.claim(
        "the rollout holds at 50 %",
        rollout.active and rollout.state.percent == 50 and LOST in rollout.state.reason,
        rollout.state.reason,
    )
    shares = stage.shares(stage.now() - 3.0)
    yellow = shares.versions.get("yellow", 0.0)
    stage.claim("no more users than before meet yellow", yellow <= 0.57, _percent(yellow))
    stage.claim(f"nobody is sent to {LOST}", LOST not in shares.clouds, _clouds(shares.clouds))
    back = stage.note(f"{LOST} is brought back")
    await stage.break_cloud("restore", LOST)
    view = await stage.until(lambda: _is(stage, serving=True), 40.0, f"{LOST} to serve again")
    planned = stage.note(f"{LOST} has converged and gets users again")
    act.measured["back_with_users_seconds"] = planned - back
    early = stage.shares(back, planned - 0.5).clouds.get(LOST, 0.0)
    stage.claim(
        f"{LOST} got no users before it had converged",
        early == 0.0 and view.percent == 50,
        f"{_percent(early)} early; then it ran {view.percent} % yellow",
    )
    rollout = await _ended(stage)
    await last_of(stage, "blue")
    yellow = stage.shares(stage.now() - 1.0).versions.get("yellow", 0.0)
    done = rollout.state.outcome is Outcome.SUCCEEDED and yellow == 1.0
    stage.claim("then yellow gets every user", done, _percent(yellow))
    lost = stage.failures() - failed
    stage.claim("no request failed", lost == 0, f"{lost} failed")


async def red_is_bad(stage: Stage) -> None:
    """Act 4: red fails every fifth request; it is taken back by itself."""
    act = stage.begin("red, which fails every fifth request")
    failed, since = stage.failures(but_of="red"), stage.now()
    await stage.hands.deployments.deploy(stage.name, parse_set(["colour=red", "errorRate=0.2"]))
    met = await stage.until_level(10)
    rollout = await stage.until_ended()
    act.measured["rolled_back_seconds"] = stage.now() - met
    stage.claim(
        "red is rolled back by itself",
        rollout.state.outcome is Outcome.ROLLED_BACK,
        rollout.state.reason,
    )
    over = stage.now()
    red = await last_of(stage, "red")
    harmed = sum(1 for each in stage.load.figures.failures if each.version == "red")
    act.measured["harmed_requests"] = harmed
    total = stage.shares(since)
    part = harmed / max(1, total.answers + total.failed)
    stage.claim("few users were harmed", harmed > 0 and part < 0.05, f"{harmed} requests")
    act.measured["last_red_after_verdict_seconds"] = red - over
    calm = red <= stage.now() - 0.8
    stage.claim("then nobody meets red", calm, f"the last one {max(0.0, red - over):.2f} s later")
    others = stage.failures(but_of="red") - failed
    stage.claim("no other request failed", others == 0, f"{others} failed")


async def back_to_blue(stage: Stage) -> None:
    """Act 5: a hot swap back to blue, which was kept running."""
    act = stage.begin("hot swap back to blue")
    failed = stage.failures(but_of="red")
    asked = stage.note("undo")
    await stage.hands.deployments.undo(stage.name, None)
    rollout = await stage.until_ended()
    last = await last_of(stage, "yellow")
    act.measured["all_blue_seconds"] = last - asked
    blue = stage.shares(stage.now() - 1.0).versions.get("blue", 0.0)
    stage.claim(
        "every user sees blue again",
        blue == 1.0 and rollout.state.outcome is Outcome.SUCCEEDED,
        f"the last other answer came {last - asked:.2f} s after undo",
    )
    lost = stage.failures(but_of="red") - failed
    stage.claim("no request failed", lost == 0, f"{lost} failed")


PROGRAMME = Programme(
    opening=blue_for_all,
    acts=(users_come, yellow_as_canary, cloud_dies, red_is_bad, back_to_blue),
    strategy=STRATEGY,
    analysis=ANALYSIS,
    rate=200.0,
)


async def last_of(stage: Stage, version: str) -> float:
    """Return when the version answered last, once it has not for a second while others have."""

    async def look() -> float | None:
        # By when answers came: on a busy machine those to the requests of the last second are due.
        since = stage.now() - stage.record.load_began - 1.0
        seen = stage.load.figures.last_seen
        last = max((at for each, at in seen.items() if each.version == version), default=0.0)
        others = max((at for each, at in seen.items() if each.version != version), default=0.0)
        return last + stage.record.load_began if last < since < others - 0.5 else None

    return await stage.until(look, 15.0, f"the last answer of {version}")


async def _is(stage: Stage, *, lost: bool = False, serving: bool = False) -> ClusterView | None:
    """Return the lost cloud as the hub sees it, once it is as asked."""
    await stage.rollout()
    view = await stage.hands.queries.rollout(stage.name)
    cloud = next(each for each in view.clusters if each.cluster == LOST)
    if lost and cloud.health not in DOWN:
        return None
    return cloud if not serving or cloud.user_percent > 0 else None


async def _ended(stage: Stage) -> Rollout:
    """Wait until the rollout has ended; tell how users come back to the cloud meanwhile."""
    known = 0.0

    async def look() -> Rollout | None:
        nonlocal known
        cloud = await _is(stage)
        if cloud is not None and cloud.user_percent != known:
            known = cloud.user_percent
            stage.note(f"{LOST} has {known:g} % of all users")
        rollout = await stage.rollout()
        return None if rollout.active else rollout

    return await stage.until(look, 150.0, "the end of the rollout")


def _percent(part: float) -> str:
    return f"{100 * part:.1f} %"


def _clouds(clouds: Mapping[str, float]) -> str:
    return "answers from " + ", ".join(clouds)
