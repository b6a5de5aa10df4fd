"""An application in the keys of its file, for people who compare two of them."""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from crossfade.base.codec import to_json
from crossfade.base.json_value import Json
from crossfade.base.units import format_duration
from crossfade.core.application import Application
from crossfade.core.rollout.spec import Kind
from crossfade.core.traffic.destinations import Mode

Tree: TypeAlias = dict[str, Any]

_SECONDS = "_seconds"
_NAMES: Mapping[str, str] = {
    "try_seconds": "perTryTimeout",
    "matches": "match",
    "endpoint": "webhook",
    "sender": "from",
    "recipients": "to",
    "error_budget_percent": "errorBudget",
    "full_percent": "full",
    "standby_percent": "standby",
    "minimum_percent": "minimum",
    "min_seconds": "minDuration",
    "max_seconds": "maxDuration",
    "ready_seconds": "readyTimeout",
    "step_seconds": "stepTimeout",
    "whole_seconds": "timeout",
    "edges_seconds": "edges",
}
"""Of fields whose key is not their name; of failover, `step` is another one."""
_STEP_KEYS = {"max_percent": "maxWeight", "seconds": "duration", "matches": "match"}
_ONLY_IN = {
    "full": (Mode.OVERFLOW,),
    "standby": (Mode.WARM_STANDBY, Mode.PILOT_LIGHT),
    "minimum": (Mode.PILOT_LIGHT,),
}
"""Keys of the placement that belong to modes."""
_STRATEGIES = {
    Kind.CANARY: "canary",
    Kind.BLUE_GREEN: "blueGreen",
    Kind.A_B: "abTest",
    Kind.ROLLING: "rolling",
}
_SECRET = {"name", "key", "namespace", "cluster"}
_MATCH = {"name", "value", "kind", "cookie"}
_OF_PEOPLE = {"values", "labels", "orders", "edges"}
_BESIDE = ("steps", "kind", "in_place", "survive", "deadlines", "sticky")
"""Fields of the strategy that stand elsewhere in the file."""


def as_written(application: Application) -> Tree:
    """
    Return what the application's file says, with every default spelled out.

    Steps that follow from a kind of strategy (blue/green, A/B, rolling) stand in its one place.
    """
    spec = to_json(application)
    failover = spec["failover"]
    wanted: Tree = {
        "source": _plain(spec["source"]),
        "route": _route(spec["route"]) if spec["route"] else None,
        "shared": _written(spec["shared"]),
        "placement": _placement(spec),
        "failover": {**_map(failover), "step": _duration(failover["step_seconds"])},
        "rollout": _rollout(spec["strategy"], application),
        "analysis": _analysis(spec["analysis"]),
        "notifications": [_notification(each) for each in spec["notifications"]],
        "dns": _written(spec["dns"]),
        "data": _written(spec["data"]),
    }
    metadata: Tree = {"name": spec["name"], "namespace": spec["namespace"]}
    wanted["failover"].pop("stepTimeout")
    return {"metadata": metadata, "spec": {k: v for k, v in wanted.items() if v is not None}}


def _route(route: Tree) -> Tree:
    path = route.pop("probe_path")
    return {**_map(route), "probe": {"path": path}}


def _placement(spec: Tree) -> Tree:
    placement = _map({k: v for k, v in spec["placement"].items() if k != "match_labels"})
    for key, modes in _ONLY_IN.items():
        if placement["mode"] not in modes:
            del placement[key]
    placement["clusters"] = {"matchLabels": spec["placement"]["match_labels"]}
    placement["weights"] = spec["edge_weights"]
    placement["survive"] = spec["strategy"]["survive"]
    return placement


def _rollout(strategy: Tree, application: Application) -> Tree:
    kind = application.strategy.kind
    found = _map({k: v for k, v in strategy.items() if k not in _BESIDE})
    found |= _map(strategy["deadlines"])
    if strategy["keep_old_seconds"] is None:
        found["keepOld"] = "forever"
    if strategy["sticky"]:
        sticky = strategy["sticky"]
        found["stickiness"] = {"cookie": sticky["cookie"], "ttl": _duration(sticky["seconds"])}
    steps = [_step(each) for each in strategy["steps"]]
    if kind is Kind.CANARY:
        found["canary"] = {"steps": steps}
    elif kind is Kind.ROLLING:
        percents = [each["setWeight"] for each in steps]
        found["rolling"] = {"steps": percents, "inPlace": strategy["in_place"]}
    else:
        # One value: which of its steps stand in which key, they no longer say.
        found[_STRATEGIES[kind]] = [" ".join(f"{k}: {v}" for k, v in s.items()) for s in steps]
    for window in found["freeze"]:
        window["timeZone"] = window.pop("zone")
    found["hooks"] = [_hook(each) for each in strategy["hooks"]]
    found["waves"] = [_wave(each) for each in strategy["waves"]]
    return found


def _hook(hook: Tree) -> Tree:
    found = _map({k: v for k, v in hook.items() if k not in {"moment", "phase"}})
    return {**found, hook["moment"]: hook["phase"]}


def _step(step: Tree) -> Tree:
    name = step["step"]
    read = {_STEP_KEYS.get(key, key): _written(v) for key, v in step.items() if key != "step"}
    if name in {"setWeight", "setMirror"}:
        return {name: read["percent"]}
    if name == "setScale" and read["percent"] is None:
        return {name: {"matchWeight": True}}
    if read.get("duration") is not None:
        read["duration"] = _duration(read["duration"])
    return {name: {key: value for key, value in read.items() if value is not None}}


def _wave(wave: Tree) -> Tree:
    clusters = wave["clusters"] or {"matchLabels": wave["match_labels"]}
    return {"clusters": clusters, "pause": format_duration(wave["pause_seconds"])}


def _analysis(analysis: Tree) -> Tree:
    judge, threshold = analysis["judge"], analysis["threshold"]
    found: Tree = _map(judge) if judge else {"metrics": []}
    latency = found.pop("latencyDispersion", None)
    if latency is not None:
        found["dispersion"] = {"errors": found["dispersion"], "latency": latency}
    if threshold:
        found["thresholds"] = [{"metric": "errors", **_map(threshold)}]
    for key in ("runs", "source", "counters"):
        if analysis[key]:
            found[key] = _written(analysis[key])
    return found


def _notification(notification: Tree) -> Tree:
    channel = notification["channel"]
    found = _map({k: v for k, v in notification.items() if k != "channel"})
    if "recipients" in channel:
        return {**found, "email": _map(channel)}
    if "endpoint" in channel:
        return {**found, "webhook": _map(channel["endpoint"])}
    return {**found, "slack": _map(channel)}


def _written(value: Json) -> Json:
    if isinstance(value, dict):
        if value.keys() == _MATCH:
            return _match(value)
        return _secret(value) if value.keys() == _SECRET else _map(value)
    if isinstance(value, float) and value == int(value):
        return int(value)
    return [_written(each) for each in value] if isinstance(value, list) else value


def _map(tree: Tree) -> Tree:
    """Return the mapping with the keys of the file; names that people chose are among values."""
    found: Tree = {}
    for name, value in tree.items():
        if name in _OF_PEOPLE:
            found[name] = value
        elif name == "error_budget_percent":
            found[_key(name)] = f"{value:g}%"
        elif name.endswith(_SECONDS):
            found[_key(name)] = _duration(value)
        else:
            found[_key(name)] = _written(value)
    return found


def _match(match: Tree) -> Tree:
    return {"cookie" if match["cookie"] else "header": match["name"], match["kind"]: match["value"]}


def _secret(secret: Tree) -> Tree:
    return {"secretRef": secret} if secret["namespace"] else {"secret": secret["name"]}


def _plain(source: Tree) -> Tree:
    return {key: value for key, value in source.items() if value is not None}


def _key(name: str) -> str:
    name = _NAMES.get(name, name.removesuffix(_SECONDS))
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def _duration(value: Json) -> Json:
    if isinstance(value, list):
        return [_duration(each) for each in value]
    return format_duration(value) if isinstance(value, int | float) else value
