"""Two revisions beside each other: settings, Secrets and autoscalers belong to one of them."""

from pathlib import Path

import pytest

from crossfade.adapters.helm.charts import pack_folder
from crossfade.core.release.revision import Revision

COLORS = Path(__file__).parents[3] / "examples/colors/deploy/helm/colors"
ROOT = "/api/v1/namespaces/default"
APPS = "/apis/apps/v1/namespaces/default"
SCALERS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
SETTINGS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: "{{ .Values.colour }}"}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {key: "key of {{ .Values.colour }}"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: host
          command: [sh, -c, 'while true; do echo "$KEY"; sleep 0.2; done']
          env:
            - {name: COLOUR, valueFrom: {configMapKeyRef: {name: settings, key: colour}}}
            - {name: KEY, valueFrom: {secretKeyRef: {name: keys, key: key}}}
          readinessProbe: {exec: {command: ["true"]}, periodSeconds: 1}
"""


@pytest.fixture
def ready(releases, until):
    async def are_ready(pods):
        async def is_so():
            found = await releases.status("colors", "default")
            return (
                all(each.ready for each in found) and sum(each.ready_pods for each in found) == pods
            )

        await until(is_so)

    return are_ready


def revision(name, **values):
    return Revision(name, "colors", "default", "", "", values)


async def test_settings_of_a_new_revision_never_reach_pods_of_the_old_one(
    releases, api, ready, tmp_path, until
):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "x.yaml").write_text(SETTINGS)
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: x\nversion: 0.1.0\n")
    chart = pack_folder(tmp_path).data
    blue, red = revision("r1111111", colour="blue"), revision("r2222222", colour="red")
    await releases.install(blue, chart)
    await ready(1)
    await releases.install(red, chart)
    await ready(2)
    found, _ = await api.list(f"{ROOT}/pods", "crossfade.dev/revision=r1111111")
    (old,) = [pod["metadata"]["name"] for pod in found]
    # Even a pod of the old revision that starts only now has the old settings.
    await api.delete(f"{ROOT}/pods/{old}")

    async def is_another():
        pods, _ = await api.list(f"{ROOT}/pods", "crossfade.dev/revision=r1111111")
        return [pod["metadata"]["name"] for pod in pods] not in ([], [old])

    await until(is_another)
    await ready(2)
    for one, words in ((blue, "key of blue"), (red, "key of red")):
        pods, _ = await api.list(f"{ROOT}/pods", f"crossfade.dev/revision={one.id}")
        for pod in pods:
            path = f"{ROOT}/pods/{pod['metadata']['name']}/log"
            assert (await api.text(path, {"tailLines": "1"})).strip() == words
    await releases.uninstall(red)
    assert (await api.get(f"{ROOT}/configmaps/{blue.release}-settings"))["data"] == {
        "colour": "blue"
    }


async def test_autoscalers_of_two_revisions_do_not_touch_each_other(releases, api, ready):
    chart = pack_folder(COLORS).data
    scaling = {"autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 10}}
    blue, red = revision("r1111111", **scaling), revision("r2222222", **scaling)
    await releases.install(blue, chart)
    await releases.scale(blue, 100)  # as its autoscaler would, which the sandbox has not
    await releases.install(red, chart, 10)
    await ready(3)
    targets, ranges = {}, {}
    for thing in (await api.list(SCALERS))[0]:
        name, spec = thing["metadata"]["name"], thing["spec"]
        targets[name] = spec["scaleTargetRef"]["name"]
        ranges[name] = (spec["minReplicas"], spec["maxReplicas"])
    assert targets == {blue.release: blue.release, red.release: red.release}
    assert ranges == {blue.release: (2, 10), red.release: (1, 1)}
    await releases.scale(red, 50)
    scaler = await api.get(f"{SCALERS}/{red.release}")
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (1, 5)
    assert (await api.get(f"{SCALERS}/{blue.release}"))["spec"]["maxReplicas"] == 10


async def test_pods_that_an_autoscaler_has_added_survive_installing_again(releases, api, ready):
    chart = pack_folder(COLORS).data
    scaling = {"autoscaling": {"enabled": True, "minReplicas": 1, "maxReplicas": 10}}
    blue = revision("r1111111", **scaling)
    await releases.install(blue, chart)
    await api.merge(f"{APPS}/deployments/{blue.release}", {"spec": {"replicas": 4}})
    await ready(4)
    await releases.install(blue, chart)
    assert (await api.get(f"{APPS}/deployments/{blue.release}"))["spec"]["replicas"] == 4


async def test_an_autoscaled_canary_of_no_pods_runs_none(releases, api, until):
    chart = pack_folder(COLORS).data
    blue = revision("r1111111", autoscaling={"enabled": True, "minReplicas": 2, "maxReplicas": 4})
    await releases.install(blue, chart, 0)
    (status,) = await releases.status("colors", "default")
    assert (status.scale, status.wanted_pods) == (0, 0)
    await releases.scale(blue, 100)
    assert (await api.get(f"{APPS}/deployments/{blue.release}"))["spec"]["replicas"] == 2
