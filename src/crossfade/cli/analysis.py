"""`crossfade analysis`: verdicts on recorded figures; pure, without a hub."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import InputError
from crossfade.cli.analysis_calibrate import calibrate
from crossfade.cli.analysis_compat import kayenta, threshold
from crossfade.cli.analysis_record import check_measured
from crossfade.cli.frame import noun
from crossfade.cli.output import Format, OutputOption, note, show, table

if TYPE_CHECKING:
    from crossfade.core.analysis.backtest import Outcome
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
    check_measured(chosen, record)
    try:
        judged = replay(chosen, record)
    except ValueError as error:
        raise InputError(f"{windows}: {error}", hint="check the ids and the clusters") from error
    data = [_as_json(each) for each in judged]
    show(data if every else data[-1], output, lambda: _text(judged if every else judged[-1:]))


@app.command()
def backtest(
    spec: Annotated[
        Path,
        typer.Argument(
            help="A plan with `steps`, or without for the risk budget; or an application file.",
            show_default=False,
        ),
    ],
    record: Annotated[
        Path, typer.Option("--record", help="Recorded windows: JSON lines, or a JSON list.")
    ],
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Replay a strategy on recorded windows: how would this rollout have gone?

    Counts are scaled by the share of users that the strategy would have given to the canary; what
    that takes for granted is printed, too.
    """
    from crossfade.adapters.documents.backtest_spec import read_spec
    from crossfade.adapters.documents.recorded_windows import read_windows
    from crossfade.core.analysis.backtest import backtest as replayed
    from crossfade.core.analysis.replay import ticks

    windows = read_windows(record)
    metrics = sorted({metric for window in windows for metric in window.events})
    chosen = read_spec(spec, (each.cluster for each in windows), metrics)
    check_measured(chosen.plan, windows)
    if chosen.passed_over:
        note(f"note: passed at once, as a record has none: {', '.join(chosen.passed_over)}")
    try:
        outcome = replayed(chosen.plan, ticks(windows), chosen.levels)
    except ValueError as error:
        raise InputError(f"{record}: {error}", hint="check the ids and the clusters") from error
    show(_outcome_json(outcome), output, lambda: _outcome_text(outcome))


def _outcome_json(outcome: "Outcome") -> dict[str, object]:
    from crossfade.base.codec import to_json
    from crossfade.core.analysis.backtest import ASSUMPTIONS

    return {**to_json(outcome), "assumptions": list(ASSUMPTIONS)}


def _outcome_text(outcome: "Outcome") -> str:
    from crossfade.core.analysis.backtest import ASSUMPTIONS

    rows = [(f"{c.at_s:.0f} s", f"{c.weight:.1%}", c.reason) for c in outcome.changes]
    lines = [
        f"{outcome.action} after {outcome.after_s / 60:.1f} min: {outcome.verdict.reason}",
        f"{outcome.harm:.0f} harmed of {outcome.canary_requests} canary requests",
        "",
        table(("AFTER", "SHARE", "WHY"), rows),
        "",
        "This takes for granted that",
        *(f"- {each}" for each in ASSUMPTIONS),
    ]
    if outcome.stretch > 1:
        lines.append(f"Counts were scaled up to {outcome.stretch:.1f} times what was recorded.")
    return "\n".join(lines)


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


app.command()(calibrate)
app.command()(kayenta)
app.command()(threshold)
