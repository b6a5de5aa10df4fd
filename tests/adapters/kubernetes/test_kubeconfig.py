"""The kubeconfig that steps of pipelines get."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from crossfade.adapters.kubernetes.kubeconfig import FleetKubeconfig
from crossfade.base.ids import ClusterName
from crossfade.core.fleet.cluster import Cluster

FILE = """
apiVersion: v1
kind: Config
clusters:
- name: one
  cluster: {server: "https://one:6443", certificate-authority: ca.pem}
users:
- name: admin
  user: {token: tok-1}
- name: weak
  user: {tokenFile: weak.token}
- name: plugin
  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: gke-auth}}
contexts:
- name: prod
  context: {cluster: one, user: admin, namespace: shop}
- name: gcp
  context: {cluster: one, user: weak}
- name: plugin
  context: {cluster: one, user: plugin}
- name: broken
  context: {cluster: nowhere, user: admin}
"""


@pytest.fixture
def cluster(tmp_path) -> Cluster:
    (tmp_path / "config").write_text(FILE)
    (tmp_path / "ca.pem").write_text("certificate")
    (tmp_path / "weak.token").write_text("tok-2\n")
    return Cluster(ClusterName("gcp"), "prod", str(tmp_path / "config"))


def test_contexts_are_named_as_the_clusters_are(cluster):
    found = FleetKubeconfig().of([cluster])
    config = json.loads(found.text)

    assert config["contexts"] == [
        {"name": "gcp", "context": {"cluster": "gcp", "user": "gcp", "namespace": "shop"}}
    ]
    assert config["current-context"] == "gcp"
    assert found.secrets == ("tok-1",)


def test_files_are_taken_in_as_a_step_does_not_see_them(cluster):
    server = json.loads(FleetKubeconfig().of([cluster]).text)["clusters"][0]["cluster"]

    assert server == {
        "server": "https://one:6443",
        "certificate-authority-data": "Y2VydGlmaWNhdGU=",
    }


def test_plugins_stay_plugins(cluster):
    user = json.loads(FleetKubeconfig().of([replace(cluster, context="plugin")]).text)["users"][0]

    assert user["user"]["exec"]["command"] == "gke-auth"


def test_of_several_clusters_none_is_meant_by_mistake(cluster):
    other = replace(cluster, name=ClusterName("aws"))

    config = json.loads(FleetKubeconfig().of([cluster, other]).text)

    assert config["current-context"] == "choose-a-cluster"
    assert [each["name"] for each in config["contexts"]] == ["gcp", "aws"]


def test_steps_get_less_rights_where_a_file_says_so(cluster, tmp_path):
    found = FleetKubeconfig(tmp_path / "config").of([cluster])

    assert json.loads(found.text)["users"] == [{"name": "gcp", "user": {"token": "tok-2"}}]
    assert found.secrets == ("tok-2",)


@pytest.mark.parametrize(
    ("context", "file", "why"),
    [
        ("broken", "config", "no cluster `nowhere`"),
        ("absent", "config", "no context `absent`"),
        ("prod", "absent", "No such file"),
        ("prod", "ca.pem", "is no kubeconfig"),
    ],
)
def test_a_cluster_that_cannot_be_read_is_left_out_and_named(cluster, context, file, why):
    path = Path(cluster.kubeconfig).parent / file
    bad = replace(cluster, name=ClusterName("bad"), context=context, kubeconfig=str(path))

    found = FleetKubeconfig().of([cluster, bad])

    assert [each["name"] for each in json.loads(found.text)["contexts"]] == ["gcp"]
    assert found.left_out[0].startswith("bad: ")
    assert why in found.left_out[0]


def test_a_renewed_token_is_seen(cluster):
    files = FleetKubeconfig()
    files.of([cluster])
    Path(cluster.kubeconfig).write_text(FILE.replace("tok-1", "tok-new"))

    assert files.of([cluster]).secrets == ("tok-new",)
