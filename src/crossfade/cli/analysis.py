"""`crossfade analysis`: verdicts on recorded figures; pure, without a hub."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import InputError
from crossfade.cli.analysis_compat import kayenta, threshold
from crossfade.cli.frame import noun
from crossfade.cli.output import Format, OutputOption, note, show

if TYPE_CHECKING:
    from crossfade.core.analysis.counts import Window
    from crossfade.core.analysis.plan import Plan
    from crossfade.core.analysis.replay import Judged

app = noun("Judge recorded windows of a canary; needs no hub.")

PlanOption = Annotated[
    Path, typer.Option("--plan", help="Metrics and accepted risks, YAML or JSON.")
]
WindowsOption = Annotated[
    Path, typer.Option("--windows", help="Recorded windows: JSON lines, or a JSON list.")
]


@app.callback()
def analysis() -> None:
    """Judge recorded windows of a canary; needs no hub."""


@app.command()
def judge(
    plan: PlanOption,
    windows: WindowsOption,
    every: Annotated[bool, typer.Option("--all", help="Print the verdict of each tick.")] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Print the sequential judge's verdict after the last of the windows."""
    from crossfade.adapters.documents.analysis_plan import read_plan
    from crossfade.adapters.documents.recorded_windows import read_windows
    from crossfade.core.analysis.replay import replay

    record = read_windows(windows)
    chosen = read_plan(plan, (each.cluster for each in record))
    _check_measured(chosen, record)
    try:
        judged = replay(chosen, record)
    except ValueError as error:
        raise InputError(f"{windows}: {error}", hint="check the ids and the clusters") from error
    data = [_as_json(each) for each in judged]
    show(data if every else data[-1], output, lambda: _text(judged if every else judged[-1:]))


def _check_measured(plan: "Plan", record: "Iterable[Window]") -> None:
    """Refuse a metric that no window has: a slip of the pen would make the canary unjudged."""
    measured = {metric for window in record for metric in window.events}
    wanted = {each.name for each in plan.metrics}
    if missing := wanted - measured:
        raise InputError(
            f"no window has events of {', '.join(sorted(missing))}",
            hint=f"the windows have {', '.join(sorted(measured)) or 'no events'}",
        )
    if others := measured - wanted:
        note(f"note: not judged, as the plan does not name them: {', '.join(sorted(others))}")


def _as_json(judged: "Judged") -> dict[str, object]:
    from crossfade.base.codec import to_json

    return {"tick": judged.tick, "at_s": judged.at_s, **to_json(judged.verdict)}


def _text(judged: "Iterable[Judged]") -> str:
    blocks = []
    for each in judged:
        found = each.verdict
        lines = [
            f"tick {each.tick}: {found.action}",
            f"  {found.reason}",
            f"  evidence against the canary {found.e:.3g}, p {found.p:.2g}, "
            f"harmed {found.harm:.0f}, share allowed {found.weight:.1%}",
        ]
        for metric, (low, high) in found.ratio.items():
            end = "no upper end yet" if high is None else f"{high:.2f}"
            lines.append(f"  {metric}: canary to stable {low:.2f} to {end}")
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


app.command()(kayenta)
app.command()(threshold)
