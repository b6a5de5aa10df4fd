"""Pods as real processes: what users of a cluster see of starts, ends and trouble."""

import asyncio

import pytest

from crossfade.sandbox.kube.kinds import CONFIG_MAP, POD
from crossfade.sandbox.kube.kubelet import KubeletOptions
from crossfade.sandbox.kube.kubelet.leftovers import find, kill
from crossfade.sandbox.kube.logs import LogQuery


async def text_of(reader, **query):
    return b"".join([part async for part in reader(LogQuery("default", **query))]).decode()


def main_status(pod):
    statuses = pod["status"].get("containerStatuses") or [{}]
    return statuses[0]


def waiting_reason(pod):
    return (main_status(pod).get("state") or {}).get("waiting", {}).get("reason")


async def ask(port, path="/"):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.decode()


@pytest.fixture(params=[True, False], ids=["bubblewrap", "plain"])
def options(request):
    return KubeletOptions(bubblewrap=request.param, first_back_off_seconds=0.2)


async def test_a_pod_serves_on_the_port_that_stands_behind_its_container_port(
    cloud, make, ready, host_port, options
):
    container = {
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}},
    }
    async with cloud(options=options) as here:
        await here.client.create(POD, make.pod("web", make.server, container=container))
        pod = await here.pod_when("web", ready)
        assert "200 OK" in await ask(host_port(pod, 8080))
        assert pod["status"]["podIP"] == "127.0.0.1"
        assert pod["status"]["phase"] == "Running"
        assert main_status(pod)["started"] is True


async def test_a_stopped_pod_ends_by_sigterm_and_leaves_nothing(cloud, make, ready, options, until):
    container = {
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"port": 8080}},
    }
    async with cloud(options=options) as here:
        await here.client.create(POD, make.pod("web", make.server, container=container))
        await here.pod_when("web", ready)
        following = here.kubelet.log_reader(LogQuery("default", "web", "", follow=True))
        await here.client.delete(POD, "default", "web")
        assert b"asked to end" in b"".join([part async for part in following])
        await here.gone(POD, "web")
        assert find(here.root) == []
        await until(lambda: not list((here.root / "pods").iterdir()))


async def test_processes_that_ignore_sigterm_are_killed_after_the_grace_period(
    cloud, make, options
):
    command = ["sh", "-c", "trap '' TERM; echo on; while true; do sleep 0.1; done"]
    async with cloud(options=options) as here:
        await here.client.create(
            POD, make.pod("stubborn", command, terminationGracePeriodSeconds=1)
        )
        await here.pod_when("stubborn", lambda pod: pod["status"]["phase"] == "Running")
        await here.client.delete(POD, "default", "stubborn")
        await here.gone(POD, "stubborn", seconds=5)
        assert find(here.root) == []


async def test_a_forced_deletion_does_not_wait(cloud, make, options, until):
    command = ["sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"]
    async with cloud(options=options) as here:
        await here.client.create(POD, make.pod("stuck", command, terminationGracePeriodSeconds=60))
        await here.pod_when("stuck", lambda pod: pod["status"]["phase"] == "Running")
        await here.client.delete(POD, "default", "stuck", grace_seconds=0)
        await until(lambda: not find(here.root), seconds=3)


async def test_no_process_outlives_the_kubelet(cloud, make, options, until):
    async with cloud(options=options) as here:
        command = ["sh", "-c", "sleep 1000 & sleep 1000"]
        await here.client.create(POD, make.pod("sleeper", command))
        await here.pod_when("sleeper", lambda pod: pod["status"]["phase"] == "Running")
        await until(lambda: find(here.root), seconds=10)  # its marks are there once it has begun
    assert find(here.root) == []


async def test_a_container_that_crashes_is_restarted_with_pauses_and_keeps_its_last_words(
    cloud, make, options
):
    command = ["sh", "-c", "echo run; exit 3"]
    async with cloud(options=options) as here:
        await here.client.create(POD, make.pod("crash", command))
        pod = await here.pod_when(
            "crash",
            lambda pod: (
                main_status(pod).get("restartCount", 0) >= 2
                and waiting_reason(pod) == "CrashLoopBackOff"
            ),
        )
        last = main_status(pod)["lastState"]["terminated"]
        assert (last["exitCode"], last["reason"]) == (3, "Error")
        assert pod["status"]["phase"] == "Running"
        assert await text_of(here.kubelet.log_reader, pod="crash", container="") == "run\n"
        query = {"pod": "crash", "container": "main", "previous": True}
        assert await text_of(here.kubelet.log_reader, **query) == "run\n"
        assert await here.events("BackOff")


@pytest.mark.parametrize(
    ("policy", "script", "phase"),
    [
        ("Never", "exit 0", "Succeeded"),
        ("Never", "exit 1", "Failed"),
        ("OnFailure", "exit 0", "Succeeded"),
    ],
)
async def test_a_pod_that_may_end_reports_how(cloud, make, policy, script, phase):
    async with cloud() as here:
        body = make.pod("task", ["sh", "-c", script], restartPolicy=policy)
        await here.client.create(POD, body)
        pod = await here.pod_when("task", lambda pod: pod["status"]["phase"] == phase)
        assert main_status(pod)["restartCount"] == 0


async def test_a_failing_liveness_probe_restarts_the_container(cloud, make, ready):
    container = {
        "ports": [{"containerPort": 8080}],
        "livenessProbe": {
            "httpGet": {"port": 8080},
            "periodSeconds": 1,
            "failureThreshold": 1,
            "initialDelaySeconds": 1,
        },
        "readinessProbe": {"httpGet": {"port": 8080}, "periodSeconds": 1, "failureThreshold": 1},
    }
    async with cloud() as here:
        await here.client.create(POD, make.pod("web", make.server, container=container))
        await here.pod_when("web", ready)
        broken = next((here.root / "pods").glob("*/main/tmp")) / "broken"
        broken.touch()
        await here.pod_when("web", lambda pod: not ready(pod))
        await here.pod_when("web", lambda pod: main_status(pod)["restartCount"] >= 1)
        broken.unlink()
        await here.pod_when("web", ready)
        assert any("Liveness probe failed" in text for text in await here.events("Unhealthy"))
        assert any("statuscode: 503" in text for text in await here.events("Unhealthy"))


async def test_a_restarted_container_keeps_its_port(cloud, make, ready, host_port):
    container = {"ports": [{"containerPort": 80}], "readinessProbe": {"tcpSocket": {"port": 80}}}
    async with cloud() as here:
        await here.client.create(POD, make.pod("web", make.server, container=container))
        before = await here.pod_when("web", ready)
        kill(here.root)
        after = await here.pod_when(
            "web", lambda pod: ready(pod) and main_status(pod)["restartCount"] == 1
        )
        assert host_port(after, 80) == host_port(before, 80)


async def test_an_unknown_image_says_what_the_sandbox_can_run(cloud, make):
    async with cloud() as here:
        body = make.pod("web", ["true"], container={"image": "nginx:1.27"})
        await here.client.create(POD, body)
        pod = await here.pod_when("web", lambda pod: waiting_reason(pod) == "ErrImagePull")
        assert "`host` only" in main_status(pod)["state"]["waiting"]["message"]
        await here.pod_when("web", lambda pod: waiting_reason(pod) == "ImagePullBackOff")
        assert pod["status"]["phase"] == "Pending"


async def test_a_command_that_does_not_exist_is_named(cloud, make):
    async with cloud() as here:
        await here.client.create(POD, make.pod("web", ["no-such-program"], restartPolicy="Never"))
        pod = await here.pod_when("web", lambda pod: pod["status"]["phase"] == "Failed")
        ended = main_status(pod)["state"]["terminated"]
        assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
        assert '"no-such-program": executable file not found in $PATH' in ended["message"]


async def test_a_missing_config_map_is_named_and_awaited(cloud, make):
    reference = {"configMapKeyRef": {"name": "settings", "key": "colour"}}
    container = {"env": [{"name": "COLOUR", "valueFrom": reference}]}
    command = ["sh", "-c", "echo $COLOUR; sleep 1000"]
    async with cloud() as here:
        await here.client.create(POD, make.pod("web", command, container=container))
        pod = await here.pod_when(
            "web", lambda pod: waiting_reason(pod) == "CreateContainerConfigError"
        )
        assert main_status(pod)["state"]["waiting"]["message"] == 'configmap "settings" not found'
        settings = {"metadata": {"name": "settings"}, "data": {"color": "blue"}}
        await here.client.create(CONFIG_MAP, settings)
        await here.pod_when(
            "web",
            lambda pod: (
                "couldn't find key colour in ConfigMap default/settings"
                in str(main_status(pod)["state"])
            ),
        )
        await here.client.patch(CONFIG_MAP, "default", "settings", {"data": {"colour": "red"}})
        await here.pod_when("web", lambda pod: pod["status"]["phase"] == "Running")


async def test_a_container_over_its_memory_limit_is_killed_as_oom(cloud, make):
    command = ["python3", "-S", "-c", "x = b'1' * 200_000_000; import time; time.sleep(100)"]
    container = {"resources": {"limits": {"memory": "64Mi"}}}
    async with cloud() as here:
        body = make.pod("greedy", command, container=container, restartPolicy="Never")
        await here.client.create(POD, body)
        pod = await here.pod_when("greedy", lambda pod: pod["status"]["phase"] == "Failed")
        ended = main_status(pod)["state"]["terminated"]
        assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


async def test_init_containers_run_first_and_share_volumes(cloud, make):
    mount = {"volumeMounts": [{"name": "shared", "mountPath": "/srv/shared-with-init"}]}
    first = {
        "name": "first",
        "image": "host",
        "command": ["sh", "-c", "sleep 0.2; echo made > /srv/shared-with-init/file"],
        **mount,
    }
    async with cloud() as here:
        body = make.pod(
            "task",
            ["cat", "/srv/shared-with-init/file"],
            container=mount,
            initContainers=[first],
            volumes=[{"name": "shared", "emptyDir": {}}],
            restartPolicy="Never",
        )
        await here.client.create(POD, body)
        await here.pod_when("task", lambda pod: pod["status"]["phase"] == "Succeeded")
        assert await text_of(here.kubelet.log_reader, pod="task", container="main") == "made\n"


async def test_a_sidecar_runs_beside_the_others_and_ends_after_them(cloud, make):
    sidecar = {
        "name": "side",
        "image": "host",
        "restartPolicy": "Always",
        "command": ["sleep", "1000"],
    }
    async with cloud() as here:
        body = make.pod("task", ["true"], initContainers=[sidecar], restartPolicy="Never")
        await here.client.create(POD, body)
        await here.pod_when("task", lambda pod: pod["status"]["phase"] == "Succeeded")
        assert find(here.root) == []


async def test_routers_hear_of_the_end_before_the_process_does(cloud, make, ready):
    container = {
        "ports": [{"containerPort": 80}],
        "readinessProbe": {"tcpSocket": {"port": 80}},
        "lifecycle": {
            "preStop": {"exec": {"command": ["sh", "-c", "sleep 0.3; touch /tmp/broken"]}}
        },
    }
    async with cloud() as here:
        await here.client.create(POD, make.pod("web", make.server, container=container))
        pod = await here.pod_when("web", ready)
        await here.client.delete(POD, "default", "web")
        pod = await here.get(POD, "web")
        assert "deletionTimestamp" in pod["metadata"]
        assert main_status(pod)["state"].get("running"), "ended before routers could know"
        await here.gone(POD, "web")


async def test_a_pod_with_a_deadline_fails_when_it_is_over(cloud, make):
    async with cloud() as here:
        body = make.pod("slow", ["sleep", "1000"], activeDeadlineSeconds=1)
        await here.client.create(POD, body)
        pod = await here.pod_when("slow", lambda pod: pod["status"]["phase"] == "Failed")
        assert pod["status"]["reason"] == "DeadlineExceeded"
        assert find(here.root) == []


async def test_a_startup_probe_gives_a_slow_container_its_time(cloud, make, ready):
    script = "sleep 1.5; touch /tmp/up; sleep 1000"
    container = {
        "startupProbe": {
            "exec": {"command": ["cat", "/tmp/up"]},
            "periodSeconds": 1,
            "failureThreshold": 10,
        },
        "livenessProbe": {"exec": {"command": ["cat", "/tmp/up"]}, "failureThreshold": 1},
    }
    async with cloud() as here:
        await here.client.create(POD, make.pod("slow", ["sh", "-c", script], container=container))
        pod = await here.pod_when("slow", ready)
        assert main_status(pod)["restartCount"] == 0


async def test_a_container_that_never_starts_up_is_restarted(cloud, make):
    container = {
        "startupProbe": {
            "exec": {"command": ["false"]},
            "periodSeconds": 1,
            "failureThreshold": 1,
        }
    }
    async with cloud() as here:
        await here.client.create(POD, make.pod("dud", ["sleep", "1000"], container=container))
        await here.pod_when("dud", lambda pod: main_status(pod).get("restartCount", 0) >= 1)


async def test_a_hook_that_takes_too_long_does_not_outlast_a_forced_end(cloud, make, until):
    container = {"lifecycle": {"preStop": {"sleep": {"seconds": 60}}}}
    async with cloud() as here:
        body = make.pod("web", ["sleep", "1000"], container=container)
        body["spec"]["terminationGracePeriodSeconds"] = 60
        await here.client.create(POD, body)
        await here.pod_when("web", lambda pod: pod["status"]["phase"] == "Running")
        await here.client.delete(POD, "default", "web")
        await here.pod_when("web", lambda pod: "deletionTimestamp" in pod["metadata"])
        await here.client.delete(POD, "default", "web", grace_seconds=0)
        await until(lambda: not find(here.root), seconds=3)


async def test_a_folder_that_cannot_be_made_is_named_and_awaited(cloud, make):
    async with cloud() as here:
        here.root.mkdir(exist_ok=True)
        (here.root / "pods").write_text("in the way")
        await here.client.create(POD, make.pod("web", ["sleep", "1000"]))
        pod = await here.pod_when("web", lambda pod: waiting_reason(pod) == "CreateContainerError")
        assert "Not a directory" in main_status(pod)["state"]["waiting"]["message"]
        (here.root / "pods").unlink()
        await here.pod_when("web", lambda pod: pod["status"]["phase"] == "Running")
