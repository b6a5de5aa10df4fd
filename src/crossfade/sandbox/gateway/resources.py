"""Envoy's bootstrap, listener, clusters and endpoints for a gateway, as JSON values.  Pure."""

from pathlib import Path
from typing import Any

from crossfade.sandbox.kube.client import Object

_TYPE = "type.googleapis.com/"
ROUTES = "routes"
"""Name of the one route configuration."""


def bootstrap(node: str, files: Path, admin_port: int) -> dict[str, Any]:
    """Return the bootstrap of a gateway that is programmed by files in the folder `files`."""
    return {
        "node": {"id": node, "cluster": "sandbox-gateway"},
        "admin": {"address": _address("127.0.0.1", admin_port)},
        "dynamic_resources": {
            "cds_config": _from_file(files / "clusters.json"),
            "lds_config": _from_file(files / "listeners.json"),
        },
        # The fault filter reads its delay from here: no listener is drained to change it.
        "layered_runtime": {"layers": [{"name": "admin", "admin_layer": {}}]},
        # Counters are read at any moment, but times only as of the last flush.
        "stats_flush_interval": "0.5s",
        "stats_config": {"stats_matcher": {"exclusion_list": {"patterns": _UNUSED_STATS}}},
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": _TYPE + "envoy.extensions.resource_monitors."
                        "downstream_connections.v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": 50000,
                    },
                }
            ]
        },
    }


# Names that nobody reads in a sandbox; each costs memory in every cluster.
_UNUSED_STATS = [
    {"prefix": "http1."},
    {"prefix": "http2."},
    {"prefix": "tls."},
    {"contains": ".http1."},
    {"contains": ".http2."},
    {"contains": ".ssl."},
    {"contains": "lb_subsets"},
    {"contains": "assignment_"},
]


def listener(port: int, files: Path) -> dict[str, Any]:
    """Return the one listener; its routes come from `routes.json` in `files`."""
    manager = {
        "@type": _TYPE + "envoy.extensions.filters.network.http_connection_manager.v3."
        "HttpConnectionManager",
        "stat_prefix": "gateway",
        "rds": {"route_config_name": ROUTES, "config_source": _from_file(files / "routes.json")},
        "http_filters": [
            {
                "name": "delay",
                "typed_config": {
                    "@type": _TYPE + "envoy.extensions.filters.http.fault.v3.HTTPFault",
                    # Off until the runtime keys fault.http.delay.* say otherwise.
                    "delay": {"fixed_delay": "0.001s", "percentage": {"numerator": 0}},
                },
            },
            {
                "name": "router",
                "typed_config": {
                    "@type": _TYPE + "envoy.extensions.filters.http.router.v3.Router",
                    "suppress_envoy_headers": True,
                },
            },
        ],
        # An edge stands before us: the address that it puts into x-forwarded-for is the user's.
        "use_remote_address": True,
        "xff_num_trusted_hops": 1,
        "server_header_transformation": "PASS_THROUGH",
        "normalize_path": True,
        "http_protocol_options": {"accept_http_10": True},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "generate_request_id": False,
    }
    return {
        "@type": _TYPE + "envoy.config.listener.v3.Listener",
        "name": "users",
        "address": _address("127.0.0.1", port),
        # A taken port must be an error, not a port shared with somebody else.
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def cluster(name: str, endpoints_file: Path, *, http2: bool = False) -> dict[str, Any]:
    """Return the cluster of one Service port; its endpoints come from `endpoints_file`."""
    limits = dict.fromkeys(
        ("max_connections", "max_pending_requests", "max_requests", "max_retries"), 100000
    )
    protocol: dict[str, Any] = {"http2_protocol_options": {}} if http2 else {}
    options = {
        "@type": _TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": protocol or {"http_protocol_options": {}},
        # Below the 5 s after which common servers close an idle connection under our feet.
        "common_http_protocol_options": {"idle_timeout": "4s"},
    }
    return {
        "@type": _TYPE + "envoy.config.cluster.v3.Cluster",
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": _from_file(endpoints_file), "service_name": name},
        "connect_timeout": "1s",
        "lb_policy": "LEAST_REQUEST",
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "circuit_breakers": {"thresholds": [limits]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
        },
    }


def assignment(name: str, addresses: tuple[tuple[str, int], ...]) -> dict[str, Any]:
    """Return the endpoints of a cluster."""
    endpoints = [{"endpoint": {"address": _address(*address)}} for address in addresses]
    return {
        "@type": _TYPE + "envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": name,
        "endpoints": [{"lb_endpoints": endpoints}] if endpoints else [],
    }


def route_configuration(hosts: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the routes of each host name, tried in order; no match is a 404."""
    return {
        "@type": _TYPE + "envoy.config.route.v3.RouteConfiguration",
        "name": ROUTES,
        "ignore_port_in_host_matching": True,
        "virtual_hosts": [
            {"name": host, "domains": [host], "routes": routes}
            for host, routes in sorted(hosts.items())
        ],
    }


def ready_addresses(slices: tuple[Object, ...], port_name: str) -> tuple[tuple[str, int], ...]:
    """Return address and port of each endpoint that may get requests, in a stable order."""
    found = set()
    for one in slices:
        ports = [
            port["port"] for port in one.get("ports") or [] if (port.get("name") or "") == port_name
        ]
        for endpoint in one.get("endpoints") or []:
            conditions = endpoint.get("conditions") or {}
            # A missing `ready` is to be read as true (EndpointSlice documentation).
            if conditions.get("ready") is False or conditions.get("terminating"):
                continue
            found |= {(address, port) for address in endpoint["addresses"][:1] for port in ports}
    return tuple(sorted(found))


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def _from_file(path: Path) -> dict[str, Any]:
    return {"resource_api_version": "V3", "path_config_source": {"path": str(path)}}
