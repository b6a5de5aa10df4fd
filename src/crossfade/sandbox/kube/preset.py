"""
Kinds of others that every sandbox cloud serves from the start, as if their CRDs were installed.

A CustomResourceDefinition of the same name takes their place, so that what installs one goes well.
"""

from crossfade.sandbox.kube.client import Object

_ISTIO = "networking.istio.io"
_VERSIONS = ("v1", "v1beta1", "v1alpha3")
_ANYTHING: Object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def preset_definitions() -> tuple[Object, ...]:
    """Return CustomResourceDefinitions; the first version is the one that is stored."""
    return (
        _definition("VirtualService", "virtualservices", "vs", _virtual_service()),
        _definition("DestinationRule", "destinationrules", "dr", _ANYTHING),
        _definition("Gateway", "gateways", "gw", _ANYTHING),
    )


def _definition(kind: str, plural: str, short_name: str, spec: Object) -> Object:
    schema = {"type": "object", "properties": {"spec": spec, "status": _ANYTHING}}
    versions = [
        {
            "name": version,
            "served": True,
            "storage": version == _VERSIONS[0],
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}},
        }
        for version in _VERSIONS
    ]
    names = {
        "kind": kind,
        "plural": plural,
        "singular": kind.lower(),
        "shortNames": [short_name],
        "categories": ["istio-io", "networking-istio-io"],
    }
    return {
        "metadata": {"name": f"{plural}.{_ISTIO}"},
        "spec": {"group": _ISTIO, "scope": "Namespaced", "names": names, "versions": versions},
    }


def _virtual_service() -> Object:
    """Return the schema of what people get wrong most: weights and the lists around them."""
    destination = {
        **_ANYTHING,
        "required": ["destination"],
        "properties": {
            "destination": {**_ANYTHING, "required": ["host"]},
            "weight": {"type": "integer"},
        },
    }
    http = {**_ANYTHING, "properties": {"route": {"type": "array", "items": destination}}}
    return {
        **_ANYTHING,
        "properties": {
            "hosts": {"type": "array", "items": {"type": "string"}},
            "http": {"type": "array", "items": http},
        },
    }
