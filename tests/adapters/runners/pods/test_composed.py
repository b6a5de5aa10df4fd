"""Services and compositions in the pods of steps, in a cloud of the sandbox."""

import asyncio
import json

import pytest

from crossfade.adapters.runners import bubblewrap
from crossfade.adapters.runners.pods.composed import container_name
from crossfade.core.pipeline.composition import Composition, Probe
from crossfade.core.pipeline.state import Status
from crossfade.ports.runner import Order, RunId

pytestmark = pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap")
WEB = {
    "image": "python:3",
    "command": "python3 -u -m http.server 8099 --bind web",
    "working_dir": "/codefresh",
    "volumes": ["data:/codefresh/data"],
}
ASK = "import urllib.request as u; u.urlopen('http://web:8099/data/', timeout=2)"


def order(script, composition, **more):
    values = {"image": "alpine", "composition": composition, **more}
    return Order(RunId("7", 0, "step", 1), script, **values)


def sh(script, **more):
    return Probe(("sh", "-c", script), "python:3", **more)


@pytest.fixture
async def runner(step_cloud, tmp_path):
    yield step_cloud.runner(tmp_path)
    await step_cloud.close()


async def ended(runner, wanted):
    await runner.start(wanted)
    async with asyncio.timeout(50):
        text = b"".join([each.data async for each in runner.output(wanted.run)]).decode()
        return text, await runner.look(wanted.run)


async def test_a_step_begins_once_its_services_are_ready_and_set_up(runner):
    composition = Composition(
        {"services": {"web": WEB}},
        ready=sh(f'python3 -c "{ASK}"', period_seconds=0.2, failures=60),
        setup=sh("echo done > /codefresh/volume/setup"),
    )
    script = f'cat setup\npython3 -c "{ASK}" && echo asked\n'

    text, sight = await ended(runner, order(script, composition, image="python:3"))

    assert sight.status is Status.SUCCEEDED, text
    assert [line for line in text.splitlines() if "|" not in line] == ["done", "asked"]
    assert "web | " in text


async def test_the_first_candidate_that_fails_decides_and_each_is_told_by_its_name(runner):
    candidates = {
        "good": {"image": "alpine", "command": "sh -c 'echo fine; cf_export GOOD=1'"},
        "bad": {"image": "alpine", "command": "sh -c 'echo broken; exit 4'"},
    }

    text, sight = await ended(runner, order("", Composition({"services": {}}, candidates)))

    assert (sight.status, sight.why) == (Status.FAILED, "exit code 4")
    assert {"good | fine", "bad | broken"} <= set(text.splitlines())
    assert [(each.name, each.value) for each in sight.exports] == [("GOOD", "1")]


async def test_services_that_are_never_ready_fail_the_step_with_what_was_tried(runner):
    never = sh("echo still closed; exit 1", period_seconds=0.1, failures=2)
    composition = Composition({"services": {"web": WEB}}, ready=never)

    text, sight = await ended(runner, order("echo step\n", composition))

    assert sight.status is Status.FAILED
    assert "readiness | still closed" in text
    assert "\nstep" not in text


async def test_a_service_that_others_wait_for_and_that_is_not_healthy_is_named(runner):
    health = {"test": ["CMD", "false"], "interval": "1s", "retries": 1}
    composition = Composition(
        {
            "services": {
                "db": {"image": "alpine", "command": "sleep 600", "healthcheck": health},
                "app": {
                    "image": "alpine",
                    "command": "sleep 600",
                    "depends_on": {"db": {"condition": "service_healthy"}},
                },
            }
        }
    )

    _, sight = await ended(runner, order("true\n", composition))

    assert sight.status is Status.FAILED
    assert "db is not healthy" in sight.why


async def test_a_composition_that_cannot_be_read_fails_its_step_and_says_where(runner):
    composition = Composition({"services": {"db": {"image": "alpine", "portz": 1}}})
    _, sight = await ended(runner, order("true\n", composition))

    assert sight.status is Status.FAILED
    assert "db: `portz` is not supported" in sight.why


async def test_variables_of_services_are_in_no_manifest(runner, step_cloud, tmp_path):
    service = {"image": "alpine", "command": "sleep 600", "environment": ["PASSWORD=tok-789"]}
    wanted = order("sleep 60\n", Composition({"services": {"db": service}}))
    await runner.start(wanted)
    cloud, name = step_cloud.pod(tmp_path, wanted.run)
    api = step_cloud.api(cloud)
    pod = api.get(f"/api/v1/namespaces/crossfade-pipelines/pods/{name}")
    api.close()
    await runner.stop(wanted.run, 0.1)

    assert "tok-789" not in json.dumps(pod)


def test_no_two_services_have_containers_of_one_name():
    names = ["db", "DB", "d b", "step", "readiness", "x" * 60, "x" * 61, "_"]

    assert len({container_name(each) for each in names}) == len(names)
    assert container_name("db") == "db"
