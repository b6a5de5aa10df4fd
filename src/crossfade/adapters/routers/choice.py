"""Routers by the names that application files give them."""

from typing import assert_never

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.routers.gateway_api import GatewayApiRouter
from crossfade.adapters.routers.istio import IstioRouter
from crossfade.adapters.routers.nginx import NginxRouter
from crossfade.adapters.routers.replicas import ReplicasRouter
from crossfade.core.application import Router
from crossfade.ports.router import TrafficRouter


def router_for(kind: Router, api: KubeApi) -> TrafficRouter:
    """Return the router of that kind for a cluster."""
    match kind:
        case Router.GATEWAY_API:
            return GatewayApiRouter(api)
        case Router.ISTIO:
            return IstioRouter(api)
        case Router.NGINX:
            return NginxRouter(api)
        case Router.REPLICAS:
            return ReplicasRouter(api)
        case _:
            assert_never(kind)
