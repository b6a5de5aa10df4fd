"""A cloud that is lost at each step of a canary, and one that flaps: parts of cloud_loss.py."""

import asyncio
import os
import time
from dataclasses import replace
from typing import Any

import harness
import sandbox_clouds

from crossfade.base.ids import ClusterName
from crossfade.core.application import Failover
from crossfade.core.failover.decide import Action
from crossfade.testing.builders import application
from crossfade.testing.engine_world import EngineWorld
from crossfade.testing.users import Users

_CLOUDS = ("aws", "gcp", "onprem")
_STEPS = (5, 25, 50, 100)
_RATE = 300
_BEFORE, _AFTER = 2.0, 5.0
_CHANCE = 3.0
"""Standard errors by which the share that was met may differ from the one that was asked for."""
_FLAPS, _FLAP_SECONDS = 20, 30


async def during_steps() -> list[dict[str, Any]]:
    """Lose a cloud at each step: nobody fails, and no more meet the new revision than asked."""
    results = []
    for percent in _STEPS:
        async with sandbox_clouds.sandbox(_CLOUDS) as made:
            await made.split({"blue": 100 - percent, "green": percent})
            await made.in_force()
            users = Users(made.port, harness.HOST, _RATE, patience_seconds=2.0)
            async with asyncio.TaskGroup() as group:
                group.create_task(users.run(_BEFORE + _AFTER))
                await asyncio.sleep(_BEFORE)
                await made.act("kill", "gcp")
                lost = time.monotonic()
        names = users.names(since=lost)
        met = sum(count for name, count in names.items() if name.startswith("green"))
        total, share = max(1, names.total()), percent / 100
        noise = _CHANCE * (share * (1 - share) / total) ** 0.5
        got: dict[str, Any] = {
            "percent": percent,
            "requests": len(users.answers),
            "failed": len(users.failed()),
            "met_percent": 100 * met / total,
            "load": os.getloadavg()[0],
        }
        got["ok"] = got["failed"] == 0 and met / total <= share + noise
        results.append(got)
        print(
            f"{f'sandbox: kill at the step to {percent} %':30} {got['failed']:4} of "
            f"{got['requests']} failed, {got['met_percent']:.1f} % of users met the new revision "
            f"after the loss, load {got['load']:.1f}   "
            f"(failed <= 0, met <= {percent} %: {harness.verdict(got['ok'])})",
            flush=True,
        )
    return results


async def flapping() -> dict[str, Any]:
    """Let a cloud go and come twenty times in ten minutes of the hub's loops on a fake clock."""
    world = EngineWorld()
    await world.prepare(replace(application(), failover=Failover()))
    await world.deploy({"colour": "blue"})
    faults = world.clusters[ClusterName("gcp")].faults
    for _ in range(_FLAPS):
        for second in range(_FLAP_SECONDS):
            faults.unreachable = faults.gateway_down = second < _FLAP_SECONDS // 2
            await world.turn(0.5)
            await world.turn(0.5)
    events = await world.store.events("cluster/gcp")
    moves = [each.facts.get("action") for each in events].count(Action.MOVE.value)
    ok = moves <= 1
    print(
        f"{'flapping, 20 times in 600 s':30} users were moved {moves} times   "
        f"(moves <= 1: {harness.verdict(ok)})"
    )
    return {"flaps": _FLAPS, "moves": moves, "ok": ok}
