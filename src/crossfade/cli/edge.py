"""`crossfade edge`: which edges there are, which plan each has in force, and how to make some."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from crossfade.base.units import format_duration
from crossfade.cli import edge_machines
from crossfade.cli.frame import noun, with_session
from crossfade.cli.hub_note import note_if_no_hub
from crossfade.cli.output import Format, OutputOption, show, table

if TYPE_CHECKING:
    from crossfade.core.fleet.edges import EdgeState, EdgeView
    from crossfade.wiring import Session

app = noun("Say which edges there are, and which plan each has; make some on other machines.")
app.command()(edge_machines.authority)
app.command()(edge_machines.bootstrap)
app.command()(edge_machines.run)


@app.command("list")
def list_edges(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """List the edges.  One that is gone stays in the list for five minutes."""

    async def read(session: "Session") -> "EdgeView":
        await note_if_no_hub(session)
        return await session.queries.edges()

    found = with_session(context, read)
    data = {"plan": found.plan, "edges": [asdict(each) for each in found.edges]}
    show(data, output, lambda: _table(found))


def _table(found: "EdgeView") -> str:
    if not found.edges:
        return "no edge is connected"
    rows = [
        (each.edge, f"{each.plan} of {found.plan}", _state(each, found)) for each in found.edges
    ]
    return table(("EDGE", "PLAN", "STATE"), rows)


def _state(edge: "EdgeState", found: "EdgeView") -> str:
    if edge.gone_since is not None:
        return f"gone for {format_duration(max(1, round(found.at - edge.gone_since)))}"
    if edge.refused:
        return f"refused: {edge.refused}"
    if found.plan == 0:
        return "waits for the first plan"
    return "in force" if edge.plan == found.plan else "behind"
