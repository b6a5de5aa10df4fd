"""Where users reach a gateway, as annotations or a Service of type LoadBalancer say it.  Pure."""

from crossfade.adapters.kubernetes.client import Object
from crossfade.core.release.kinds import mapping, mappings
from crossfade.ports.router import GatewayEndpoint

METRICS_URL = "crossfade.dev/metrics-url"
ADDRESS = "crossfade.dev/address"
"""`HOST:PORT`, for gateways whose objects do not say it."""


def given_endpoint(thing: Object) -> GatewayEndpoint | None:
    """Return the address that people wrote on the object, None when there is none."""
    annotations = mapping(thing["metadata"].get("annotations"))
    host, _, port = str(annotations.get(ADDRESS, "")).rpartition(":")
    if not host or not port.isdecimal():
        return None
    return GatewayEndpoint(host.strip("[]"), int(port), annotations.get(METRICS_URL))


def service_endpoint(service: Object, port: int) -> GatewayEndpoint | None:
    """Return the address of a Service's load balancer, None when it has none for the port."""
    if (given := given_endpoint(service)) is not None:
        return given
    ports = [each.get("port") for each in mappings(mapping(service.get("spec")).get("ports"))]
    balancer = mapping(mapping(service.get("status")).get("loadBalancer"))
    addresses = mappings(balancer.get("ingress"))
    if not addresses or port not in ports:
        return None
    host = addresses[0].get("ip") or addresses[0].get("hostname")
    annotations = mapping(service["metadata"].get("annotations"))
    return GatewayEndpoint(str(host), port, annotations.get(METRICS_URL))
