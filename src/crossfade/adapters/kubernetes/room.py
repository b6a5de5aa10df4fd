"""How much room nodes have for one more pod, and what is missing.  Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crossfade.adapters.kubernetes.client import Object
from crossfade.adapters.kubernetes.node_faults import is_lost
from crossfade.base.quantities import add, shown, thousandths
from crossfade.core.release.kinds import mapping, mappings, name_of


@dataclass(frozen=True, slots=True)
class _Shortage:
    """What one node lacks for the pod, in thousandths by resource."""

    node: str
    missing: dict[str, int]
    free: dict[str, int]
    whole: dict[str, int]

    @property
    def share(self) -> float:
        """How much it lacks, measured by its size."""
        return sum(
            amount / max(self.whole.get(name, 0), 1) for name, amount in self.missing.items()
        )


def shortage(pod: Object, nodes: Sequence[Object], pods: Iterable[Object]) -> str:
    """
    Return what a pod asks for and what the best node lacks, "" when some node has room.

    `pods` are those of the whole cluster.  Nodes that do not answer or take no pods do not count.
    """
    asked = requests(pod)
    used: dict[str, list[dict[str, int]]] = {}
    for each in pods:
        if mapping(each.get("status")).get("phase") not in ("Succeeded", "Failed"):
            used.setdefault(str(mapping(each.get("spec")).get("nodeName")), []).append(
                requests(each)
            )
    usable = [node for node in nodes if _is_usable(node, pod)]
    found = [_of(node, asked, add(used.get(name_of(node), []))) for node in usable]
    if not found or not all(each.missing for each in found):
        return ""
    best = min(found, key=lambda each: each.share)
    asks = " and ".join(shown(name, asked[name]) for name in best.missing if name != "pods")
    lacks = ", ".join(_lack(best, name) for name in best.missing)
    away = len(nodes) - len(usable)
    others = f"; {away} of {len(nodes)} nodes take no pods now" if away else ""
    begin = f"no node has room: it asks for {asks}; " if asks else "no node has room: "
    return f"{begin}{lacks}{others}"


def requests(pod: Object) -> dict[str, int]:
    """Return what the pod asks for, in thousandths by resource; itself is one of `pods`."""
    spec = mapping(pod.get("spec"))
    total = add(_asked(each) for each in mappings(spec.get("containers")))
    for first in mappings(spec.get("initContainers")):
        for name, amount in _asked(first).items():
            total[name] = max(total.get(name, 0), amount)
    overhead = {key: thousandths(value) for key, value in mapping(spec.get("overhead")).items()}
    return add([total, overhead, {"pods": 1000}])


def _asked(container: Object) -> dict[str, int]:
    resources = mapping(container.get("resources"))
    amounts = {**mapping(resources.get("limits")), **mapping(resources.get("requests"))}
    return {name: thousandths(value) for name, value in amounts.items()}


def _is_usable(node: Object, pod: Object) -> bool:
    """Return whether the node takes new pods at all; special taints are the scheduler's matter."""
    spec = mapping(node.get("spec"))
    wanted = mapping(mapping(pod.get("spec")).get("nodeSelector"))
    labels = mapping(mapping(node.get("metadata")).get("labels"))
    tainted = any(
        each.get("effect") in ("NoSchedule", "NoExecute") and not _tolerates(pod, each)
        for each in mappings(spec.get("taints"))
    )
    fits = wanted.items() <= labels.items()
    return fits and not tainted and not spec.get("unschedulable") and not is_lost(node)


def _tolerates(pod: Object, taint: Object) -> bool:
    tolerations = mappings(mapping(pod.get("spec")).get("tolerations"))
    return any(each.get("key") in (None, "", taint.get("key")) for each in tolerations)


def _of(node: Object, asked: dict[str, int], used: dict[str, int]) -> _Shortage:
    amounts = mapping(mapping(node.get("status")).get("allocatable"))
    whole = {name: thousandths(value) for name, value in amounts.items()}
    free = {name: max(whole.get(name, 0) - used.get(name, 0), 0) for name in asked}
    lacking = {name: amount - free[name] for name, amount in asked.items() if amount > free[name]}
    return _Shortage(name_of(node), lacking, free, whole)


def _lack(best: _Shortage, name: str) -> str:
    if name == "pods":
        return f"the best node, {best.node}, runs {best.whole.get(name, 0) // 1000} pods already"
    free = f"{shown(name, best.free[name])} free of {shown(name, best.whole.get(name, 0))}"
    return f"the best node, {best.node}, has {free}, {shown(name, best.missing[name])} too little"
