"""Rollouts of Argo, with their analysis templates, as applications."""

from collections.abc import Iterator

from crossfade.adapters.importers.argo_fields import ROLLOUT
from crossfade.adapters.importers.argo_runs import Runs
from crossfade.adapters.importers.argo_steps import add_steps, seconds_of
from crossfade.adapters.importers.draft import Draft
from crossfade.adapters.importers.fates import Entry, changed, kept, sorted_out
from crossfade.adapters.importers.objects import Content, KubernetesObject, at, mapping, text
from crossfade.adapters.importers.surroundings import Things, bare, find
from crossfade.base.json_value import Json
from crossfade.base.units import format_duration

GROUP = "argoproj.io"
READY_SECONDS = 600.0
"""Argo's own time for a revision to become ready."""
KEEP_SECONDS = 30.0
"""Argo's own time for which an old revision is kept."""
_MOST_KEPT, _MOST_WINDOW = 10, 9
_CANARY, _BLUE_GREEN = "spec.strategy.canary", "spec.strategy.blueGreen"


def draft_of(rollout: KubernetesObject, things: Things) -> tuple[Draft, tuple[Entry, ...]]:
    """Return what the Rollout says of its application, and what became of its templates."""
    draft = Draft(rollout.title, rollout.name, rollout.namespace)
    spec = rollout.spec
    draft.ready_seconds = _number(spec.get("progressDeadlineSeconds"), READY_SECONDS)
    if spec.get("progressDeadlineAbort") is True:
        draft.notes["spec.progressDeadlineAbort"] = kept("a revision not ready in time goes back")
    window = at(spec, "rollbackWindow", "revisions")
    draft.revision_window = _at_most(draft, "spec.rollbackWindow.revisions", window, _MOST_WINDOW)
    canary, blue_green = at(spec, "strategy", "canary"), at(spec, "strategy", "blueGreen")
    runs = Runs(draft, things, _meanings(canary, blue_green))
    if isinstance(blue_green, dict):
        _blue_green(draft, blue_green, runs)
    else:
        _canary(draft, mapping(canary), spec.get("replicas"), runs)
    return draft, tuple(runs.entries())


def _meanings(canary: Json, blue_green: Json) -> dict[str, str]:
    """Return the Services that stand for a revision, with the placeholders for them."""
    found = {
        text(at(canary, "stableService")): "{{stable_service}}",
        text(at(blue_green, "activeService")): "{{stable_service}}",
        text(at(canary, "canaryService")): "{{service}}",
        text(at(blue_green, "previewService")): "{{service}}",
    }
    return {name: meaning for name, meaning in found.items() if name}


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


def _blue_green(draft: Draft, strategy: Content, runs: Runs) -> None:
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
    for key in ("prePromotionAnalysis", "postPromotionAnalysis"):
        analysis = mapping(strategy.get(key))
        run = runs.add(f"{_BLUE_GREEN}.{key}", analysis) if analysis else None
        if run is None:
            continue
        step: Content = {"analysis": {"run": run}}
        if key == "prePromotionAnalysis":
            draft.steps.append(step)
        else:
            draft.blue_green["after"] = [step]


def _canary(draft: Draft, strategy: Content, replicas: Json, runs: Runs) -> None:
    _kept_revisions(draft, _CANARY, strategy)
    stickiness = mapping(at(strategy, "trafficRouting", "alb", "stickinessConfig"))
    if stickiness.get("enabled") is True:
        seconds = _number(stickiness.get("durationSeconds"), 0.0)
        draft.sticky = {"ttl": format_duration(seconds)} if seconds >= 1 else {}
    if analysis := mapping(strategy.get("analysis")):
        runs.add(f"{_CANARY}.analysis", analysis, background=True)
    add_steps(draft, strategy, replicas, runs)


def entries_of(draft: Draft, rollout: KubernetesObject) -> Iterator[Entry]:
    """Yield what became of each field of the Rollout."""
    return sorted_out(rollout.title, dict(rollout.spec), ROLLOUT, draft.notes)
