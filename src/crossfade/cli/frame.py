"""What every command stands in: its app, its settings, its event loop."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, TypeVar

import typer

from crossfade.settings import Settings

if TYPE_CHECKING:
    from crossfade.wiring import Session

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
    """Return what `work` returns, on an open store; for commands that end by themselves."""
    from crossfade.wiring import session  # slow to import: all adapters

    async def run() -> T:
        async with session(settings_of(context)) as opened:
            return await work(opened)

    return asyncio.run(run())
