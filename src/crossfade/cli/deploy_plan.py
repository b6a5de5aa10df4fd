"""What `crossfade deploy --dry-run` prints."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crossfade.base.units import format_duration
from crossfade.cli.rollout_view import strategy_text
from crossfade.core.rollout.remarks import asked_by

if TYPE_CHECKING:
    from crossfade.core.application import Application
    from crossfade.core.release.objection import Objection
    from crossfade.engine.deployments import Preview
    from crossfade.engine.forecast import Checked, Forecast


def plan_data(preview: "Preview", forecast: "Forecast") -> dict[str, object]:
    """Return the plan for `--output json`."""
    expected = forecast.expected
    return {
        "revision": preview.revision.id,
        "chart": preview.revision.chart,
        "replaces": preview.replaces,
        "clusters": list(preview.clusters),
        "waves": [list(each) for each in preview.waves],
        "remarks": list(preview.remarks),
        "survival": _survival(preview),
        "misfits": [each.summary for each in preview.misfits],
        "objects": _titles(preview),
        "removed": list(preview.prepared.removed),
        "renamed": [list(pair) for pair in preview.prepared.renamed],
        "notes": list(preview.prepared.notes),
        "checked": [_checked(each) for each in forecast.checked],
        "seconds": expected.seconds,
        "waits_for_people": expected.waits_for_people,
        "requests_per_second": forecast.rps,
        "visible_error_ratio": forecast.visible,
    }


def _survival(preview: "Preview") -> dict[str, object]:
    admitted = preview.admitted
    return {
        "survive": admitted.survive,
        "survives": None if admitted.unknown else admitted.admission.survives,
        "demand": admitted.demand,
        "unknown": admitted.unknown,
        "missing": list(admitted.admission.told),
    }


def _checked(checked: "Checked") -> dict[str, object]:
    return {
        "cluster": checked.cluster,
        "silence": checked.silence,
        "objections": [
            {
                "kind": each.kind,
                "name": each.name,
                "message": each.message,
                "policy": each.is_policy,
                "warning": each.warning,
            }
            for each in checked.objections
        ],
    }


def plan_text(preview: "Preview", forecast: "Forecast", spec: "Application") -> str:
    """Return the plan for people."""
    revision = preview.revision
    lines = [
        f"revision {revision.id} of {revision.chart}"
        f" would {'replace ' + preview.replaces if preview.replaces else 'be the first'}",
        f"on: {', '.join(preview.clusters) or 'no cluster (none carries the labels)'}",
        *_waves(preview, spec),
        "objects:",
        *(f"  {title}" for title in _titles(preview)),
    ]
    if preview.prepared.removed:
        lines.append("left out, since the application has its own route:")
        lines += [f"  {title}" for title in preview.prepared.removed]
    lines += [f"  {old} is called {new}" for old, new in preview.prepared.renamed]
    lines += [f"note: {text}" for text in preview.prepared.notes]
    if spec.shared:
        lines.append(f"first, in place: {', '.join(each.name for each in spec.shared)}")
    lines += [*_answers(forecast), *_course(preview, forecast, spec)]
    if preview.admitted.summary:
        lines.append(preview.admitted.summary)
    lines += [f"would not get along: {each.summary}" for each in preview.misfits]
    lines += [f"note: {text}" for text in preview.remarks]
    return "\n".join(lines)


def _waves(preview: "Preview", spec: "Application") -> Iterator[str]:
    """Return the clusters in the order in which they get the new revision."""
    if not spec.strategy.waves:
        return
    *waves, rest = preview.waves
    for number, (wave, found) in enumerate(zip(spec.strategy.waves, waves, strict=True), 1):
        yield f"  wave {number}: {', '.join(found) or f'no cluster ({asked_by(wave)})'}"
    if rest:
        yield f"  then, in no wave: {', '.join(rest)}"


def _answers(forecast: "Forecast") -> Iterator[str]:
    for checked in forecast.checked:
        if checked.silence:
            yield f"{checked.cluster}: cannot be asked: {checked.silence}"
        elif not checked.objections:
            yield f"{checked.cluster}: takes every object"
        else:
            yield f"{checked.cluster}:"
            yield from (f"  {_objection(each)}" for each in checked.objections)


def _objection(objection: "Objection") -> str:
    word = "warns about" if objection.warning else "refuses"
    policy = " (a policy of the cluster)" if objection.is_policy else ""
    return f"{word} {objection.kind}/{objection.name}: {objection.message}{policy}"


def _course(preview: "Preview", forecast: "Forecast", spec: "Application") -> Iterator[str]:
    if preview.replaces is None:
        yield "steps: none, it is the first revision: all users at once when it is ready"
        return
    yield f"steps: {strategy_text(spec.strategy)}"
    expected = forecast.expected
    people = (
        f", and {expected.waits_for_people} times a person" if expected.waits_for_people else ""
    )
    yield f"takes at least {format_duration(round(expected.seconds))}{people}"
    if not spec.analysis.judge:
        return
    if not forecast.rps:
        yield "no traffic was measured in an earlier rollout, so what can be seen is not known"
    elif forecast.visible is None:
        yield f"at {forecast.rps:.0f} requests/s not even a total failure would show in that time"
    else:
        yield (
            f"at {forecast.rps:.0f} requests/s the judge sees errors that are"
            f" {forecast.visible:.1f} times as frequent as now, or more"
        )


def _titles(preview: "Preview") -> list[str]:
    return [
        f"{each.get('kind')}/{_name(each.get('metadata'))}" for each in preview.prepared.objects
    ]


def _name(metadata: object) -> str:
    return str(metadata.get("name")) if isinstance(metadata, dict) else "?"
