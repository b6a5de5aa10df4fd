"""Builds whose steps run in containers of an engine, as people run them."""

import shutil

import pytest

from crossfade.adapters.images.engine import DOCKER, PODMAN, own_variables, why_not
from crossfade.adapters.runners.containers import Containers
from crossfade.testing.tool_image import make_tool_image

PIPELINE = """version: '1.0'
steps:
  greet:
    image: alpine
    environment: [TOKEN=tok-12345]
    commands: ['echo "it is $TOKEN" > said', 'cf_export --mask SAID=sesame-42', 'cat said']
  hear:
    image: alpine
    commands: ['cat said', 'echo "$SAID"']
  shared:
    image: alpine
    services: {composition: {db: {image: alpine, command: sleep 600}}}
    commands: [getent hosts db]
  fails:
    image: alpine
    fail_fast: false
    commands: [exit 7]
  last:
    image: alpine
    when: {condition: {all: {failed: "steps.fails.result == 'failure'"}}}
    commands: [echo over]
"""


@pytest.fixture(params=[PODMAN, DOCKER])
def engine(request, monkeypatch):
    if why := why_not(request.param):
        pytest.skip(f"{request.param} cannot run containers here: {why}")
    monkeypatch.setenv("CROSSFADE_PIPELINE_RUNNER", "container")
    monkeypatch.setenv("CROSSFADE_CONTAINER_ENGINE", request.param)
    return request.param


def verdict(ran):
    steps = ran.data["steps"]
    found = steps.items() if isinstance(steps, dict) else ((e["step"], e) for e in steps)
    return ran.code, {name: each["result"] for name, each in found}


def test_the_same_pipeline_has_the_same_verdict_as_processes_and_leaves_nothing(
    crossfade, tmp_path, monkeypatch, engine
):
    file, state = tmp_path / "codefresh.yml", tmp_path / "state"
    file.write_text(PIPELINE)
    make_tool_image(tmp_path / "made", "alpine")
    state.mkdir()
    shutil.copytree(tmp_path / "made/images", state / "images")

    inside = crossfade("pipeline", "run", str(file), "--output", "json")
    monkeypatch.setenv("CROSSFADE_PIPELINE_RUNNER", "process")
    beside = crossfade("pipeline", "run", str(file), "--output", "json")

    assert verdict(inside) == verdict(beside)
    assert verdict(inside)[1]["fails"] == "failure"
    logs = crossfade("pipeline", "logs", "1").out
    assert "it is tok-12345" in logs
    assert "sesame-42" not in logs
    where = Containers(engine, own_variables(), str((state / "pipelines").resolve()))
    assert where.runs() == frozenset()


def test_an_engine_that_does_not_work_is_told_before_anything_is_made(
    crossfade, tmp_path, monkeypatch
):
    (tmp_path / "codefresh.yml").write_text(PIPELINE)
    monkeypatch.setenv("CROSSFADE_PIPELINE_RUNNER", "container")
    monkeypatch.setenv("CROSSFADE_CONTAINER_ENGINE", "docker")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    ran = crossfade("pipeline", "run", str(tmp_path / "codefresh.yml"))

    assert ran.code != 0
    assert "no engine works here: docker: " in ran.err
    assert "--runner process" in ran.err
    assert crossfade("pipeline", "list", "--output", "json").data == []
