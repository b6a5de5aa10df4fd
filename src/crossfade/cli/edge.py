"""`crossfade edge`: which edges there are, and which plan each has in force."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from crossfade.base.units import format_duration
from crossfade.cli.frame import noun, with_session
from crossfade.cli.hub_note import note_if_no_hub
from crossfade.cli.output import Format, OutputOption, show, table
from crossfade.core.fleet.edges import EdgeState

if TYPE_CHECKING:
    from crossfade.wiring import Session

app = noun("Say which edges there are, and which plan each has in force.")


@app.callback()
def edge() -> None:
    """Say which edges there are, and which plan each has in force."""


@app.command("list")
def list_edges(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """List the edges.  One that is gone stays in the list for five minutes."""

    async def read(session: "Session") -> tuple[int, tuple[EdgeState, ...], float]:
        await note_if_no_hub(session)
        newest, edges = await session.queries.edges()
        return newest, edges, session.clock.now()

    newest, edges, now = with_session(context, read)
    data = {"plan": newest, "edges": [asdict(each) for each in edges]}
    show(data, output, lambda: _table(newest, edges, now))


def _table(newest: int, edges: tuple[EdgeState, ...], now: float) -> str:
    if not edges:
        return "no edge is connected"
    rows = [(each.edge, f"{each.plan} of {newest}", _state(each, newest, now)) for each in edges]
    return table(("EDGE", "PLAN", "STATE"), rows)


def _state(edge: EdgeState, newest: int, now: float) -> str:
    if edge.gone_since is not None:
        return f"gone for {format_duration(max(1, round(now - edge.gone_since)))}"
    if edge.refused:
        return f"refused: {edge.refused}"
    if newest == 0:
        return "waits for the first plan"
    return "in force" if edge.plan == newest else "behind"
