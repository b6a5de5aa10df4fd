"""Istio's kinds are there without anybody installing them, and whoever installs them may."""

from crossfade.sandbox.kube.api import open_api
from crossfade.sandbox.kube.kinds import CUSTOM_RESOURCE_DEFINITION, VIRTUAL_SERVICE, Kind
from crossfade.sandbox.kube.preset import preset_definitions

OLD = Kind("networking.istio.io", "v1alpha3", "VirtualService", "virtualservices")
SPEC = {"hosts": ["colors"], "http": [{"route": [{"destination": {"host": "colors"}}]}]}


def service():
    return {"metadata": {"name": "colors", "namespace": "default"}, "spec": SPEC}


def test_a_script_of_an_older_version_meets_the_same_objects():
    api = open_api()
    api.create(OLD, service())
    found = api.get(VIRTUAL_SERVICE, "default", "colors")
    assert found["spec"] == SPEC
    assert api.versioned(OLD, found)["apiVersion"] == "networking.istio.io/v1alpha3"


def test_whoever_installs_the_definitions_replaces_ours_and_may_take_them_away_again():
    api = open_api()
    (definition, *_) = preset_definitions()
    version = {**definition["spec"]["versions"][1], "storage": True}
    own = {**definition, "spec": {**definition["spec"], "versions": [version]}}
    api.create(CUSTOM_RESOURCE_DEFINITION, own)
    assert api.registry.named("networking.istio.io/v1alpha3", "VirtualService") is None
    assert api.registry.named("networking.istio.io/v1beta1", "VirtualService") is not None
    api.registry.forget(definition["metadata"]["name"])
    assert api.registry.named("networking.istio.io/v1alpha3", "VirtualService") is not None


def test_gateway_without_its_group_is_that_of_the_gateway_api():
    kinds = [kind for kind in open_api().registry.kinds() if kind.plural == "gateways"]
    assert kinds[0].group == "gateway.networking.k8s.io"
    assert "gw" in kinds[1].short_names
