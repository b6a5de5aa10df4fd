"""Public steps of many pipelines, run as they are written on a cloud of the sandbox."""

import json
import shutil
import signal

import pytest

pytestmark = [
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl on PATH"),
    pytest.mark.timeout(200),
]
SLEEPS = ["python3", "-c", "import time; time.sleep(1000)"]
FAILS = ["sh", "-c", "test $VERSION != 3.0 && sleep 1000"]
STEP = """
version: '1.0'
steps:
  replace:
    type: {type}
    arguments:
      SERVICE_NAME: web
      DEPLOYMENT_NAME: web
      NEW_VERSION: '{version}'
      NAMESPACE: {namespace}
      KUBE_CONTEXT: one
      {more}
"""


@pytest.fixture(scope="module")
def cloud(install_once):
    return install_once("one", hub=False)


class Shop:
    """One application in a namespace of its own, as the public examples have it."""

    def __init__(self, installation, folder, namespace):
        self.installation, self.folder, self.namespace = installation, folder, namespace

    def kubectl(self, *words):
        return self.installation.kubectl("one", "--namespace", self.namespace, *words)

    def apply(self, *, selected, command=SLEEPS, replicas=3):
        self.kubectl("create", "namespace", self.namespace)
        labels = {"app": "web", "version": "1.0"}
        variable = {"name": "VERSION", "value": "1.0"}
        container = {
            "name": "main",
            "image": "host:v1.0-slim",
            "command": command,
            "env": [variable],
        }
        pod = {"terminationGracePeriodSeconds": 1, "containers": [container]}
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web-1.0", "labels": labels},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        }
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "labels": labels},
            "spec": {"selector": selected, "ports": [{"port": 80}]},
        }
        file = self.folder / "shop.json"
        file.write_text(
            json.dumps({"apiVersion": "v1", "kind": "List", "items": [deployment, service]})
        )
        self.kubectl("apply", "-f", str(file))
        self.kubectl("rollout", "status", "deployment/web-1.0", "--timeout=60s")

    def deployments(self):
        found = json.loads(self.kubectl("get", "deployments", "-o", "json"))["items"]
        return {each["metadata"]["name"]: each["spec"]["replicas"] for each in found}

    def pod(self, name):
        found = json.loads(self.kubectl("get", "deployment", name, "-o", "json"))
        (container,) = found["spec"]["template"]["spec"]["containers"]
        return container["image"], container["env"][0]["value"]

    def service(self):
        return json.loads(self.kubectl("get", "service", "web", "-o", "json"))

    def pipeline(self, kind, version, more=""):
        file = self.folder / "codefresh.yml"
        given = {"type": kind, "version": version, "namespace": self.namespace, "more": more}
        file.write_text(STEP.format(**given))
        return file

    def run(self, kind, version, more=""):
        """Run the step; return its result and its log."""
        started = self.installation.lines(
            "pipeline", "run", str(self.pipeline(kind, version, more))
        )
        said = started.communicate(timeout=120)[0]
        return started.returncode, said


@pytest.fixture
def shop(cloud, tmp_path, request):
    return Shop(cloud, tmp_path, request.node.name.removeprefix("test_").replace("_", "-")[:60])


CANARY, BLUE_GREEN = "k8s-canary-deployment", "k8s-blue-green-deployment"


def test_a_canary_takes_over_pod_by_pod(shop):
    shop.apply(selected={"app": "web"})

    code, said = shop.run(CANARY, "2.0", "TRAFFIC_INCREMENT: 50")

    assert code == 0, said
    assert "web-2.0: 2 pods" in said
    assert "web-1.0: 1 pods" in said
    assert shop.deployments() == {"web-2.0": 3}
    assert shop.pod("web-2.0") == ("host:v2.0-slim", "2.0")
    assert shop.service()["metadata"]["labels"]["version"] == "2.0"
    code, said = shop.run(CANARY, "2.0", "TRAFFIC_INCREMENT: 50")
    assert (code, shop.deployments()) == (0, {"web-2.0": 3})


def test_a_canary_that_crashes_gives_all_pods_back(shop):
    shop.apply(selected={"app": "web"}, command=FAILS)

    code, said = shop.run(CANARY, "3.0", "TRAFFIC_INCREMENT: 40\n      SLEEP_SECONDS: 8")

    assert code == 1, said
    assert "back to web-1.0" in said
    assert shop.deployments() == {"web-1.0": 3}
    assert shop.service()["metadata"]["labels"]["version"] == "1.0"


def test_a_canary_whose_build_is_ended_gives_all_pods_back(shop):
    shop.apply(selected={"app": "web"})
    file = shop.pipeline(CANARY, "2.0", "TRAFFIC_INCREMENT: 50\n      SLEEP_SECONDS: 100")
    build = shop.installation.start("pipeline", "run", str(file))
    shop.installation.until(lambda: shop.deployments().get("web-1.0") == 1, "no canary")

    build.send_signal(signal.SIGINT)
    build.wait(30)

    assert shop.deployments() == {"web-1.0": 3}


def test_a_canary_that_is_killed_goes_on_where_it_was(shop):
    shop.apply(selected={"app": "web"})
    file = shop.pipeline(CANARY, "2.0", "TRAFFIC_INCREMENT: 50\n      SLEEP_SECONDS: 2")
    build = shop.installation.start("pipeline", "run", str(file))
    shop.installation.until(lambda: shop.deployments().get("web-1.0") == 1, "no canary")
    build.kill()
    build.wait(10)
    number = shop.installation.data("pipeline", "list")[0]["run"]

    assert shop.installation.data("pipeline", "resume", number)["result"] == "success"
    assert shop.deployments() == {"web-2.0": 3}


def test_a_service_that_users_of_a_canary_would_not_reach_is_refused(shop):
    shop.apply(selected={"app": "web", "version": "1.0"})

    code, said = shop.run(CANARY, "2.0", "TRAFFIC_INCREMENT: 50")

    assert code == 1
    assert "take version out of its selector" in said
    assert shop.deployments() == {"web-1.0": 3}


def test_blue_green_switches_once_the_new_pods_are_ready(shop):
    shop.apply(selected={"app": "web", "version": "1.0"})

    code, said = shop.run(BLUE_GREEN, "2.0", "HEALTH_SECONDS: 1")

    assert code == 0, said
    assert shop.deployments() == {"web-2.0": 3}
    assert shop.service()["spec"]["selector"]["version"] == "2.0"


def test_blue_green_that_crashes_moves_nobody(shop):
    shop.apply(selected={"app": "web", "version": "1.0"}, command=FAILS)

    code, said = shop.run(BLUE_GREEN, "3.0", "HEALTH_SECONDS: 10")

    assert code == 1, said
    assert shop.deployments() == {"web-1.0": 3}
    assert shop.service()["spec"]["selector"]["version"] == "1.0"
