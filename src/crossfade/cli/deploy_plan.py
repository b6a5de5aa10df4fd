"""What `crossfade deploy --dry-run` prints."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crossfade.base.units import format_duration
from crossfade.cli.rollout_view import strategy_text
from crossfade.core.rollout.remarks import asked_by

if TYPE_CHECKING:
    from crossfade.core.release.objection import Objection
    from crossfade.engine.deploy_plan import DeployPlan
    from crossfade.engine.forecast import Checked, Forecast


def plan_data(plan: "DeployPlan") -> dict[str, object]:
    """Return the plan for `--output json`."""
    forecast, expected = plan.forecast, plan.forecast.expected
    return {
        "revision": plan.revision,
        "chart": plan.chart,
        "replaces": plan.replaces,
        "clusters": list(plan.clusters),
        "waves": [list(each) for each in plan.waves],
        "remarks": list(plan.remarks),
        "survival": _survival(plan),
        "misfits": [each.summary for each in plan.misfits],
        "objects": list(plan.objects),
        "removed": list(plan.removed),
        "renamed": [list(pair) for pair in plan.renamed],
        "notes": list(plan.notes),
        "checked": [_checked(each) for each in forecast.checked],
        "seconds": expected.seconds,
        "waits_for_people": expected.waits_for_people,
        "requests_per_second": forecast.rps,
        "visible_error_ratio": forecast.visible,
    }


def _survival(plan: "DeployPlan") -> dict[str, object]:
    admitted = plan.admitted
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


def plan_text(plan: "DeployPlan") -> str:
    """Return the plan for people."""
    lines = [
        f"revision {plan.revision} of {plan.chart}"
        f" would {'replace ' + plan.replaces if plan.replaces else 'be the first'}",
        f"on: {', '.join(plan.clusters) or 'no cluster (none carries the labels)'}",
        *_waves(plan),
        "objects:",
        *(f"  {title}" for title in plan.objects),
    ]
    if plan.removed:
        lines.append("left out, since the application has its own route:")
        lines += [f"  {title}" for title in plan.removed]
    lines += [f"  {old} is called {new}" for old, new in plan.renamed]
    lines += [f"note: {text}" for text in plan.notes]
    if plan.spec.shared:
        lines.append(f"first, in place: {', '.join(each.name for each in plan.spec.shared)}")
    lines += [*_answers(plan.forecast), *_course(plan)]
    if plan.admitted.summary:
        lines.append(plan.admitted.summary)
    lines += [f"would not get along: {each.summary}" for each in plan.misfits]
    lines += [f"note: {text}" for text in plan.remarks]
    return "\n".join(lines)


def _waves(plan: "DeployPlan") -> Iterator[str]:
    """Return the clusters in the order in which they get the new revision."""
    if not plan.spec.strategy.waves:
        return
    *waves, rest = plan.waves
    for number, (wave, found) in enumerate(zip(plan.spec.strategy.waves, waves, strict=True), 1):
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


def _course(plan: "DeployPlan") -> Iterator[str]:
    forecast = plan.forecast
    if plan.replaces is None:
        yield "steps: none, it is the first revision: all users at once when it is ready"
        return
    yield f"steps: {strategy_text(plan.spec.strategy)}"
    expected = forecast.expected
    people = (
        f", and {expected.waits_for_people} times a person" if expected.waits_for_people else ""
    )
    yield f"takes at least {format_duration(round(expected.seconds))}{people}"
    if not plan.spec.analysis.judge:
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
