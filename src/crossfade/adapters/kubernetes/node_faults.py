"""What nodes do to pods: they fail, shut down, evict and preempt.  Never a version's fault."""

import re
from collections.abc import Collection, Iterable

from crossfade.adapters.kubernetes.client import Object
from crossfade.core.release.kinds import mapping, mappings, name_of

_ENDS = {
    "Evicted": "was evicted",
    "NodeAffinity": "was refused by its node, which was restarted with other labels",
    "NodeLost": "was lost with its node",
    "NodeShutdown": "ended with its node, which shuts down",
    "Preempting": "was preempted by a more important pod",
    "Shutdown": "ended with its node, which shuts down",
    "Terminated": "ended with its node, which shuts down",
    "UnexpectedAdmissionError": "was refused by its node",
}
"""Reasons of pods that have failed as a whole."""

_DISRUPTIONS = {
    "DeletionByPodGC": "was removed, since its node is gone",
    "DeletionByTaintManager": "was evicted from its node, which failed or is being emptied",
    "EvictionByEvictionAPI": "was evicted on request, as when its node is drained",
    "PreemptionByScheduler": "was preempted by a more important pod",
    "TerminationByKubelet": "was ended by its node",
}
"""Reasons of the condition `DisruptionTarget`."""

_OWN_TAINTS = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "ToBeDeletedBy")
"""Taints that clusters put on nodes because of their state."""

_ABOUT_NODES = re.compile(
    r"were not ready|were unschedulable|no nodes available"
    r"|node\.kubernetes\.io/(not-ready|unreachable|unschedulable|network-unavailable"
    r"|(memory|disk|pid)-pressure)|node\.cloudprovider\.kubernetes\.io/"
)


def node_fault(pod: Object, lost_nodes: Collection[str]) -> str:
    """Return what a node did to the pod, "" when none did anything."""
    status = mapping(pod.get("status"))
    node = str(mapping(pod.get("spec")).get("nodeName") or "")
    where = f" (node {node})" if node else ""
    if status.get("phase") == "Failed" and status.get("reason") in _ENDS:
        return f"it {_ENDS[status['reason']]}{where}{_words(status)}"
    for condition in mappings(status.get("conditions")):
        if condition.get("type") == "DisruptionTarget" and condition.get("status") == "True":
            did = _DISRUPTIONS.get(str(condition.get("reason")), "was ended by the cluster")
            return f"it {did}{where}{_words(condition)}"
    if node and node in lost_nodes:
        return f"its node {node} does not answer"
    return ""


def is_about_nodes(message: str) -> bool:
    """Return whether the scheduler blames the state of nodes, not what the pod asks for."""
    return bool(_ABOUT_NODES.search(message))


def is_away(node: Object) -> bool:
    """Return whether the node takes no pods for a reason of its own: lost, cordoned, in trouble."""
    spec = mapping(node.get("spec"))
    taints = [str(each.get("key")) for each in mappings(spec.get("taints"))]
    own = any(each.startswith(_OWN_TAINTS) for each in taints)
    return own or bool(spec.get("unschedulable")) or is_lost(node)


def is_lost(node: Object) -> bool:
    """Return whether the node's kubelet is silent or says that it cannot run pods."""
    conditions = mappings(mapping(node.get("status")).get("conditions"))
    return not any(
        each.get("type") == "Ready" and each.get("status") == "True" for each in conditions
    )


def nodes_of_unready(pods: Iterable[Object]) -> list[str]:
    """Return the names of the nodes that pods which are not ready are bound to."""
    found = []
    for pod in pods:
        conditions = mappings(mapping(pod.get("status")).get("conditions"))
        ready = any(
            each.get("type") == "Ready" and each.get("status") == "True" for each in conditions
        )
        node = mapping(pod.get("spec")).get("nodeName")
        if node and not ready and name_of(pod):
            found.append(str(node))
    return sorted(set(found))


def _words(told: Object) -> str:
    message = str(told.get("message") or "").strip().rstrip(".")
    return f": {message}" if message else ""
