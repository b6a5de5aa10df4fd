"""Steps as pods of sandbox clouds, beyond what every runner does."""

import asyncio
import base64
import json
from dataclasses import replace

import pytest

from crossfade.adapters.runners import bubblewrap
from crossfade.adapters.runners.pod import PodRunner
from crossfade.adapters.runners.pods.names import Names
from crossfade.adapters.runners.pods.options import PodOptions
from crossfade.adapters.runners.pods.records import Home, Known, PodRecords
from crossfade.base.errors import InputError, Unavailable
from crossfade.core.pipeline.state import Status
from crossfade.core.pipeline.work import Inside
from crossfade.ports.runner import Order, RunId

pytestmark = pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap")
PODS = "/api/v1/namespaces/crossfade-pipelines/pods"
HASTY = PodOptions(idle_seconds=600.0, lost_seconds=1.0)


def order(script, key="step", number=1, **more):
    return Order(RunId("7", 0, key, number), script, **{"image": "alpine", **more})


async def printed(runner, run):
    return b"".join([each.data async for each in runner.output(run)]).decode()


async def ended(runner, wanted):
    await runner.start(wanted)
    async with asyncio.timeout(40):
        text = await printed(runner, wanted.run)
        return text, await runner.look(wanted.run)


async def until(condition, seconds=40):
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


@pytest.fixture
async def runner(step_cloud, tmp_path):
    yield step_cloud.runner(tmp_path)
    await step_cloud.close()


def pod_of(cloud, folder, wanted):
    where, name = cloud.pod(folder, wanted.run)
    api = cloud.api(where)
    try:
        return api.get(f"{PODS}/{name}")
    finally:
        api.close()


async def test_what_is_secret_is_in_no_manifest_but_that_of_a_secret(runner, step_cloud, tmp_path):
    wanted = order(
        'echo "$TOKEN" | wc -c; cat "$KUBECONFIG" | wc -c; sleep 60\n',
        environment={"TOKEN": "tok-123", "a.b": "x", "not a name": "y"},
        kubeconfig="tok-456\n",
    )
    await runner.start(wanted)
    async for each in runner.output(wanted.run):
        assert b"8\n" in each.data
        break

    pod = json.dumps(pod_of(step_cloud, tmp_path, wanted))
    await runner.stop(wanted.run, 0.1)

    assert "tok-" not in pod
    assert base64.b64encode(b"tok-123").decode() not in pod
    assert '"automountServiceAccountToken": false' in pod


async def test_a_pod_is_named_after_its_run_and_marked_with_build_and_step(
    runner, step_cloud, tmp_path
):
    wanted = order("sleep 60\n", key="Unit Tests")
    await runner.start(wanted)

    metadata = pod_of(step_cloud, tmp_path, wanted)["metadata"]
    await runner.stop(wanted.run, 0.1)

    assert "-unit-tests-" in metadata["name"]
    assert metadata["labels"]["crossfade.dev/build"] == "7"
    assert metadata["labels"]["crossfade.dev/step"] == "Unit-Tests"
    assert metadata["ownerReferences"][0]["kind"] == "Job"


async def test_built_in_steps_work_on_the_same_files_as_pods(runner, step_cloud, tmp_path):
    here = order("echo mine > /codefresh/volume/file\n", key="clone", image="")
    await ended(runner, here)
    text, _ = await ended(runner, order("cat file; echo theirs > other\n", key="pod"))
    back, _ = await ended(runner, order("cat /codefresh/volume/other\n", key="build", image=""))

    assert (text, back) == ("mine\n", "theirs\n")
    assert (tmp_path / "7/volume/other").read_text() == "theirs\n"


async def test_an_image_that_cannot_be_had_fails_the_step_with_its_name(runner):
    wanted = order("true\n", image="registry.example.com/team/app:1", inside=Inside())
    _, sight = await ended(runner, wanted)

    assert sight.status is Status.FAILED
    assert 'registry.example.com/team/app:1"' in sight.why


async def test_what_was_printed_is_kept_though_its_pod_is_gone(runner, step_cloud, tmp_path):
    wanted = order("cf_export --mask T=tok-123\necho tok-123\nsleep 60\n")
    await runner.start(wanted)
    async for each in runner.output(wanted.run):
        if b"tok" in each.data:
            break
    step_cloud.take_away(step_cloud.pod(tmp_path, wanted.run))

    heir = step_cloud.runner(tmp_path)
    outputs = [each async for each in heir.output(wanted.run)]

    assert b"".join(each.data for each in outputs) == b"tok-123\n"
    assert outputs[0].secrets == ("tok-123",)
    assert (await heir.look(wanted.run)).status is Status.LOST


async def test_a_start_that_broke_off_is_made_once(runner, step_cloud, tmp_path):
    wanted = order("echo once >> count\n")
    await runner.start(wanted)
    records = PodRecords(tmp_path)
    known = records.known(wanted.run)
    records.save(wanted.run, type(known)(False, known.cluster, known.epoch, known.pod, known.mains))

    await ended(step_cloud.runner(tmp_path), wanted)

    assert (await ended(runner, order("cat count\n", number=2)))[0] == "once\n"


async def test_a_workspace_that_nobody_asks_for_goes_and_comes_back_with_its_files(
    step_cloud, tmp_path
):
    runner = step_cloud.runner(tmp_path, PodOptions(idle_seconds=0.5))
    await ended(runner, order("echo kept > file\n"))
    api = step_cloud.api("cloud")
    mine = {"labelSelector": f"crossfade.dev/installation={PodRecords(tmp_path).installation()}"}
    claims = "/api/v1/namespaces/crossfade-pipelines/persistentvolumeclaims"

    async def gone():
        return not (await asyncio.to_thread(api.get, claims, **mine))["items"]

    await until(gone)
    text, _ = await ended(runner, order("cat file\n", key="later"))
    api.close()
    await step_cloud.close()

    assert text == "kept\n"


@pytest.mark.timeout(150)
async def test_a_build_whose_cloud_dies_goes_on_in_another_one_after_its_last_step(
    step_clouds, tmp_path
):
    with step_clouds("near", "far") as clouds:
        runner = clouds.runner(tmp_path / "runs", HASTY)
        await ended(runner, order("echo kept > file\n", key="first"))
        wanted = order("cat file; echo lost > file; sleep 600\n", key="second")
        await runner.start(wanted)
        async for _ in runner.output(wanted.run):
            break
        clouds.act("kill", "far")
        clouds.act("kill", "near")
        for _ in range(4):  # it may be we who are cut off: nothing is given up
            with pytest.raises(Unavailable):
                await runner.look(wanted.run)
            await asyncio.sleep(0.5)
        assert PodRecords(tmp_path / "runs").home("7").cluster == "near"
        clouds.act("restore", "far")

        async def lost():
            try:
                return not (await runner.look(wanted.run)).status.alive
            except Unavailable:  # it is asked again, as the engine does
                return False

        await until(lost)
        sight = await runner.look(wanted.run)
        text, again = await ended(runner, order("cat file\n", key="second", number=2))
        cluster, _ = clouds.pod(tmp_path / "runs", RunId("7", 0, "second", 2))
        await clouds.close()

    assert sight.status is Status.LOST
    assert "near" in sight.why
    assert (text, again.status, cluster) == ("kept\n", Status.SUCCEEDED, "far")


@pytest.mark.timeout(150)
async def test_a_build_that_no_node_takes_begins_in_another_cluster(step_clouds, tmp_path):
    with step_clouds("near", "far") as clouds:
        clouds.act("evict", "near")
        options = replace(HASTY, ready_seconds=4.0)
        runner, wanted = clouds.runner(tmp_path / "runs", options), order("echo hello\n")

        async def started():
            try:
                await runner.start(wanted)
            except Unavailable:
                return False
            return True

        await until(started, seconds=100)
        text, sight = await ended(runner, wanted)
        cluster, _ = clouds.pod(tmp_path / "runs", wanted.run)
        await clouds.close()

    assert (text, sight.status, cluster) == ("hello\n", Status.SUCCEEDED, "far")


class Refusing:
    """Homes in a cluster that takes Secrets and no pods."""

    def __init__(self, folder):
        self.records, self.options, self.asked = PodRecords(folder), PodOptions(), []
        self.mirror = lambda _: folder

    async def ready(self, _):
        owner = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "uid": "u"}}
        return Home("one", 1, "token"), owner

    async def sync(self, *_):
        return None

    async def ask(self, _build, _home, path, question, _data):
        self.asked.append((path, question["run"]))
        return b'{"exports": "", "masked": ""}'

    async def heard(self, _build, _home, act):
        return await act()

    async def find(self, _):
        return None

    async def delete(self, *_):
        return None

    async def api(self, _):
        return self

    async def create(self, path, _):
        if path == "pods":
            raise InputError("mountPath: must not contain ':'", hint="mend it")

    def names(self, build, epoch):
        return Names("abc", build, epoch)

    def path(self, kind, _name=""):
        return kind


async def test_a_pod_that_is_refused_keeps_no_workspace_going(tmp_path):
    homes = Refusing(tmp_path)
    runner, wanted = PodRunner(homes, None, None), order("true\n")

    await runner.start(wanted)

    known = homes.records.known(wanted.run)
    assert (await runner.look(wanted.run)).why.endswith("must not contain ':'")
    assert homes.asked == [("/begin", known.pod), ("/forget", known.pod)]
    assert len(known.secrets) == 2  # or nobody would remove them


async def test_a_run_that_is_stopped_before_it_has_a_pod_has_ended(tmp_path):
    homes = Refusing(tmp_path)
    runner, wanted = PodRunner(homes, None, None), order("true\n")
    homes.records.save_home("7", Home("one", 1, "token"))
    homes.records.save(wanted.run, Known(False, "one", 1, "pod", ("step",)))
    assert (await runner.look(wanted.run)).status is Status.RUNNING

    await runner.stop(wanted.run, 1.0)

    assert (await runner.look(wanted.run)).status is Status.FAILED
