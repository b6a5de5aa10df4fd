"""Policies of real API servers, as a dry run of a revision tells them; the sandbox has none."""

import pytest

from crossfade.adapters.helm.charts import pack_folder
from crossfade.adapters.helm.command import HelmCommand
from crossfade.adapters.helm.releases import HelmReleases
from crossfade.adapters.kubernetes.client import KubeApi as ClusterApi
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.release.revision import Revision

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: main, image: host, resources: {limits: {cpu: "2"}}}]
"""


@pytest.fixture
async def dry_run(policies, target, namespace, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 0.1.0\n")
    (tmp_path / "templates" / "x.yaml").write_text(DEPLOYMENT)
    chart = pack_folder(tmp_path).data
    api = ClusterApi(Cluster("real", target.context, str(target.kubeconfig)))
    revision = Revision("r1111111", "shop", namespace, "", "", {})

    async def run():
        return await HelmReleases(api, HelmCommand(), 30).dry_run(revision, chart)

    yield run
    await api.close()


async def test_what_fits_meets_no_objection(dry_run):
    assert await dry_run() == ()


async def test_a_quota_speaks_up_before_anything_is_installed(dry_run, api, namespace):
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    spec = {"hard": {"requests.cpu": "1"}}
    api.ok("POST", path, {"metadata": {"name": "small"}, "spec": spec})
    (found,) = await dry_run()
    assert (found.kind, found.name, found.is_policy) == ("Deployment", "shop-r1111111-web", True)
    assert "exceeded quota: small" in found.message


async def test_a_limit_range_speaks_up(dry_run, api, namespace):
    path = f"/api/v1/namespaces/{namespace}/limitranges"
    limits = [{"type": "Container", "max": {"cpu": "1"}}]
    api.ok("POST", path, {"metadata": {"name": "small"}, "spec": {"limits": limits}})
    (found,) = await dry_run()
    assert found.is_policy
    assert "maximum cpu usage per Container" in found.message


async def test_pod_security_refuses_pods_and_warns_of_their_deployment(dry_run, api, namespace):
    labels = {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
    }
    api.patch(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": labels}})
    refused, *warned = await dry_run()
    assert refused.is_policy
    assert "violates PodSecurity" in refused.message
    assert warned
    assert all(each.warning for each in warned)
