"""What steps find beside the commands of the machine."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from crossfade.adapters.runners import bubblewrap
from crossfade.adapters.runners.process import ProcessRunner
from crossfade.adapters.runners.tools import has_tool, write_tools
from crossfade.core.pipeline.state import Status
from crossfade.core.pipeline.work import KUBECONFIG
from crossfade.ports.runner import Order, RunId

BOXED = pytest.param(
    True, marks=pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap"), id="boxed"
)


async def printed(runner: ProcessRunner, order: Order) -> str:
    await runner.start(order)
    text = b"".join([each.data async for each in runner.output(order.run)]).decode()
    sight = await runner.look(order.run)
    assert sight is not None
    assert sight.status is Status.SUCCEEDED, text
    return text


def order(script: str, key: str = "step", **more: object) -> Order:
    return Order(RunId("7", 0, key, 1), script, **{"image": "alpine", **more})


@pytest.mark.parametrize("isolated", [pytest.param(False, id="plain"), BOXED])
async def test_a_step_finds_its_clusters_where_codefresh_has_them(tmp_path, isolated):
    runner = ProcessRunner(tmp_path / "runs", isolated=isolated)
    script = f'set -e\ncat "$KUBECONFIG" {KUBECONFIG} "$CF_KUBECONFIG_PATH"\n'
    given = {"CF_KUBECONFIG_PATH": KUBECONFIG}
    wanted = order(script, kubeconfig="clusters\n", environment=given)

    assert await printed(runner, wanted) == "clusters\n" * 3


@pytest.mark.parametrize("isolated", [pytest.param(False, id="plain"), BOXED])
async def test_no_run_sees_or_changes_the_clusters_of_another_one(tmp_path, isolated):
    runner = ProcessRunner(tmp_path / "runs", isolated=isolated)
    await printed(runner, order('echo mine > "$KUBECONFIG"\n', kubeconfig="first\n"))

    assert await printed(runner, order(f"cat {KUBECONFIG}\n", "b", kubeconfig="next\n")) == "next\n"
    none = order(f"! cat {KUBECONFIG} && echo none\n", "c")
    assert (await printed(runner, none)).endswith("none\n")


async def test_credentials_are_for_their_owner_alone_and_gone_with_the_run(tmp_path):
    runner = ProcessRunner(tmp_path / "runs")
    wanted = order("true\n", kubeconfig="secret\n")
    await printed(runner, wanted)
    (file,) = tmp_path.glob("runs/7/runs/*/kube/config")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    await runner.forget(wanted.run)

    kept = (path for path in tmp_path.rglob("*") if path.is_file())
    assert not [path for path in kept if b"secret" in path.read_bytes()]


async def test_a_variable_of_the_pipeline_may_name_another_kubeconfig(tmp_path):
    runner = ProcessRunner(tmp_path / "runs")
    wanted = order("echo $KUBECONFIG\n", kubeconfig="x", environment={"KUBECONFIG": "/own"})

    assert await printed(runner, wanted) == "/own\n"


async def test_helm_is_there_without_one_on_the_path(tmp_path):
    assert has_tool("helm")
    runner = ProcessRunner(tmp_path / "runs")

    assert "v3." in await printed(runner, order("helm version --short\n"))


async def test_only_steps_that_are_built_in_call_crossfade(tmp_path):
    runner = ProcessRunner(tmp_path / "runs")

    assert "crossfade" in await printed(runner, order("crossfade version\n", image=""))
    write_tools(tmp_path, own=False)
    assert not (tmp_path / "crossfade").exists()


def istioctl(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it over a kubectl that only prints what it is asked."""
    write_tools(tmp_path, own=False)
    kubectl = tmp_path / "kubectl"
    kubectl.write_text('#!/bin/sh\nprintf "<%s>" "$@"\n')
    kubectl.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [str(tmp_path / "istioctl"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("replace -f v.yaml", "<replace><-f><v.yaml>"),
        ("get virtualservice web -o yaml", "<get><virtualservices.networking.istio.io><web>"),
        ("delete gateway g -n x", "<delete><gateways.networking.istio.io><g><-n><x>"),
        ("create -f - -c k -i istio-system", "<create><-f><-><--kubeconfig><k>"),
    ],
)
def test_old_scripts_may_call_istioctl(tmp_path, given, asked):
    done = istioctl(tmp_path, *given.split())

    assert done.stdout.startswith(asked)
    assert "kubectl" in done.stderr


def test_what_istioctl_cannot_do_is_said(tmp_path):
    done = istioctl(tmp_path, "analyze")

    assert done.returncode == 2
    assert "allowed: get, create, replace, delete" in done.stderr


@pytest.mark.parametrize(("there", "found"), [(("npx",), True), ((), False), (("yarn",), True)])
def test_npm_brings_yarn_where_it_is_not(tmp_path, monkeypatch, there, found):
    folder = tmp_path / "path"
    folder.mkdir()
    for name in there:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    (tmp_path / "tools").mkdir()

    write_tools(tmp_path / "tools", own=False)

    assert has_tool("yarn") is found
    assert (tmp_path / "tools/yarn").exists() is (there == ("npx",))
