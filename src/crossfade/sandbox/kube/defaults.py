"""
The values that a server fills in for fields that were not given.

`STATIC` has the plain ones by structure; what depends on other fields is in `COMPUTED`, which
`computed_defaults` fills.  An object is walked once, along the tables of `fields`.
"""

from collections.abc import Callable
from typing import Any

from crossfade.sandbox.kube import computed_defaults
from crossfade.sandbox.kube.computed_defaults import Owner
from crossfade.sandbox.kube.fields import Field, Structure
from crossfade.sandbox.kube.kinds import Kind
from crossfade.sandbox.kube.strict import structure_of
from crossfade.sandbox.kube.values import Json, clone

_RETAIN = {"whenDeleted": "Retain", "whenScaled": "Retain"}
_HOOK = {
    "failurePolicy": "Fail",
    "matchPolicy": "Equivalent",
    "namespaceSelector": {},
    "objectSelector": {},
    "timeoutSeconds": 10,
}
_CONTAINER = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_EVERY_PATH = {"type": "PathPrefix", "value": "/"}

STATIC: dict[str, dict[str, Json]] = {
    "core/v1.PodSpec": {
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "terminationGracePeriodSeconds": 30,
        "schedulerName": "default-scheduler",
        "securityContext": {},
    },
    "core/v1.Container": _CONTAINER,
    "core/v1.EphemeralContainer": _CONTAINER,
    "core/v1.ContainerPort": {"protocol": "TCP"},
    "core/v1.Probe": {
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    },
    "core/v1.HTTPGetAction": {"path": "/", "scheme": "HTTP"},
    "core/v1.GRPCAction": {"service": ""},
    "core/v1.ObjectFieldSelector": {"apiVersion": "v1"},
    "core/v1.ConfigMapVolumeSource": {"defaultMode": 420},
    "core/v1.SecretVolumeSource": {"defaultMode": 420},
    "core/v1.DownwardAPIVolumeSource": {"defaultMode": 420},
    "core/v1.ProjectedVolumeSource": {"defaultMode": 420},
    "core/v1.ServiceAccountTokenProjection": {"expirationSeconds": 3600},
    "core/v1.HostPathVolumeSource": {"type": ""},
    "core/v1.ServiceSpec": {"sessionAffinity": "None", "type": "ClusterIP"},
    "core/v1.ServicePort": {"protocol": "TCP"},
    "core/v1.EndpointPort": {"protocol": "TCP"},
    "core/v1.Secret": {"type": "Opaque"},
    "core/v1.PersistentVolumeClaimSpec": {"volumeMode": "Filesystem"},
    "core/v1.PersistentVolumeSpec": {
        "persistentVolumeReclaimPolicy": "Retain",
        "volumeMode": "Filesystem",
    },
    "core/v1.ReplicationControllerSpec": {"replicas": 1},
    "apps/v1.DeploymentSpec": {
        "replicas": 1,
        "strategy": {"type": "RollingUpdate"},
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    },
    "apps/v1.ReplicaSetSpec": {"replicas": 1},
    "apps/v1.StatefulSetSpec": {
        "replicas": 1,
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate"},
        "revisionHistoryLimit": 10,
        "persistentVolumeClaimRetentionPolicy": _RETAIN,
    },
    "apps/v1.StatefulSetPersistentVolumeClaimRetentionPolicy": _RETAIN,
    "apps/v1.DaemonSetSpec": {
        "updateStrategy": {"type": "RollingUpdate"},
        "revisionHistoryLimit": 10,
    },
    "batch/v1.JobSpec": {"backoffLimit": 6, "completionMode": "NonIndexed", "suspend": False},
    "batch/v1.CronJobSpec": {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    },
    "autoscaling/v1.HorizontalPodAutoscalerSpec": {"minReplicas": 1},
    "autoscaling/v2.HorizontalPodAutoscalerSpec": {"minReplicas": 1},
    "networking/v1.NetworkPolicyPort": {"protocol": "TCP"},
    "discovery/v1.EndpointPort": {"name": "", "protocol": "TCP"},
    "rbac/v1.RoleRef": {"apiGroup": "rbac.authorization.k8s.io"},
    "storage/v1.StorageClass": {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
    "storage/v1.CSIDriverSpec": {
        "attachRequired": True,
        "podInfoOnMount": False,
        "storageCapacity": False,
        "fsGroupPolicy": "ReadWriteOnceWithFSType",
        "volumeLifecycleModes": ["Persistent"],
        "requiresRepublish": False,
        "seLinuxMount": False,
    },
    "scheduling/v1.PriorityClass": {"preemptionPolicy": "PreemptLowerPriority"},
    "admissionregistration/v1.MutatingWebhook": _HOOK | {"reinvocationPolicy": "Never"},
    "admissionregistration/v1.ValidatingWebhook": _HOOK,
    "admissionregistration/v1.ServiceReference": {"port": 443},
    "admissionregistration/v1.Rule": {"scope": "*"},
    "admissionregistration/v1.RuleWithOperations": {"scope": "*"},
    "authentication/v1.TokenRequestSpec": {"expirationSeconds": 3600},
    "gateway/v1.ParentReference": {"group": "gateway.networking.k8s.io", "kind": "Gateway"},
    "gateway/v1.HTTPRouteSpec": {"rules": [{"matches": [{"path": _EVERY_PATH}]}]},
    "gateway/v1.HTTPRouteRule": {"matches": [{"path": _EVERY_PATH}]},
    "gateway/v1.HTTPRouteMatch": {"path": _EVERY_PATH},
    "gateway/v1.HTTPPathMatch": _EVERY_PATH,
    "gateway/v1.HTTPHeaderMatch": {"type": "Exact"},
    "gateway/v1.HTTPQueryParamMatch": {"type": "Exact"},
    "gateway/v1.HTTPBackendRef": {"group": "", "kind": "Service", "weight": 1},
    "gateway/v1.BackendObjectReference": {"group": "", "kind": "Service"},
    "gateway/v1.HTTPRequestRedirectFilter": {"statusCode": 302},
    "gateway/v1.Fraction": {"denominator": 100},
    "gateway/v1.Listener": {"allowedRoutes": {"namespaces": {"from": "Same"}}},
    "gateway/v1.AllowedRoutes": {"namespaces": {"from": "Same"}},
    "gateway/v1.RouteNamespaces": {"from": "Same"},
    "gateway/v1.RouteGroupKind": {"group": "gateway.networking.k8s.io"},
    "gateway/v1.GatewayTLSConfig": {"mode": "Terminate"},
    "gateway/v1.SecretObjectReference": {"group": "", "kind": "Secret"},
    "gateway/v1.GatewayAddress": {"type": "IPAddress"},
    "gateway/v1.GatewayStatusAddress": {"type": "IPAddress"},
}

COMPUTED: dict[str, Callable[[dict[str, Any], Owner], None]] = computed_defaults.BY_STRUCTURE


def apply_defaults(kind: Kind, obj: dict[str, Any]) -> dict[str, Any]:
    """
    Return the object with what the server fills in; the argument is not changed.

    The name must be settled: the address of a Service follows from it.  A Job gets its selector
    when `metadata.uid` is set.  Kinds without a table are returned as they are.
    """
    structure = structure_of(kind)
    if structure is None:
        return obj
    metadata = obj.get("metadata")
    owner = Owner(kind, metadata if isinstance(metadata, dict) else {})
    return _complete(structure, obj, owner)


def _complete(structure: Structure, obj: dict[str, Any], owner: Owner) -> dict[str, Any]:
    result = dict(obj)
    for name, value in STATIC.get(structure.name, {}).items():
        if result.get(name) in (None, ""):
            result[name] = clone(value)
    if (compute := COMPUTED.get(structure.name)) is not None:
        compute(result, owner)
    known = structure.by_name
    for name, value in result.items():
        field = known.get(name)
        if field is not None and (inner := field.structure) is not None:
            result[name] = _complete_field(field, inner, value, owner)
    return result


def _complete_field(field: Field, inner: Structure, value: Json, owner: Owner) -> Json:
    if field.container == "*":
        if isinstance(value, list):
            return [_complete(inner, v, owner) if isinstance(v, dict) else v for v in value]
    elif field.container == "%":
        if isinstance(value, dict):
            return {
                k: _complete(inner, v, owner) if isinstance(v, dict) else v
                for k, v in value.items()
            }
    elif isinstance(value, dict):
        return _complete(inner, value, owner)
    return value
