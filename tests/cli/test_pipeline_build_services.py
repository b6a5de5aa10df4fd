"""Services of a whole build, as processes that really run."""

import signal
import subprocess
import sys
import time

import pytest

from crossfade.adapters.runners import bubblewrap

pytestmark = pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap")
SERVICES = """services:
  name: data
  composition:
    db:
      image: alpine
      command: ["sh", "-c", "echo up; echo x >> /data/starts; while [ ! -e /data/end ]; do sleep 0.05; done"]
      volumes: ['./data:/data']
  readiness: {image: alpine, periodSeconds: 0.05, failureThreshold: 100, commands: ['test -e data/starts']}
  setup: {image: alpine, commands: ['echo filled > filled']}
"""


@pytest.fixture
def run(crossfade, tmp_path, left):
    """Run a pipeline with services of its own."""

    def go(steps, *more, services=SERVICES):
        file = tmp_path / "codefresh.yml"
        file.write_text(f"version: '1.0'\n{services}steps:\n{steps}")
        return crossfade("pipeline", "run", str(file), *more)

    yield go
    assert left(tmp_path) == []


def test_all_steps_find_the_services_which_begin_once_and_end_with_the_build(run, crossfade):
    ran = run("""  first: {image: alpine, commands: ['cat filled', 'getent hosts db']}
  second: {image: alpine, services: [data], commands: ['getent hosts db', 'wc -l < data/starts']}
""")

    assert ran.code == 0, ran.out
    assert "first    | filled" in ran.out
    assert "services | db | up" in ran.out
    assert "second   | 1" in ran.out
    assert "db | up" in crossfade("pipeline", "logs", "1", "services").out


def test_services_of_a_step_go_before_those_of_the_build(run):
    ran = run("""  test:
    image: alpine
    commands: ['getent hosts db cache']
    services: {composition: {cache: {image: alpine, command: sleep 600}}}
  own:
    image: alpine
    commands: ['getent hosts db | grep -c .']
    services: {composition: {db: {image: alpine, command: sleep 600}}}
""")

    assert ran.code == 0, ran.out
    found = [line.split() for line in ran.out.splitlines() if "127." in line]
    names = [words[-1] for words in found if words[0] == "test"]
    assert names == ["db", "cache"]
    assert "own      | 1" in ran.out


def test_services_that_cannot_be_had_say_why(run):
    broken = "services: {composition: {db: {image: nobody/db, command: x}}}\n"
    ran = run("  test: {image: alpine, commands: [echo never]}\n", services=broken)

    assert ran.code == 1
    assert "its services are not there: exit code 1; see their log" in ran.out
    assert "the image nobody/db is neither kept here" in ran.out
    assert "| never" not in ran.out


def test_a_build_that_is_killed_and_gone_on_with_has_its_services_still(crossfade, tmp_path, run):
    file = tmp_path / "codefresh.yml"
    wait = "while [ ! -e go ]; do sleep 0.05; done"
    file.write_text(f"""version: '1.0'
{SERVICES}steps:
  test: {{image: alpine, commands: ['{wait}', 'getent hosts db']}}
  last: {{image: alpine, commands: ['getent hosts db', 'cat data/starts']}}
""")
    command = [sys.executable, "-m", "crossfade.cli.main", "pipeline", "run", str(file)]
    process = subprocess.Popen(command)
    volume = tmp_path / "state/pipelines/1/volume"
    until(lambda: (volume / "filled").exists())
    process.send_signal(signal.SIGKILL)
    process.wait()
    (volume / "go").touch()

    ran = crossfade("pipeline", "resume", "1")

    assert ran.code == 0, ran.out
    assert (volume / "data/starts").read_text() == "x\n", "they were not started twice"


def test_a_build_that_is_restarted_starts_its_services_anew(crossfade, tmp_path, run):
    ran = run("""  first: {image: alpine, commands: [getent hosts db]}
  second: {image: alpine, commands: ['getent hosts db', 'test -e fixed']}
""")
    assert ran.code == 1
    volume = tmp_path / "state/pipelines/1/volume"
    (volume / "fixed").touch()

    ran = crossfade("pipeline", "restart", "1")

    assert ran.code == 0, ran.out
    assert (volume / "data/starts").read_text() == "x\nx\n"


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
