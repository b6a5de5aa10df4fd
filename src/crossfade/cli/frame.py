"""What every command stands in: its app, its settings, its event loop."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, TypeVar, cast

import typer

from crossfade.cli.output import note
from crossfade.settings import Settings

if TYPE_CHECKING:
    from crossfade.remote.logins import Login
    from crossfade.wiring import Session
    from crossfade.wiring_pipelines import Pipelines

T = TypeVar("T")


def noun(about: str | None = None) -> typer.Typer:
    """Return the app of a noun, with plain help; a noun of one command needs no `about`."""
    return typer.Typer(
        help=about,
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def settings_of(context: typer.Context) -> Settings:
    """Return the settings that the program was called with."""
    found: object = context.find_root().obj
    if not isinstance(found, Settings):
        raise TypeError("commands run below `crossfade`, which loads the settings")
    return found


def with_session(
    context: typer.Context, work: "Callable[[Session], Coroutine[None, None, T]]"
) -> T:
    """
    Return what `work` returns, on an open store or at the hub that one is signed in at.

    For commands that end by themselves.  At a hub, what no request does is refused.
    """
    settings = settings_of(context)
    login = login_of(settings)
    return asyncio.run(_at_hub(login, work) if login else _here(settings, work))


def with_pipelines(
    context: typer.Context, work: "Callable[[Pipelines], Coroutine[None, None, None]]"
) -> None:
    """Do the work with the pipelines of this machine, or of the hub that one is signed in at."""
    settings = settings_of(context)
    login = login_of(settings)
    if login is not None:
        asyncio.run(_pipelines_there(login, work))
        return
    from crossfade.wiring import traced

    with traced(note):
        asyncio.run(_pipelines_here(settings, work))


def login_of(settings: Settings) -> "Login | None":
    """Return where commands go, None for the store of this machine.  Raises NotSignedIn."""
    if not settings.hub and not settings.logins_file.exists():
        return None
    from crossfade.remote.logins import Logins

    return Logins(settings.logins_file).chosen(settings.hub)


async def _here(settings: Settings, work: "Callable[[Session], Coroutine[None, None, T]]") -> T:
    from crossfade.wiring import session  # slow to import: all adapters

    async with session(settings) as opened:
        return await work(opened)


async def _at_hub(login: "Login", work: "Callable[[Session], Coroutine[None, None, T]]") -> T:
    from crossfade.remote.session import remote_session

    async with remote_session(login) as opened:
        # It has the parts of a session that requests do, and refuses all others by itself.
        return await work(cast("Session", opened))


async def _pipelines_here(
    settings: Settings, work: "Callable[[Pipelines], Coroutine[None, None, None]]"
) -> None:
    from crossfade.wiring_pipelines import pipelines

    async with pipelines(settings) as opened:
        await work(opened)


async def _pipelines_there(
    login: "Login", work: "Callable[[Pipelines], Coroutine[None, None, None]]"
) -> None:
    from crossfade.remote.pipelines import remote_pipelines

    async with remote_pipelines(login) as opened:
        await work(cast("Pipelines", opened))  # it has what requests do, and refuses all others
