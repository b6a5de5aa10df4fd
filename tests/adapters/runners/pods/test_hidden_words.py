"""A secret in the command of a step, a service or a probe stands in no pod."""

import asyncio
import json

import pytest

from crossfade.adapters.runners import bubblewrap
from crossfade.adapters.runners.pods.composed import companions, composed
from crossfade.adapters.runners.pods.hidden_words import probed, told
from crossfade.adapters.runners.pods.manifests import Run, run_secrets, step_pod
from crossfade.adapters.runners.pods.names import Names
from crossfade.adapters.runners.pods.options import PodOptions
from crossfade.core.pipeline.composition import Composition, Probe, Service
from crossfade.core.pipeline.state import Status
from crossfade.core.pipeline.work import Inside
from crossfade.ports.runner import Order, RunId

SECRET = "s3cret-$(HOME) 'x'"
OWNER = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "uid": "u"}}


def order(**more):
    return Order(RunId("7", 0, "step", 1), "true\n", image="alpine", secrets=(SECRET,), **more)


def test_words_without_secrets_stay_readable_and_mean_no_variable():
    assert told(["echo", "$(HOME)"], (SECRET,)) == (["echo", "$$(HOME)"], {})
    assert probed(["echo", "$(HOME)"], (SECRET,)) == (["echo", "$(HOME)"], {})


def test_no_pod_says_a_secret_that_stands_in_a_command():
    word = f"--token={SECRET}"
    service = Service("db", "alpine", ("db", word), (word,), after={}, health=Probe(("ask", word)))
    one = Service("test", "alpine", arguments=("test", word), after={"db": True})
    composition = Composition({}, ready=Probe(("ready", word)), setup=Probe(("setup", word)))
    inside = Inside(("run", word), (word,), runs_script=False)
    run = Run(
        order(inside=inside, composition=composition), Names("i", "7", 1), PodOptions(), OWNER
    )

    beside = companions(run, [service], [one])
    alone = json.dumps(step_pod(run))
    whole = json.dumps(composed(step_pod(run), beside, ()))

    assert "s3cret" not in alone + whole
    assert alone.count("$(CF_STEP_WORD_") == 2
    assert whole.count("$(CF_STEP_WORD_") == 5
    env = run_secrets(run)[1]["data"]
    assert {name for name in env if "WORD" in name} == {
        f"CF_STEP_WORD_{each}" for each in ("E1", "A0", "R1", "S1")
    }
    assert [sum("CF_STEP" in name for name in each) for each in beside.variables.values()] == [
        3,
        1,
    ]


@pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap")
async def test_a_command_in_a_pod_has_its_secret(step_cloud, tmp_path):
    runner = step_cloud.runner(tmp_path)
    word = f"--token={SECRET}"
    said = ("sh", "-c", '[ "$1" = "--token=$GIVEN" ] && echo the same', "x", word)
    health = Probe(("test", word, "=", word), period_seconds=1.0)
    db = {
        "image": "alpine",
        "command": ["sh", "-c", 'echo got "$1"; sleep 600', "x", word],
        "healthcheck": {"test": ["CMD", *health.argv], "interval": "1s"},
    }
    after = {
        "image": "alpine",
        "command": "sleep 600",
        "depends_on": {"db": {"condition": "service_healthy"}},
    }
    composition = Composition({"services": {"db": db, "last": after}})
    inside = Inside(said, (), runs_script=False)
    wanted = order(inside=inside, composition=composition, environment={"GIVEN": SECRET})

    await runner.start(wanted)
    async with asyncio.timeout(60):
        text = b"".join([each.data async for each in runner.output(wanted.run)]).decode()
        sight = await runner.look(wanted.run)
    await step_cloud.close()

    assert sight.status is Status.SUCCEEDED, text
    assert "the same\n" in text
    assert f"db | got {word}\n" in text
