"""An edge plan as Envoy messages with versions that are the same for the same content."""

# Generated protobuf modules get their attributes at run time.
# pyright: reportAttributeAccessIssue=false

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2

# The messages that "@type" names must be known before JSON can become messages.
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.http.stateful_session.v3 import stateful_session_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2,
)
from envoy.extensions.http.stateful_session.cookie.v3 import cookie_pb2
from envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from google.protobuf import any_pb2, json_format

from crossfade.adapters.envoy import limits, resources
from crossfade.adapters.envoy.addresses import Addresses
from crossfade.adapters.envoy.classes import nobody
from crossfade.adapters.envoy.resources import CLUSTER, ENDPOINTS, LISTENER, ROUTES, Tuning
from crossfade.core.traffic.probe import PROBE_HEADER
from crossfade.ports.edge import EdgePlan, EdgeRoute

KNOWN = (
    cluster_pb2,
    endpoint_pb2,
    listener_pb2,
    route_pb2,
    router_pb2,
    stateful_session_pb2,
    cookie_pb2,
    http_connection_manager_pb2,
    previous_hosts_pb2,
    http_protocol_options_pb2,
    tls_pb2,
)


@dataclass(frozen=True, slots=True)
class Content:
    """All resources of one type."""

    version: str
    """A digest: edges that hold this version need nothing, also after a restart of the hub."""
    resources: Mapping[str, any_pb2.Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What edges should hold, by type; the listener is each edge's own and added by `at`."""

    number: int
    contents: Mapping[str, Content]

    def at(self, listener: Content) -> "Snapshot":
        """Return the snapshot for an edge with this listener."""
        return Snapshot(self.number, {**self.contents, LISTENER: listener})


@dataclass(frozen=True, slots=True)
class _Encoded:
    """One application's part of a snapshot."""

    clusters: dict[str, any_pb2.Any]
    endpoints: dict[str, any_pb2.Any]
    virtual_host: Any
    cluster_digest: str
    endpoint_digest: str
    host_digest: str


class Encoder:
    """Turns plans into snapshots; applications that did not change are not encoded again."""

    def __init__(self, tuning: Tuning) -> None:
        self._tuning = tuning
        self._encoded: dict[tuple[EdgeRoute, tuple[Addresses, ...]], _Encoded] = {}

    async def encode(self, plan: EdgePlan, addresses: Mapping[str, Addresses]) -> Snapshot:
        """
        Return the snapshot; `addresses` are those of each host among the targets.

        Other work goes on meanwhile; it is not to be called again before it has returned.
        Raises InputError when the plan cannot be served as a whole.
        """
        resources.check(plan)
        encoded = {}
        for route in plan.routes:
            key = (route, tuple(addresses.get(target.host, ()) for target in route.targets))
            if key in self._encoded:
                encoded[key] = self._encoded[key]
            else:
                encoded[key] = self._encode(route, addresses)
                await asyncio.sleep(0)
        self._encoded = encoded
        parts = tuple(self._encoded.values())
        empty = {"@type": CLUSTER, **nobody()}
        extra = {empty["name"]: _message(empty)}
        clusters = _digest([_digest(empty), *(part.cluster_digest for part in parts)])
        # Envoy waits for endpoints after each change of clusters, so they get a new version too.
        endpoints = _digest([clusters, *(part.endpoint_digest for part in parts)])
        routes = route_pb2.RouteConfiguration(
            name=resources.ROUTES_NAME,
            request_headers_to_remove=[PROBE_HEADER],  # only edges probe
        )
        routes.virtual_hosts.extend(part.virtual_host for part in parts)
        packed = any_pb2.Any()
        packed.Pack(routes)
        return Snapshot(
            plan.number,
            {
                CLUSTER: Content(clusters, _merge([*(part.clusters for part in parts), extra])),
                ENDPOINTS: Content(endpoints, _merge(part.endpoints for part in parts)),
                ROUTES: Content(
                    _digest([PROBE_HEADER, *(part.host_digest for part in parts)]),
                    {resources.ROUTES_NAME: packed},
                ),
            },
        )

    def _encode(self, route: EdgeRoute, addresses: Mapping[str, Addresses]) -> _Encoded:
        clusters = resources.clusters(route, self._tuning)
        endpoints = resources.endpoints(route, addresses)
        host = resources.virtual_host(route, self._tuning)
        return _Encoded(
            {cluster["name"]: limits.cluster_message(cluster) for cluster in clusters},
            {each["cluster_name"]: _message(each) for each in endpoints},
            json_format.ParseDict(host, route_components_pb2.VirtualHost()),
            _digest(clusters),
            _digest(endpoints),
            _digest(host),
        )


def listener(host: str, port: int) -> Content:
    """Return the listener of an edge at this address."""
    resource = resources.listener(host, port)
    return Content(_digest(resource), {resource["name"]: _message(resource)})


def no_listener() -> Content:
    """Return what an edge gets that has not said where it listens."""
    return Content("none", {})


def _merge(parts: Iterable[dict[str, any_pb2.Any]]) -> dict[str, any_pb2.Any]:
    return {name: message for part in parts for name, message in part.items()}


def _message(resource: resources.Resource) -> any_pb2.Any:
    return json_format.ParseDict(resource, any_pb2.Any())


def _digest(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
