"""
An edge plan as Envoy resources, in their JSON form.  Pure.

Each application is two Envoy clusters.  `NAME` holds the clusters of the fleet that may get its
users, one locality each, so that locality weights are the shares.  `NAME~standby` holds those of
weight 0: their health is known before they get users, and nothing can send users there, not
even Envoy's fallback for the moment when every cluster looks dead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crossfade.adapters.envoy import barriers, limits
from crossfade.adapters.envoy.classes import answers, with_classes
from crossfade.base.errors import InputError
from crossfade.base.ids import ApplicationName
from crossfade.core.traffic.probe import PROBE_HEADER, PROBE_VALUE
from crossfade.ports.edge import EdgePlan, EdgeRoute, EdgeTarget

Resource = dict[str, Any]

_TYPES = "type.googleapis.com/envoy."
CLUSTER = _TYPES + "config.cluster.v3.Cluster"
ENDPOINTS = _TYPES + "config.endpoint.v3.ClusterLoadAssignment"
LISTENER = _TYPES + "config.listener.v3.Listener"
ROUTES = _TYPES + "config.route.v3.RouteConfiguration"

ROUTES_NAME = "edge"
LISTENER_NAME = "edge"
_STANDBY = "~standby"
_STICKY = "envoy.filters.http.stateful_session"
_STICKY_TYPES = _TYPES + "extensions.filters.http.stateful_session.v3."
_ADS = {"ads": {}, "resource_api_version": "V3"}

_MOSTLY = "GET"
"""Most requests: found without an expression, which costs as much as all else of a route does."""
_IDEMPOTENT_TOO = "HEAD|OPTIONS|PUT|DELETE"
_RETRY_SAFE = "connect-failure,refused-stream,reset,gateway-error"
"""Not `5xx`: the application's own 500 is an answer, and users get it."""
_RETRY_UNSENT = "connect-failure,refused-stream,reset-before-request"
"""Failures after which the request surely has not been worked on."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How quickly edges notice and how often they retry.  Measured in bench/cloud_loss.py."""

    retries: int = 2
    """Tries at other clusters after the first; 0 turns retries off."""
    probe_interval_seconds: float = 0.5
    probe_timeout_seconds: float = 0.3
    probe_again_seconds: float = 0.1
    """Time between a first failed probe and the one that confirms it."""
    ejection_seconds: float = 5.0
    """How long requests avoid a cluster that failed three in a row; longer when it repeats."""
    idle_seconds: float = 60.0
    """A request or stream on which no byte moves for this long is ended."""


def check(plan: EdgePlan) -> None:
    """Raise InputError when edges could not serve the plan as a whole."""
    owners: dict[str, ApplicationName] = {}
    for route in plan.routes:
        if not route.host:
            raise InputError(
                "an application at the edge has no host",
                hint="set spec.route.host",
                application=route.application,
            )
        owner = owners.setdefault(route.host.lower(), route.application)
        if owner != route.application:
            raise InputError(
                "two applications want the same host",
                hint="give one of them another spec.route.host",
                host=route.host,
                applications=f"{owner}, {route.application}",
            )


def standby(application: str) -> str:
    """Return the name of the Envoy cluster with the targets that get no users."""
    return application + _STANDBY


def application_of(cluster: str) -> tuple[str, bool]:
    """Return the application of an Envoy cluster, and whether it is the one without users."""
    name = cluster.removesuffix(_STANDBY)
    return name, name != cluster


def clusters(route: EdgeRoute, tuning: Tuning) -> tuple[Resource, Resource]:
    """Return the Envoy clusters of an application: users', and standby."""
    users = _cluster(route, str(route.application), tuning)
    users["outlier_detection"] = _outlier_detection(tuning)
    return users, _cluster(route, standby(route.application), tuning)


def endpoints(
    route: EdgeRoute, addresses: Mapping[str, tuple[str, ...]]
) -> tuple[Resource, Resource]:
    """Return the endpoints of both clusters of an application; `addresses` is by target host."""
    with_users = [_locality(t, addresses.get(t.host, ())) for t in route.targets if t.weight > 0]
    without = [_locality(t, addresses.get(t.host, ())) for t in route.targets if t.weight <= 0]
    return (
        _assignment(str(route.application), with_users),
        _assignment(standby(route.application), without),
    )


def virtual_host(route: EdgeRoute, tuning: Tuning) -> Resource:
    """Return the part of the route configuration that belongs to one application."""
    action = {
        "cluster": str(route.application),
        # The total time is not limited, so that downloads and event streams live; silence is.
        "timeout": "0s",
        "idle_timeout": _seconds(tuning.idle_seconds),
    }
    again = _retry(_RETRY_SAFE, tuning, try_seconds=route.try_seconds)
    unless_asked = again if route.retry_non_idempotent else _retry(_RETRY_UNSENT, tuning)
    idempotent: tuple[Resource, ...] = (
        {"exact": _MOSTLY},
        {"safe_regex": {"regex": _IDEMPOTENT_TOO}},
    )
    routes: tuple[Resource, ...] = (
        *(
            {
                "match": {
                    "prefix": "/",
                    "headers": [{"name": ":method", "string_match": method}],
                },
                "route": action | again,
            }
            for method in idempotent
        ),
        {"match": {"prefix": "/"}, "route": action | unless_asked},
    )
    return {
        "name": str(route.application),
        "domains": [route.host, f"{route.host}:*"],
        "routes": with_classes(route, routes),
        "include_request_attempt_count": True,
        **(_sticky(route) if route.sticky else {}),
    }


def listener(host: str, port: int) -> Resource:
    """Return the listener of an edge, which takes its routes from the route configuration."""
    manager = {
        "@type": _TYPES
        + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "codec_type": "AUTO",
        "rds": {"route_config_name": ROUTES_NAME, "config_source": _ADS},
        "http_filters": [
            {
                "name": _STICKY,
                "typed_config": {"@type": _STICKY_TYPES + "StatefulSession"},
                "disabled": True,  # but for hosts that ask for it: each request would pay for it
            },
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": _TYPES + "extensions.filters.http.router.v3.Router",
                    "suppress_envoy_headers": True,
                },
            },
        ],
        "local_reply_config": answers(),
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        # With this and no `internal_address_config` every user is outside, whatever the address,
        # and x-envoy-* headers that users send steer nothing.
        "use_remote_address": True,
        "server_header_transformation": "PASS_THROUGH",
        "generate_request_id": True,
        "request_headers_timeout": "10s",
        "common_http_protocol_options": {"idle_timeout": "300s"},
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 65_536,
            "initial_connection_window_size": 1_048_576,
        },
    }
    return {
        "@type": LISTENER,
        "name": LISTENER_NAME,
        "address": {"socket_address": {"address": host, "port_value": port}},
        # Without this, two edges on one port would both start and each get half of the users.
        "enable_reuse_port": False,
        "connection_balance_config": {"exact_balance": {}},
        "per_connection_buffer_limit_bytes": 262_144,
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": manager,
                    }
                ]
            }
        ],
    }


def _cluster(route: EdgeRoute, name: str, tuning: Tuning) -> Resource:
    return {
        "@type": CLUSTER,
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": _ADS},
        "connect_timeout": _seconds(limits.connect_seconds(route.try_seconds)),
        "common_lb_config": {
            # Below 1 % means: none of at most a hundred looks healthy.  Then the observer is
            # cut off more likely than all clouds are dead, so users are sent as if all lived.
            "healthy_panic_threshold": {"value": 1},
            "locality_weighted_lb_config": {},
            # Envoy collects changes of weight and health for a second unless told not to.
            "update_merge_window": "0s",
            "ignore_new_hosts_until_first_hc": True,
        },
        # A target that was taken out of the plan gets no more requests, healthy or not.
        "ignore_health_on_host_removal": True,
        "health_checks": [_health_check(route, tuning)],
        "transport_socket_matches": [barriers.SOCKET],
        "track_cluster_stats": {"per_endpoint_stats": True},  # reports are made of them
        "circuit_breakers": limits.circuit_breakers(route.try_seconds),
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _TYPES + "extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http_protocol_options": {}},
                # Shorter than any gateway's own, so that no request meets a closing connection.
                "common_http_protocol_options": {"idle_timeout": "30s"},
            }
        },
    }


def _health_check(route: EdgeRoute, tuning: Tuning) -> Resource:
    interval = _seconds(tuning.probe_interval_seconds)
    return {
        "timeout": _seconds(tuning.probe_timeout_seconds),
        "interval": interval,
        "no_traffic_interval": interval,
        "no_traffic_healthy_interval": interval,
        "unhealthy_edge_interval": _seconds(tuning.probe_again_seconds),
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "http_health_check": {
            "host": route.host,
            "path": route.probe_path,
            "expected_statuses": [{"start": 200, "end": 400}],
            "request_headers_to_add": [
                {
                    "header": {"key": PROBE_HEADER, "value": PROBE_VALUE},
                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                }
            ],
        },
    }


def _outlier_detection(tuning: Tuning) -> Resource:
    """
    Requests themselves as evidence, sooner than the next probe.

    At most one cluster, or 34 %, is taken out this way: what an application does everywhere
    looks the same as a broken cluster.  Probes have no such limit.
    """
    return {
        "split_external_local_origin_errors": True,
        # A slow answer counts as a failure here, and an opened connection as a success.  Only a
        # cluster that does not let anybody in has so many failures in a row: with 3, a slow
        # application had the one cloud taken out that was still alive.
        "consecutive_local_origin_failure": 20,
        "enforcing_consecutive_local_origin_failure": 100,
        "consecutive_gateway_failure": 3,
        "enforcing_consecutive_gateway_failure": 100,
        # An application's own 500 says nothing about its cluster.
        "enforcing_consecutive_5xx": 0,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
        "interval": "0.5s",
        "base_ejection_time": _seconds(tuning.ejection_seconds),
        "max_ejection_time": _seconds(12 * tuning.ejection_seconds),
        "max_ejection_percent": 34,
        "always_eject_one_host": True,
        # A probe may be shallower than what users ask for, so its word does not bring it back.
        "successful_active_health_check_uneject_host": False,
    }


def _sticky(route: EdgeRoute) -> Resource:
    """
    Return what a virtual host adds to have users stay with a cluster.

    The cookie names the address that answered.  Shares count for new users only; who has a cookie
    is sent elsewhere when the address fails, or is one without users (weight 0) by now.
    """
    cookie = {"name": f"crossfade-{route.application}", "path": "/"}
    state = {
        "name": "envoy.http.stateful_session.cookie",
        "typed_config": {
            "@type": _TYPES + "extensions.http.stateful_session.cookie.v3.CookieBasedSessionState",
            "cookie": cookie,
        },
    }
    override = {
        "@type": _STICKY_TYPES + "StatefulSessionPerRoute",
        "stateful_session": {"session_state": state},
    }
    return {"typed_per_filter_config": {_STICKY: override}}


def _retry(retry_on: str, tuning: Tuning, *, try_seconds: float | None = None) -> Resource:
    """Return what a route adds to have its requests tried again at another cluster."""
    if tuning.retries < 1:
        return {}
    policy: Resource = {
        "retry_on": retry_on,
        "num_retries": tuning.retries,
        "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.010s"},
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {
                    "@type": _TYPES
                    + "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
                },
            }
        ],
        # How often to draw again when the draw is a cluster that was tried already: with shares
        # of 99:1 the other one comes up once in a hundred draws.
        "host_selection_retry_max_attempts": 100,
    }
    if try_seconds is None:
        return {"retry_policy": policy}
    policy["per_try_timeout"] = _seconds(try_seconds)
    # The slow try goes on beside the new one and the first answer wins: a request that takes
    # long everywhere is answered, and one at a cluster that hangs is answered by another.
    return {"retry_policy": policy, "hedge_policy": {"hedge_on_per_try_timeout": True}}


def _assignment(name: str, localities: list[Resource]) -> Resource:
    return {
        "@type": ENDPOINTS,
        "cluster_name": name,
        "endpoints": localities,
        # In proportion to the healthy endpoints of a locality: one of one counts in full.
        "policy": {"overprovisioning_factor": 100},
    }


def _locality(target: EdgeTarget, addresses: tuple[str, ...]) -> Resource:
    barrier = barriers.endpoint(target.way)
    return {
        "locality": {"region": target.cloud, "zone": str(target.cluster)}
        | barriers.locality(target.way),
        "load_balancing_weight": max(1, target.weight),
        "lb_endpoints": [
            {
                "endpoint": {
                    "address": {"socket_address": {"address": each, "port_value": target.port}},
                    "hostname": str(target.cluster),
                }
                | barriers.probes(target.way)
            }
            | barrier
            for each in addresses
        ],
    }


def _seconds(value: float) -> str:
    return f"{value:.3f}s"
