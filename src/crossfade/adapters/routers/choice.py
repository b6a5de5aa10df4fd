"""Routers by the names that application files give them."""

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.routers.gateway_api import GatewayApiRouter
from crossfade.adapters.routers.istio import IstioRouter
from crossfade.adapters.routers.nginx import NginxRouter
from crossfade.adapters.routers.replicas import ReplicasRouter
from crossfade.base.errors import InputError
from crossfade.ports.router import TrafficRouter

ROUTERS = ("gateway-api", "istio", "nginx", "replicas")
"""The first is the default."""


def router_for(kind: str, api: KubeApi) -> TrafficRouter:
    """Return the router of that name for a cluster.  Raises InputError."""
    match kind:
        case "gateway-api":
            return GatewayApiRouter(api)
        case "istio":
            return IstioRouter(api)
        case "nginx":
            return NginxRouter(api)
        case "replicas":
            return ReplicasRouter(api)
        case _:
            raise InputError(
                f"there is no router `{kind}`",
                hint=f"set route.router to one of: {', '.join(ROUTERS)}",
            )
