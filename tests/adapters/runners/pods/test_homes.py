"""The rights that the guide names are those that pods of steps need, and no more."""

import asyncio
import errno
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.runners import bubblewrap
from crossfade.adapters.runners.pods import homes
from crossfade.adapters.runners.pods.homes import Homes
from crossfade.adapters.runners.pods.options import PodOptions
from crossfade.adapters.runners.pods.records import Home, PodRecords
from crossfade.adapters.runners.pods.workspace import Workspace
from crossfade.base.errors import NotFound, Unavailable
from crossfade.ports.runner import Order, RunId

pytestmark = pytest.mark.skipif(not bubblewrap.usable(), reason="needs bubblewrap")
GUIDE = Path(__file__).parents[4] / "docs/guides/running-pipelines.md"
PATH = re.compile(r"/apis?/(?:(?P<group>[a-z]+)/)?v1/namespaces/[^/]+/(?P<rest>.+)")
VERBS = {"POST": "create", "DELETE": "delete", "PATCH": "patch", "PUT": "update"}


def documented() -> set[tuple[str, str, str]]:
    text = GUIDE.read_text()
    block = next(
        each for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "kind: Role" in each
    )
    rules = YAML(typ="safe").load(block)["rules"]
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def needed(method: str, path: str) -> tuple[str, str, str] | None:
    found = PATH.fullmatch(path)
    if found is None:
        return None  # the namespace itself
    kind, name, part = [*found["rest"].split("/"), "", ""][:3]
    verb = VERBS.get(method) or ("get" if name else "list")
    return found["group"] or "", f"{kind}/{part}" if part else kind, verb


async def test_builds_need_the_documented_rights_and_no_others(step_cloud, tmp_path, monkeypatch):
    asked: set[tuple[str, str, str]] = set()
    exchange = KubeApi._exchange

    async def recorded(api, method, path, **more):
        right = needed(method, path)
        asked.update({right} if right else ())
        return await exchange(api, method, path, **more)

    monkeypatch.setattr(KubeApi, "_exchange", recorded)
    runner = step_cloud.runner(tmp_path, PodOptions(idle_seconds=600.0))
    await _use(runner)
    heir = step_cloud.runner(tmp_path)
    await _use(heir, number=3)
    home = runner._homes.records.home("7")
    runner._homes.leave("7", home)
    await _use(runner, number=5)
    await step_cloud.close()

    assert asked == documented()


async def _use(runner, number=1):
    first = Order(RunId("7", 0, "step", number), "echo hello\n", image="alpine")
    await runner.start(first)
    async with asyncio.timeout(40):
        async for _ in runner.output(first.run):
            pass
    await runner.look(first.run)
    await runner.forget(first.run)
    second = Order(RunId("7", 0, "step", number + 1), "sleep 60\n", image="alpine")
    await runner.start(second)
    await runner.stop(second.run, 0.1)


async def gone():
    raise NotFound("the fleet has no cluster west", hint="`crossfade fleet add` adds a cluster")


async def test_a_build_whose_cluster_left_the_fleet_waits_and_gives_its_steps_up(tmp_path):
    records, home = PodRecords(tmp_path), Home("west", 1, "token", served=True)
    homes = Homes(records, PodOptions(lost_seconds=0.0), gone, lambda _: tmp_path / "here")
    records.save_home("7", home)

    with pytest.raises(Unavailable, match="no cluster west"):
        await homes.ready("7")
    with pytest.raises(Unavailable, match="no cluster west"):
        await homes.ready("7")

    assert records.home("7").cluster == ""


async def test_files_that_have_no_room_here_are_waited_for(tmp_path, monkeypatch):
    homes = Homes(PodRecords(tmp_path), PodOptions(), gone, lambda _: tmp_path / "here")

    async def full(_):
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(Workspace, "sync", full)

    with pytest.raises(Unavailable, match="no space left"):
        await homes.sync("7", Home("west", 1, "token"))


def test_what_is_known_of_builds_that_are_over_does_not_grow_without_end(monkeypatch):
    monkeypatch.setattr(homes, "_MOST_KNOWN", 2)
    known = homes._Newest[str, int]()
    for number, name in enumerate(("a", "b", "a", "c")):
        known[name] = number

    assert dict(known) == {"a": 2, "c": 3}
