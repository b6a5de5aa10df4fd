"""`crossfade analysis kayenta` and `threshold`: judges of the peers, worked out without a hub."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.cli.output import Format, OutputOption, note, show, table

if TYPE_CHECKING:
    from crossfade.core.analysis.argo import Assessment, Measurement
    from crossfade.core.analysis.kayenta import Judgement


def kayenta(
    config: Annotated[
        Path,
        typer.Option("--config", metavar="FILE", help="Metrics with their points; `-` for stdin."),
    ],
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Judge time series of a canary and its baseline as Kayenta does.

    One look: labels of the metrics, scores of their groups, and the verdict.
    """
    from crossfade.adapters.documents.kayenta import parse
    from crossfade.core.analysis.kayenta import judge

    judgement = judge(parse(*_text(config)))
    data = {
        "metrics": [
            {"name": each.metric.name, "label": each.label, "critical": each.critical}
            for each in judgement.metrics
        ],
        "groups": dict(judgement.groups),
        "score": judgement.score,
        "verdict": judgement.verdict,
    }
    show(data, output, lambda: _judgement_text(judgement))


def _judgement_text(judgement: "Judgement") -> str:
    rows = [
        (each.metric.name, ", ".join(each.metric.groups), each.label, each.critical, each.reason)
        for each in judgement.metrics
    ]
    metrics = table(("METRIC", "GROUP", "LABEL", "CRITICAL", "WHY"), rows)
    groups = table(
        ("GROUP", "SCORE"), [(name, f"{score:.2f}") for name, score in judgement.groups.items()]
    )
    verdict = f"{judgement.verdict} with a score of {judgement.score:g}: {judgement.reason}"
    return f"{metrics}\n\n{groups}\n\n{verdict}"


def threshold(
    metric: Annotated[
        Path,
        typer.Option(
            "--metric", metavar="FILE", help="An Argo metric and its measurements; `-` for stdin."
        ),
    ],
    terminating: Annotated[
        bool, typer.Option("--terminating", help="As if the run were about to end.")
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Tell the phase of a metric after its measurements, as Argo Rollouts does.

    Measurements have a phase, or a value that is put through the metric's conditions.
    """
    from crossfade.adapters.documents.argo_metric import parse
    from crossfade.core.analysis.argo import assess

    measured = parse(*_text(metric))
    for objection in measured.metric.objections:
        note(f"note: Argo refuses this metric: {objection}")
    terminating = terminating or measured.terminating
    found = assess(measured.metric, measured.measurements, terminating)
    data = {
        "phase": found.phase,
        "message": found.message,
        "counts": {
            "count": found.counters.count,
            "successful": found.counters.successful,
            "failed": found.counters.failed,
            "inconclusive": found.counters.inconclusive,
            "error": found.counters.error,
            "consecutiveError": found.counters.consecutive_error,
            "consecutiveSuccess": found.counters.consecutive_success,
        },
        "measurements": [
            {"phase": each.phase, "message": each.message} for each in measured.measurements
        ],
    }
    show(data, output, lambda: _assessment_text(found, measured.measurements))


def _assessment_text(found: "Assessment", measurements: "tuple[Measurement, ...]") -> str:
    why = f": {found.message}" if found.message else ""
    lines = [f"{found.phase}{why}"]
    lines += [
        f"  {number}. {each.phase}{f': {each.message}' if each.message else ''}"
        for number, each in enumerate(measurements, 1)
    ]
    return "\n".join(lines)


def _text(path: Path) -> tuple[str, str]:
    """Return the text of a file, and the name it has in messages."""
    from crossfade.adapters.documents.files import given_name, read_given

    return read_given(path), given_name(path)
