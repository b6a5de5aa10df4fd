"""Where users reach a gateway, as annotations or a Service of type LoadBalancer say it."""

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.base.errors import NotFound
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


async def endpoint_of_service(
    api: KubeApi, gateway: str, what: str, port: int | None = None
) -> GatewayEndpoint:
    """
    Return the address of the Service `namespace/name`, at `port` or else its first one.

    Raises NotFound, with a hint that names `what` Service it should be.
    """
    namespace, _, name = gateway.partition("/")
    found = await api.find(f"/api/v1/namespaces/{namespace}/services/{name}")
    address = None
    if found is not None:
        ports = mappings(mapping(found.get("spec")).get("ports"))
        first = next((int(each["port"]) for each in ports), 80)
        address = service_endpoint(found, port or first)
    if address is None:
        raise NotFound(
            "there is no such Service with an address",
            hint=f"set route.gateway to `namespace/name` of {what}, or annotate it with "
            "`crossfade.dev/address: HOST:PORT`",
            cluster=api.cluster.name,
            gateway=gateway,
        )
    return address
