"""The same pipeline on this machine and in pods: one verdict; and a person who is killed beside it."""

import json
import shutil

import pytest

from crossfade.adapters.runners import bubblewrap

pytestmark = [
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl on PATH"),
    pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap"),
]
PIPELINE = """
version: '1.0'
steps:
  unit:
    image: alpine:3
    commands: ['cat greeting.txt', 'cf_export WORD=green --mask', 'echo "<testsuite>\
<testcase name=\\"one\\"/></testsuite>" > report.xml']
    environment: ['CROSSFADE_TESTS=report.xml']
  broken: {image: alpine, fail_fast: false, commands: [exit 3]}
  both:
    type: parallel
    steps:
      left: {image: alpine, commands: ['echo ${{WORD}} > left']}
      right: {image: alpine, commands: ['kubectl config get-contexts -o name > right']}
  after:
    image: alpine
    commands: ['cat left right; test "$(cat left)" = green']
    when: {condition: {all: {good: 'steps.broken.result == "failure"'}}}
  never: {image: alpine, commands: [exit 1], when: {condition: {all: {no: 'false'}}}}
"""


@pytest.fixture
def installation(install):
    return install("one")


def _steps(result):
    return {name: each["result"] for name, each in result["steps"].items()}


def _log(installation, run, step):
    lines = installation.run("pipeline", "logs", run, step).splitlines()
    return [line.partition("| ")[2] for line in lines]


@pytest.mark.timeout(200)
def test_a_pipeline_has_one_verdict_wherever_it_runs(installation, tmp_path):
    (tmp_path / "greeting.txt").write_text("hello\n")
    file = tmp_path / "codefresh.yml"
    file.write_text(PIPELINE)
    given = ("pipeline", "run", str(file), "--local-dir", str(tmp_path))

    here = installation.data(*given)
    there = installation.data(*given, "--runner", "pod")

    assert _steps(here) == _steps(there)
    assert (there["result"], _steps(there)["broken"]) == ("success", "failure")
    for run in ("1", "2"):
        assert _log(installation, run, "after") == ["***", "one"]
        tests = installation.data("pipeline", "tests", run)
        assert json.dumps(tests).count('"one"') == 1


@pytest.mark.timeout(200)
def test_a_build_in_pods_goes_on_when_its_process_is_killed(installation, tmp_path):
    file = tmp_path / "codefresh.yml"
    commands = "['echo began', 'while [ ! -e go ]; do sleep 0.1; done', 'echo once >> count']"
    file.write_text(
        "version: '1.0'\nsteps:\n"
        f"  slow: {{image: alpine, commands: {commands}}}\n"
        "  open: {image: alpine, commands: ['cat count']}\n"
    )
    build = installation.lines("pipeline", "run", str(file), "--runner", "pod")
    assert any("began" in line for line in build.stdout), "it has not begun"
    build.kill()
    build.communicate(timeout=10)
    (claim,) = installation.home.glob("sandbox/clouds/*/node/claims/crossfade-pipelines/*/volume")
    (claim / "go").touch()

    result = installation.data("pipeline", "resume", "1")

    assert result["result"] == "success"
    assert _log(installation, "1", "slow") == ["began"]
    assert _log(installation, "1", "open") == ["once"]
