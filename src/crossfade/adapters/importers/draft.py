"""An application on its way from somebody else's objects to a file of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from crossfade.adapters.documents.application_shape import API_VERSION
from crossfade.adapters.importers.fates import Entry, Note
from crossfade.adapters.importers.objects import Content
from crossfade.base.json_value import Json
from crossfade.base.units import format_duration

Step: TypeAlias = dict[str, Json]
"""A step as the application's file has it."""


@dataclass(slots=True)
class Draft:
    """What is known so far; None for what the objects do not say."""

    title: str
    """The object that it is made of."""
    name: str
    namespace: str = ""
    host: str = ""
    service: str = ""
    port: int | None = None
    gateway: str = ""
    try_seconds: float | None = None
    steps: list[Step] = field(default_factory=list)
    blue_green: Content | None = None
    """None for a canary; its steps come before the switch."""
    keep_old_seconds: float | None = None
    keep_limit: int | None = None
    revision_window: int | None = None
    ready_seconds: float | None = None
    sticky: Content | None = None
    gates: list[Content] = field(default_factory=list)
    hooks: list[Content] = field(default_factory=list)
    notifications: list[Content] = field(default_factory=list)
    runs: list[Content] = field(default_factory=list)
    most_errors_percent: float | None = None
    judged: bool = True
    """Whether anything watches the new revision."""
    notes: dict[str, Note] = field(default_factory=dict)
    """What became of single fields of the object."""

    def pause(self, seconds: float | None) -> None:
        """Add a pause, without an end when it has no length."""
        length: Content = {} if seconds is None else {"duration": format_duration(seconds)}
        self.steps.append({"pause": length})

    def limit_errors(self, percent: float) -> None:
        """Let a revision have this share of errors at most; of several the strictest holds."""
        before = self.most_errors_percent
        self.most_errors_percent = percent if before is None else min(before, percent)


@dataclass(frozen=True, slots=True)
class Imported:
    """One application, and what became of each field that it was made of."""

    name: str
    document: Content
    """The application as its file has it."""
    entries: tuple[Entry, ...]
    chart: Mapping[str, str] = field(default_factory=dict)
    """Files of a chart with the objects that belong to it, by their place in its folder."""


def document_of(draft: Draft, chart: str) -> Content:
    """Return the application as its file has it, with the chart at this place."""
    route: Content = {"host": draft.host, "service": draft.service}
    _put(route, "port", draft.port)
    _put(route, "gateway", draft.gateway or None)
    if draft.try_seconds is not None:
        route["perTryTimeout"] = format_duration(draft.try_seconds)
    spec: Content = {"source": {"chart": chart}, "route": route}
    if rollout := _rollout(draft):
        spec["rollout"] = rollout
    if analysis := _analysis(draft):
        spec["analysis"] = analysis
    if draft.notifications:
        spec["notifications"] = [dict(each) for each in draft.notifications]
    metadata: Content = {"name": draft.name}
    _put(metadata, "namespace", draft.namespace or None)
    return {
        "apiVersion": API_VERSION,
        "kind": "Application",
        "metadata": metadata,
        "spec": spec,
    }


def _put(into: Content, key: str, value: Json) -> None:
    if value is not None:
        into[key] = value


def _rollout(draft: Draft) -> Content:
    rollout: Content = {}
    if draft.ready_seconds is not None:
        rollout["readyTimeout"] = format_duration(draft.ready_seconds)
    if draft.keep_old_seconds is not None:
        rollout["keepOld"] = format_duration(draft.keep_old_seconds)
    _put(rollout, "keepLimit", draft.keep_limit)
    _put(rollout, "revisionWindow", draft.revision_window)
    _put(rollout, "stickiness", draft.sticky)
    for key, calls in (("gates", draft.gates), ("hooks", draft.hooks)):
        if calls:
            rollout[key] = [dict(each) for each in calls]
    steps: list[Json] = [dict(step) for step in draft.steps]
    if draft.blue_green is not None:
        before: Content = {"before": steps} if steps else {}
        rollout["blueGreen"] = before | draft.blue_green
    elif steps:
        rollout["canary"] = {"steps": steps}
    return rollout


def _analysis(draft: Draft) -> Content:
    if not draft.judged:
        return {"metrics": []}
    analysis: Content = {}
    if draft.runs:
        analysis["runs"] = [dict(each) for each in draft.runs]
    if (percent := draft.most_errors_percent) is not None:
        whole = int(percent) if percent == int(percent) else percent
        analysis["thresholds"] = [{"metric": "errors", "maxPercent": whole}]
    return analysis
