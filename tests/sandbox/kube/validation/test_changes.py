"""Fields that cannot change once made are protected, and those that can are not."""

import copy

import pytest

from crossfade.sandbox.kube import schema
from crossfade.sandbox.kube.builtin import builtin
from crossfade.sandbox.kube.kinds import DEPLOYMENT, JOB, POD, SECRET, SERVICE, STATEFUL_SET

ROLE_BINDING = builtin("rbac.authorization.k8s.io", "v1", "RoleBinding")
CONTAINERS = [{"name": "a", "image": "i"}]


def named(**more):
    return {"metadata": {"name": "x", "namespace": "default", "uid": "u"}} | more


def workload(**spec):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": CONTAINERS}}
    return named(spec={"selector": {"matchLabels": {"a": "b"}}, "template": template} | spec)


def changed(kind, obj, path, value):
    old = schema.apply_defaults(kind, obj)
    new = copy.deepcopy(old)
    holder = new
    *steps, last = path.split(".")
    for step in steps:
        holder = holder[int(step) if step.isdigit() else step]
    holder[int(last) if last.isdigit() else last] = value
    return schema.validate_change(kind, old, new)


@pytest.mark.parametrize(
    ("kind", "obj", "path", "value", "field"),
    [
        (DEPLOYMENT, workload(), "spec.selector", {"matchLabels": {"a": "c"}}, "spec.selector"),
        (DEPLOYMENT, workload(), "spec.replicas", 3, ""),
        (DEPLOYMENT, workload(), "spec.template.spec.containers.0.image", "new", ""),
        (STATEFUL_SET, workload(serviceName="s"), "spec.serviceName", "t", "spec"),
        (STATEFUL_SET, workload(serviceName="s"), "spec.replicas", 3, ""),
        (JOB, workload(), "spec.template.spec.containers.0.image", "new", "spec.template"),
        (JOB, workload(), "spec.parallelism", 2, ""),
        (POD, named(spec={"containers": CONTAINERS}), "spec.containers.0.image", "new", ""),
        (POD, named(spec={"containers": CONTAINERS}), "spec.containers.0.args", ["x"], "spec"),
        (POD, named(spec={"containers": CONTAINERS}), "spec.nodeName", "n", ""),
        (
            POD,
            named(spec={"containers": CONTAINERS, "nodeName": "n"}),
            "spec.nodeName",
            "m",
            "spec",
        ),
        (SERVICE, named(spec={}), "spec.clusterIP", "10.0.0.1", "spec.clusterIPs[0]"),
        (SERVICE, named(spec={}), "spec.ports", [{"port": 1}], ""),
        (SECRET, named(type="a"), "type", "b", "type"),
        (SECRET, named(immutable=True, data={}), "data", {"a": "Yg=="}, "data"),
        (SECRET, named(data={}), "data", {"a": "Yg=="}, ""),
        (ROLE_BINDING, named(roleRef={"name": "a"}), "roleRef", {"name": "b"}, "roleRef"),
    ],
)
def test_a_change_is_refused_only_where_kubernetes_refuses_it(kind, obj, path, value, field):
    assert [where for where, _ in changed(kind, obj, path, value)] == ([field] if field else [])
