"""Which clusters the steps of a pipeline may reach."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.base.json_value import Json


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """Clusters as `kubectl` and `helm` read them."""

    text: str = ""
    """"": there are none."""
    secrets: tuple[str, ...] = ()
    """Credentials in it."""
    left_out: tuple[str, ...] = ()
    """Clusters that should be in it and are not, each with the reason."""


def reachable(spec: Mapping[str, Json]) -> tuple[str, ...] | None:
    """Return the clusters that `clustersInfo` of a pipeline names; None: all of the fleet."""
    info = spec.get("clustersInfo")
    if not isinstance(info, dict) or info.get("injectAll") is not False:
        return None
    named = info.get("available")
    return tuple(str(each) for each in named) if isinstance(named, list) else ()
