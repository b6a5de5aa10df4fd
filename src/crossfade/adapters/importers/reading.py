"""Applications out of files with objects of Argo Rollouts and Flagger."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crossfade.adapters.documents.application import parse
from crossfade.adapters.helm.manifest_text import write
from crossfade.adapters.importers import argo, flagger
from crossfade.adapters.importers.argo_fields import TEMPLATE
from crossfade.adapters.importers.charts import chart_of
from crossfade.adapters.importers.draft import Draft, Imported, document_of
from crossfade.adapters.importers.fates import Entry, Fate, Rules, sorted_out
from crossfade.adapters.importers.flagger_fields import ALERT_PROVIDER, METRIC_TEMPLATE
from crossfade.adapters.importers.objects import Content, KubernetesObject, mapping
from crossfade.adapters.importers.surroundings import Things, host_of, port_of
from crossfade.base.errors import InputError

_IMPORTED = {(argo.GROUP, "Rollout"), (flagger.GROUP, "Canary")}
_RULES: dict[tuple[str, str], Rules] = {
    (argo.GROUP, "AnalysisTemplate"): TEMPLATE,
    (argo.GROUP, "ClusterAnalysisTemplate"): TEMPLATE,
    (flagger.GROUP, "MetricTemplate"): METRIC_TEMPLATE,
    (flagger.GROUP, "AlertProvider"): ALERT_PROVIDER,
}
_ROUTES = ("Ingress", "HTTPRoute", "VirtualService", "DestinationRule", "TrafficSplit")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the objects do not say."""

    charts: str = "charts"
    """Folder with a chart for each application, under its name."""
    domain: str = "example.com"
    """Below which a host is made up where none is found."""


@dataclass(frozen=True, slots=True)
class Import:
    """All applications of the files, and what became of everything."""

    applications: tuple[Imported, ...]
    others: tuple[Entry, ...]
    """Objects that are part of no application."""

    @property
    def text(self) -> str:
        """The applications as one file."""
        return write([each.document for each in self.applications]).removeprefix("---\n")

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What became of everything, in the order of the applications."""
        return (*(entry for each in self.applications for entry in each.entries), *self.others)


def applications_of(things: Sequence[KubernetesObject], wishes: Wishes) -> Import:
    """
    Return an application for each Rollout and Canary among the objects.

    Raises InputError when there is none, or when one cannot be an application.
    """
    chosen = [each for each in things if (each.group, each.kind) in _IMPORTED]
    if not chosen:
        kinds = ", ".join(sorted({each.kind for each in things})) or "nothing"
        raise InputError(
            f"there is no Rollout of {argo.GROUP} and no Canary of {flagger.GROUP}; found: {kinds}",
            hint="name the files that have them, with their templates and Services beside them",
        )
    imported = tuple(_imported(each, things, wishes) for each in chosen)
    told = {entry.object for each in imported for entry in each.entries}
    inside = {name for each in imported for name in each.chart}
    others = tuple(
        entry
        for thing in things
        if thing not in chosen and thing.title not in told
        for entry in _other(thing, inside)
    )
    return Import(imported, others)


def _imported(thing: KubernetesObject, things: Things, wishes: Wishes) -> Imported:
    if thing.group == argo.GROUP:
        draft, templates = argo.draft_of(thing, things)
        services, workloads = argo.services_of(thing), argo.workloads_of(thing, things)
        entries = (*argo.entries_of(draft, thing), *templates)
    else:
        draft = flagger.draft_of(thing)
        services, workloads = flagger.services_of(thing), flagger.workloads_of(thing, things)
        around = flagger.add_surroundings(draft, thing, things)
        entries = (*flagger.entries_of(draft, thing), *around)
    made_up = tuple(_made_up(draft, services, things, wishes))
    document = document_of(draft, f"{wishes.charts}/{draft.name}")
    # What our own reader refuses would only be found out later, and by somebody else.
    parse(write([document]), f"the application made of {thing.title}")
    chart = chart_of(draft.name, tuple(workloads))
    return Imported(draft.name, document, (*entries, *made_up), chart)


def _made_up(
    draft: Draft, services: Sequence[str], things: Things, wishes: Wishes
) -> Iterator[Entry]:
    """Fill in what has to be there; yield what is only a guess."""
    draft.host = draft.host or host_of(things, services)
    if not draft.host:
        draft.host = f"{draft.name}.{wishes.domain}".lower()
        yield _guess(draft, "host", f"no route in the files leads to it: {draft.host} stands in")
    draft.service = draft.service or (services[0] if services else "")
    if not draft.service:
        draft.service = draft.name
        yield _guess(draft, "service", f"no Service is named: {draft.name} stands in")
    draft.port = draft.port or port_of(things, draft.service)
    if draft.port is None:
        yield _guess(
            draft, "port", f"the Service {draft.service} is not in the files: 80 stands in"
        )
    if draft.judged:
        reason = (
            "Crossfade's judge compares errors and latency with stable; `metrics: []` ends that"
        )
        yield _guess(draft, "analysis", reason)


def _guess(draft: Draft, key: str, reason: str) -> Entry:
    path = key if key == "analysis" else f"route.{key}"
    return Entry(draft.title, f"({path})", Fate.CHANGED, reason)


def _other(thing: KubernetesObject, inside: set[str]) -> Iterator[Entry]:
    rules = _RULES.get((thing.group, thing.kind))
    if rules is not None:
        yield from sorted_out(thing.title, _spec(thing), rules, {})
    elif f"templates/{thing.kind.lower()}-{thing.name}.yaml" in inside:
        yield Entry(thing.title, "", Fate.CHANGED, "goes into the chart")
    elif thing.kind in _ROUTES:
        reason = "Crossfade writes the application's one route itself, to every revision"
        yield Entry(thing.title, "", Fate.CHANGED, reason)
    else:
        reason = "is not imported: put it into the chart if the application needs it"
        yield Entry(thing.title, "", Fate.UNSUPPORTED, reason)


def _spec(thing: KubernetesObject) -> Content:
    return dict(mapping(thing.content.get("spec")))
