"""`crossfade deploy`"""

import os
import signal
import threading
import time
from dataclasses import replace

import pytest

from crossfade.core.application import Placement
from crossfade.core.release.data import DataForms
from crossfade.core.rollout.spec import Wave
from crossfade.testing.builders import APP, application

BEGUN = {"application", "number", "revision", "stable", "phase", "percent", "step", "steps"}


@pytest.fixture
def hub(world):
    """Work as a hub would, beside the command that is watched, until the rollout has ended."""
    threads = []

    def start():
        async def work(opened):
            async def begun():
                return bool(await opened.queries.rollouts(APP))

            for _ in range(2000):
                if await begun() and not (await opened.rollout()).active:
                    return
                await opened.turn()

        threads.append(threading.Thread(target=lambda: world.run(work)))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join(60)


def test_it_says_what_begins_and_that_nobody_does_it(crossfade, world):
    ran = crossfade("deploy", "colors", "--set", "colour=blue")

    assert ran.code == 0
    assert ran.out.startswith("rollout colors.1 to r")
    assert "no hub runs on this store; `crossfade up`" in ran.err
    assert "`crossfade rollout watch colors` follows it" in ran.err


def test_programs_get_the_rollout_and_nothing_else_on_stdout(crossfade, world):
    ran = crossfade("deploy", "colors", "--set", "colour=blue", "-o", "json")

    assert set(ran.data) > BEGUN
    assert (ran.data["number"], ran.data["stable"], ran.data["phase"]) == (1, None, "installing")
    assert "follows it" not in ran.err


def test_values_on_the_command_line_make_the_revision(crossfade, world):
    first = crossfade("deploy", "colors", "--set", "colour=blue", "-o", "json").data
    second = crossfade("deploy", "colors", "--set", "colour=red", "-o", "json").data

    assert first["revision"] != second["revision"]
    assert world.run(lambda w: w.rollout()).canary.values == {"colour": "red"}


def test_a_dry_run_shows_all_and_changes_nothing(crossfade, world):
    shown = crossfade("deploy", "colors", "--set", "colour=blue", "--dry-run", "-o", "json")
    text = crossfade("deploy", "colors", "--set", "colour=blue", "--dry-run")
    revision = shown.data["revision"]

    assert shown.data["clusters"] == ["aws", "gcp", "onprem"]
    assert shown.data["replaces"] is None
    assert sorted(shown.data["objects"]) == [
        f"Deployment/colors-{revision}",
        f"Service/colors-{revision}",
    ]
    assert f"revision {revision} of colors-0.1.0 would be the first" in text.out
    assert "on: aws, gcp, onprem" in text.out
    assert crossfade("rollout", "list", "-o", "json").data == {"rollouts": []}


def test_what_would_not_survive_the_loss_of_a_cloud_is_shown_and_refused(crossfade, world):
    async def promise(opened):
        spec = application()
        placement = Placement(pod_capacity=10, demand=70)
        spec = replace(spec, placement=placement, strategy=replace(spec.strategy, survive=1))
        await opened.commands.apply(spec)

    world.run(promise)
    shown = crossfade("deploy", "colors", "--dry-run")
    missing = "colors without aws/sandbox lacks 10 of 70: 1 pod more in gcp and onprem"

    assert (shown.code, crossfade("deploy", "colors").code) == (4, 4)
    assert f"would not survive: {missing}" in shown.out
    assert missing in shown.err
    assert crossfade("rollout", "list", "-o", "json").data == {"rollouts": []}
    data = crossfade("deploy", "colors", "--dry-run", "--force", "-o", "json").data
    assert data["survival"]["missing"] == [missing]
    assert crossfade("deploy", "colors", "--force").code == 0


def test_a_version_whose_data_the_serving_one_cannot_read_is_shown_and_refused(crossfade, world):
    def declare(data):
        world.run(lambda opened: opened.commands.apply(replace(application(), data=data)))

    declare(DataForms("a"))
    serving = world.deploy(colour="blue").canary.id
    declare(DataForms("b", ("a",)))
    red = ("deploy", "colors", "--set", "colour=red")
    shown = crossfade(*red, "--dry-run")
    why = f"{serving} does not read `b`, and may still serve on aws, gcp, onprem"

    assert (shown.code, crossfade(*red).code) == (4, 4)
    assert f"would not get along: {why}" in shown.out
    assert why in shown.err
    assert crossfade(*red, "--dry-run", "--force", "-o", "json").data["misfits"] == [why]
    forced = crossfade(*red, "--force")
    assert forced.code == 0
    assert "do not get along" in forced.err
    assert f"forced: {why}" in crossfade("failover", "why", "colors").out


def test_undo_to_a_version_that_cannot_read_what_was_written_needs_force(crossfade, world):
    def declare(data):
        world.run(lambda opened: opened.commands.apply(replace(application(), data=data)))

    world.deploy(colour="blue")
    declare(DataForms("b"))
    second = world.deploy(colour="red").canary.id
    declare(DataForms("a", ("b",)))
    world.run(lambda opened: opened.deployments.deploy(APP, {"colour": "green"}, force=True))
    world.run(lambda opened: opened.until_ended())
    undo = ("rollout", "undo", "colors", "--to", second)

    assert crossfade(*undo).code == 4
    assert crossfade(*undo, "--force").code == 0


def test_a_dry_run_tells_what_would_be_replaced(crossfade, world):
    serving = world.deploy(colour="blue")
    text = crossfade("deploy", "colors", "--set", "colour=red", "--dry-run")

    assert f"would replace {serving.canary.id}" in text.out


@pytest.fixture
def waves(world):
    """Give the application waves of these clusters."""

    def give(*names):
        async def work(opened):
            spec = (await opened.queries.record(APP)).spec
            given = tuple(Wave((name,)) for name in names)
            strategy = replace(spec.strategy, waves=given)
            await opened.commands.apply(replace(spec, strategy=strategy))

        world.run(work)

    return give


def test_a_dry_run_lists_the_waves_with_their_clusters(crossfade, waves):
    waves("gcp", "asw")
    text = crossfade("deploy", "colors", "--dry-run")
    data = crossfade("deploy", "colors", "--dry-run", "-o", "json").data

    lines = text.out.splitlines()
    at = lines.index("  wave 1: gcp")
    assert lines[at + 1 : at + 3] == [
        "  wave 2: no cluster (asw)",
        "  then, in no wave: aws, onprem",
    ]
    assert "note: wave 2 (asw) has none of the application's clusters" in text.out
    assert data["waves"] == [["gcp"], [], ["aws", "onprem"]]
    assert len(data["remarks"]) == 1


def test_a_wave_that_no_cluster_is_in_is_pointed_out_when_it_is_deployed(crossfade, waves):
    waves("gcp", "asw")

    ran = crossfade("deploy", "colors")
    assert ran.code == 0
    assert "note: wave 2 (asw) has none of the application's clusters" in ran.err


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_waves_that_are_all_misspelt_do_not_become_one_of_everybody(crossfade, waves, options):
    waves("asw", "gpc")
    ran = crossfade("deploy", "colors", *options)

    assert (ran.code, ran.out) == (2, "")
    assert "none of the clusters of `colors` is in any of its waves" in ran.err
    assert "waves=asw; gpc" in ran.err
    assert crossfade("rollout", "list", "-o", "json").data == {"rollouts": []}


def test_what_serves_already_is_refused(crossfade, world):
    world.deploy(colour="blue")
    ran = crossfade("deploy", "colors", "--set", "colour=blue")

    assert (ran.code, ran.out) == (5, "")
    assert "serves already" in ran.err
    assert "hint: " in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing"], 3, "there is no application `nothing`"),
        (["colors", "--set", "colour"], 2, "colour"),
        (["colors", "--set", "fail=no template"], 2, "no template"),
        ([], 2, "missing"),
    ],
)
def test_what_is_wrong_is_told_before_anything_changes(crossfade, world, arguments, code, message):
    ran = crossfade("deploy", *arguments)

    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err.lower()
    assert crossfade("rollout", "list", "-o", "json").data == {"rollouts": []}


def test_watching_follows_it_to_its_end(crossfade, world, hub):
    hub()
    ran = crossfade("deploy", "colors", "--set", "colour=blue", "--watch")
    lines = ran.out.splitlines()

    assert ran.code == 0
    assert lines[-1].startswith("colors: succeeded 100 % r")
    assert len(lines) == len(set(lines))


def test_a_program_that_asks_twice_with_one_key_gets_one_rollout(crossfade, world):
    ask = ("deploy", "colors", "--set", "colour=blue", "--once", "7.0/deploy@1", "-o", "json")

    assert crossfade(*ask).data["number"] == 1
    assert crossfade(*ask).data["number"] == 1


def test_values_come_from_a_file_below_those_of_the_command_line(crossfade, world, tmp_path):
    (tmp_path / "values.yaml").write_text("colour: blue\nmood: {calm: true}\n")
    file = str(tmp_path / "values.yaml")

    ran = crossfade("deploy", "colors", "--values", file, "--set", "colour=red", "-o", "json")

    assert ran.code == 0, ran.err
    found = world.run(lambda w: w.rollout()).canary.values
    assert (found["colour"], found["mood"]) == ("red", {"calm": True})


def test_a_file_that_has_no_values_is_refused(crossfade, world, tmp_path):
    (tmp_path / "values.yaml").write_text("- blue\n")

    ran = crossfade("deploy", "colors", "--values", str(tmp_path / "values.yaml"))

    assert ran.code == 2
    assert "no file of Helm values" in ran.err


def test_the_rollout_is_aborted_when_its_command_is_ended_and_that_was_asked_for(crossfade, world):
    crossfade("deploy", "colors", "--set", "colour=blue")
    world.run(lambda w: w.until_ended())

    def end_once_it_listens():
        while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end_once_it_listens, daemon=True).start()
    ran = crossfade("deploy", "colors", "--set", "colour=red", "--watch", "--abort-when-ended")

    assert ran.code == 130
    assert "colors.2 is taken back" in ran.err
    assert world.run(lambda w: w.rollout()).state.abort == "who started it was ended"
