"""Routers are chosen by name, and a wrong name is answered with the right ones."""

import pytest

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.routers.choice import ROUTERS, router_for
from crossfade.base.errors import InputError
from crossfade.core.fleet.cluster import Cluster

API = KubeApi(Cluster("aws", "aws", "/nowhere"))


def test_every_name_has_a_router_of_its_own():
    assert len({type(router_for(kind, API)) for kind in ROUTERS}) == len(ROUTERS)


def test_an_unknown_router_is_refused_with_those_that_there_are():
    with pytest.raises(InputError) as raised:
        router_for("traefik", API)
    assert all(kind in raised.value.hint for kind in ROUTERS)
