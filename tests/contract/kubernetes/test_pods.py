"""Pods that really run: readiness, logs, rollouts, jobs, evictions."""

import json

import pytest

from crossfade.testing.kube_api import eventually

SERVER = """
import http.server, os
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ.get("PORT", 8080))),
                                http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def pods(namespace) -> str:
    """The path of the Pods of the test's namespace."""
    return f"/api/v1/namespaces/{namespace}/pods"


def _ready(pod: dict) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _container(pod: dict) -> dict:
    return pod["status"]["containerStatuses"][0]


def test_a_pod_is_bound_started_and_ready(api, pods, pod_spec):
    made = api.ok("POST", pods, {"metadata": {"name": "p"}, "spec": pod_spec()})
    assert made["status"]["phase"] == "Pending"
    assert made["status"]["qosClass"] == "BestEffort"
    eventually(lambda: _ready(api.get(f"{pods}/p")))
    pod = api.get(f"{pods}/p")
    assert pod["spec"]["nodeName"]
    assert (pod["status"]["phase"], _container(pod)["ready"]) == ("Running", True)
    assert pod["status"]["podIP"]
    assert "running" in _container(pod)["state"]


def test_a_pod_goes_away_gracefully(api, pods, pod_spec):
    api.ok("POST", pods, {"metadata": {"name": "p"}, "spec": pod_spec()})
    eventually(lambda: _ready(api.get(f"{pods}/p")))
    going = api.ok("DELETE", f"{pods}/p")
    assert going["kind"] == "Pod"
    assert going["metadata"]["deletionGracePeriodSeconds"] == 1
    eventually(lambda: api.call("GET", f"{pods}/p").status_code == 404)


def test_a_pod_that_no_node_has_is_gone_at_once(api, pods, pod_spec):
    spec = pod_spec(schedulerName="nobody")
    api.ok("POST", pods, {"metadata": {"name": "p"}, "spec": spec})
    api.ok("DELETE", f"{pods}/p")
    api.refused(404, "GET", f"{pods}/p")


def test_a_pod_is_ready_when_its_probe_says_so(api, pods, pod_spec):
    probe = {"exec": {"command": ["python3", "-c", "raise SystemExit(1)"]}, "periodSeconds": 1}
    spec = pod_spec(container={"readinessProbe": probe})
    api.ok("POST", pods, {"metadata": {"name": "p"}, "spec": spec})
    eventually(lambda: api.get(f"{pods}/p")["status"]["phase"] == "Running")
    assert not _ready(api.get(f"{pods}/p"))


def test_a_log_is_read_whole_or_in_part(api, pods, pod_spec):
    program = "import time; print('one\\ntwo\\nthree', flush=True); time.sleep(1000)"
    api.ok("POST", pods, {"metadata": {"name": "p"}, "spec": pod_spec(program)})
    path = f"{pods}/p/log"
    eventually(lambda: "three" in api.call("GET", path).text)
    answer = api.call("GET", path)
    assert answer.text == "one\ntwo\nthree\n"
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert api.call("GET", path, params={"tailLines": "1"}).text == "three\n"
    assert api.call("GET", path, params={"limitBytes": "5"}).text == "one\nt"
    stamped = api.call("GET", path, params={"timestamps": "true", "tailLines": "1"}).text
    assert stamped.startswith("20")
    assert stamped.endswith("Z three\n")
    assert api.call("GET", path, params={"container": "main"}).text == "one\ntwo\nthree\n"
    api.refused(400, "GET", path, params={"container": "none"})
    api.refused(400, "GET", path, params={"previous": "true"})
    api.refused(404, "GET", f"{pods}/none/log")


def test_a_log_is_followed_to_its_end(api, pods, pod_spec):
    program = "import time\nfor n in range(3): print(n, flush=True); time.sleep(0.1)"
    spec = pod_spec(program, restartPolicy="Never")
    api.ok("POST", pods, {"metadata": {"name": "p"}, "spec": spec})
    eventually(lambda: api.get(f"{pods}/p")["status"]["phase"] != "Pending")
    assert api.call("GET", f"{pods}/p/log", params={"follow": "true"}).text == "0\n1\n2\n"


def test_a_pod_that_ends_has_succeeded_or_failed(api, pods, pod_spec):
    for name, code, phase in (("good", 0, "Succeeded"), ("bad", 3, "Failed")):
        spec = pod_spec(f"raise SystemExit({code})", restartPolicy="Never")
        api.ok("POST", pods, {"metadata": {"name": name}, "spec": spec})
        eventually(lambda n=name, p=phase: api.get(f"{pods}/{n}")["status"]["phase"] == p)
        ended = _container(api.get(f"{pods}/{name}"))["state"]["terminated"]
        assert ended["exitCode"] == code


def test_a_container_that_crashes_starts_again(api, pods, pod_spec):
    spec = pod_spec("print('bye', flush=True); raise SystemExit(1)")
    api.ok("POST", pods, {"metadata": {"name": "p"}, "spec": spec})

    def again() -> dict | None:
        # A pod that no kubelet has looked at yet has no statuses of containers.
        found = api.get(f"{pods}/p")
        statuses = found["status"].get("containerStatuses") or ()
        return found if any(one["restartCount"] >= 1 for one in statuses) else None

    pod = eventually(again, seconds=30)
    assert _container(pod)["lastState"]["terminated"]["exitCode"] == 1
    previous = {"previous": "true"}
    eventually(lambda: api.call("GET", f"{pods}/p/log", params=previous).text == "bye\n")


def test_a_pod_without_room_says_why_it_waits(api, pods, pod_spec):
    requests = {"resources": {"requests": {"cpu": "10k"}}}
    api.ok("POST", pods, {"metadata": {"name": "p"}, "spec": pod_spec(container=requests)})

    def condition() -> dict | None:
        conditions = api.get(f"{pods}/p")["status"].get("conditions", ())
        return next((one for one in conditions if one["type"] == "PodScheduled"), None)

    found = eventually(condition)
    assert (found["status"], found["reason"]) == ("False", "Unschedulable")
    assert "Insufficient cpu" in found["message"]


def test_a_deployment_becomes_available_and_rolls_over(api, deployments, deployment, namespace):
    api.ok("POST", deployments, deployment(replicas=2))
    path = f"{deployments}/web"

    def settled(replicas: int) -> bool:
        obj = api.get(path)
        status = obj["status"]
        return (
            status.get("observedGeneration") == obj["metadata"]["generation"]
            and status.get("updatedReplicas", 0) == replicas
            and status.get("availableReplicas", 0) == replicas
            and status.get("replicas", 0) == replicas
        )

    eventually(lambda: settled(2), seconds=30)
    conditions = {one["type"]: one["status"] for one in api.get(path)["status"]["conditions"]}
    assert conditions == {"Available": "True", "Progressing": "True"}
    template = {"metadata": {"labels": {"app": "web", "new": "yes"}}}
    api.patch(path, {"spec": {"template": template}})
    eventually(lambda: settled(2), seconds=30)
    sets = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
    sizes = sorted(one["spec"]["replicas"] for one in api.get(sets)["items"])
    assert sizes == [0, 2]
    api.patch(f"{path}/scale", {"spec": {"replicas": 0}})
    eventually(lambda: settled(0), seconds=30)
    api.ok("DELETE", path, {"propagationPolicy": "Background"})
    eventually(lambda: not api.get(sets)["items"])


def test_a_service_has_its_ready_pods_as_endpoints(
    api, namespace, deployments, deployment, endpoints
):
    port = {"containerPort": 8080, "name": "web"}
    body = deployment(program=SERVER, container={"ports": [port]})
    probe = {"tcpSocket": {"port": "web"}, "periodSeconds": 1}
    body["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = probe
    api.ok("POST", deployments, body)
    services = f"/api/v1/namespaces/{namespace}/services"
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "web"}]}
    service = api.ok("POST", services, {"metadata": {"name": "web"}, "spec": spec})
    assert service["spec"]["clusterIP"]

    def ready() -> list[dict]:
        return [end for end in endpoints("web") if end["conditions"].get("ready")]

    [end] = eventually(ready, seconds=30)
    assert end["addresses"]
    assert end["targetRef"]["kind"] == "Pod"
    api.patch(f"{deployments}/web/scale", {"spec": {"replicas": 0}})
    eventually(lambda: not ready())


def test_a_job_runs_to_completion(api, namespace, pod_spec):
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    spec = pod_spec("print('done')", restartPolicy="Never")
    body = {"metadata": {"name": "j"}, "spec": {"template": {"spec": spec}, "completions": 2}}
    api.ok("POST", jobs, body)

    def complete() -> bool:
        conditions = api.get(f"{jobs}/j")["status"].get("conditions", ())
        return any(one["type"] == "Complete" and one["status"] == "True" for one in conditions)

    eventually(complete, seconds=30)
    assert api.get(f"{jobs}/j")["status"]["succeeded"] == 2
    pods = f"/api/v1/namespaces/{namespace}/pods"
    found = api.get(pods, labelSelector="job-name=j")["items"]
    assert {pod["status"]["phase"] for pod in found} == {"Succeeded"}
    api.ok("DELETE", f"{jobs}/j", {"propagationPolicy": "Background"})
    eventually(lambda: not api.get(pods, labelSelector="job-name=j")["items"])


def test_a_job_gives_up_in_the_end(api, namespace, pod_spec):
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    spec = pod_spec("raise SystemExit(1)", restartPolicy="Never")
    body = {"metadata": {"name": "j"}, "spec": {"template": {"spec": spec}, "backoffLimit": 0}}
    api.ok("POST", jobs, body)

    def failed() -> dict | None:
        conditions = api.get(f"{jobs}/j")["status"].get("conditions", ())
        return next((one for one in conditions if one["type"] == "Failed"), None)

    assert eventually(failed, seconds=30)["reason"] == "BackoffLimitExceeded"


def test_an_eviction_spares_the_last_copy(api, namespace, pods, deployments, deployment):
    api.ok("POST", deployments, deployment())
    budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    selector = {"matchLabels": {"app": "web"}}
    spec = {"minAvailable": 1, "selector": selector}
    api.ok("POST", budgets, {"metadata": {"name": "b"}, "spec": spec})

    def one_ready() -> dict | None:
        found = api.get(pods, labelSelector="app=web")["items"]
        return next((pod for pod in found if _ready(pod)), None)

    name = eventually(one_ready)["metadata"]["name"]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    status = api.refused(429, "POST", f"{pods}/{name}/eviction", body)
    assert "disruption budget" in status["message"]
    api.ok("DELETE", f"{budgets}/b")

    def evicted() -> bool:
        return api.call("POST", f"{pods}/{name}/eviction", body).status_code == 201

    eventually(evicted)
    eventually(lambda: api.call("GET", f"{pods}/{name}").status_code == 404)


ANSWERING = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"not yet: {self.path}".encode()
        self.send_response(503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("", int(os.environ.get("PORT", 8080))), Handler).serve_forever()
"""


def test_what_a_pod_answers_is_passed_on_by_the_proxy(api, pods, pod_spec, endpoints):
    spec = pod_spec(ANSWERING, container={"ports": [{"containerPort": 8080, "name": "web"}]})
    api.ok("POST", pods, {"metadata": {"name": "p"}, "spec": spec})

    def answers(name: str) -> bool:
        answer = api.call("GET", f"{pods}/{name}/proxy/ready/now", params={"a": "b"})
        return (answer.status_code, answer.text) == (503, "not yet: /ready/now?a=b")

    for name in ("p", "p:8080", "http:p:web"):
        eventually(lambda name=name: answers(name))
    status = api.refused(503, "GET", f"{pods}/p:9/proxy/")
    assert "error trying to reach service" in status["message"]
    api.refused(404, "GET", f"{pods}/none/proxy/")


def test_a_pod_that_is_evicted_says_so_while_it_ends(api, pods, pod_spec):
    program = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: None); time.sleep(100)"
    spec = pod_spec(program, terminationGracePeriodSeconds=3)
    api.ok("POST", pods, {"metadata": {"name": "p"}, "spec": spec})
    eventually(lambda: _ready(api.get(f"{pods}/p")))
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}
    assert api.call("POST", f"{pods}/p/eviction", body).status_code == 201
    pod = api.get(f"{pods}/p")
    assert "deletionTimestamp" in pod["metadata"]
    told = [one for one in pod["status"]["conditions"] if one["type"] == "DisruptionTarget"]
    assert [(one["status"], one["reason"]) for one in told] == [("True", "EvictionByEvictionAPI")]


def test_a_pod_gets_its_settings(api, namespace, pods, maps, pod_spec):
    api.ok("POST", maps, {"metadata": {"name": "settings"}, "data": {"COLOUR": "blue"}})
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    api.ok("POST", secrets, {"metadata": {"name": "keys"}, "stringData": {"key": "s3cret"}})
    program = "import os, json; print(json.dumps({k: os.environ[k] for k in 'ABCD'}))"
    refs = {
        "B": {"configMapKeyRef": {"name": "settings", "key": "COLOUR"}},
        "C": {"secretKeyRef": {"name": "keys", "key": "key"}},
        "D": {"fieldRef": {"fieldPath": "metadata.name"}},
    }
    env = [{"name": "A", "value": "1"}]
    env += [{"name": name, "valueFrom": ref} for name, ref in refs.items()]
    spec = pod_spec(program, restartPolicy="Never", container={"env": env})
    api.ok("POST", pods, {"metadata": {"name": "p"}, "spec": spec})
    eventually(lambda: api.get(f"{pods}/p")["status"]["phase"] == "Succeeded")
    told = json.loads(api.call("GET", f"{pods}/p/log").text)
    assert told == {"A": "1", "B": "blue", "C": "s3cret", "D": "p"}


def test_events_tell_what_happened_to_a_pod(api, namespace, pods, pod_spec):
    made = api.ok("POST", pods, {"metadata": {"name": "p"}, "spec": pod_spec()})
    events = f"/api/v1/namespaces/{namespace}/events"
    selector = f"involvedObject.uid={made['metadata']['uid']}"

    def reasons() -> set[str]:
        return {one["reason"] for one in api.get(events, fieldSelector=selector)["items"]}

    eventually(lambda: {"Scheduled", "Started"} <= reasons())
