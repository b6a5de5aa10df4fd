"""
What keeps an edge from getting through to a cluster while a drill is held.  Pure.

The edge's own handshake fails, as no cipher goes with the version, before a byte is sent.  So it
finds out as it would of a cloud that died: users' connections fail, and then probes do.
"""

from typing import Any

from crossfade.ports.edge import Way

_MARK = "cut"

SOCKET: dict[str, Any] = {
    "name": _MARK,
    "match": {_MARK: True},
    "transport_socket": {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"
            ".UpstreamTlsContext",
            "common_tls_context": {
                "tls_params": {
                    "tls_minimum_protocol_version": "TLSv1_0",
                    "tls_maximum_protocol_version": "TLSv1_0",
                    "cipher_suites": ["ECDHE-ECDSA-AES128-GCM-SHA256"],
                }
            },
        },
    },
}
"""How an edge connects to endpoints that carry the mark."""


def locality(way: Way) -> dict[str, str]:
    """
    Return what is added to the locality of a cluster.

    An endpoint that only gets the mark keeps its connections; in another locality it is a new one.
    """
    return {} if way is Way.OPEN else {"sub_zone": way.value}


def probes(way: Way) -> dict[str, Any]:
    """
    Return what is added to the address of an endpoint.

    A new endpoint counts as dead until a probe has succeeded.  Without probes users' requests are
    sent there, as they are to a cloud that has just died.
    """
    unprobed = {"health_check_config": {"disable_active_health_check": True}}
    return unprobed if way is Way.FAILING else {}


def endpoint(way: Way) -> dict[str, Any]:
    """Return what is added to an endpoint: the mark."""
    mark = {"metadata": {"filter_metadata": {"envoy.transport_socket_match": {_MARK: True}}}}
    return {} if way is Way.OPEN else mark
