"""
Defaults that depend on other fields.

Each function changes one structure of an object in place; it must cope with values of any type,
since it runs before validation.
"""

import base64
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crossfade.sandbox.kube.kinds import JOB, POD, Kind

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Owner:
    """The object whose structure is completed."""

    kind: Kind
    metadata: Values

    def number(self, of: str, count: int) -> int:
        """Return a number below `count` that stays the same for this object."""
        name = f"{self.metadata.get('namespace')}/{self.metadata.get('name')}/{of}"
        return zlib.crc32(name.encode()) % count


def _set(values: Values, **given: object) -> None:
    for name, value in given.items():
        if values.get(name) in (None, ""):
            values[name] = value


def _part(values: Values, name: str) -> Values:
    part = values.get(name)
    return part if isinstance(part, dict) else {}


def _container(values: Values, owner: Owner) -> None:
    image = values.get("image")
    if isinstance(image, str):
        tag = image.rpartition("/")[2].partition(":")[2]
        latest = "@" not in image and tag in ("", "latest")
        _set(values, imagePullPolicy="Always" if latest else "IfNotPresent")
    if owner.kind == POD:
        resources = _part(values, "resources")
        if limits := _part(resources, "limits"):
            requests = limits | _part(resources, "requests")
            values["resources"] = {**resources, "requests": requests}


def _pod_spec(values: Values, owner: Owner) -> None:
    if owner.kind == POD:
        _set(values, enableServiceLinks=True, serviceAccountName="default", priority=0)
        _set(values, preemptionPolicy="PreemptLowerPriority")
        _tolerate_short_absences(values)
    if account := values.get("serviceAccountName") or values.get("serviceAccount"):
        # Two names of one field, of which the second is the older: both are always shown.
        values["serviceAccountName"] = values["serviceAccount"] = account


def _tolerate_short_absences(values: Values) -> None:
    """Let a pod stay for five minutes on a node that is not seen."""
    given = values.get("tolerations")
    tolerations = list(given) if isinstance(given, list) else []
    keys = {item.get("key") for item in tolerations if isinstance(item, dict)}
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if key not in keys and None not in keys:
            tolerations.append(
                {
                    "key": key,
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": 300,
                }
            )
    values["tolerations"] = tolerations


def _volume(values: Values, _owner: Owner) -> None:
    if not values.keys() - {"name"}:
        values["emptyDir"] = {}


def _deployment_strategy(values: Values, _owner: Owner) -> None:
    _set(values, type="RollingUpdate")
    if values["type"] == "RollingUpdate":
        _fill(values, "rollingUpdate", maxUnavailable="25%", maxSurge="25%")


def _stateful_set_strategy(values: Values, _owner: Owner) -> None:
    _set(values, type="RollingUpdate")
    if values["type"] == "RollingUpdate":
        _fill(values, "rollingUpdate", partition=0)


def _daemon_set_strategy(values: Values, _owner: Owner) -> None:
    _set(values, type="RollingUpdate")
    if values["type"] == "RollingUpdate":
        _fill(values, "rollingUpdate", maxUnavailable=1, maxSurge=0)


def _fill(values: Values, name: str, **given: object) -> None:
    part = dict(_part(values, name))
    _set(part, **given)
    values[name] = part


def _job(values: Values, owner: Owner) -> None:
    if values.get("completions") is None and values.get("parallelism") is None:
        values["completions"] = 1
    _set(values, parallelism=1)
    failed = "Failed" if values.get("podFailurePolicy") else "TerminatingOrFailed"
    _set(values, podReplacementPolicy=failed)
    uid = owner.metadata.get("uid")
    if owner.kind == JOB and uid and not values.get("manualSelector"):
        _select_own_pods(values, str(owner.metadata.get("name")), str(uid))


def _select_own_pods(values: Values, name: str, uid: str) -> None:
    """Label a Job's pods with its uid, so that no two Jobs ever share one."""
    controller = "batch.kubernetes.io/controller-uid"
    template = dict(_part(values, "template"))
    metadata = dict(_part(template, "metadata"))
    metadata["labels"] = _part(metadata, "labels") | {
        controller: uid,
        "controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "job-name": name,
    }
    values["template"] = {**template, "metadata": metadata}
    values["selector"] = {"matchLabels": {controller: uid}}


def _service_spec(values: Values, owner: Owner) -> None:
    kind = values.get("type")
    if values.get("sessionAffinity") == "ClientIP":
        _set(values, sessionAffinityConfig={"clientIP": {"timeoutSeconds": 10800}})
    if kind == "ExternalName":
        return
    # Nothing answers at this address: pods listen on the loopback interface.  Clients such as
    # `helm --wait` take a Service without one for unfinished.
    place = owner.number("address", 2**20 - 512) + 256
    address = f"10.{96 + (place >> 16)}.{place >> 8 & 255}.{place & 255}"
    _set(values, clusterIP=address, internalTrafficPolicy="Cluster", ipFamilyPolicy="SingleStack")
    values["clusterIPs"] = values.get("clusterIPs") or [values["clusterIP"]]
    values["ipFamilies"] = values.get("ipFamilies") or ["IPv4"]
    if kind in ("NodePort", "LoadBalancer"):
        _set(values, externalTrafficPolicy="Cluster")
        _node_ports(values, owner)
    if kind == "LoadBalancer":
        _set(values, allocateLoadBalancerNodePorts=True)


def _node_ports(values: Values, owner: Owner) -> None:
    ports = values.get("ports")
    if isinstance(ports, list):
        values["ports"] = [
            {**port, "nodePort": 30000 + owner.number(f"{port.get('port')}", 2768)}
            if isinstance(port, dict) and not port.get("nodePort")
            else port
            for port in ports
        ]


def _service_port(values: Values, _owner: Owner) -> None:
    if values.get("targetPort") in (None, "", 0) and "port" in values:
        values["targetPort"] = values["port"]
    if values.get("nodePort") == 0:
        del values["nodePort"]


def _secret(values: Values, _owner: Owner) -> None:
    texts = values.pop("stringData", None)
    if isinstance(texts, dict):
        data = {
            key: base64.b64encode(text.encode()).decode()
            for key, text in texts.items()
            if isinstance(text, str)
        }
        values["data"] = _part(values, "data") | data


def _network_policy(values: Values, _owner: Owner) -> None:
    if not values.get("policyTypes"):
        values["policyTypes"] = ["Ingress", "Egress"] if values.get("egress") else ["Ingress"]


def _autoscaler(values: Values, _owner: Owner) -> None:
    if not values.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        values["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def _subject(values: Values, _owner: Owner) -> None:
    if values.get("kind") in ("User", "Group"):
        _set(values, apiGroup="rbac.authorization.k8s.io")


def _replication_controller(values: Values, _owner: Owner) -> None:
    labels = _part(_part(_part(values, "template"), "metadata"), "labels")
    if labels and not values.get("selector"):
        values["selector"] = dict(labels)


BY_STRUCTURE: dict[str, Callable[[Values, Owner], None]] = {
    "core/v1.Container": _container,
    "core/v1.EphemeralContainer": _container,
    "core/v1.PodSpec": _pod_spec,
    "core/v1.Volume": _volume,
    "core/v1.ServiceSpec": _service_spec,
    "core/v1.ServicePort": _service_port,
    "core/v1.Secret": _secret,
    "core/v1.ReplicationControllerSpec": _replication_controller,
    "apps/v1.DeploymentStrategy": _deployment_strategy,
    "apps/v1.StatefulSetUpdateStrategy": _stateful_set_strategy,
    "apps/v1.DaemonSetUpdateStrategy": _daemon_set_strategy,
    "batch/v1.JobSpec": _job,
    "networking/v1.NetworkPolicySpec": _network_policy,
    "autoscaling/v2.HorizontalPodAutoscalerSpec": _autoscaler,
    "rbac/v1.Subject": _subject,
}
