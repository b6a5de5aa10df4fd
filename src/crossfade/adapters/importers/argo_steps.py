"""Steps of Argo's canaries as steps of ours."""

import math
import re

from crossfade.adapters.importers.argo_runs import Runs
from crossfade.adapters.importers.draft import Draft
from crossfade.adapters.importers.fates import changed, unsupported
from crossfade.adapters.importers.objects import Content, at, items, mapping, text
from crossfade.base.json_value import Json
from crossfade.base.units import parse_duration

_STEPS = "spec.strategy.canary.steps"
_KINDS = ("exact", "prefix", "regex")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?", re.ASCII)


def seconds_of(value: Json) -> float | None:
    """Return the length of a time, None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return parse_duration(str(value))
    except ValueError:
        return None


def add_steps(draft: Draft, strategy: Content, replicas: Json, runs: Runs) -> None:
    """Add the steps of a canary to the draft, with notes on those that are not quite the same."""
    most = _whole(at(strategy, "trafficRouting", "maxTrafficWeight")) or 100
    # Istio takes several matches as alternatives, others as conditions that all must hold.
    either = isinstance(at(strategy, "trafficRouting", "istio"), dict)
    steps = _Steps(draft, runs, most, _whole(replicas), either)
    for index, step in enumerate(items(strategy.get("steps"))):
        if isinstance(step, dict):
            steps.add(f"{_STEPS}[{index}]", step)


def _whole(value: Json) -> int | None:
    known = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return value if known and isinstance(value, int) else None


class _Steps:
    def __init__(
        self, draft: Draft, runs: Runs, most: int, replicas: int | None, either: bool
    ) -> None:
        self._draft, self._runs, self._most = draft, runs, most
        self._replicas, self._either = replicas, either
        self._routes: dict[str, list[str]] = {}

    def add(self, path: str, step: Content) -> None:
        """Add what one step of theirs does; the first thing it names counts, as with Argo."""
        if "setWeight" in step:
            self._weight(f"{path}.setWeight", step["setWeight"])
        elif "pause" in step:
            self._pause(f"{path}.pause", mapping(step["pause"]))
        elif "setCanaryScale" in step:
            self._scale(f"{path}.setCanaryScale", mapping(step["setCanaryScale"]))
        elif "setHeaderRoute" in step:
            self._header_route(f"{path}.setHeaderRoute", mapping(step["setHeaderRoute"]))
        elif "setMirrorRoute" in step:
            self._mirror(f"{path}.setMirrorRoute", mapping(step["setMirrorRoute"]))
        elif "analysis" in step:
            run = self._runs.add(f"{path}.analysis", mapping(step["analysis"]))
            if run is not None:
                self._draft.steps.append({"analysis": {"run": run}})

    def _weight(self, path: str, weight: Json) -> None:
        if not isinstance(weight, int) or isinstance(weight, bool) or not 0 <= weight <= self._most:
            self._draft.notes[path] = unsupported(f"is no weight from 0 to {self._most}")
            return
        percent = math.ceil(weight * 100 / self._most)
        self._draft.steps.append({"setWeight": percent})
        if self._most != 100:
            note = changed(f"{weight} of {self._most} is {percent} percent, rounded up")
            self._draft.notes[path] = note

    def _pause(self, path: str, pause: Content) -> None:
        written = pause.get("duration")
        seconds = seconds_of(written)
        if written is not None and seconds is None:
            self._draft.notes[path] = changed("its length cannot be read: it waits for a person")
        self._draft.pause(seconds)

    def _scale(self, path: str, scale: Content) -> None:
        """Add a scale in percent of all pods: that is what an application has."""
        if scale.get("matchTrafficWeight") is True:
            self._draft.steps.append({"setScale": {"matchWeight": True}})
            return
        pods, percent = scale.get("replicas"), scale.get("weight")
        if isinstance(pods, int) and not isinstance(pods, bool):
            if self._replicas is None:
                reason = "pods are a percentage here, and the rollout does not say of how many"
                self._draft.notes[path] = unsupported(reason)
                return
            percent = math.ceil(max(pods, 0) * 100 / self._replicas)
            reason = f"{pods} of {self._replicas} pods are {min(percent, 100)} percent"
            self._draft.notes[path] = changed(reason)
        if not isinstance(percent, int) or isinstance(percent, bool):
            self._draft.notes[path] = unsupported("says neither pods nor a weight")
            return
        if percent > 100:
            self._draft.notes[path] = changed("all pods are the most, instead of more")
        self._draft.steps.append({"setScale": {"percent": max(0, min(percent, 100))}})

    def _header_route(self, path: str, route: Content) -> None:
        name = self._name(path, text(route.get("name")))
        for made in self._routes.pop(name, []):
            self._draft.steps.append({"setHeaderRoute": {"name": made}})
        matches = [_match(each) for each in items(route.get("match"))]
        found = [each for each in matches if each is not None]
        if len(found) < len(matches):
            self._draft.notes[path] = changed("matches that compare nothing are left out")
        groups = [[each] for each in found] if self._either else [found] if found else []
        for number, group in enumerate(groups, 1):
            made = name if number == 1 else f"{name}-{number}"
            self._routes.setdefault(name, []).append(made)
            self._draft.steps.append({"setHeaderRoute": {"name": made, "match": list(group)}})
        if len(groups) > 1:
            self._draft.notes[path] = changed("each of its matches is a route by itself")

    def _name(self, path: str, given: str) -> str:
        if _NAME.fullmatch(given):
            return given
        plain = re.sub(r"[^a-z0-9]+", "-", given.lower()).strip("-")[:50].strip("-") or "route"
        self._draft.notes[path] = changed(f"its name becomes {plain}")
        return plain

    def _mirror(self, path: str, mirror: Content) -> None:
        if not mirror.get("match"):
            self._draft.steps.append({"setMirror": 0})
            return
        percent = mirror.get("percentage", 100)
        if not isinstance(percent, int) or isinstance(percent, bool) or not 0 <= percent <= 100:
            self._draft.notes[path] = unsupported("is no percentage from 0 to 100")
            return
        self._draft.steps.append({"setMirror": percent})
        note = changed("requests of all kinds are copied: a mirror has no match here")
        self._draft.notes[path] = note


def _match(match: Json) -> Content | None:
    """Return a condition on a header, None when it compares nothing."""
    name, value = text(at(match, "headerName")), mapping(at(match, "headerValue"))
    for kind in _KINDS:
        if text(value.get(kind)) and name:
            return {"header": name, kind: value[kind]}
    return None
