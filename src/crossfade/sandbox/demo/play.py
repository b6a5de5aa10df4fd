"""Plays the demo from the first process to the last."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from crossfade.base.errors import Conflict, CrossfadeError, InputError
from crossfade.core.application import Application
from crossfade.sandbox import ports, state
from crossfade.sandbox.demo.acts import FAILOVER
from crossfade.sandbox.demo.programme import Programme
from crossfade.sandbox.demo.stage import Stage
from crossfade.sandbox.state import Layout

CLOUDS = ("aws", "gcp", "onprem")
END_SECONDS = 10.0
"""How long the hub may take to end before it is killed."""
DOOR_SECONDS = 20.0
"""How long the hub may take to say where its page is."""
_DOOR = ("the page ", "sign in as ")
_BASES = range(state.DEFAULT_PORT_BASE, 30_000, 250)
_HUB = (sys.executable, "-m", "crossfade.cli.main")


def example() -> Path:
    """Return the folder of the example application: in the package, or beside it in a checkout."""
    package = Path(__file__).parents[2]
    for folder in (package / "examples" / "colors", package.parents[1] / "examples" / "colors"):
        if (folder / "crossfade.yaml").is_file():
            return folder
    raise InputError("the example `colors` is missing", hint="install Crossfade again")


def prepared(application: Application, programme: Programme) -> Application:
    """Return the example with steps short enough for a demo."""
    return replace(
        application,
        strategy=programme.strategy,
        analysis=programme.analysis,
        failover=FAILOVER,
    )


def choose_layout(state_dir: Path, port_base: int | None) -> Layout:
    """Return a layout whose ports are free; the given base, or the first that will do."""
    for base in [port_base] if port_base is not None else _BASES:
        layout = state.new_layout((state_dir / "sandbox").resolve(), CLOUDS, base)
        hub_ports = {layout.hub_port: "hub", layout.page_port: "page of the hub"}
        wanted = {**layout.own_ports(), **hub_ports}
        try:
            ports.require_free(wanted)
        except Conflict:
            if port_base is not None:
                raise
            continue
        return layout
    raise Conflict("no free ports were found", hint="choose them with `--port-base`")


def alone(environment: Mapping[str, str]) -> dict[str, str]:
    """Return it without the settings of somebody's own hub: the demo must not meet its store."""
    return {name: value for name, value in environment.items() if not name.startswith("CROSSFADE_")}


@asynccontextmanager
async def hub(state_dir: Path, layout: Layout, *, keep: bool) -> AsyncIterator[int]:
    """
    Run a hub as a process of its own, as people do, and yield its number; log: `hub.log`.

    With `keep` it runs on, unless the demo is interrupted.
    """
    environment = alone(os.environ) | {"CROSSFADE_PORT_BASE": str(layout.port_base)}
    with (state_dir / "hub.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *_HUB, "--state-dir", str(state_dir), "up", "--port", str(layout.page_port),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
            start_new_session=True,
        )  # fmt: skip
        kept = False
        try:
            yield process.pid
            kept = keep
        finally:
            if not kept and process.returncode is None:
                process.send_signal(signal.SIGTERM)
                try:
                    async with asyncio.timeout(END_SECONDS):
                        await process.wait()
                except TimeoutError:
                    process.kill()
                    await process.wait()


async def door(log: Path) -> str:
    """Return where the page of the hub is and how to sign in, in the words of its log."""
    try:
        async with asyncio.timeout(DOOR_SECONDS):
            while True:
                said = _said_of_the_door(log)
                if len(said) == len(_DOOR):
                    return "; ".join(said)
                await asyncio.sleep(0.1)
    except TimeoutError:
        return f"the hub has not said where its page is; its log is {log}"


def _said_of_the_door(log: Path) -> list[str]:
    whole, _, _ = log.read_text(errors="replace").rpartition("\n")
    return [line for line in whole.splitlines() if line.startswith(_DOOR)]


async def play(stage: Stage, programme: Programme, watch: Callable[[], None]) -> None:
    """
    Play all acts.  What goes wrong on the way is in the record; nothing is raised for it.

    `watch` is called about ten times a second, for whoever draws a picture.
    """
    try:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(_watch(watch))
            await programme.opening(stage)
            stage.record.load_began = stage.now()
            users = group.create_task(stage.load.run())
            for act in programme.acts:
                await act(stage)
                stage.record.acts[-1].ended = stage.now()
            stage.load.stop()
            await users
            watching.cancel()
    except* CrossfadeError as group_of:
        stage.record.trouble = "; ".join(str(each) for each in group_of.exceptions)
        stage.load.stop()
    finally:
        for act_record in stage.record.acts:
            act_record.ended = act_record.ended or stage.now()


async def _watch(watch: Callable[[], None]) -> None:
    while True:
        watch()
        await asyncio.sleep(0.1)
