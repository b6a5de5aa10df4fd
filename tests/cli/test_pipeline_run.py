"""Builds as people meet them: run, killed, resumed, approved, restarted, ended."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossfade.cli.main import main
from crossfade.testing.git_folder import git, two_branches

WAIT_SECONDS = 40


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def write(tmp_path: Path, steps: str) -> str:
    path = tmp_path / "codefresh.yml"
    path.write_text(f"version: '1.0'\nsteps:\n{steps}")
    return str(path)


def background(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "crossfade.cli.main", "pipeline", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def until(condition, what: str):
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


def result(capsys, *arguments: str) -> dict:
    capsys.readouterr()
    main(["pipeline", *arguments, "--output", "json"])
    return json.loads(capsys.readouterr().out)


def listed(capsys) -> dict:
    return result(capsys, "list")[0]


def volume(home: Path) -> Path:
    return home / "pipelines/1/volume"


def test_a_build_runs_and_says_how_each_step_ended(tmp_path, capsys):
    file = write(
        tmp_path,
        """  first: {image: alpine, commands: ['cf_export A=${{B}}']}
  bad: {image: alpine, commands: ['exit 3'], fail_fast: false}
  last: {image: alpine, commands: ['echo "A is $A"']}
""",
    )

    assert main(["pipeline", "run", file, "--var", "B=7"]) == 0

    out = capsys.readouterr().out
    assert "last  | A is 7" in out
    assert "exit code 3" in out
    assert "build 1: success" in out


def test_a_build_that_fails_ends_with_1(tmp_path):
    assert (
        main(["pipeline", "run", write(tmp_path, "  a: {image: alpine, commands: ['exit 3']}\n")])
        == 1
    )


def test_nothing_runs_of_a_pipeline_that_has_a_step_that_is_not_supported(tmp_path, capsys, home):
    file = write(
        tmp_path,
        """  first: {image: alpine, commands: ['touch ran']}
  image: {type: github-action, uses: a}
""",
    )

    assert main(["pipeline", "run", file]) == 2

    said = capsys.readouterr().err
    assert "line 4: image: steps of type github-action are not supported yet" in said
    assert not (home / "pipelines").exists()


def test_secrets_are_masked_on_the_screen_in_logs_and_in_results(
    tmp_path, capsys, home, monkeypatch
):
    monkeypatch.setenv("TOKEN", "tok-12345")
    file = write(
        tmp_path,
        """  one: {image: alpine, commands: ['echo $TOKEN', 'printf tok-; sleep 0.2; echo 12345', 'cf_export --mask K=key-678', 'echo key-678']}
  two: {image: alpine, commands: ['echo $K | base64']}
""",
    )

    main(["pipeline", "run", file, "--secret", "TOKEN"])

    kept = "".join(each.read_text() for each in (home / "pipelines/1/logs").iterdir())
    shown = capsys.readouterr()
    for text in (kept, shown.out, shown.err):
        assert "12345" not in text
        assert "key-678" not in text
        assert "a2V5LTY3" not in text
    assert kept.count("***") == 4
    left = [p for p in (home / "pipelines/1/runs").rglob("*") if p.name in ("output", "exports")]
    assert left == []


def test_a_build_goes_on_where_it_was_when_its_process_is_killed(tmp_path, capsys, home):
    file = write(
        tmp_path,
        """  first: {image: alpine, commands: ['echo x >> first']}
  long: {image: alpine, commands: ['echo x >> long', 'while [ ! -e go ]; do sleep 0.05; done', 'cf_export A=1']}
  last: {image: alpine, commands: ['echo x >> last', 'test $A = 1']}
""",
    )
    process = background("run", file)
    until((volume(home) / "long").exists, "the second step does not start")
    process.kill()
    process.communicate()
    (volume(home) / "go").touch()

    assert result(capsys, "resume", "1")["result"] == "success"
    for name in ("first", "long", "last"):
        assert (volume(home) / name).read_text() == "x\n"


def test_a_build_cannot_be_run_by_two_at_once(tmp_path, home, capsys):
    file = write(
        tmp_path,
        "  a: {image: alpine, commands: ['touch up; while [ ! -e go ]; do sleep 0.05; done']}\n",
    )
    process = background("run", file)
    until((volume(home) / "up").exists, "the step does not start")

    assert main(["pipeline", "resume", "1"]) == 5

    (volume(home) / "go").touch()
    process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 0


@pytest.mark.parametrize(("word", "code", "other"), [("approve", 0, "yes"), ("deny", 1, "no")])
def test_a_build_waits_until_somebody_answers(tmp_path, home, capsys, word, code, other):
    file = write(
        tmp_path,
        """  ask: {type: pending-approval}
  after: {image: alpine, commands: ['touch after'], when: {steps: [{name: ask, on: [approved]}]}}
""",
    )
    process = background("run", file)
    until(home.exists, "no store")
    until(lambda: main(["pipeline", "list"]) == 0 and "ask" in capsys.readouterr().out, "no wait")

    assert main(["pipeline", word, "1"]) == 0

    process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == code
    assert (volume(home) / "after").exists() == (word == "approve")


def test_an_approval_that_does_not_wait_cannot_be_answered(tmp_path, capsys):
    main(["pipeline", "run", write(tmp_path, "  a: {image: alpine, commands: ['true']}\n")])

    assert main(["pipeline", "approve", "1"]) == 5
    assert main(["pipeline", "approve", "1", "a"]) == 3
    assert main(["pipeline", "approve", "9"]) == 3


def test_a_build_begins_again_at_what_failed(tmp_path, home, capsys):
    file = write(
        tmp_path,
        """  once: {image: alpine, commands: ['echo x >> once', 'cf_export A=1']}
  flaky: {image: alpine, commands: ['test -e mended', 'test $A = 1', 'echo x >> flaky']}
""",
    )
    assert main(["pipeline", "run", file]) == 1
    (volume(home) / "mended").touch()

    assert main(["pipeline", "restart", "1"]) == 0
    assert (volume(home) / "once").read_text() == "x\n"

    assert main(["pipeline", "restart", "1"]) == 2  # nothing failed
    assert main(["pipeline", "restart", "1", "--from-step", "nope"]) == 3
    assert main(["pipeline", "restart", "1", "--from-step", "once"]) == 0
    assert (volume(home) / "once").read_text() == "x\nx\n"
    assert (volume(home) / "flaky").read_text() == "x\nx\n"


def processes_of(home: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"CF_STEP_RUN={home}".encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("how", ["signal", "command", "command-after-a-kill"])
def test_a_build_that_is_ended_leaves_no_process(tmp_path, home, capsys, how):
    file = write(
        tmp_path,
        """  long: {image: alpine, commands: ['touch up', 'setsid sleep 300 & sleep 300']}
  never: {image: alpine, commands: ['touch never']}
""",
    )
    process = background("run", file)
    until((volume(home) / "up").exists, "the step does not start")
    if how == "command-after-a-kill":
        process.kill()
        process.communicate()
    if how == "signal":
        os.kill(process.pid, signal.SIGINT)
    else:
        assert main(["pipeline", "terminate", "1"]) == 0
    process.communicate(timeout=WAIT_SECONDS)

    assert listed(capsys)["result"] == "terminated"
    assert processes_of(home) == []
    assert not (volume(home) / "never").exists()


def test_logs_can_be_read_later_and_by_step(tmp_path, capsys):
    file = write(
        tmp_path,
        """  a: {image: alpine, commands: ['echo from a']}
  b: {image: alpine, commands: ['printf "from b"']}
""",
    )
    main(["pipeline", "run", file])
    capsys.readouterr()

    main(["pipeline", "logs", "1"])
    assert capsys.readouterr().out == "a | from a\nb | from b\n"
    main(["pipeline", "logs", "1", "b", "-f"])
    assert capsys.readouterr().out == "b | from b\n"
    assert main(["pipeline", "logs", "1", "c"]) == 3


@pytest.fixture
def repository(tmp_path) -> Path:
    return two_branches(tmp_path / "thing")


def test_a_repository_is_cloned_at_its_revision_and_again_later(tmp_path, repository, home, capsys):
    first = git(repository, "rev-parse", "main")
    file = write(
        tmp_path,
        f"""  clone: {{type: git-clone, repo: 'file://{repository}', revision: main}}
  show: {{image: alpine, working_directory: '${{{{clone}}}}', commands: ['cat file', 'echo at ${{{{steps.clone.revision}}}}']}}
  again: {{type: git-clone, repo: 'file://{repository}', revision: other}}
  then: {{image: alpine, working_directory: '${{{{clone}}}}', commands: ['cat file']}}
""",
    )

    assert main(["pipeline", "run", file]) == 0

    out = capsys.readouterr().out
    assert "show  | first" in out
    assert f"show  | at {first}" in out
    assert "then  | second" in out


def test_a_folder_stands_for_the_main_clone(tmp_path, repository, capsys):
    (repository / "ignored").touch()
    (repository / "new").touch()
    file = write(tmp_path, "  show: {image: alpine, commands: ['ls -A', 'echo on $CF_BRANCH']}\n")

    assert main(["pipeline", "run", file, "--local-dir", str(repository)]) == 0

    lines = [
        line.split("| ")[1]
        for line in capsys.readouterr().out.splitlines()
        if "show" in line and "|" in line
    ]
    assert sorted(lines) == [".git", ".gitignore", "file", "new", "on other"]


def test_people_read_why_a_step_failed_and_why_another_never_came(tmp_path, capsys):
    file = write(
        tmp_path,
        """  first: {image: alpine, commands: ['exit 3'], fail_fast: false}
  second: {image: alpine, commands: ['true'], when: {condition: {all: {one: '1 == 2'}}}}
""",
    )
    main(["pipeline", "run", file])

    failed, skipped = result(capsys, "why", "1", "first"), result(capsys, "why", "1", "second")
    main(["pipeline", "why", "1", "second"])
    text = capsys.readouterr().out
    missing = main(["pipeline", "why", "1", "third"])

    assert (failed["result"], failed["why"][0]) == ("failure", "exit code 3")
    assert skipped["result"] == "skipped"
    assert "1 == 2  ->  false" in skipped["why"][-1]
    assert text.splitlines()[0] == "second: skipped"
    assert missing == 3
    assert "steps: first, second" in capsys.readouterr().err


def test_what_a_build_waits_for_is_told_once(tmp_path, capsys, monkeypatch):
    from crossfade.adapters.runners.process import ProcessRunner
    from crossfade.base.errors import Unavailable

    left, start = [1, 2, 3], ProcessRunner.start

    async def away(self, order):
        if left:
            left.pop()
            raise Unavailable("the cluster gcp does not answer", hint="look at it")
        await start(self, order)

    monkeypatch.setattr(ProcessRunner, "start", away)

    assert main(["pipeline", "run", write(tmp_path, "  a: {image: alpine, commands: [ls]}\n")]) == 0
    said = capsys.readouterr().err
    assert said.count("the cluster gcp does not answer; trying again\n") == 1
    assert " * starts\n" in said
