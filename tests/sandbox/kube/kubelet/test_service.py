"""The kubelet as a Node: it registers, dies and comes back."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from crossfade.sandbox.kube.api import open_api
from crossfade.sandbox.kube.direct_client import DirectClient
from crossfade.sandbox.kube.kinds import LEASE, NODE, POD
from crossfade.sandbox.kube.kubelet import Capacity, Kubelet, KubeletOptions
from crossfade.sandbox.kube.kubelet.leftovers import find

CLOUD = """
import asyncio, sys
from pathlib import Path
from crossfade.sandbox.kube.api import open_api
from crossfade.sandbox.kube.direct_client import DirectClient
from crossfade.sandbox.kube.kinds import POD
from crossfade.sandbox.kube.kubelet import Capacity, Kubelet, KubeletOptions

async def main(store, root, isolated):
    client = DirectClient(open_api(Path(store)))
    options = KubeletOptions(bubblewrap=isolated == "yes")
    kubelet = Kubelet(client, "n0", Capacity(), Path(root), options)
    async with asyncio.TaskGroup() as group:
        group.create_task(kubelet.run())
        await kubelet.ready.wait()
        container = {"name": "main", "image": "host", "command": ["sleep", "1000"]}
        spec = {"nodeName": "n0", "containers": [container]}
        await client.create(POD, {"metadata": {"name": "web"}, "spec": spec})
        while (await client.get(POD, "default", "web"))["status"]["phase"] != "Running":
            await asyncio.sleep(0.01)
        print("running", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_the_node_says_how_much_room_it_has_and_that_it_lives(cloud):
    async with cloud(capacity=Capacity(cpu="2", memory="4Gi", pods=20)) as here:
        node = await here.client.get(NODE, None, "n0")
        assert node["status"]["allocatable"]["cpu"] == "2"
        assert node["status"]["allocatable"]["pods"] == "20"
        ready = [one for one in node["status"]["conditions"] if one["type"] == "Ready"]
        assert ready[0]["status"] == "True"
        lease = await here.client.get(LEASE, "kube-node-lease", "n0")
        assert lease["spec"]["holderIdentity"] == "n0"


def name_of(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


async def killed_cloud(tmp_path, isolated, until):
    """Let a whole cloud process be killed while a Pod of it runs; return its folders."""
    store, root = tmp_path / "store", tmp_path / "kubelet"
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CLOUD), str(store), str(root), isolated],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        line = await asyncio.to_thread(process.stdout.readline)
        assert line == b"running\n"
        await until(lambda: any(name_of(pid) == "sleep" for pid in find(root)))
        process.send_signal(signal.SIGKILL)
        process.wait()
    return store, root


async def test_pods_die_with_a_killed_cloud(tmp_path, until):
    for isolated in ("yes", "no"):
        _, root = await killed_cloud(tmp_path / isolated, isolated, until)
        await until(lambda root=root: not find(root), seconds=5)


async def test_pods_start_again_after_the_cloud_was_killed(tmp_path, until):
    store, root = await killed_cloud(tmp_path, "yes", until)
    left = subprocess.Popen(
        ["/bin/sleep", "1000"], env={**os.environ, "CROSSFADE_KUBELET": str(root)}
    )
    client = DirectClient(open_api(store))
    kubelet = Kubelet(client, "n0", Capacity(), root, KubeletOptions())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(kubelet.run())

        async def runs_again():
            pod = await client.get(POD, "default", "web")
            status = pod["status"]["containerStatuses"][0]
            return pod if "running" in status["state"] and status["restartCount"] == 1 else None

        pod = await until(runs_again)
        last = pod["status"]["containerStatuses"][0]["lastState"]["terminated"]
        assert last["exitCode"] == 137
        assert await asyncio.to_thread(left.wait) == -signal.SIGKILL, "left-overs are cleaned up"
        task.cancel()


async def test_a_node_that_fails_and_recovers_starts_its_pods_again(cloud, make, until):
    async with cloud() as here:
        await here.client.create(POD, make.pod("web", ["sleep", "1000"]))
        await here.pod_when("web", lambda pod: pod["status"]["phase"] == "Running")
        here.kubelet.fail()
        await until(lambda: not find(here.root))
        here.kubelet.recover()

        def restarted(pod):
            status = pod["status"]["containerStatuses"][0]
            return status["restartCount"] == 1 and "running" in status["state"]

        await here.pod_when("web", restarted)
