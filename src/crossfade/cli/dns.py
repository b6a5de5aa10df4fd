"""`crossfade dns`: what is published in DNS, and what would be."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossfade.base.ids import ApplicationName
from crossfade.cli.frame import noun, with_session
from crossfade.cli.hub_note import note_if_no_hub
from crossfade.cli.output import Format, OutputOption, show, table

if TYPE_CHECKING:
    from crossfade.core.dns.record import Published
    from crossfade.core.dns.state import NameState
    from crossfade.wiring import Session

app = noun("Say what is published in DNS, and what would be.")


@app.command()
def status(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """List the names that the hub publishes, as it last saw them."""

    async def read(session: "Session") -> "tuple[NameState, ...]":
        await note_if_no_hub(session)
        return await session.names().remembered()

    states = with_session(context, read)
    show({"names": [asdict(each) for each in states]}, output, lambda: _table(states))


@app.command()
def plan(
    context: typer.Context,
    application: Annotated[str, typer.Argument(metavar="APPLICATION", help="Whose name.")],
    output: OutputOption = Format.TEXT,
) -> None:
    """Ask the name server and say what would be changed now; changes nothing."""

    async def read(session: "Session") -> "NameState":
        return await session.names().planned(ApplicationName(application))

    state = with_session(context, read)
    show({"name": asdict(state)}, output, lambda: _plan(state))


def _table(states: "tuple[NameState, ...]") -> str:
    if not states:
        return "no application publishes its name; see `spec.dns`"
    rows = [
        (each.host or "-", each.application, _shown(each.published), each.trouble or each.reason)
        for each in states
    ]
    return table(("HOST", "APPLICATION", "PUBLISHED", "STATE"), rows)


def _plan(state: "NameState") -> str:
    rows: list[tuple[str, Any]] = [
        ("host", state.host),
        ("published", _shown(state.published)),
        ("wanted", _shown(state.want)),
        ("next", state.reason),
    ]
    return "\n".join(f"{label:10} {value}" for label, value in rows)


def _shown(published: "Published") -> str:
    if not published.addresses:
        return "nothing"
    return f"{', '.join(published.addresses)} (TTL {published.ttl_seconds}s)"
