"""Canaries of Flagger as applications."""

from collections.abc import Iterator

from crossfade.adapters.importers.draft import Draft, Step
from crossfade.adapters.importers.fates import Entry, changed, kept, sorted_out, unsupported
from crossfade.adapters.importers.flagger_calls import add_alerts, add_webhooks
from crossfade.adapters.importers.flagger_fields import CANARY
from crossfade.adapters.importers.flagger_runs import Checks, add_checks
from crossfade.adapters.importers.objects import Content, KubernetesObject, at, items, mapping, text
from crossfade.adapters.importers.surroundings import Things, bare, find, is_host
from crossfade.base.json_value import Json
from crossfade.base.units import format_duration, parse_duration

GROUP = "flagger.app"
READY_SECONDS = 600.0
"""Flagger's own time for a revision to become ready."""
INTERVAL_SECONDS = 60.0
SHORTEST_SECONDS = 10.0
DAY_SECONDS = 86400.0
"""Flagger's own age of the cookie that keeps users where they were."""
_KINDS = ("exact", "prefix", "regex")


def draft_of(canary: KubernetesObject) -> Draft:
    """Return what the Canary says of its application."""
    spec, service = canary.spec, mapping(canary.spec.get("service"))
    draft = Draft(canary.title, canary.name, canary.namespace)
    draft.service = services_of(canary)[0]
    draft.port = _whole(service.get("port"))
    draft.ready_seconds = float(_whole(spec.get("progressDeadlineSeconds")) or READY_SECONDS)
    draft.try_seconds = _seconds(at(service, "retries", "perTryTimeout"))
    hosts = [text(each) for each in items(service.get("hosts"))]
    draft.host = next((each for each in hosts if is_host(each)), "")
    _gateway(draft, items(service.get("gatewayRefs")), canary.namespace)
    _steps(draft, spec)
    _sticky(draft, mapping(at(_analysis(spec)[1], "sessionAffinity")))
    draft.judged = spec.get("skipAnalysis") is not True
    if draft.judged:
        _thresholds(draft, spec)
    add_webhooks(draft, *_analysis(spec))
    return draft


def services_of(canary: KubernetesObject) -> tuple[str, ...]:
    """Return the Services through which users may come, the one that all use first."""
    target = text(at(canary.spec, "targetRef", "name"))
    name = text(at(canary.spec, "service", "name")) or target or canary.name
    return (name, f"{name}-primary", f"{name}-canary")


def workloads_of(canary: KubernetesObject, things: Things) -> Iterator[Content]:
    """Yield the workload, its autoscaler, and the Service that Flagger made in front of it."""
    for key in ("targetRef", "autoscalerRef"):
        reference = mapping(canary.spec.get(key))
        kind, name = text(reference.get("kind")), text(reference.get("name"))
        found = find(things, kind, name, canary.namespace)
        if found is None:
            continue
        yield bare(found)
        labels = mapping(at(found.content, "spec", "selector", "matchLabels"))
        if key == "targetRef" and labels:
            yield _service(canary, labels)


def _service(canary: KubernetesObject, labels: Content) -> Content:
    service = mapping(canary.spec.get("service"))
    port = service.get("port", 80)
    ports: Content = {"port": port, "targetPort": service.get("targetPort", port)}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": services_of(canary)[0]},
        "spec": {"selector": labels, "ports": [{"name": service.get("portName", "http"), **ports}]},
    }


def _whole(value: Json) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _seconds(value: Json) -> float | None:
    try:
        return parse_duration(text(value))
    except ValueError:
        return None


def _gateway(draft: Draft, references: list[Json], namespace: str) -> None:
    for index, reference in enumerate(references):
        if index:
            note = unsupported("an application has one gateway in each cluster")
            draft.notes[f"spec.service.gatewayRefs[{index}]"] = note
        elif name := text(at(reference, "name")):
            draft.gateway = f"{text(at(reference, 'namespace')) or namespace or 'default'}/{name}"


def _sticky(draft: Draft, affinity: Content) -> None:
    if not affinity:
        return
    name = text(affinity.get("cookieName"))
    sticky: Content = {"cookie": name} if name else {}
    sticky["ttl"] = format_duration(float(_whole(affinity.get("maxAge")) or DAY_SECONDS))
    draft.sticky = sticky


def _analysis(spec: Content) -> tuple[str, Content]:
    """Return where the analysis stands, and the analysis."""
    key = "analysis" if "analysis" in spec else "canaryAnalysis"
    return f"spec.{key}", mapping(spec.get(key))


def _interval(analysis: Content) -> float:
    return max(_seconds(analysis.get("interval")) or INTERVAL_SECONDS, SHORTEST_SECONDS)


def _steps(draft: Draft, spec: Content) -> None:
    path, analysis = _analysis(spec)
    interval = _interval(analysis)
    weights, iterations = _weights(analysis), _whole(analysis.get("iterations")) or 0
    routes = list(_routes(draft, path, analysis))
    if routes and not weights:
        draft.steps += routes
        draft.pause(iterations * interval if iterations else None)
        return
    mirrored = _mirror(draft, path, analysis)
    if weights:
        if mirrored:
            draft.pause(interval)
            draft.steps.append({"setMirror": 0})
        _weighted(draft, weights, interval)
        if iterations:
            draft.notes[f"{path}.iterations"] = changed("weights are given: they decide")
    elif iterations:
        draft.blue_green = {}
        draft.pause(iterations * interval)


def _weighted(draft: Draft, weights: list[int], interval: float) -> None:
    for weight in weights:
        draft.steps.append({"setWeight": weight})
        draft.pause(interval)


def _mirror(draft: Draft, path: str, analysis: Content) -> bool:
    """Begin with a mirror if there is one; with weights it lasts one interval, as with Flagger."""
    if analysis.get("mirror") is not True:
        return False
    weight = analysis.get("mirrorWeight", 100)
    percent = max(0, min(_whole(weight) or 0, 100))
    if percent != weight:
        draft.notes[f"{path}.mirrorWeight"] = changed(f"{percent} percent are mirrored")
    draft.steps.append({"setMirror": percent})
    return True


def _routes(draft: Draft, path: str, analysis: Content) -> Iterator[Step]:
    """Yield a route for each way in which a user may be meant: all conditions of one must hold."""
    for index, match in enumerate(items(analysis.get("match"))):
        conditions = []
        for header, value in mapping(at(match, "headers")).items():
            kind = next((kind for kind in _KINDS if text(at(value, kind))), None)
            if kind is None:
                where = f"{path}.match[{index}].headers"
                draft.notes[where] = changed(f"{header} compares nothing: it is left out")
            else:
                conditions.append({"header": header, kind: at(value, kind)})
        if conditions:
            route: Content = {"name": f"match-{index + 1}", "match": list(conditions)}
            yield {"setHeaderRoute": route}


def _weights(analysis: Content) -> list[int]:
    """
    Return the shares of the new revision, one after another.

    The last one may be above `maxWeight`: Flagger adds a whole step to what is below it.
    """
    given = [_whole(each) for each in items(analysis.get("stepWeights"))]
    if given:
        return [min(each, 100) for each in given if each is not None]
    step, most = _whole(analysis.get("stepWeight")) or 0, _whole(analysis.get("maxWeight")) or 100
    if step <= 0:
        return []
    below = list(range(step, min(most, 100), step))
    return [*below, min((below[-1] if below else 0) + step, 100)]


def _thresholds(draft: Draft, spec: Content) -> None:
    path, analysis = _analysis(spec)
    for index, metric in enumerate(items(analysis.get("metrics"))):
        if at(metric, "name") != "request-success-rate":
            continue
        for keys in (("thresholdRange", "min"), ("threshold",)):
            least = at(metric, *keys)
            if isinstance(least, int | float) and not isinstance(least, bool):
                limit = round(100 - min(max(least, 0), 100), 6)
                draft.limit_errors(limit)
                note = changed(f"at most {limit:g} % errors, counted at the gateways")
                draft.notes[f"{path}.metrics[{index}].{keys[0]}"] = note
                draft.notes[f"{path}.metrics[{index}].name"] = kept()
                break


def add_surroundings(draft: Draft, canary: KubernetesObject, things: Things) -> tuple[Entry, ...]:
    """Add whom the Canary alerts and what it asks; return what became of what they name."""
    path, analysis = _analysis(canary.spec)
    entries = list(add_alerts(draft, path, canary, analysis, things))
    if draft.judged:
        failures = _whole(analysis.get("threshold")) or 1
        checks = Checks(draft, canary, path, analysis, _interval(analysis), failures)
        entries += add_checks(checks, things)
    return tuple(entries)


def entries_of(draft: Draft, canary: KubernetesObject) -> Iterator[Entry]:
    """Yield what became of each field of the Canary."""
    return sorted_out(canary.title, dict(canary.spec), CANARY, draft.notes)
