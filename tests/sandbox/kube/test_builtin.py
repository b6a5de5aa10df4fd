"""The kinds that people and tools expect of every cluster are there, under their short names."""

import pytest

from crossfade.sandbox.kube import builtin, fields
from crossfade.sandbox.kube.kinds import DEPLOYMENT, HTTP_ROUTE, NODE, POD
from crossfade.sandbox.kube.strict import structure_of


@pytest.mark.parametrize(
    ("short", "kind"),
    [
        ("po", "Pod"),
        ("svc", "Service"),
        ("deploy", "Deployment"),
        ("rs", "ReplicaSet"),
        ("cm", "ConfigMap"),
        ("ns", "Namespace"),
        ("hpa", "HorizontalPodAutoscaler"),
        ("pdb", "PodDisruptionBudget"),
        ("ing", "Ingress"),
        ("crd", "CustomResourceDefinition"),
        ("gtw", "Gateway"),
    ],
)
def test_a_short_name_finds_its_kind(short, kind):
    found = {one.kind for one in builtin.builtin_kinds() if short in one.short_names}
    assert found == {kind}


def test_get_all_shows_what_people_run():
    everything = {kind.plural for kind in builtin.builtin_kinds() if "all" in kind.categories}
    assert {"pods", "services", "deployments", "replicasets", "jobs"} <= everything
    assert "secrets" not in everything


def test_each_kind_is_served_once_and_has_its_fields():
    kinds = builtin.builtin_kinds()
    assert len({(kind.group, kind.version, kind.plural) for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert structure_of(kind) is not None, kind
        assert kind.singular == kind.kind.lower()


def test_scopes_and_parts_are_those_of_kubernetes():
    by_kind = {kind: kind for kind in builtin.builtin_kinds()}
    assert not by_kind[NODE].namespaced
    assert by_kind[HTTP_ROUTE].namespaced
    assert by_kind[DEPLOYMENT].subresources == ("status", "scale")
    assert "log" in by_kind[POD].subresources
    assert builtin.builtin("apps", "v1", "Deployment") is by_kind[DEPLOYMENT]
    assert builtin.builtin("apps", "v1beta1", "Deployment") is None


def test_no_table_points_at_a_structure_that_is_not_there():
    packages = {fields.package(kind.group, kind.version) for kind in builtin.builtin_kinds()}
    for package in {*packages, "meta/v1"}:
        for name in fields.names(package):
            structure = fields.structure(f"{package}.{name}")
            assert structure is not None
            lost = [f for f in structure.fields if len(f.type) > 1 and f.structure is None]
            assert not lost, structure.name


def test_a_structure_that_does_not_exist_is_none():
    assert fields.structure("core/v1.Nonsense") is None
    assert fields.structure("nonsense/v1.Pod") is None
    assert fields.structure("Pod") is None
