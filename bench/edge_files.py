"""
Envoy files that the edge is compared with, as somebody writes them by hand.

`hand_written` does for users what the edge does: it was written from Envoy's documentation for the
same list of wishes, with whatever costs a request least.  `bare` only sends users to the clouds.
"""

from typing import Any

import harness

_TYPES = "type.googleapis.com/envoy.extensions."
_MANAGER = _TYPES + "filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = _TYPES + "filters.http.router.v3.Router"
_PREVIOUS_HOSTS = _TYPES + "retry.host.previous_hosts.v3.PreviousHostsPredicate"
_PROBE = "x-crossfade-probe"
_MANY = 16_384

Part = dict[str, Any]


def address(port: int) -> Part:
    """Return an address on this machine."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def clouds(admin: int, ports: list[int]) -> Part:
    """Return the file of an Envoy that answers on all these ports itself."""
    answer = {"direct_response": {"status": 200, "body": {"inline_string": "blue"}}}
    routes = [{"match": {"prefix": "/"}, **answer}]
    return _file(admin, [_listener(port, _manager(routes)) for port in ports])


def bare(admin: int, port: int, ports: list[int]) -> Part:
    """Return what somebody writes who wants the same clouds behind one port, and no more."""
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address(p)}}]} for p in ports]
    cluster = {
        "name": "colors",
        "connect_timeout": "1s",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "colors", "endpoints": endpoints},
    }
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "colors"}}]
    return _file(admin, [_listener(port, _manager(routes))], [cluster])


def hand_written(admin: int, port: int, ports: list[int]) -> Part:
    """
    Return the file for the same job: users leave clouds that fail, and are served by others.

    Clouds: shares by weights of localities, probes twice a second that are marked, ejection
    after three failures in a row, second tries at other clouds within a budget.
    Users: GET, HEAD, OPTIONS, PUT and DELETE are tried again, beside a slow first try too; others
    only when surely nothing was sent.  Websockets, downloads without a limit of time.  Envoy's
    advice for edges: users' addresses are passed on and nothing that users claim is believed
    (marks of probes neither), limits of time for headers and silence, of memory and connections.
    """
    slow = _again("connect-failure,refused-stream,reset,gateway-error")
    slow["retry_policy"]["per_try_timeout"] = "0.5s"
    slow["hedge_policy"] = {"hedge_on_per_try_timeout": True}
    unsent = _again("connect-failure,refused-stream,reset-before-request")
    routes = [
        _route(slow, {"exact": "GET"}),
        _route(slow, {"safe_regex": {"regex": "HEAD|OPTIONS|PUT|DELETE"}}),
        _route(unsent),
    ]
    manager = _manager(routes) | {
        "use_remote_address": True,
        "request_headers_timeout": "10s",
        "common_http_protocol_options": {"idle_timeout": "300s"},
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 65_536,
            "initial_connection_window_size": 1_048_576,
        },
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "server_header_transformation": "PASS_THROUGH",
    }
    manager["route_config"]["request_headers_to_remove"] = [_PROBE]
    manager["http_filters"][0]["typed_config"]["suppress_envoy_headers"] = True
    listener = _listener(port, manager) | {"per_connection_buffer_limit_bytes": 262_144}
    limit = {
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {
            "@type": _TYPES + "resource_monitors.downstream_connections.v3"
            ".DownstreamConnectionsConfig",
            "max_active_downstream_connections": 10_000,
        },
    }
    overload = {"overload_manager": {"resource_monitors": [limit]}}
    return _file(admin, [listener], [_watched(ports)]) | overload


def _watched(ports: list[int]) -> Part:
    """Return the clouds with weights, probes, ejection and limits."""
    endpoints = [
        {
            "locality": {"region": f"cloud-{index}"},
            "load_balancing_weight": 100,
            "lb_endpoints": [{"endpoint": {"address": address(each)}}],
        }
        for index, each in enumerate(ports)
    ]
    probe = {
        "timeout": "0.3s",
        "interval": "0.5s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "http_health_check": {
            "host": harness.HOST,
            "path": "/",
            "request_headers_to_add": [{"header": {"key": _PROBE, "value": "edge"}}],
        },
    }
    budget = {
        "budget_percent": {"value": 20},
        "budget_interval": "1.25s",
        "min_retry_concurrency": 128,
    }
    most = dict.fromkeys(("max_connections", "max_pending_requests", "max_requests"), _MANY)
    return {
        "name": "colors",
        "type": "STATIC",
        "connect_timeout": "0.25s",
        "common_lb_config": {
            "healthy_panic_threshold": {"value": 1},
            "locality_weighted_lb_config": {},
        },
        "health_checks": [probe],
        "outlier_detection": {
            "consecutive_gateway_failure": 3,
            "enforcing_consecutive_gateway_failure": 100,
            "enforcing_consecutive_5xx": 0,
            "enforcing_success_rate": 0,
            "interval": "0.5s",
            "base_ejection_time": "5s",
            "max_ejection_percent": 34,
        },
        "circuit_breakers": {"thresholds": [most | {"retry_budget": budget}]},
        "load_assignment": {"cluster_name": "colors", "endpoints": endpoints},
    }


def _again(retry_on: str) -> Part:
    """Return second tries at clouds that have not been tried."""
    policy = {
        "retry_on": retry_on,
        "num_retries": 2,
        "retry_host_predicate": [
            {"name": "previous-hosts", "typed_config": {"@type": _PREVIOUS_HOSTS}}
        ],
        "host_selection_retry_max_attempts": 100,
    }
    return {"retry_policy": policy}


def _route(again: Part, method: Part | None = None) -> Part:
    match: Part = {"prefix": "/"}
    if method:
        match["headers"] = [{"name": ":method", "string_match": method}]
    limits = {"timeout": "0s", "idle_timeout": "60s"}
    return {"match": match, "route": {"cluster": "colors"} | limits | again}


def _manager(routes: list[Part]) -> Part:
    host = {"name": "all", "domains": [harness.HOST], "routes": routes}
    return {
        "@type": _MANAGER,
        "stat_prefix": "users",
        "route_config": {"virtual_hosts": [host]},
        "http_filters": [{"name": "router", "typed_config": {"@type": _ROUTER}}],
    }


def _listener(port: int, manager: Part) -> Part:
    return {
        "name": f"in-{port}",
        "address": address(port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def _file(admin: int, listeners: list[Part], clusters: list[Part] | None = None) -> Part:
    return {
        "admin": {"address": address(admin)},
        "static_resources": {"listeners": listeners, "clusters": clusters or []},
    }
