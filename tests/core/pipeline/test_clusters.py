"""Which clusters a pipeline may reach."""

import pytest

from crossfade.core.pipeline.clusters import reachable, unknown


@pytest.mark.parametrize(
    ("spec", "clusters"),
    [
        ({}, None),
        ({"clustersInfo": {"injectAll": True}}, None),
        ({"clustersInfo": {"injectAll": False}}, ()),
        ({"clustersInfo": {"injectAll": False, "available": ["gcp"]}}, ("gcp",)),
    ],
)
def test_a_pipeline_reaches_what_it_names_and_no_more(spec, clusters):
    assert reachable(spec) == clusters


@pytest.mark.parametrize(
    ("script", "environment", "missing"),
    [
        ("kubectl config use-context prod\n", {}, ("prod",)),
        ('kubectl config use-context "my shop"; helm list\n', {}, ("my shop",)),
        ("kubectl config use-context gcp && kubectl get pods\n", {}, ()),
        ('kubectl config use-context "$WHERE"\n', {}, ()),
        ("helm upgrade a b\n", {"HELM_KUBECONTEXT": "prod", "KUBECONTEXT": "gcp"}, ("prod",)),
        ("true\n", {"HELM_KUBECONTEXT": ""}, ()),
    ],
)
def test_a_cluster_that_a_step_works_on_and_the_fleet_has_not_is_named(
    script, environment, missing
):
    assert unknown(script, environment, "contexts: [{name: gcp}]") == missing
