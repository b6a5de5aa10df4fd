"""`crossfade analysis calibrate`: how much arms of one version differ, from recorded windows."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import InputError
from crossfade.cli.output import Format, OutputOption, note, show, table

if TYPE_CHECKING:
    from crossfade.core.analysis.calibration import Calibration
    from crossfade.core.analysis.counts import Window
    from crossfade.core.analysis.plan import Plan


def calibrate(
    plan: Annotated[Path, typer.Option("--plan", help="Metrics and accepted risks, YAML or JSON.")],
    windows: Annotated[
        Path,
        typer.Option(
            "--windows", help="Windows in which nothing was wrong: JSON lines, or a JSON list."
        ),
    ],
    pods: Annotated[
        bool,
        typer.Option(
            "--pods", help="The windows are of pods of stable: deal them to two sides by chance."
        ),
    ] = False,
    share: Annotated[
        float,
        typer.Option(
            min=0.01, max=0.5, help="With --pods: the share of pods that play the canary."
        ),
    ] = 0.5,
    minutes: Annotated[
        float, typer.Option(min=0.1, help="Length of a replay: as long as your rollouts take.")
    ] = 30.0,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Find the dispersion factor of a service from records in which nothing was wrong.

    The record is cut into replays of `--minutes`, and each is judged with one factor after the
    other, for one kind of metrics alone or for all, until so few good canaries are rolled back that
    the risk `alpha` of the plan is kept with 95 % confidence.  For 1 % that takes 299 replays
    without a rollback, 408 with errors and latency.
    """
    from crossfade.base.codec import to_json
    from crossfade.core.analysis.calibration import calibrated

    chosen, replays = _replays(plan, windows, share if pods else None, minutes)
    try:
        found = calibrated(chosen, replays)
    except ValueError as error:
        raise InputError(f"{windows}: {error}", hint="check the ids and the clusters") from error
    if not found.trusted:
        note(f"note: {_doubt(found, chosen)}")
    show(to_json(found), output, lambda: _text(found))


def _replays(
    plan: Path, windows: Path, share: float | None, minutes: float
) -> "tuple[Plan, Iterator[Sequence[Window]]]":
    """Return the plan, and the replays of the file; with `share` its windows are those of pods."""
    from crossfade.adapters.documents.analysis_plan import read_plan
    from crossfade.adapters.documents.recorded_windows import read_pod_windows, read_windows
    from crossfade.cli.analysis_record import check_measured
    from crossfade.core.analysis.calibration import split, stretches

    if share is None:
        record = read_windows(windows)
        chosen = read_plan(plan, (each.cluster for each in record))
        check_measured(chosen, record)
        return chosen, iter(stretches(record, _length(chosen, minutes)))
    of_pods = read_pod_windows(windows)
    chosen = read_plan(plan, (each.cluster for each in of_pods))
    check_measured(chosen, of_pods)
    if len({(each.cluster, each.pod) for each in of_pods}) < 2:
        raise InputError(
            f"{windows}: there is one pod only, and it cannot be on both sides",
            hint="record every pod of stable",
        )
    pieces = stretches(of_pods, _length(chosen, minutes))
    return chosen, (split(piece, seed, share) for seed, piece in enumerate(pieces))


def _length(plan: "Plan", minutes: float) -> int:
    return max(1, round(60 * minutes / plan.tick_s))


def _doubt(found: "Calibration", plan: "Plan") -> str:
    """Return why the factor is not to be relied on."""
    crossed = found.crossings[found.phi]
    if not found.needed:
        return (
            f"no factor up to {max(found.crossings):g} is enough: with {found.phi:g}, {crossed} of "
            f"{found.replays} good canaries are still rolled back, and {plan.alpha:.2g} of them is "
            "accepted"
        )
    return (
        f"{found.replays} replays are too few to rely on {found.phi:g}: it takes {found.needed} of "
        f"which no more than {crossed} are rolled back; record for longer"
    )


def _text(found: "Calibration") -> str:
    rows = [
        (f"{phi:g}", f"{crossed} of {found.replays}") for phi, crossed in found.crossings.items()
    ]
    trust = "" if found.trusted else " (not to be relied on)"
    return "\n".join(
        (
            f"dispersion {found.phi:g} of {', '.join(found.metrics)}{trust}: at most "
            f"{found.risk:.2%} of good canaries are rolled back, with 95 % confidence",
            "",
            table(("FACTOR", "ROLLED BACK"), rows),
        )
    )
