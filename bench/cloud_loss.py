"""
Clouds are lost under load: how many requests fail, until when, and how often users are moved.

Clouds are single web servers, then sandbox clouds with an API, a gateway and pods, at half the
rate since all share this machine; each case starts anew.  A request counts as failed when its
answer is 5xx or none, or takes longer than the user's patience of 2 s.  A request to a cloud that
hangs fails when the user's patience ends, so there the last request that is going to fail counts.

    python bench/cloud_loss.py [WORD...]     only cases whose name has one of the words
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import harness
import sandbox_clouds
from cloud_loss_stories import during_steps, flapping

from crossfade.adapters.envoy.resources import Tuning
from crossfade.testing.network import Network, NoNetwork, network
from crossfade.testing.users import Users

_CLOUDS = ("aws", "gcp", "onprem")
_RATE, _SANDBOX_RATE = 1000, 500
_BEFORE, _AFTER = 2.0, 6.0
_PATIENCE = 2.0
_BUSY_MS = 100.0
"""Latency before the fault from which on the load is more than this machine carries."""
_TRIES = 4
"""A case is measured again when the machine was busy."""


@dataclass(frozen=True)
class Case:
    """One way to lose clouds, and what may fail then."""

    name: str
    fault: signal.Signals | None
    """None: the network to it drops everything."""
    method: str
    retries: int
    failed_at_most: int | None
    last_at_most: float | None
    lost: tuple[str, ...] = ("gcp",)
    sandbox: bool = False
    """Whether it is tried on sandbox clouds, too."""

    @property
    def silent(self) -> bool:
        """Whether connections are neither refused nor answered."""
        return self.fault is not signal.SIGKILL


_CASES = (
    Case("kill, with retries", signal.SIGKILL, "GET", 2, 0, None, sandbox=True),
    Case("hang, with retries", signal.SIGSTOP, "GET", 2, 0, None, sandbox=True),
    Case("kill, POST", signal.SIGKILL, "POST", 2, None, 1.0, sandbox=True),
    Case("hang, POST", signal.SIGSTOP, "POST", 2, None, 3.0, sandbox=True),
    Case("drop, with retries", None, "GET", 2, 0, None),
    Case("drop two, with retries", None, "GET", 2, 0, None, ("aws", "gcp")),
    Case("drop, POST", None, "POST", 2, None, 3.0),
    Case("kill two", signal.SIGKILL, "GET", 2, 0, None, ("aws", "gcp"), sandbox=True),
    Case("hang two", signal.SIGSTOP, "GET", 2, 0, None, ("aws", "gcp"), sandbox=True),
    Case("kill two, POST", signal.SIGKILL, "POST", 2, None, 1.0, ("aws", "gcp")),
    Case("kill, without retries", signal.SIGKILL, "GET", 0, None, 1.0),
    Case("hang, without retries", signal.SIGSTOP, "GET", 0, None, 3.0),
)


async def run(case: Case) -> dict[str, Any]:
    """Return the figures of one case on clouds of one web server each."""
    tuning = Tuning(retries=case.retries)
    with contextlib.ExitStack() as stack:
        cable = stack.enter_context(network()) if case.fault is None else None
        return await _run(case, tuning, cable)


async def _run(case: Case, tuning: Tuning, cable: Network | None) -> dict[str, Any]:
    elsewhere = {} if cable is None else dict.fromkeys(case.lost, cable)
    async with harness.setup(_CLOUDS, tuning=tuning, elsewhere=elsewhere) as made:

        async def lose() -> None:
            if cable is not None:
                cable.drop()
            elif case.fault is not None:
                for name in case.lost:
                    made.clouds[name].send(case.fault)

        users = made.users(_RATE, method=case.method, patience_seconds=_PATIENCE)
        return figures(case.name, users, await loss_under(users, lose))


async def run_on_sandbox(case: Case) -> dict[str, Any]:
    """Return the figures of one case on sandbox clouds: API, gateway and pods are lost together."""
    verb = "kill" if case.fault is signal.SIGKILL else "hang"
    async with sandbox_clouds.sandbox(_CLOUDS) as made:
        users = Users(
            made.port, harness.HOST, _SANDBOX_RATE, method=case.method, patience_seconds=_PATIENCE
        )

        async def lose() -> None:
            for name in case.lost:
                await made.act(verb, name)

        lost = await loss_under(users, lose)
        return figures(f"sandbox: {case.name}", users, lost)


async def loss_under(users: Users, lose: Callable[[], Awaitable[None]]) -> float:
    """Send users, lose a cloud in the middle, and return when that was."""
    async with asyncio.TaskGroup() as group:
        group.create_task(users.run(_BEFORE + _AFTER))
        await asyncio.sleep(_BEFORE)
        fault = time.monotonic()
        await lose()
    return fault


def figures(name: str, users: Users, fault: float) -> dict[str, Any]:
    """Return what is printed and kept of one case; times are in seconds after the fault."""
    failed = users.failed()
    before = [answer.seconds for answer in users.answers if answer.due < fault]
    after = [answer.seconds for answer in users.answers if answer.due >= fault]
    ends = [answer.due + answer.seconds - fault for answer in failed]
    return {
        "case": name,
        "requests": len(users.answers),
        "failed": len(failed),
        "p99_ms_before": 1000 * harness.quantile(before, 0.99),
        "last_failing_request_sent": max((a.due - fault for a in failed), default=0.0),
        "last_failure_seen": max(ends, default=0.0),
        "p50_ms": 1000 * harness.quantile(after, 0.5),
        "p99_ms": 1000 * harness.quantile(after, 0.99),
        "slow": sum(seconds > 0.1 for seconds in after),
    }


def judge(case: Case, got: dict[str, Any]) -> bool:
    """Return whether they reach the target."""
    if case.failed_at_most is not None:
        return bool(got["failed"] <= case.failed_at_most)
    last = got["last_failing_request_sent" if case.silent else "last_failure_seen"]
    return bool(last <= (case.last_at_most or 0.0))


async def best_of(case: Case, how: Callable[[Case], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """Return the figures of the first run on a machine that was not busy."""
    got = await how(case)
    for _ in range(_TRIES - 1):
        if got["p99_ms_before"] <= _BUSY_MS:
            break
        got = await how(case)
    got["ok"], got["load"] = judge(case, got), os.getloadavg()[0]
    target = (
        f"failed <= {case.failed_at_most}"
        if case.failed_at_most is not None
        else f"last failure <= {case.last_at_most} s"
    )
    print(
        f"{got['case']:30} {got['failed']:4} of {got['requests']} failed, last sent "
        f"{got['last_failing_request_sent']:+.2f} s, last seen "
        f"{got['last_failure_seen']:+.2f} s, p99 {got['p99_ms']:.0f} ms (before "
        f"{got['p99_ms_before']:.0f}), {got['slow']} slow, load {got['load']:.1f}   "
        f"({target}: {harness.verdict(got['ok'])})",
        flush=True,
    )
    return got


async def main(words: list[str]) -> None:
    """Run all cases one after the other, or those whose name has one of the words."""

    def wanted(name: str) -> bool:
        return not words or any(word in name for word in words)

    results = []
    for case in _CASES:
        if wanted(case.name):
            try:
                results.append(await best_of(case, run))
            except NoNetwork as error:
                print(f"{case.name:30} left out: {error}")
        if case.sandbox and wanted(f"sandbox: {case.name}"):
            results.append(await best_of(case, run_on_sandbox))
    busy = any(got["p99_ms_before"] > _BUSY_MS for got in results)
    if busy:
        print("the machine was busy before anything failed: figures of such cases say little")
    steps = await during_steps() if wanted("canary steps") else []
    flaps = await flapping() if wanted("flapping") else {}
    rates = {"rate": _RATE, "sandbox_rate": _SANDBOX_RATE}
    harness.write(
        "cloud_loss", {**rates, "busy": busy, "cases": results, "steps": steps, "flapping": flaps}
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
