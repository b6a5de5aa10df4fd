"""Why workloads are not ready, from all that a cluster tells: in words that it really uses."""

import pytest

from crossfade.adapters.kubernetes.diagnosis import diagnose
from crossfade.adapters.kubernetes.workloads import PodsOf, Workload
from crossfade.base.errors import Denied, NotFound
from crossfade.core.release.report import Cause

WHOSE = PodsOf("shop", "crossfade.dev/revision=r1")
ROOT = "/api/v1/namespaces/shop"


class Cluster:
    """What the API server answers, by path."""

    def __init__(self, pod=None, events=(), log="", nodes=None, answer=None):
        self.answer = answer
        self.lists = {f"{ROOT}/pods": [pod] if pod else [], f"{ROOT}/events": list(events)}
        self.lists["/api/v1/pods"] = self.lists[f"{ROOT}/pods"]
        self.nodes, self.log, self.asked = nodes, log, []

    async def list(self, path, labels="", *, fields="", metadata_only=False):
        self.asked.append(path)
        if path == "/api/v1/nodes":
            if self.nodes is None:
                raise Denied("the cluster forbids it", hint="x")
            return self.nodes, ""
        return self.lists[path], ""

    async def find(self, path):
        if self.nodes is None:
            raise Denied("the cluster forbids it", hint="x")
        named = {f"/api/v1/nodes/{each['metadata']['name']}": each for each in self.nodes}
        return named.get(path)

    async def peek(self, path):
        self.asked.append(path)
        if self.answer is None:
            raise Denied("the cluster forbids it", hint="x")
        return self.answer

    async def text(self, path, query):
        if not self.log:
            raise NotFound("no log", hint="x")
        return self.log if isinstance(self.log, str) else self.log[query["previous"]]


def pod(state=None, conditions=(), **status):
    container = {"name": "app", "image": "shop:2", "ready": False, "state": state or {}}
    return {
        "metadata": {"name": "web-1"},
        "spec": {"nodeName": "n1", "containers": [{"resources": {"requests": {"cpu": "2"}}}]},
        "status": {
            "conditions": list(conditions),
            "containerStatuses": [container | status] if state else [],
        },
    }


def waiting(reason, message=""):
    return pod({"waiting": {"reason": reason, "message": message}})


def event(reason, message, count=1):
    return {"reason": reason, "message": message, "count": count, "lastTimestamp": "1"}


def node(ready="True", cpu="1"):
    return {
        "metadata": {"name": "n1"},
        "spec": {},
        "status": {
            "allocatable": {"cpu": cpu, "pods": "9"},
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


async def told(cluster, *workloads):
    return await diagnose(cluster, WHOSE, workloads or [Workload("Deployment/web", 1, 0)])


GONE = 'Failed to pull image "shop:2": rpc error: code = NotFound desc = shop:2: not found'
AWAY = 'Failed to pull image "shop:2": failed to do request: dial tcp 10.0.0.9:443: i/o timeout'


async def test_an_image_that_is_not_there_is_told_by_its_event_and_given_up_after_three_tries():
    state = waiting("ImagePullBackOff", 'Back-off pulling image "shop:2"')
    once = await told(Cluster(state, [event("Failed", GONE)]))
    assert "shop:2: not found" in once.text
    assert (once.cause, once.patience_seconds) == (Cause.CONFIG, None)
    often = [event("Failed", GONE, 3), event("Failed", "Error: ErrImagePull", 3)]
    given_up = await told(Cluster(state, often))
    assert given_up.patience_seconds == 0.0
    assert given_up.text.endswith("(tried 3 times)")


async def test_a_registry_that_is_away_is_no_fault_of_the_revision():
    state = waiting("ImagePullBackOff", 'Back-off pulling image "shop:2"')
    found = await told(Cluster(state, [event("Failed", AWAY, 20)]))
    assert (found.cause, found.patience_seconds) == (Cause.NODE, None)


async def test_a_crash_after_a_failing_liveness_probe_says_both():
    ended = pod({"terminated": {"exitCode": 137}}, restartCount=1)
    probe = event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500")
    found = await told(Cluster(ended, [probe], log="bye\n"))
    assert found.text.endswith(
        "container app crashed with exit code 137 after this: Liveness probe failed: "
        "HTTP probe failed with statuscode: 500; it said: bye"
    )


async def test_last_words_are_found_though_the_container_was_started_again_meanwhile():
    logs = {"": "", "true": "no database\n"}
    found = await told(Cluster(pod({"terminated": {"exitCode": 3}}), log=logs))
    assert found.text.endswith("crashed with exit code 3; it said: no database")


async def test_a_crash_is_told_even_if_its_log_cannot_be_had():
    found = await told(Cluster(pod({"terminated": {"exitCode": 3}})))
    assert "crashed with exit code 3" in found.text


FAILING = event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")


@pytest.mark.parametrize(
    ("action", "path"),
    [
        ({"path": "/ready?full=1", "port": 80}, "http:web-1:80/proxy/ready?full=1"),
        ({"port": "web", "scheme": "HTTPS"}, "https:web-1:web/proxy/"),
    ],
)
async def test_a_failing_probe_is_told_with_what_the_program_says(action, path):
    one = pod({"running": {}})
    one["spec"]["containers"] = [{"name": "app", "readinessProbe": {"httpGet": action}}]
    cluster = Cluster(one, [FAILING], answer="no database\nat db:5432\n")
    assert (await told(cluster)).text.endswith(
        "with statuscode: 503, saying: no database / at db:5432"
    )
    assert f"{ROOT}/pods/{path}" in cluster.asked


@pytest.mark.parametrize("answer", [None, "", " \n"])
async def test_a_program_that_says_nothing_or_may_not_be_asked_leaves_the_probes_answer(answer):
    one = pod({"running": {}})
    one["spec"]["containers"] = [{"name": "app", "readinessProbe": {"httpGet": {"port": 80}}}]
    found = await told(Cluster(one, [FAILING], answer=answer))
    assert found.text.endswith("with statuscode: 503")


async def test_a_probe_by_command_has_its_output_already_and_nothing_else_is_asked():
    one = pod({"running": {}})
    one["spec"]["containers"] = [{"name": "app", "readinessProbe": {"exec": {"command": ["x"]}}}]
    cluster = Cluster(one, [event("Unhealthy", "Readiness probe failed: disk is full")])
    assert (await told(cluster)).text.endswith("Readiness probe failed: disk is full")


@pytest.mark.parametrize(
    ("message", "words", "cause"),
    [
        ('MountVolume.SetUp failed for volume "v" : secret "tls" not found',
         "its volumes cannot be made: Secret tls is missing", Cause.CONFIG),
        ('MountVolume.SetUp failed for volume "v" : rpc error: disk is away', "disk is away",
         Cause.NODE),
    ],
)  # fmt: skip
async def test_volumes_that_cannot_be_made_are_told_by_their_event(message, words, cause):
    found = await told(Cluster(pod(), [event("FailedMount", message)]))
    assert words in found.text
    assert found.cause is cause


async def test_a_pod_that_merely_starts_has_nobody_to_blame():
    found = await told(Cluster(pod()))
    assert (found.text, found.cause) == ("0 of 1 pods are ready", Cause.NONE)


async def test_a_silent_node_is_told_whatever_its_containers_said_last():
    ended = pod({"terminated": {"exitCode": 1}}, restartCount=9)
    found = await told(Cluster(ended, nodes=[node("Unknown")]))
    assert "its node n1 does not answer" in found.text
    assert (found.cause, found.patience_seconds) == (Cause.NODE, None)
    gone = await told(Cluster(ended, nodes=[]))
    assert gone.cause is Cause.NODE


NO_ROOM = {
    "type": "PodScheduled",
    "status": "False",
    "message": "0/1 nodes are available: 1 Insufficient cpu.",
}


async def test_no_room_is_told_with_figures_or_in_the_schedulers_words_if_we_may_not_look():
    found = await told(Cluster(pod(conditions=[NO_ROOM]), nodes=[node()]))
    assert "it asks for 2 CPU; the best node, n1, has 0 CPU free of 1 CPU" in found.text
    found = await told(Cluster(pod(conditions=[NO_ROOM])))
    assert found.text.endswith("no node takes it: 0/1 nodes are available: 1 Insufficient cpu.")
    assert found.cause is Cause.RESOURCES


TAINTED = {
    "type": "PodScheduled",
    "status": "False",
    "message": "0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to "
    "deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful.",
}


@pytest.mark.parametrize(
    ("taint", "cause"),
    [("node.kubernetes.io/disk-pressure", Cause.NODE), ("team", Cause.CONFIG)],
)
async def test_a_taint_that_the_scheduler_does_not_name_is_looked_up(taint, cause):
    tainted = node()
    tainted["spec"]["taints"] = [{"key": taint, "effect": "NoSchedule"}]
    found = await told(Cluster(pod(conditions=[TAINTED]), nodes=[tainted]))
    assert found.cause is cause
    assert found.text.endswith("1 node(s) had untolerated taint(s).")


@pytest.mark.parametrize(
    ("title", "failure", "cause", "patience"),
    [
        (
            "Deployment/web",
            'pods "web-" is forbidden: exceeded quota: small',
            Cause.RESOURCES,
            None,
        ),
        ("Deployment/web", 'pods "web-" is forbidden: violates PodSecurity', Cause.REFUSED, 10.0),
        ("Job/migrate", "BackoffLimitExceeded", Cause.CONFIG, 0.0),
    ],
)
async def test_what_keeps_a_workload_from_making_pods_is_told(title, failure, cause, patience):
    found = await told(Cluster(), Workload(title, 1, 0, failure))
    assert found.text == f"{title}: {failure}"
    assert (found.cause, found.patience_seconds) == (cause, patience)


async def test_while_some_pods_serve_nothing_is_given_up():
    ended = pod({"terminated": {"exitCode": 1}}, restartCount=9)
    found = await told(Cluster(ended), Workload("Deployment/web", 2, 1))
    assert found.text.startswith("1 of 2 pods are ready; pod web-1: ")
    assert found.patience_seconds is None


async def test_the_pods_of_the_whole_cluster_are_asked_for_only_when_there_is_no_room():
    cluster = Cluster(pod({"terminated": {"exitCode": 1}}), nodes=[node()])
    await told(cluster)
    assert "/api/v1/pods" not in cluster.asked
