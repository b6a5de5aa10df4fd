"""
One of three clouds is lost under load: how many requests fail, and until when.

Clouds are single web servers here; each case starts anew.  A request counts as failed when its
answer is 5xx or none, or takes longer than the user's patience of 2 s.  A request to a cloud that
hangs fails when the user's patience ends, so there the last request that is going to fail counts.
"""

import asyncio
import signal
import time
from dataclasses import dataclass
from typing import Any

import harness

from crossfade.adapters.envoy.resources import Tuning

_RATE = 1000
_BEFORE, _AFTER = 2.0, 6.0
_PATIENCE = 2.0
_BUSY_MS = 100.0
"""Latency before the fault from which on the load is more than this machine carries."""


@dataclass(frozen=True)
class Case:
    """One way to lose a cloud, and what may fail then."""

    name: str
    fault: signal.Signals
    method: str
    retries: int
    failed_at_most: int | None
    last_at_most: float | None


_CASES = (
    Case("kill, with retries", signal.SIGKILL, "GET", 2, 0, None),
    Case("hang, with retries", signal.SIGSTOP, "GET", 2, 0, None),
    Case("kill, POST", signal.SIGKILL, "POST", 2, None, 1.0),
    Case("hang, POST", signal.SIGSTOP, "POST", 2, None, 3.0),
    Case("kill, without retries", signal.SIGKILL, "GET", 0, None, 1.0),
    Case("hang, without retries", signal.SIGSTOP, "GET", 0, None, 3.0),
)


async def run(case: Case) -> dict[str, Any]:
    """Return the figures of one case; times are in seconds after the fault."""
    tuning = Tuning(retries=case.retries)
    async with harness.setup(("aws", "gcp", "onprem"), tuning=tuning) as made:
        users = made.users(_RATE, method=case.method, patience_seconds=_PATIENCE)
        async with asyncio.TaskGroup() as group:
            group.create_task(users.run(_BEFORE + _AFTER))
            await asyncio.sleep(_BEFORE)
            fault = time.monotonic()
            made.clouds["gcp"].send(case.fault)
        failed = users.failed()
        before = [answer.seconds for answer in users.answers if answer.due < fault]
        after = [answer for answer in users.answers if answer.due >= fault]
        ends = [answer.due + answer.seconds - fault for answer in failed]
        return {
            "case": case.name,
            "requests": len(users.answers),
            "failed": len(failed),
            "p99_ms_before": 1000 * harness.quantile(before, 0.99),
            "last_failing_request_sent": max((a.due - fault for a in failed), default=0.0),
            "last_failure_seen": max(ends, default=0.0),
            "p50_ms": 1000 * harness.quantile([a.seconds for a in after], 0.5),
            "p99_ms": 1000 * harness.quantile([a.seconds for a in after], 0.99),
            "slow": sum(answer.seconds > 0.1 for answer in after),
        }


def judge(case: Case, figures: dict[str, Any]) -> bool:
    """Return whether the figures reach the target."""
    if case.failed_at_most is not None:
        return bool(figures["failed"] <= case.failed_at_most)
    hangs = case.fault is signal.SIGSTOP
    last = figures["last_failing_request_sent" if hangs else "last_failure_seen"]
    return bool(last <= (case.last_at_most or 0.0))


async def main() -> None:
    """Run all cases one after the other."""
    results = []
    busy = False
    for case in _CASES:
        figures = await run(case)
        figures["ok"] = judge(case, figures)
        results.append(figures)
        busy = busy or figures["p99_ms_before"] > _BUSY_MS
        target = (
            f"failed <= {case.failed_at_most}"
            if case.failed_at_most is not None
            else f"last failure <= {case.last_at_most} s"
        )
        print(
            f"{case.name:22} {figures['failed']:4} of {figures['requests']} failed, last sent "
            f"{figures['last_failing_request_sent']:+.2f} s, last seen "
            f"{figures['last_failure_seen']:+.2f} s, p99 {figures['p99_ms']:.0f} ms, "
            f"{figures['slow']} slow   ({target}: {harness.verdict(figures['ok'])})"
        )
    if busy:
        print("the machine was busy before anything failed: these figures say little")
    harness.write("cloud_loss", {"rate": _RATE, "busy": busy, "cases": results})


if __name__ == "__main__":
    asyncio.run(main())
