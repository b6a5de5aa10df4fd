"""A rollout as people see it: a live picture in a terminal, plain lines elsewhere."""

import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, assert_never

import typer

from crossfade.base.errors import RolloutFailed
from crossfade.cli.output import Format, json_line, table
from crossfade.core.rollout.spec import (
    Analyse,
    Approval,
    Pause,
    Ramp,
    SetHeaderRoute,
    SetMirror,
    SetScale,
    SetWeight,
    Step,
    Strategy,
)
from crossfade.core.rollout.state import Outcome, Rollout

if TYPE_CHECKING:
    from rich.console import RenderableType

    from crossfade.engine.queries import AnalysisView, RolloutView


def rollout_data(rollout: Rollout) -> dict[str, Any]:
    """Return a rollout for `--output json`."""
    state = rollout.state
    return {
        "application": rollout.application,
        "number": rollout.number,
        "revision": rollout.canary.id,
        "stable": rollout.stable.id if rollout.stable else None,
        "phase": state.phase.value,
        "percent": state.percent,
        "step": state.step,
        "steps": len(rollout.strategy.steps),
        "paused": state.paused,
        "outcome": state.outcome.value,
        "pending": list(state.pending),
        "reason": state.reason,
        "started_at": rollout.started_at,
    }


def view_data(view: "RolloutView") -> dict[str, Any]:
    """Return a rollout with its clusters for `--output json`."""
    clusters = [
        {
            "cluster": each.cluster,
            "health": each.health,
            "percent": each.percent,
            "canary_pods": each.canary_pods,
            "stable_pods": each.stable_pods,
            "user_percent": each.user_percent,
            "trouble": each.trouble,
            "phase": each.phase,
        }
        for each in view.clusters
    ]
    return {
        **rollout_data(view.rollout),
        "clusters": clusters,
        "analysis": _analysis_data(view.analysis) if view.analysis else None,
        "remarks": list(view.remarks) if view.rollout.active else [],
    }


def _analysis_data(analysis: "AnalysisView") -> dict[str, Any]:
    return {
        "requests": analysis.requests,
        "errors": analysis.errors,
        "evidence": analysis.evidence,
        "threshold": analysis.threshold,
        "harmed": analysis.harmed,
        "budget": analysis.budget,
        "ratios": {name: list(ends) for name, ends in analysis.ratios.items()},
        "reason": analysis.reason,
    }


def status(rollout: Rollout) -> str:
    """Return the phase, or how it ended, in one word."""
    return rollout.state.outcome.value or rollout.state.phase.value


def reach_text(rollout: Rollout) -> str:
    """Return the share of users on the new revision: `20 %`, or `0-100 %` where clusters differ."""
    most = rollout.state.percent
    least = min((each.percent for each in rollout.state.clusters.values()), default=most)
    differ = rollout.active and least < most
    return f"{least:g}-{most:g} %" if differ else f"{most:g} %"


def list_text(rollouts: tuple[Rollout, ...]) -> str:
    """Return rollouts as a table."""
    rows = [
        (
            f"{each.application}.{each.number}",
            each.canary.id,
            status(each),
            reach_text(each),
            f"{min(each.state.step, len(each.strategy.steps))}/{len(each.strategy.steps)}",
            each.state.reason,
        )
        for each in rollouts
    ]
    return table(("ROLLOUT", "REVISION", "STATUS", "USERS", "STEP", "REASON"), rows)


def steps_text(rollout: Rollout) -> str:
    """Return the steps with the current one marked: `10 % > pause > [50 %] > all`."""
    at = rollout.state.step if rollout.active else None
    return strategy_text(rollout.strategy, at)


def strategy_text(strategy: Strategy, at: int | None = None) -> str:
    """Return the steps, the one at index `at` marked."""
    words = [_step_text(step) for step in strategy.steps]
    marked = [f"[{word}]" if index == at else word for index, word in enumerate(words)]
    return " > ".join([*marked, "all"])


def _step_text(step: Step) -> str:
    match step:
        case SetWeight(percent):
            return f"{percent} %"
        case Pause(seconds):
            return "pause" if seconds is None else f"{seconds:g} s"
        case SetScale(percent):
            return "scale with users" if percent is None else f"scale {percent} %"
        case SetHeaderRoute(name, matches):
            return f"header {name}" if matches else f"no header {name}"
        case SetMirror(percent):
            return f"mirror {percent} %"
        case Analyse(run):
            return f"analyse {run}" if run else "analyse"
        case Approval():
            return "approval"
        case Ramp(most):
            return f"ramp to {most:g} %"
        case _:
            assert_never(step)


def clusters_text(view: "RolloutView") -> str:
    """Return the clusters of a rollout as a table."""
    rows = [
        (
            each.cluster,
            each.phase,
            each.health,
            f"{each.user_percent:g} %",
            "-" if each.percent is None else f"{each.percent:g} %",
            each.canary_pods,
            each.stable_pods,
            each.trouble,
        )
        for each in view.clusters
    ]
    columns = ("CLUSTER", "PHASE", "HEALTH", "USERS", "NEW", "NEW PODS", "OLD PODS", "WAITING FOR")
    return table(columns, rows)


def head_text(view: "RolloutView") -> str:
    """Return the rollout in three lines, with what is known of it and what is to be noted."""
    rollout = view.rollout
    stable = rollout.stable.id if rollout.stable else "nothing"
    notes = view.remarks if rollout.active else ()
    return (
        f"{rollout.application}.{rollout.number}: {stable} -> {rollout.canary.id}"
        f"  {status(rollout)} at {reach_text(rollout)}\n"
        f"steps: {steps_text(rollout)}\n"
        f"{rollout.state.reason}"
        + (f"\n{analysis_text(view.analysis)}" if view.analysis else "")
        + "".join(f"\nnote: {each}" for each in notes)
    )


def analysis_text(analysis: "AnalysisView") -> str:
    """Return what the judge knows in one line."""
    ratios = ", ".join(
        f"{name} {low:.2g}-{'?' if high is None else f'{high:.2g}'}x"
        for name, (low, high) in analysis.ratios.items()
    )
    return (
        f"analysis: {analysis.errors} of {analysis.requests} requests failed,"
        f" {analysis.harmed:.0f} of {analysis.budget:g} harmed,"
        f" evidence {analysis.evidence:.2g} of {analysis.threshold:g}; {ratios}"
    )


async def follow(views: "AsyncIterator[RolloutView]", output: Format) -> None:
    """
    Show a rollout until it has ended.

    Raises RolloutFailed when it did not succeed, so that scripts can tell.
    """
    last: RolloutView | None = None
    if output is Format.JSON:
        async for last in views:
            typer.echo(json_line(view_data(last)))
    elif sys.stdout.isatty():
        last = await _follow_live(views)
    else:
        last = await _follow_lines(views)
    if last is not None:
        _require_success(last.rollout)


async def _follow_lines(views: "AsyncIterator[RolloutView]") -> "RolloutView | None":
    printed, last = "", None
    async for last in views:
        rollout = last.rollout
        reached = f"{status(rollout)} {reach_text(rollout)}"
        line = f"{rollout.application}: {reached} {rollout.state.reason}"
        if line != printed:
            typer.echo(line)
            sys.stdout.flush()
            printed = line
    return last


async def _follow_live(views: "AsyncIterator[RolloutView]") -> "RolloutView | None":
    from rich.live import Live

    last = None
    with Live(auto_refresh=False) as live:
        async for last in views:
            live.update(_picture(last), refresh=True)
    return last


def _picture(view: "RolloutView") -> "RenderableType":
    from rich.console import Group
    from rich.text import Text

    return Group(Text(head_text(view)), Text(), Text(clusters_text(view)))


def _require_success(rollout: Rollout) -> None:
    if rollout.state.outcome in {Outcome.SUCCEEDED, Outcome.NONE}:
        return
    name = rollout.application
    raise RolloutFailed(
        f"rollout {name}.{rollout.number} was {rollout.state.outcome.value}",
        hint=f"`crossfade rollout why {name}` tells what it rests on, step by step",
        reason=rollout.state.reason,
    )
