"""The program as a whole: help, settings, exit codes, broken pipes and interrupts."""

import importlib
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from crossfade.cli.main import NOUNS, LazyGroup, app

PROGRAM = [sys.executable, "-c", "from crossfade.cli.main import run; run()"]


@pytest.mark.parametrize("noun", NOUNS)
def test_every_command_of_the_help_is_there_and_has_a_help_of_its_own(crossfade, noun):
    ran = crossfade(noun, "--help")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: crossfade {noun}")


def test_the_help_lists_every_command(crossfade):
    ran = crossfade("--help")

    assert ran.code == 0
    assert all(f"\n  {noun} " in ran.out for noun in NOUNS)
    assert crossfade().out == ran.out


SLOW = "{'sqlalchemy', 'lightkube', 'grpc', 'pydantic', 'ruamel', 'rich', 'httpx', 'asyncio', 'opentelemetry'}"


def imported_by(code: str) -> str:
    """Return which slow modules a process has imported after the code."""
    code += f"\nimport sys; sys.exit(','.join(sorted({SLOW} & set(sys.modules))) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return done.stderr.strip()


def test_the_help_costs_no_import_of_what_commands_need():
    assert imported_by("from crossfade.cli.main import main; main(['--help'])") == ""


@pytest.mark.parametrize("noun", NOUNS)
def test_a_command_that_is_only_looked_at_imports_nothing_slow(noun):
    code = "from crossfade.cli.main import LazyGroup; "
    code += f"LazyGroup(name='x').get_command(None, {noun!r})"

    assert imported_by(code) in ("", "asyncio")


@pytest.mark.parametrize("where", ["before", "after", "equals"])
def test_the_state_folder_may_stand_before_or_after_the_command(crossfade, tmp_path, where):
    other = str(tmp_path / "other")
    arguments = {
        "before": ("--state-dir", other, "fleet", "list"),
        "after": ("fleet", "list", "--state-dir", other),
        "equals": ("fleet", f"--state-dir={other}", "list"),
    }[where]

    assert crossfade(*arguments).code == 0
    assert (tmp_path / "other/crossfade.db").is_file()
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["fleat"], "no such command: fleat", "did you mean `fleet`? See `crossfade --help`"),
        (["--stat-dir", "x"], "no such option: --stat-dir", "did you mean `--state-dir`?"),
        (["version", "--outputt"], "no such option: --outputt", "did you mean `--output`?"),
        (["fleet", "lst"], "no such command: lst", "did you mean `list`? See `crossfade fleet"),
        (["fleet"], "a command is missing", "give one of: add, list, remove, drain, restore."),
        (
            ["version", "x"],
            "got unexpected extra argument(s) (x)",
            "see `crossfade version --help`",
        ),
        (["version", "-o", "xml"], "'xml' is not one of 'text', 'json'", "see `crossfade version"),
        (["apply"], "missing option '--filename' / '-f'", "see `crossfade apply --help`"),
        (["--state-dir"], "option '--state-dir' requires an argument", "see `crossfade --help`"),
        (["fleet", "list", "--state-dir", ""], "--state-dir is empty", "name a folder"),
        (
            ["fleet", "add", "x", "--usd-per-cpu-hour", "-1"],
            "greater than or equal",
            "see `crossfade fleet add",
        ),
    ],
)
def test_a_slip_on_the_command_line_ends_with_a_hint_and_exit_code_2(
    crossfade, arguments, error, hint
):
    ran = crossfade(*arguments)
    first, second = ran.err.splitlines()

    assert (ran.code, ran.out) == (2, "")
    assert first.startswith("error: ")
    assert error in first
    assert second.startswith("hint: ")
    assert hint in second


def test_a_setting_that_cannot_be_used_is_named(crossfade, monkeypatch):
    monkeypatch.setenv("CROSSFADE_PORT_BASE", "high")
    ran = crossfade("version")

    assert ran.code == 2
    assert "CROSSFADE_PORT_BASE" in ran.err
    assert "value=high" in ran.err


def test_an_interrupt_ends_the_command_with_130(crossfade, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(LazyGroup, "invoke", interrupt)
    ran = crossfade("version")

    assert ran.code == 130
    assert "Traceback" not in ran.err


def test_ctrl_c_while_a_command_waits_prints_no_traceback(tmp_path):
    environment = {**os.environ, "CROSSFADE_HOME": str(tmp_path)}
    process = subprocess.Popen(
        [*PROGRAM, "apply", "-f", "-"],
        env=environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 20
    while "read" not in Path(f"/proc/{process.pid}/syscall").read_text() and not _reads(process):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "Traceback" not in err


def _reads(process: subprocess.Popen[str]) -> bool:
    """Say whether the process waits in read(0, ...)."""
    words = Path(f"/proc/{process.pid}/syscall").read_text().split()
    return words[:2] == ["0", "0x0"]


def test_a_reader_that_has_gone_away_is_no_error(tmp_path):
    environment = {**os.environ, "CROSSFADE_HOME": str(tmp_path)}
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*PROGRAM, "version"], env=environment, stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)

    assert done.stderr == ""
    assert done.returncode in (1, 141)


def test_a_full_disk_behind_the_output_is_told(tmp_path):
    environment = {**os.environ, "CROSSFADE_HOME": str(tmp_path)}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*PROGRAM, "version"], env=environment, stdout=full, stderr=subprocess.PIPE, text=True
        )

    assert (done.returncode, done.stderr.count("\n")) == (6, 2)
    assert "no space is left" in done.stderr


def test_a_closed_output_is_no_error(tmp_path):
    environment = {**os.environ, "CROSSFADE_HOME": str(tmp_path)}
    command = f"exec {shlex.join(PROGRAM)} version >&-"
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, stderr=subprocess.PIPE, text=True
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands_and_their_options(shell, tmp_path):
    words = {"COMP_WORDS": "crossfade fleet ", "COMP_CWORD": "2"}
    if shell != "bash":
        words = {"_TYPER_COMPLETE_ARGS": "crossfade fleet "}
    environment = {
        **os.environ,
        **words,
        "CROSSFADE_HOME": str(tmp_path),
        "_CROSSFADE_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = subprocess.run(PROGRAM, env=environment, capture_output=True, text=True)

    assert "add" in done.stdout
    assert "remove" in done.stdout


def test_the_program_is_what_the_package_installs():
    assert isinstance(app, typer.Typer)
    assert callable(importlib.import_module("crossfade.cli.main").run)
