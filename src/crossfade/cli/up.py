"""`crossfade up`: the hub."""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.cli.frame import noun, settings_of
from crossfade.cli.logs import LogFormat, configure
from crossfade.cli.output import note
from crossfade.settings import Settings

if TYPE_CHECKING:
    from crossfade.base.secrets import Secret
    from crossfade.engine.figures import Figures

app = noun()

API_PORT = 8780


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What was asked for on the command line."""

    standby: bool
    port: int | None
    api: bool
    new_password: bool


@app.command()
def up(  # noqa: PLR0913 - one argument for each option of the command
    context: typer.Context,
    standby: Annotated[
        bool,
        typer.Option(
            "--standby",
            help="Wait while another hub runs, then follow it; the API answers meanwhile.",
        ),
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Port of the HTTP API on 127.0.0.1.", show_default="8780"
        ),
    ] = None,
    api: Annotated[bool, typer.Option("--api/--no-api", help="Answer requests over HTTP.")] = True,
    new_admin_password: Annotated[
        bool,
        typer.Option(
            "--new-admin-password", help="Give `admin` another password and print it, once."
        ),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
    log_format: Annotated[
        LogFormat, typer.Option(help="How lines of the log on stderr are written.")
    ] = LogFormat.TEXT,
) -> None:
    """
    Run the hub in the foreground: control loops, configuration of the edges, the HTTP API.

    The password of the account `admin` is printed at the first start.

    Ends on SIGTERM or Ctrl-C.  Edges go on with what they have; a new hub goes on with the work.
    """
    configure(logging.DEBUG if verbose else logging.INFO, log_format)
    wishes = _Wishes(standby, port, api, new_admin_password)
    from crossfade.wiring import traced

    try:
        with traced(note):
            asyncio.run(_run(_with_ports_of_the_sandbox(settings_of(context)), wishes))
    finally:
        gc.freeze()  # looking through all that is left at its end takes longer than all the rest


def _with_ports_of_the_sandbox(settings: Settings) -> Settings:
    """Return the settings with the ports that the sandbox's edge looks for its hub at."""
    from crossfade.sandbox import state

    sandbox = state.load(settings.sandbox_dir)
    return settings if sandbox is None else replace(settings, port_base=sandbox.port_base)


async def _run(settings: Settings, wishes: _Wishes) -> None:
    from crossfade.base.errors import CrossfadeError
    from crossfade.engine.figures import Figures

    figures = Figures()
    stop, ready = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    opened = _listening_early(wishes) if wishes.standby else _listening(wishes)
    async with asyncio.TaskGroup() as group:
        hub = group.create_task(_until_failed(_hub(settings, ready, wishes, figures)))
        stopped = group.create_task(stop.wait())
        others = [group.create_task(_greet(settings, ready))]
        waited = {hub, stopped}
        if opened is not None or (wishes.standby and wishes.api):
            api = group.create_task(_until_failed(_api(settings, ready, opened, wishes, figures)))
            waited.add(api)
        done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        for task in (*waited, *others):
            task.cancel()
    for task in done - {stopped}:
        failure = task.result()
        if isinstance(failure, CrossfadeError):
            raise failure
    note("the hub has ended; edges go on with what they have")


def _listening(wishes: _Wishes) -> socket.socket | None:
    """
    Return the socket of the API, None when there is to be none.

    A hub whose usual port is taken works without an API: its loops are what users depend on.
    Raises Conflict when a port that was asked for is taken.
    """
    if not wishes.api:
        return None
    # Now: they are slow, and a hub that runs must not stand still.
    import crossfade.engine.hub
    import crossfade.wiring_api  # noqa: F401
    from crossfade.api.server import listening
    from crossfade.base.errors import Conflict

    try:
        return listening(wishes.port or API_PORT)
    except Conflict as error:
        if wishes.port is not None:
            raise
        note(f"no API: {error}; {error.hint}")
        return None


def _listening_early(wishes: _Wishes) -> socket.socket | None:
    """Return the socket of a hub that stands by; None while another one has the port."""
    from crossfade.base.errors import Conflict

    try:
        return _listening(replace(wishes, port=wishes.port or API_PORT))
    except Conflict as error:
        note(f"no API until this hub leads: {error}; {error.hint}")
        return None


async def _until_failed(work: Coroutine[None, None, None]) -> Exception | None:
    """Return what ended it; a group of errors is told by its first error of ours."""
    from crossfade.base.errors import CrossfadeError

    try:
        await work
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


async def _hub(
    settings: Settings, ready: asyncio.Event, wishes: _Wishes, figures: "Figures"
) -> None:
    from crossfade.wiring import run_hub

    standby = _stands_by if wishes.standby else None
    await run_hub(settings, ready, standby=standby, figures=figures)


async def _api(
    settings: Settings,
    ready: asyncio.Event,
    early: socket.socket | None,
    wishes: _Wishes,
    figures: "Figures",
) -> None:
    if early is None:
        await ready.wait()
    opened = early or _listening(wishes)
    if opened is None:
        await asyncio.Event().wait()  # the hub goes on without
        return
    from crossfade.api.routes.page import is_built
    from crossfade.wiring_api import run_api

    def began(password: "Secret | None") -> None:
        host, port = opened.getsockname()
        where = f"http://{host}:{port}"
        page = f"is at {where}/" if is_built() else "was not built (`make page` does)"
        note(f"the page {page}, the API is at {where}/api/v1")
        if password is not None:
            note(f"sign in as `admin` with the password {password.reveal()} (it is not kept)")

    with opened:
        await run_api(settings, opened, began, new_password=wishes.new_password, figures=figures)


def _stands_by(holder: str) -> None:
    note(f"standing by: {holder or 'another hub'} runs on this store")


async def _greet(settings: Settings, ready: asyncio.Event) -> None:
    await ready.wait()
    note(f"the hub runs on {settings.state_dir}")
    known = ", by certificates" if settings.edge_tls else ""
    note(f"edges get their configuration at {settings.hub_listens}{known}")
