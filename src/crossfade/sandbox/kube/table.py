"""Answers as rows and columns: what `kubectl get` prints."""

import re
from typing import NamedTuple

from crossfade.sandbox.kube import table_cells
from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.registry import Served
from crossfade.sandbox.kube.status import group_resource
from crossfade.sandbox.kube.values import Json, seconds

_AGE = "Age"
_COLUMNS = {
    "pods": "Name Ready Status Restarts Age IP+ Node+ Nominated_Node+ Readiness_Gates+",
    "deployments.apps": "Name Ready #Up-to-date #Available Age Containers+ Images+ Selector+",
    "replicasets.apps": "Name #Desired #Current #Ready Age Containers+ Images+ Selector+",
    "statefulsets.apps": "Name Ready Age Containers+ Images+",
    "daemonsets.apps": (
        "Name #Desired #Current #Ready #Up-to-date #Available Node_Selector Age "
        "Containers+ Images+ Selector+"
    ),
    "services": "Name Type Cluster-IP External-IP Port(s) Age Selector+",
    "nodes": (
        "Name Status Roles Age Version Internal-IP+ External-IP+ OS-Image+ Kernel-Version+ "
        "Container-Runtime+"
    ),
    "jobs.batch": "Name Status Completions Duration Age Containers+ Images+ Selector+",
    "cronjobs.batch": "Name Schedule Timezone Suspend #Active Last_Schedule Age",
    "namespaces": "Name Status Age",
    "configmaps": "Name #Data Age",
    "secrets": "Name Type #Data Age",
    "serviceaccounts": "Name #Secrets Age",
    "events": "Last_Seen Type Reason Object Message Name+",
    "endpoints": "Name Endpoints Age",
    "endpointslices.discovery.k8s.io": "Name AddressType Ports Endpoints Age",
    "ingresses.networking.k8s.io": "Name Class Hosts Address Ports Age",
    "leases.coordination.k8s.io": "Name Holder Age",
    "horizontalpodautoscalers.autoscaling": (
        "Name Reference Targets MinPods MaxPods #Replicas Age"
    ),
    "poddisruptionbudgets.policy": ("Name Min_Available Max_Unavailable #Allowed_Disruptions Age"),
    "customresourcedefinitions.apiextensions.k8s.io": "Name Created_At",
    "httproutes.gateway.networking.k8s.io": "Name Hostnames Age",
    "gateways.gateway.networking.k8s.io": "Name Class Address Programmed Age",
    "gatewayclasses.gateway.networking.k8s.io": "Name Controller Accepted Age",
}


class Column(NamedTuple):
    """One column of the answer."""

    name: str
    type: str = "string"
    priority: int = 0
    """Above 0: only with `-o wide`."""
    path: str = ""
    """For columns of a CRD: where the value is."""


def render(
    served: Served, items: list[Object], metadata: Object, now: float, include: str = "Metadata"
) -> Object:
    """Return a `Table` of the objects; `include` says what of each goes along with its row."""
    kind = served.kind
    columns = _custom_columns(served) if served.columns else _columns(kind)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(column) for column in columns],
        "rows": [
            {"cells": _cells(kind, columns, item, now), "object": _included(item, include)}
            for item in items
        ],
    }


def _definition(column: Column) -> Object:
    return {
        "name": column.name,
        "type": column.type,
        "format": "name" if column.name == "Name" else "",
        "description": "",
        "priority": column.priority,
    }


def _included(item: Object, include: str) -> Object | None:
    match include:
        case "None":
            return None
        case "Object":
            return item
        case _:
            return {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": item["metadata"],
            }


def _columns(kind: Kind) -> list[Column]:
    text = _COLUMNS.get(group_resource(kind), "Name Age")
    return [
        Column(
            word.strip("#+").replace("_", " "),
            "integer" if word.startswith("#") else "string",
            1 if word.endswith("+") else 0,
        )
        for word in text.split()
    ]


def _custom_columns(served: Served) -> list[Column]:
    columns = [Column("Name")]
    columns += [
        Column(
            str(column.get("name", "")),
            str(column.get("type", "string")),
            int(column.get("priority", 0)),
            str(column.get("jsonPath", "")),
        )
        for column in served.columns
    ]
    return columns


def _cells(kind: Kind, columns: list[Column], item: Object, now: float) -> list[Json]:
    found = _known_cells(kind, item, now)
    found["Name"] = item["metadata"]["name"]
    found.setdefault(_AGE, age(item["metadata"].get("creationTimestamp"), now))
    result: list[Json] = []
    for column in columns:
        if not column.path:
            result.append(found.get(column.name, ""))
        else:
            value = by_path(item, column.path)
            result.append(age(value, now) if column.type == "date" else value)
    return result


def _known_cells(kind: Kind, item: Object, now: float) -> dict[str, Json]:
    cells = table_cells.CELLS.get(group_resource(kind))
    if cells is None:
        return {}
    try:
        return cells(item, lambda text: age(text, now))
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}  # one odd object must not hide the others


def age(text: str | None, now: float) -> str:
    """Return how long ago a time was, as kubectl writes it: `35s`, `4m2s`, `3h`, `2d4h`."""
    if not isinstance(text, str) or len(text) < 19:
        return "<unknown>"
    try:
        then = seconds(text)
    except ValueError:
        return "<invalid>"
    return duration(now - then)


def duration(elapsed: float) -> str:
    """Return a duration with the two units that matter most."""
    whole = max(0, int(elapsed))
    if whole < 120:
        return f"{whole}s"
    for limit, unit, size, lower in (
        (600, "m", 60, "s"),
        (10_800, "m", 60, ""),
        (28_800, "h", 3600, "m"),
        (172_800, "h", 3600, ""),
        (691_200, "d", 86_400, "h"),
    ):
        if whole < limit:
            rest = whole % size // {"s": 1, "m": 60, "h": 3600, "": 1}[lower]
            return f"{whole // size}{unit}" + (f"{rest}{lower}" if lower and rest else "")
    return f"{whole // 86_400}d"


_STEP = re.compile(
    r"""\.(?P<name>[\w-]+(?:\\.[\w-]+)*) | \['(?P<quoted>[^']+)'\] | \[(?P<index>\d+|\*)\]
      | \[\?\(@\.(?P<key>\w+)\s*==\s*["'](?P<value>[^"']*)["']\)\]""",
    re.VERBOSE,
)


def by_path(obj: Json, path: str) -> Json:
    """Return the first value at a JSON path as CRD columns use it, or None."""
    found: list[Json] = [obj]
    for step in _STEP.finditer(path):
        found = [inner for value in found for inner in _inside(value, step)]
    value = found[0] if found else None
    if isinstance(value, dict | list):
        return ",".join(str(item) for item in value)
    return value


def _inside(value: Json, step: re.Match[str]) -> list[Json]:
    name = step["name"] or step["quoted"]
    if name:
        name = name.replace("\\.", ".")
        return [value[name]] if isinstance(value, dict) and name in value else []
    if not isinstance(value, list):
        return []
    if step["key"]:
        return [item for item in value if item.get(step["key"]) == step["value"]]
    if step["index"] == "*":
        return value
    index = int(step["index"])
    return value[index : index + 1]
