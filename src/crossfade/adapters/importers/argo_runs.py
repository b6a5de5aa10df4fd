"""Analyses of Argo with their templates as analysis runs of ours."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from crossfade.adapters.importers.argo_fields import TEMPLATE
from crossfade.adapters.importers.argo_queries import asked
from crossfade.adapters.importers.draft import Draft
from crossfade.adapters.importers.fates import (
    Entry,
    Note,
    changed,
    kept,
    sorted_out,
    unsupported,
)
from crossfade.adapters.importers.objects import Content, KubernetesObject, at, items, mapping, text
from crossfade.adapters.importers.success_rates import most_errors
from crossfade.adapters.importers.surroundings import Things, find
from crossfade.base.json_value import Json
from crossfade.core.analysis.expression_tokens import ExpressionError
from crossfade.core.analysis.expressions import condition

_KINDS = ("AnalysisTemplate", "ClusterAnalysisTemplate")
_PLACEHOLDER = re.compile(r"\{\{\s*args\.([-\w]+)\s*\}\}")
_HASHES = {"Latest": "{{revision}}", "Stable": "{{stable}}"}
_CONDITIONS = ("successCondition", "failureCondition")
_NUMBERS = (
    "count", "failureLimit", "inconclusiveLimit", "consecutiveErrorLimit",
    "consecutiveSuccessLimit",
)  # fmt: skip
_TIMES = ("interval", "initialDelay")
_DURATION = re.compile(r"(\d+h)?(\d+m)?(\d+s)?(\d+ms)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What the arguments of an analysis are known to be."""

    values: Mapping[str, str]
    """Texts that stay arguments."""
    meanings: Mapping[str, str]
    """Placeholders of ours for arguments that stood for a revision or its Service."""

    def in_query(self, written: str) -> str:
        """Return a query with our placeholders; arguments that are texts stay arguments."""

        def replaced(found: re.Match[str]) -> str:
            return self.meanings.get(found[1], f"{{{{args.{found[1]}}}}}")

        return _PLACEHOLDER.sub(replaced, written)

    def everywhere(self, written: str) -> str:
        """Return a text with the values of arguments in it, where they are known."""
        return _PLACEHOLDER.sub(lambda found: self.values.get(found[1], found[0]), written)


@dataclass(slots=True)
class Runs:
    """The runs of one application, made while its steps are read."""

    draft: Draft
    things: Things
    services: Mapping[str, str]
    """Names of Services and the placeholders that stand for them."""
    _notes: dict[str, dict[str, Note]] = field(default_factory=dict)
    _used: dict[str, KubernetesObject] = field(default_factory=dict)

    def add(self, path: str, analysis: Content, *, background: bool = False) -> str | None:
        """Add a run for an analysis; return its name, None with a note when there is none."""
        templates = []
        for reference in items(analysis.get("templates")):
            name = text(at(reference, "templateName"))
            found = [find(self.things, kind, name) for kind in _KINDS]
            template = next((each for each in found if each is not None), None)
            if template is None:
                self.draft.notes[path] = unsupported(f"its template {name} is not in the files")
                return None
            templates.append(template)
        metrics, values = self._metrics(templates, analysis)
        if not metrics:
            self.draft.notes[path] = unsupported("none of its metrics can be asked here")
            return None
        run: Content = {"name": self._name(templates[0].name)}
        if background:
            run["background"] = True
        if values:
            run["args"] = dict(values)
        self.draft.runs.append({**run, "metrics": list(metrics)})
        return text(run["name"])

    def entries(self) -> Iterator[Entry]:
        """Yield what became of the templates that were named."""
        for title, template in self._used.items():
            yield from sorted_out(title, dict(template.spec), TEMPLATE, self._notes[title])

    def _name(self, wanted: str) -> str:
        """Return a name for the run: each is waited for once, so no two analyses share one."""
        plain = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-")[:34].strip("-") or "run"
        taken, number = [each["name"] for each in self.draft.runs], 1
        while (name := plain if number == 1 else f"{plain}-{number}") in taken:
            number += 1
        return name

    def _metrics(
        self, templates: list[KubernetesObject], analysis: Content
    ) -> tuple[list[Content], dict[str, str]]:
        made: list[Content] = []
        values: dict[str, str] = {}
        for template in templates:
            notes = self._notes.setdefault(template.title, {})
            self._used[template.title] = template
            arguments = self._arguments(template, analysis, notes)
            silent = _dry(template.spec) + _dry(analysis)
            for index, metric in enumerate(items(template.spec.get("metrics"))):
                path = f"spec.metrics[{index}]"
                one = self._metric(path, mapping(metric), arguments, notes)
                if one is None:
                    continue
                if any(_matches(each, text(at(metric, "name"))) for each in silent):
                    one["dryRun"] = True
                one["name"] = _unique(text(one["name"]), made)
                made.append(one)
            values |= arguments.values
        used = " ".join(str(each["query"]) for each in made)
        return made, {key: each for key, each in values.items() if f"args.{key}" in used}

    def _arguments(
        self, template: KubernetesObject, analysis: Content, notes: dict[str, Note]
    ) -> Arguments:
        given = {text(at(each, "name")): each for each in items(analysis.get("args"))}
        values: dict[str, str] = {}
        meanings: dict[str, str] = {}
        for index, own in enumerate(items(template.spec.get("args"))):
            name = text(at(own, "name"))
            found = given.get(name, own)
            value = at(found, "value")
            latest = text(at(found, "valueFrom", "podTemplateHashValue"))
            path = f"spec.args[{index}]"
            if latest in _HASHES:
                meanings[name] = _HASHES[latest]
                notes[path] = changed(f"is {_HASHES[latest]} in queries")
            elif value is None:
                notes[path] = unsupported("has no value in the files: write it into `args`")
            elif meaning := self._service(str(value)):
                meanings[name] = meaning
                notes[path] = changed(f"is {meaning} in queries")
            else:
                values[name] = str(value)
                notes[path] = kept()
        return Arguments(values, meanings)

    def _service(self, value: str) -> str:
        """Return what stands for the Service of a revision, "" for other texts."""
        name, dot, rest = value.partition(".")
        return f"{self.services[name]}{dot}{rest}" if name in self.services else ""

    def _metric(
        self, path: str, metric: Content, arguments: Arguments, notes: dict[str, Note]
    ) -> Content | None:
        found = asked(mapping(metric.get("provider")), arguments.in_query)
        reason = found.reason
        made: Content = {"name": _plain(text(metric.get("name"))), "query": found.query}
        if found.source is not None:
            made["source"] = found.source
        reason = reason or _limits(made, metric, arguments)
        if reason:
            self._not_asked(path, metric, reason, notes)
            return None
        notes |= {f"{path}.{key}": kept() for key in metric if key != "provider"}
        notes |= {f"{path}.provider.{key}": note for key, note in found.notes.items()}
        return made

    def _not_asked(self, path: str, metric: Content, reason: str, notes: dict[str, Note]) -> None:
        notes[f"{path}.provider"] = unsupported(reason)
        limit = most_errors(metric)
        if limit is not None:
            self.draft.limit_errors(limit)
            notes[f"{path}.name"] = kept()
            notes[f"{path}.successCondition"] = changed(
                f"at most {limit:g} % errors, counted at the gateways and not by the query"
            )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:36].strip("-") or "metric"


def _unique(name: str, made: list[Content]) -> str:
    taken = [each["name"] for each in made]
    return f"{name}-{len(made) + 1}" if name in taken else name


def _limits(into: Content, metric: Content, arguments: Arguments) -> str:
    """Add conditions, numbers and times to a metric; return why that cannot be, "" if it can."""
    for key in _CONDITIONS:
        written = arguments.everywhere(text(metric.get(key)))
        if not written:
            continue
        try:
            condition(written)
        except ExpressionError as error:
            return f"its {key} cannot be read: {error}"
        into[key] = written
    for key in _NUMBERS:
        value = _number(metric.get(key), arguments)
        if value is not None:
            into[key] = value
        elif metric.get(key) is not None:
            return f"its {key} is not known"
    for key in _TIMES:
        written = arguments.everywhere(text(metric.get(key)))
        if written and not _DURATION.fullmatch(written):
            return f"its {key} cannot be read"
        if written:
            into[key] = written
    return ""


def _number(value: Json, arguments: Arguments) -> int | None:
    if isinstance(value, str):
        value = arguments.everywhere(value)
        return int(value) if re.fullmatch(r"-?\d{1,9}", value, re.ASCII) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _dry(spec: Content) -> list[str]:
    return [text(at(each, "metricName")) for each in items(spec.get("dryRun"))]


def _matches(pattern: str, name: str) -> bool:
    """Say whether a rule for dry runs is for this metric: `*` is for all."""
    if pattern == "*":
        return True
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False
