"""Rollouts of Argo, with their analysis templates, as applications."""

from collections.abc import Iterator

from crossfade.adapters.importers.argo_fields import ROLLOUT, TEMPLATE
from crossfade.adapters.importers.argo_steps import add_steps, seconds_of
from crossfade.adapters.importers.draft import Draft
from crossfade.adapters.importers.fates import Entry, changed, kept, sorted_out
from crossfade.adapters.importers.objects import Content, KubernetesObject, at, items, mapping, text
from crossfade.adapters.importers.surroundings import Things, bare, find
from crossfade.base.json_value import Json
from crossfade.base.units import format_duration
from crossfade.core.analysis.expression_syntax import Binary, Literal, Member, Name, parse
from crossfade.core.analysis.expression_tokens import ExpressionError

GROUP = "argoproj.io"
READY_SECONDS = 600.0
"""Argo's own time for a revision to become ready."""
KEEP_SECONDS = 30.0
"""Argo's own time for which an old revision is kept."""
_MOST_KEPT, _MOST_WINDOW = 10, 9
_TEMPLATES = ("AnalysisTemplate", "ClusterAnalysisTemplate")
_CANARY, _BLUE_GREEN = "spec.strategy.canary", "spec.strategy.blueGreen"


def draft_of(rollout: KubernetesObject) -> Draft:
    """Return what the Rollout says of its application."""
    draft = Draft(rollout.title, rollout.name, rollout.namespace)
    spec = rollout.spec
    draft.ready_seconds = _number(spec.get("progressDeadlineSeconds"), READY_SECONDS)
    if spec.get("progressDeadlineAbort") is True:
        draft.notes["spec.progressDeadlineAbort"] = kept("a revision not ready in time goes back")
    window = at(spec, "rollbackWindow", "revisions")
    draft.revision_window = _at_most(draft, "spec.rollbackWindow.revisions", window, _MOST_WINDOW)
    blue_green = at(spec, "strategy", "blueGreen")
    if isinstance(blue_green, dict):
        _blue_green(draft, blue_green)
    else:
        canary = mapping(at(spec, "strategy", "canary"))
        _canary(draft, canary, spec.get("replicas"))
    return draft


def services_of(rollout: KubernetesObject) -> tuple[str, ...]:
    """Return the Services through which users may come, stable or active first."""
    strategy = rollout.spec.get("strategy")
    canary, blue_green = at(strategy, "canary"), at(strategy, "blueGreen")
    names = (
        at(canary, "stableService"),
        at(blue_green, "activeService"),
        at(canary, "pingPong", "pingService"),
        at(canary, "canaryService"),
    )
    return tuple(text(name) for name in names if text(name))


def workloads_of(rollout: KubernetesObject, things: Things) -> Iterator[Content]:
    """Yield the Deployment that does what the Rollout did, and the Service in front of it."""
    reference = mapping(rollout.spec.get("workloadRef"))
    if reference:
        found = find(things, text(reference.get("kind")), text(reference.get("name")))
        if found is not None:
            yield _scaled(bare(found), rollout.spec.get("replicas"))
    elif "template" in rollout.spec:
        own = bare(rollout)
        keys = ("replicas", "selector", "template", "minReadySeconds")
        spec: Content = {key: rollout.spec[key] for key in keys if key in rollout.spec}
        yield own | {"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec}
    for name in services_of(rollout)[:1]:
        service = find(things, "Service", name, rollout.namespace)
        if service is not None:
            yield bare(service)


def _scaled(workload: Content, replicas: Json) -> Content:
    """Return a workload with the Rollout's pods: Argo scales the one it refers to down."""
    if replicas is None:
        return workload
    spec: Content = {**mapping(workload.get("spec")), "replicas": replicas}
    return {**workload, "spec": spec}


def _number(value: Json, default: float) -> float:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known and isinstance(value, int | float) else default


def _at_most(draft: Draft, path: str, value: Json, most: int) -> int | None:
    """Return a whole number, brought down to what an application may have."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return None
    if value > most:
        draft.notes[path] = changed(f"{most} is the most, instead of {value}")
    return min(value, most)


def _kept_revisions(draft: Draft, path: str, strategy: Content) -> None:
    draft.keep_old_seconds = _number(strategy.get("scaleDownDelaySeconds"), KEEP_SECONDS)
    key = "scaleDownDelayRevisionLimit"
    draft.keep_limit = _at_most(draft, f"{path}.{key}", strategy.get(key), _MOST_KEPT)


def _blue_green(draft: Draft, strategy: Content) -> None:
    _kept_revisions(draft, _BLUE_GREEN, strategy)
    seconds = seconds_of(strategy.get("autoPromotionSeconds"))
    draft.blue_green = {}
    if strategy.get("autoPromotionEnabled") is False:
        draft.blue_green = {"autoPromote": False}
        if seconds:
            path = f"{_BLUE_GREEN}.autoPromotionSeconds"
            draft.notes[path] = changed("a person promotes, as with `autoPromotionEnabled: false`")
    elif seconds:
        draft.blue_green = {"autoPromote": {"duration": format_duration(seconds)}}


def _canary(draft: Draft, strategy: Content, replicas: Json) -> None:
    _kept_revisions(draft, _CANARY, strategy)
    stickiness = mapping(at(strategy, "trafficRouting", "alb", "stickinessConfig"))
    if stickiness.get("enabled") is True:
        seconds = _number(stickiness.get("durationSeconds"), 0.0)
        draft.sticky = {"ttl": format_duration(seconds)} if seconds >= 1 else {}
    add_steps(draft, strategy, replicas)


def thresholds_of(draft: Draft, rollout: KubernetesObject, things: Things) -> tuple[Entry, ...]:
    """
    Give the draft a threshold of errors where a template has one; return what became of templates.

    Of several the strictest holds.
    """
    entries: list[Entry] = []
    for template in _templates(rollout, things):
        notes = {}
        for index, metric in enumerate(items(template.spec.get("metrics"))):
            limit = _most_errors(mapping(metric))
            if limit is not None:
                draft.limit_errors(limit)
                path = f"spec.metrics[{index}]"
                notes[f"{path}.name"] = kept()
                notes[f"{path}.successCondition"] = changed(
                    f"at most {limit:g} % errors, counted at the gateways and not by the query"
                )
        entries += sorted_out(template.title, dict(template.spec), TEMPLATE, notes)
    return tuple(entries)


def _templates(rollout: KubernetesObject, things: Things) -> Iterator[KubernetesObject]:
    """Yield the templates that the rollout names, each once."""
    wanted = [
        text(at(each, "templateName"))
        for analysis in _analyses(rollout.spec)
        for each in items(at(analysis, "templates"))
    ]
    for name in dict.fromkeys(wanted):
        for kind in _TEMPLATES:
            found = find(things, kind, name)
            if found is not None:
                yield found
                break


def _analyses(spec: Content) -> Iterator[Json]:
    canary, blue_green = at(spec, "strategy", "canary"), at(spec, "strategy", "blueGreen")
    yield at(canary, "analysis")
    for step in items(at(canary, "steps")):
        yield at(step, "analysis")
    yield at(blue_green, "prePromotionAnalysis")
    yield at(blue_green, "postPromotionAnalysis")


def _most_errors(metric: Content) -> float | None:
    """Return the share of errors, in percent, that a metric allows; None when it tells none."""
    name = text(metric.get("name")).lower()
    try:
        tree = parse(text(metric.get("successCondition")))
    except ExpressionError:
        return None
    match tree:
        case Binary(operator, Name() | Member(Name(), Literal(0)), Literal(limit)):
            pass
        case _:
            return None
    if not isinstance(limit, int | float) or isinstance(limit, bool) or not 0 <= limit <= 1:
        return None
    if operator in (">", ">=") and "success" in name:
        return round((1 - limit) * 100, 6)
    if operator in ("<", "<=") and ("error" in name or "fail" in name):
        return round(limit * 100, 6)
    return None


def entries_of(draft: Draft, rollout: KubernetesObject) -> Iterator[Entry]:
    """Yield what became of each field of the Rollout."""
    return sorted_out(rollout.title, dict(rollout.spec), ROLLOUT, draft.notes)
