"""Does an object fit its kind: unknown fields, defaults, validity."""

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.registry import Served


def complete(served: Served, obj: Object) -> Object:
    """Return the object with the defaults of its kind."""
    return obj


def check(served: Served, obj: Object) -> None:
    """Raise ApiError 422 when the object is not valid."""
