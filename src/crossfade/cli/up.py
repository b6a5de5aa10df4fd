"""`crossfade up`: the hub."""

import asyncio
import logging
import signal
from dataclasses import replace
from typing import Annotated

import typer

from crossfade.cli.frame import noun, settings_of
from crossfade.cli.output import note
from crossfade.settings import Settings

app = noun()


@app.command()
def up(
    context: typer.Context,
    standby: Annotated[
        bool,
        typer.Option("--standby", help="Wait while another hub runs, then follow it."),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """
    Run the hub in the foreground: control loops and the configuration service of the edges.

    Ends on SIGTERM or Ctrl-C.  Edges go on with what they have; a new hub goes on with the work.
    """
    from crossfade.cli.logs import configure

    configure(logging.DEBUG if verbose else logging.INFO)
    asyncio.run(_run(_with_ports_of_the_sandbox(settings_of(context)), standby))


def _with_ports_of_the_sandbox(settings: Settings) -> Settings:
    """Return the settings with the ports that the sandbox's edge looks for its hub at."""
    from crossfade.sandbox import state

    sandbox = state.load(settings.sandbox_dir)
    return settings if sandbox is None else replace(settings, port_base=sandbox.port_base)


async def _run(settings: Settings, standby: bool) -> None:
    from crossfade.base.errors import CrossfadeError

    stop, ready = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        hub = group.create_task(_hub(settings, ready, standby))
        stopped = group.create_task(stop.wait())
        greeting = group.create_task(_greet(settings, ready))
        done, _ = await asyncio.wait({hub, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (hub, stopped, greeting):
            task.cancel()
    if hub in done and not hub.cancelled():
        failure = hub.result()
        if isinstance(failure, CrossfadeError):
            raise failure
    note("the hub has ended; edges go on with what they have")


async def _hub(settings: Settings, ready: asyncio.Event, standby: bool) -> Exception | None:
    """Return what ended the hub; a group of errors is told by its first error of ours."""
    from crossfade.base.errors import CrossfadeError
    from crossfade.wiring import run_hub

    try:
        await run_hub(settings, ready, standby=_stands_by if standby else None)
    except CrossfadeError as error:
        return error
    except ExceptionGroup as group:
        ours = group.subgroup(CrossfadeError)
        if ours is None:
            raise
        first: BaseException = ours
        while isinstance(first, ExceptionGroup):
            first = first.exceptions[0]
        return first if isinstance(first, Exception) else None
    return None


def _stands_by(holder: str) -> None:
    note(f"standing by: {holder or 'another hub'} runs on this store")


async def _greet(settings: Settings, ready: asyncio.Event) -> None:
    await ready.wait()
    note(f"the hub runs on {settings.state_dir}")
    note(f"edges get their configuration at 127.0.0.1:{settings.hub_port}")
