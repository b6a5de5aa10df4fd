"""`crossfade traffic`: what the rules of traffic say, for scripts and for people who wonder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.ids import ClusterName
from crossfade.cli.frame import noun
from crossfade.cli.output import Format, OutputOption, note, show, table

if TYPE_CHECKING:
    from crossfade.core.traffic.matrix import TrafficPlan
    from crossfade.core.traffic.spill import PriorityLoad

app = noun("Work out where users go: a traffic plan, or what edges do by themselves.")


@app.command()
def plan(
    file: Annotated[
        Path,
        typer.Option("--file", "-f", help="Clusters, capacities and limits; `-` reads stdin."),
    ],
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Show which part of all users meets which revision on which cluster.

    Nothing is changed: this is the rule that the hub follows, on the values of a file.
    """
    from crossfade.adapters.documents.traffic import parse_goal
    from crossfade.core.traffic.matrix import plan_traffic

    goal = parse_goal(_text(file), "standard input" if str(file) == "-" else str(file))
    made = plan_traffic(goal)
    if made.frozen:
        note("note: nobody could be served, so the plan before stays")
    if made.missing:
        note(f"note: {made.missing} of capacity is missing even with all that could be started")
    data = {
        "parts": {cluster: dict(row) for cluster, row in made.parts.items()},
        "clusters": {each.cluster: made.share(each.cluster) for each in goal.destinations},
        "exposure": made.exposure(goal.exposure.revision) if goal.exposure else None,
        "shed": dict(made.shed),
        "reserve": dict(made.reserve),
        "missing": made.missing,
        "moved": made.moved,
        "frozen": made.frozen,
    }
    show(data, output, lambda: _plan_table(made))


def _plan_table(made: "TrafficPlan") -> str:
    rows: list[tuple[str | None, ...]] = [
        (cluster, revision, _percent(part), _reserved(made, cluster))
        for cluster, row in made.parts.items()
        for revision, part in row.items()
    ]
    idle = [name for name in made.reserve if name not in made.parts]
    rows += [(cluster, None, _percent(0), _reserved(made, cluster)) for cluster in idle]
    rows += [(f"shed: {name}", None, _percent(part), None) for name, part in made.shed.items()]
    return table(("CLUSTER", "REVISION", "USERS", "START FIRST"), rows)


def _reserved(made: "TrafficPlan", cluster: ClusterName) -> str | None:
    return str(made.reserve[cluster]) if cluster in made.reserve else None


def _percent(parts: int) -> str:
    return f"{parts / 100:.2f} %"


@app.command()
def spill(
    priorities: Annotated[
        str,
        typer.Option(
            metavar="JSON",
            help='Hosts per priority: [{"healthy": 25, "degraded": 0, "total": 100}, ...]',
        ),
    ],
    panic: Annotated[
        int,
        typer.Option(min=0, max=100, help="Below this percentage health is ignored; 0 is never."),
    ] = 50,
    overprovisioning_factor: Annotated[
        int, typer.Option(min=100, max=10_000, help="In percent, as in Envoy's endpoints.")
    ] = 140,
    output: OutputOption = Format.TEXT,
) -> None:
    """Show which priority Envoy sends users to, in percent, when some hosts are not healthy."""
    from crossfade.adapters.documents.traffic import parse_levels
    from crossfade.core.traffic.spill import priority_load

    levels = parse_levels(priorities, "--priorities")
    load = priority_load(levels, panic=panic, overprovisioning=overprovisioning_factor)
    data = {
        "healthy": list(load.healthy),
        "degraded": list(load.degraded),
        "panic": list(load.panic),
    }
    show(data, output, lambda: _spill_table(load))


def _spill_table(load: "PriorityLoad") -> str:
    rows = enumerate(zip(load.healthy, load.degraded, load.panic, strict=True))
    return table(
        ("PRIORITY", "HEALTHY %", "DEGRADED %", "PANIC"),
        [(priority, healthy, degraded, panic) for priority, (healthy, degraded, panic) in rows],
    )


def _text(file: Path) -> str:
    from crossfade.adapters.documents.files import read_given

    return read_given(file)
