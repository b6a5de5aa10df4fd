"""Metrics of Flagger that ask Prometheus, as an analysis run of ours."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from crossfade.adapters.importers.draft import Draft
from crossfade.adapters.importers.fates import Entry, Note, changed, kept, sorted_out
from crossfade.adapters.importers.flagger_fields import METRIC_TEMPLATE
from crossfade.adapters.importers.objects import Content, KubernetesObject, at, items, mapping, text
from crossfade.adapters.importers.surroundings import Things, find
from crossfade.base.json_value import Json
from crossfade.base.units import format_duration

RUN = "checks"
_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_ADDRESS = re.compile(r"https?://[^\s/@]+(/[^\s]*)?")
_VARIABLE = re.compile(r"variables\.([A-Za-z_]\w*)", re.ASCII)
_BUILT_IN = ("request-success-rate", "request-duration")


@dataclass(frozen=True, slots=True)
class Checks:
    """What all metrics of a Canary have in common."""

    draft: Draft
    canary: KubernetesObject
    path: str
    """Where the analysis stands."""
    analysis: Content
    interval_seconds: float
    failures: int
    """Bad checks after which Flagger goes back."""


def add_checks(checks: Checks, things: Things) -> Iterator[Entry]:
    """Add a run that goes on beside the steps; yield what became of metric templates."""
    made: list[Content] = []
    for index, metric in enumerate(items(checks.analysis.get("metrics"))):
        here, given = f"{checks.path}.metrics[{index}]", mapping(metric)
        if text(given.get("name")) in _BUILT_IN:
            continue
        reference = mapping(given.get("templateRef"))
        namespace = text(reference.get("namespace")) or checks.canary.namespace
        template = find(things, "MetricTemplate", text(reference.get("name")), namespace)
        if reference and template is None:
            continue
        one, notes = _metric(checks, given, template)
        if template is not None:
            yield from sorted_out(template.title, dict(template.spec), METRIC_TEMPLATE, notes)
        if one is None:
            continue
        one["name"] = _unique(text(given.get("name")), made)
        made.append(one)
        checks.draft.notes |= {
            f"{here}.{key}": note for key, note in _NOTES.items() if key in given
        }
    if made:
        run: Content = {"name": RUN, "background": True, "metrics": list(made)}
        checks.draft.runs.append(run)


_NOTES: dict[str, Note] = {
    "name": kept(),
    "templateRef": kept("as a metric of `analysis.runs`"),
    "query": kept("as a metric of `analysis.runs`"),
    "templateVariables": kept("in the query"),
    "thresholdRange": changed("as a condition; bad checks are counted for each metric by itself"),
    "threshold": changed("as a condition; bad checks are counted for each metric by itself"),
    "interval": changed("how far a query looks back; checks come as often as before"),
}


def _metric(
    checks: Checks, metric: Content, template: KubernetesObject | None
) -> tuple[Content | None, dict[str, Note]]:
    """Return a metric, None when it cannot be asked here, with notes on its template."""
    if template is None:
        kind, address = "prometheus", text(checks.canary.spec.get("metricsServer"))
        written = text(metric.get("query"))
    else:
        provider = mapping(template.spec.get("provider"))
        kind, address = text(provider.get("type")), text(provider.get("address"))
        written = text(template.spec.get("query"))
    query = _query(checks, metric, written)
    condition = _condition(metric)
    if kind != "prometheus" or not query or not condition:
        return None, {}
    made: Content = {"name": "", "query": {"prometheus": query}}
    notes = {"spec.query": kept(), "spec.provider.type": kept()}
    if _ADDRESS.fullmatch(address):
        made["source"] = {"prometheus": {"address": address}}
        notes["spec.provider.address"] = kept()
    made["successCondition"] = condition
    made["interval"] = format_duration(checks.interval_seconds)
    made["failureLimit"] = max(checks.failures - 1, 0)
    return made, notes


def _query(checks: Checks, metric: Content, written: str) -> str:
    """Return a query with placeholders of ours, "" when it has one that means nothing here."""
    variables = mapping(metric.get("templateVariables"))
    target = text(at(checks.canary.spec, "targetRef", "name"))
    meanings = {
        "namespace": "{{namespace}}",
        "name": "{{application}}",
        # A workload of a revision is called like its release and the workload of the chart.
        "target": f"{{{{release}}}}-{target}" if target else "",
        "service": "{{service}}",
        "interval": text(metric.get("interval")) or format_duration(checks.interval_seconds),
    }
    unknown = []

    def replaced(found: re.Match[str]) -> str:
        name = found[1].strip()
        variable = _VARIABLE.fullmatch(name)
        meaning = text(variables.get(variable[1])) if variable else meanings.get(name, "")
        if not meaning:
            unknown.append(name)
        return meaning

    query = _PLACEHOLDER.sub(replaced, written).strip()
    return "" if unknown else query


def _condition(metric: Content) -> str:
    """Return when a check is good; of several values Flagger takes the last."""
    limits = mapping(metric.get("thresholdRange"))
    least, most = _number(limits.get("min")), _number(limits.get("max"))
    if not limits:
        most = _number(metric.get("threshold"))
    parts = []
    if least is not None:
        parts.append(f"last(result) >= {least:g}")
    if most is not None:
        parts.append(f"last(result) <= {most:g}")
    return " && ".join(parts)


def _number(value: Json) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known and isinstance(value, int | float) else None


def _unique(name: str, made: list[Content]) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:36].strip("-") or "metric"
    taken = [each["name"] for each in made]
    return f"{plain}-{len(made) + 1}" if plain in taken else plain
