"""The helm process: found, bounded in time, ended with its parent, and told no secrets."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.adapters.helm.command import Call, HelmCommand, find_guard, find_helm
from crossfade.base.errors import InputError, Unavailable
from crossfade.core.release.values import parse_set

HELM = Path(sys.executable).parent / "helm"
SRC = Path(__file__).parents[3] / "src"


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_without_a_helm_on_path_the_packaged_one_is_used(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_helm() == str(Path(sys.executable).parent / "helm")


@pytest.mark.parametrize("version", ["v4.0.1", "v3.8.0", "v2.17.0"])
def test_a_helm_that_cannot_do_it_is_passed_over(monkeypatch, tmp_path, version):
    script(tmp_path / "helm", f"echo {version}")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert find_helm() == str(Path(sys.executable).parent / "helm")


def test_a_helm_on_path_that_fits_is_preferred(monkeypatch, tmp_path):
    expected = script(tmp_path / "helm", "echo v3.19.2")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert find_helm() == expected


def test_a_machine_without_helm_says_what_to_do(monkeypatch, tmp_path):
    script(tmp_path / "helm", "echo v4.0.1")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(InputError) as raised:
        find_helm()
    assert "4.0.1" in raised.value.what
    assert "pip install" in raised.value.hint


async def test_a_helm_that_hangs_is_ended_with_all_that_it_started(tmp_path):
    child = tmp_path / "child"
    helm = script(tmp_path / "helm", f"sleep 60 & echo $! > {child}; wait")
    with pytest.raises(Unavailable) as raised:
        await HelmCommand(helm).run(Call(["upgrade"], seconds=0.5))
    assert "0.5 s" in raised.value.what
    wait_for(lambda: not alive(int(child.read_text())))


async def test_a_cancelled_call_leaves_no_process(tmp_path):
    child = tmp_path / "child"
    helm = script(tmp_path / "helm", f"sleep 60 & echo $! > {child}; wait")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(HelmCommand(helm).run(Call(["upgrade"])))
        while not child.exists() or not child.read_text():
            await asyncio.sleep(0.01)
        task.cancel()
    wait_for(lambda: not alive(int(child.read_text())))


def test_a_killed_hub_takes_its_helm_along(tmp_path):
    """A helm that lives on would change the cluster beside the next hub."""
    assert find_guard(), "util-linux is there"
    pid_file = tmp_path / "pid"
    helm = script(tmp_path / "helm", f"echo $$ > {pid_file}; exec sleep 60")
    program = (
        "import asyncio, sys; from crossfade.adapters.helm.command import *;"
        f"asyncio.run(HelmCommand({helm!r}).run(Call(['upgrade'])))"
    )
    hub = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": SRC})
    try:
        wait_for(lambda: pid_file.exists() and pid_file.read_text())
        hub.send_signal(signal.SIGKILL)
        wait_for(lambda: not alive(int(pid_file.read_text())))
    finally:
        hub.kill()
        hub.wait()


async def test_what_the_environment_says_cannot_lead_helm_elsewhere(tmp_path, monkeypatch):
    for name in ("HELM_NAMESPACE", "HELM_KUBECONTEXT", "HELM_KUBETOKEN", "HELM_DRIVER"):
        monkeypatch.setenv(name, "elsewhere")
    helm = script(tmp_path / "helm", "env")
    said = (await HelmCommand(helm).run(Call(["x"]))).decode()
    assert "=elsewhere" not in said
    assert "HELM_DRIVER=secret" in said


async def test_a_helm_that_cannot_be_started_is_told(tmp_path):
    (tmp_path / "helm").write_text("no program")
    with pytest.raises((InputError, Unavailable)):
        await HelmCommand(str(tmp_path / "helm")).run(Call(["x"]))


async def test_no_more_than_a_few_run_side_by_side(tmp_path):
    helm = script(tmp_path / "helm", f"touch {tmp_path}/run.$$; ls {tmp_path} | grep -c run; "
                  f"sleep 0.1; rm {tmp_path}/run.$$")  # fmt: skip
    command = HelmCommand(helm)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(command.run(Call(["x"]))) for _ in range(8)]
    assert max(int(task.result()) for task in tasks) <= 4


KEYS = st.sampled_from(["a", "b", "a.b", "a.c", "l[0]", "l[1].x", r"a\.b", "m.n.o"])
TEXTS = st.sampled_from(
    ["1", "0", "-1", "007", "2.0", "true", "False", "null", "", "x y", r"x\,y", "{a,1}", "{}",
     "99999999999999999999", "é", "a=b", "+5", "1e3", "0x1F", r"\\", '"q"', "{null}"]
)  # fmt: skip
EXPRESSIONS = st.lists(
    st.lists(st.tuples(KEYS, TEXTS).map("=".join), min_size=1, max_size=3).map(",".join),
    min_size=1,
    max_size=3,
)


@given(EXPRESSIONS)
@settings(max_examples=30, deadline=None)
def test_set_means_to_us_what_it_means_to_helm(tmp_path_factory, expressions):
    folder = tmp_path_factory.mktemp("chart")
    (folder / "templates").mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: x\nversion: 0.1.0\n")
    (folder / "templates" / "x.yaml").write_text("data: {{ .Values | toJson }}\n")
    flags = [part for expression in expressions for part in ("--set", expression)]
    done = subprocess.run([HELM, "template", "x", folder, *flags], capture_output=True, check=False)
    try:
        ours = parse_set(expressions)
    except InputError:
        assert done.returncode != 0, "we refuse what helm takes"
        return
    assert done.returncode == 0, f"helm refuses what we take: {done.stderr.decode()}"
    helms = json.loads(done.stdout.decode().partition("data: ")[2])
    helms.pop("global", None)
    assert helms == ours
