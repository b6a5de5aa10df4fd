"""Which clusters the steps of a pipeline may reach."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.base.json_value import Json

_CHOSEN = re.compile(r"\bkubectl config use-context +(\"[^\"\n]+\"|'[^'\n]+'|[^\s;&|]+)")
_VARIABLES = ("KUBECONTEXT", "HELM_KUBECONTEXT")


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


def unknown(script: str, environment: Mapping[str, str], kubeconfig: str) -> tuple[str, ...]:
    """
    Return the clusters that a step certainly works on and that its kubeconfig does not mention.

    These are contexts that its commands choose by name, and those of `helm` and `deploy`.
    """
    chosen = (each.strip("\"'") for each in _CHOSEN.findall(script))
    wanted = [*(environment.get(name, "") for name in _VARIABLES), *chosen]
    named = (each for each in dict.fromkeys(wanted) if each and "$" not in each)
    return tuple(each for each in named if each not in kubeconfig)
