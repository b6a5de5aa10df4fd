"""Every kind of router that an application file may ask for is there."""

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.routers.choice import router_for
from crossfade.core.application import Router
from crossfade.core.fleet.cluster import Cluster

API = KubeApi(Cluster("aws", "aws", "/nowhere"))


def test_every_kind_has_a_router_of_its_own():
    assert len({type(router_for(kind, API)) for kind in Router}) == len(Router)
