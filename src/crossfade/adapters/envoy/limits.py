"""
How much an edge may have under way to an application, and how many second tries.  Pure.

Left alone, Envoy takes the budget of second tries from what is under way.  That fails when it is
needed most: when a network drops everything, all who wait for a connection give up in one moment,
and by then nothing else is under way.  So it is taken from the requests that have come of late.
"""

# Generated protobuf modules get their attributes at run time.
# pyright: reportAttributeAccessIssue=false

from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from google.protobuf import any_pb2, duration_pb2, json_format

Resource = dict[str, Any]

_MANY = 16_384
"""Circuit breakers open far above what one edge carries: their defaults are hit in a failover."""
_SHORTEST_CONNECT, _LONGEST_CONNECT = 0.1, 1.0
"""Seconds.  Between the two a connection has half of the time of a try."""
_BUDGET_PERCENT = 20.0
_BUDGET_CONNECTS = 5
"""The budget is a fifth of the requests of the last five connect timeouts.  So it holds those of
one: as many as may wait for connections when clouds are lost, however many users there are.  It is
also half of what comes in the time of a try, and a slow try has its second one for two of them: so
an application that is slow everywhere is not asked twice as much."""
_ALWAYS = 128
"""Second tries at a time that are allowed in any case: few requests say little."""
_INTERVAL = "budget_interval"
_INTERVAL_NUMBER = 3
"""Of the field in Envoy's protocol: xds-protos does not have its name yet, Envoy does."""


def connect_seconds(try_seconds: float) -> float:
    """Return how long a connection may take to be made, in seconds."""
    return min(max(try_seconds / 2, _SHORTEST_CONNECT), _LONGEST_CONNECT)


def circuit_breakers(try_seconds: float) -> Resource:
    """Return the limits of one Envoy cluster."""
    limits = {
        "max_connections": _MANY,
        "max_pending_requests": _MANY,
        "max_requests": _MANY,
        "retry_budget": {
            "budget_percent": {"value": _BUDGET_PERCENT},
            _INTERVAL: f"{_BUDGET_CONNECTS * connect_seconds(try_seconds):.3f}s",
            "min_retry_concurrency": _ALWAYS,
        },
    }
    return {"thresholds": [{"priority": priority} | limits for priority in ("DEFAULT", "HIGH")]}


def cluster_message(resource: Resource) -> any_pb2.Any:
    """Return an Envoy cluster as a message, with the interval of the budget."""
    thresholds = resource["circuit_breakers"]["thresholds"]
    intervals = [each["retry_budget"][_INTERVAL] for each in thresholds]
    plain = [
        each | {"retry_budget": _without(each["retry_budget"], _INTERVAL)} for each in thresholds
    ]
    message = json_format.ParseDict(
        _without(resource, "@type") | {"circuit_breakers": {"thresholds": plain}},
        cluster_pb2.Cluster(),
    )
    for each, interval in zip(message.circuit_breakers.thresholds, intervals, strict=True):
        each.retry_budget.MergeFromString(_field(_INTERVAL_NUMBER, interval))
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def _field(number: int, interval: str) -> bytes:
    """Return a duration as one field of a message, as protocol buffers write it."""
    duration = duration_pb2.Duration()
    duration.FromJsonString(interval)
    content = duration.SerializeToString()
    length_delimited = 2
    return bytes([number << 3 | length_delimited, len(content)]) + content


def _without(values: Resource, name: str) -> Resource:
    return {key: value for key, value in values.items() if key != name}
