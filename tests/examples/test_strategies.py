"""The application files of the examples are accepted, and bring a new revision out as they say."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from crossfade.adapters.documents.application import read_application
from crossfade.core.rollout.spec import Kind
from crossfade.core.rollout.state import Outcome
from crossfade.testing.builders import APP, application
from crossfade.testing.engine_world import EngineWorld

EXAMPLES = Path(__file__).parents[2] / "examples"
HELM = Path(sys.executable).with_name("helm")


def example(file):
    """Return the example with a chart and a name that the clusters in memory know."""
    return replace(read_application(EXAMPLES / file), name=APP, source=application().source)


async def shown(file, **bad):
    """
    Bring out two revisions; return the shares that users met, the outcome, and the world.

    `bad` is what the world does to the second one, as `error_rates=0.3`.
    """
    world = EngineWorld(requests_per_second=300)
    await world.prepare(example(file))
    await world.deploy({"colour": "blue"})
    for _ in range(20):
        await world.turn()
    begun = await world.deployments.deploy(APP, {"colour": "yellow"})
    for fault, value in bad.items():
        getattr(world, fault)[begun.canary.id] = value
    shares = []
    began = world.clock.now()
    while (rollout := await world.rollout()).active:
        assert world.clock.now() < began + 150, rollout.state.reason
        if rollout.state.percent not in shares[-1:]:
            shares.append(rollout.state.percent)
        await world.turn()
    return shares, rollout.state.outcome, world


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda each: each.name)
def test_every_application_file_of_the_examples_is_accepted(file):
    if "kind: Application\n" in file.read_text():
        assert read_application(file).name


async def test_blue_green_switches_all_users_at_once():
    shares, outcome, world = await shown("colors/blue-green.yaml")

    assert outcome is Outcome.SUCCEEDED
    assert [each for each in shares if each] == [100]
    assert (await world.queries.record(APP)).kept, "the old one runs on"


@pytest.mark.parametrize(
    "bad", [{"error_rates": 0.3}, {"milliseconds": 300}], ids=["errors", "slow"]
)
async def test_blue_green_switches_back_when_the_new_revision_turns_out_bad_with_all_users(bad):
    shares, outcome, _ = await shown("colors/blue-green.yaml", **bad)

    assert outcome is Outcome.ROLLED_BACK
    assert 100 in shares


async def test_the_ramp_rises_in_small_steps_and_then_to_all():
    shares, outcome, _ = await shown("colors/ramp.yaml")

    assert outcome is Outcome.SUCCEEDED
    assert shares == sorted(shares)
    assert 50 in shares
    assert sum(0 < each < 50 for each in shares) >= 2


async def test_the_worker_is_replaced_in_place_first_on_prem():
    spec = example("worker/crossfade.yaml")
    shares, outcome, _ = await shown("worker/crossfade.yaml")

    assert outcome is Outcome.SUCCEEDED
    assert shares[-1] == 100
    assert (spec.strategy.kind, spec.strategy.in_place) == (Kind.ROLLING, True)
    assert spec.strategy.waves[0].clusters == ("onprem",)


def test_the_chart_of_the_worker_renders():
    done = subprocess.run(
        [HELM, "template", "worker", str(EXAMPLES / "worker/chart"), "--set", "batch=20"],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "KUBECONFIG": "/dev/null"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = YAML(typ="safe").load(done.stdout)
    container = made["spec"]["template"]["spec"]["containers"][0]

    assert made["kind"] == "StatefulSet"
    assert container["image"] == "host"
    assert container["env"] == [{"name": "BATCH", "value": "20"}]
