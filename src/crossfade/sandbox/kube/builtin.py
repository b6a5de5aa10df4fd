"""
The kinds that a Kubernetes API serves from the start, with the names that people type.

One line each: group/version, kind, plural, then in any order `cluster` (not namespaced),
`/subresource`, `+category` and short names.  A singular is the kind in lower case.
"""

from functools import cache

from crossfade.sandbox.kube.kinds import Kind

_KINDS = """
v1 Binding bindings
v1 ComponentStatus componentstatuses cluster cs
v1 ConfigMap configmaps cm
v1 Endpoints endpoints ep
v1 Event events ev
v1 LimitRange limitranges limits
v1 Namespace namespaces cluster ns /status
v1 Node nodes cluster no /status
v1 PersistentVolume persistentvolumes cluster pv /status
v1 PersistentVolumeClaim persistentvolumeclaims pvc /status
v1 Pod pods po +all /status /log /eviction /binding /proxy
v1 PodTemplate podtemplates
v1 ReplicationController replicationcontrollers rc +all /status /scale
v1 ResourceQuota resourcequotas quota /status
v1 Secret secrets
v1 Service services svc +all /status
v1 ServiceAccount serviceaccounts sa
apps/v1 ControllerRevision controllerrevisions
apps/v1 DaemonSet daemonsets ds +all /status
apps/v1 Deployment deployments deploy +all /status /scale
apps/v1 ReplicaSet replicasets rs +all /status /scale
apps/v1 StatefulSet statefulsets sts +all /status /scale
batch/v1 CronJob cronjobs cj +all /status
batch/v1 Job jobs +all /status
autoscaling/v2 HorizontalPodAutoscaler horizontalpodautoscalers hpa +all /status
autoscaling/v1 HorizontalPodAutoscaler horizontalpodautoscalers hpa +all /status
policy/v1 PodDisruptionBudget poddisruptionbudgets pdb /status
networking.k8s.io/v1 Ingress ingresses ing /status
networking.k8s.io/v1 IngressClass ingressclasses cluster
networking.k8s.io/v1 NetworkPolicy networkpolicies netpol
rbac.authorization.k8s.io/v1 ClusterRole clusterroles cluster
rbac.authorization.k8s.io/v1 ClusterRoleBinding clusterrolebindings cluster
rbac.authorization.k8s.io/v1 Role roles
rbac.authorization.k8s.io/v1 RoleBinding rolebindings
discovery.k8s.io/v1 EndpointSlice endpointslices
coordination.k8s.io/v1 Lease leases
storage.k8s.io/v1 CSIDriver csidrivers cluster
storage.k8s.io/v1 CSINode csinodes cluster
storage.k8s.io/v1 CSIStorageCapacity csistoragecapacities
storage.k8s.io/v1 StorageClass storageclasses cluster sc
storage.k8s.io/v1 VolumeAttachment volumeattachments cluster /status
scheduling.k8s.io/v1 PriorityClass priorityclasses cluster pc
node.k8s.io/v1 RuntimeClass runtimeclasses cluster
admissionregistration.k8s.io/v1 MutatingWebhookConfiguration mutatingwebhookconfigurations cluster +api-extensions
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy validatingadmissionpolicies cluster +api-extensions /status
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings cluster +api-extensions
admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration validatingwebhookconfigurations cluster +api-extensions
apiextensions.k8s.io/v1 CustomResourceDefinition customresourcedefinitions cluster crd crds +api-extensions /status
events.k8s.io/v1 Event events ev
authentication.k8s.io/v1 SelfSubjectReview selfsubjectreviews cluster
authentication.k8s.io/v1 TokenReview tokenreviews cluster
authorization.k8s.io/v1 LocalSubjectAccessReview localsubjectaccessreviews
authorization.k8s.io/v1 SelfSubjectAccessReview selfsubjectaccessreviews cluster
authorization.k8s.io/v1 SelfSubjectRulesReview selfsubjectrulesreviews cluster
authorization.k8s.io/v1 SubjectAccessReview subjectaccessreviews cluster
certificates.k8s.io/v1 CertificateSigningRequest certificatesigningrequests cluster csr /status
gateway.networking.k8s.io/v1 GatewayClass gatewayclasses cluster gc +gateway-api /status
gateway.networking.k8s.io/v1 Gateway gateways gtw +gateway-api /status
gateway.networking.k8s.io/v1 HTTPRoute httproutes +gateway-api /status
"""  # noqa: E501  # one kind a line

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@cache
def builtin_kinds() -> tuple[Kind, ...]:
    """Return every kind served from the start; the preferred version of a group comes first."""
    return tuple(_kind(line) for line in _KINDS.strip().splitlines())


@cache
def builtin(group: str, version: str, kind: str) -> Kind | None:
    """Return the built-in kind of that name, or None."""
    for candidate in builtin_kinds():
        if (candidate.group, candidate.version, candidate.kind) == (group, version, kind):
            return candidate
    return None


def verbs(kind: Kind) -> tuple[str, ...]:
    """
    Return what can be done with the kind, in the words of discovery.

    Reviews are questions: they are created, answered and not kept.
    """
    if kind.group in ("authentication.k8s.io", "authorization.k8s.io") or kind == _BINDING:
        return ("create",)
    if kind == _COMPONENT_STATUS:
        return ("get", "list")
    return ALL_VERBS


def _kind(line: str) -> Kind:
    api_version, name, plural, *rest = line.split()
    group, _, version = api_version.rpartition("/")
    marks = [word for word in rest if word[0] in "+/" or word == "cluster"]
    return Kind(
        group,
        version,
        name,
        plural,
        namespaced="cluster" not in marks,
        singular=name.lower(),
        short_names=tuple(word for word in rest if word not in marks),
        subresources=tuple(word[1:] for word in marks if word[0] == "/"),
        categories=tuple(word[1:] for word in marks if word[0] == "+"),
    )


_BINDING = Kind("", "v1", "Binding", "bindings")
_COMPONENT_STATUS = Kind("", "v1", "ComponentStatus", "componentstatuses")
