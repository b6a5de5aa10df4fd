"""`crossfade failover`: where clusters stand, and why."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.units import format_duration
from crossfade.cli import failover_drill
from crossfade.cli.frame import noun, with_session
from crossfade.cli.hub_note import note_if_no_hub
from crossfade.cli.output import Format, OutputOption, moment, note, show, table

if TYPE_CHECKING:
    from crossfade.engine.failover_status import ClusterStanding, FailoverStatus
    from crossfade.ports.documents import Event
    from crossfade.wiring import Session

app = noun("Say which clusters have users, and why; rehearse the loss of one.")
app.command("drill")(failover_drill.drill)
app.command("drills")(failover_drill.drills)
app.command("abort-drill")(failover_drill.abort_drill)


@app.command()
def status(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """Show where every cluster stands, who says so, and whether all users can be served."""

    async def read(session: "Session") -> "FailoverStatus":
        await note_if_no_hub(session)
        return await session.failover()

    found = with_session(context, read)
    for each in found.applications:
        if each.frozen:
            note(f"note: nobody is known to serve {each.application}: the last plan stays")
        if each.shed_percent:
            missing = f"{each.missing} requests per second of capacity are missing"
            note(f"note: nobody can carry {each.shed_percent:g} % of {each.application}: {missing}")
        if each.shed_by_class:
            shares = ", ".join(
                f"{share:g} % ({name})" for name, share in each.shed_by_class.items()
            )
            count = f"{each.turned_away} requests so far"
            note(f"note: edges turn away {shares} of {each.application}, {count}")
    show(asdict(found), output, lambda: _table(found))


def _table(found: "FailoverStatus") -> str:
    if not found.clusters:
        return "the fleet is empty"
    columns = ("CLUSTER", "STANDING", "HEALTH", "USERS", "SAID BY", "WHY")
    return table(columns, [_row(each) for each in found.clusters])


def _row(each: "ClusterStanding") -> tuple[str, ...]:
    users = ", ".join(f"{name} {part:g} %" for name, part in sorted(each.users.items()))
    said = ", ".join(f"{one.name} {one.vote.value}" for one in each.witnesses)
    words = [each.reason, each.detail]
    if each.seconds_left is not None:
        words.append(f"{format_duration(round(each.seconds_left))} left")
    words += [f"{name}: {how}" for name, how in sorted(each.returning.items())]
    sizes = sorted(each.standby.items())
    words += [f"{name}: standby at {size} % of its pods" for name, size in sizes]
    why = "; ".join(dict.fromkeys(word for word in words if word))
    return (each.cluster, each.standing, each.health, users, said, why)


@app.command()
def why(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A cluster or an application.")],
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Show all that was decided of a cluster, oldest first, and what it was decided from.

    Of an application: when requests were turned away because nobody could carry them, and how many.
    """

    async def read(session: "Session") -> "tuple[Event, ...]":
        return await session.failover_history(name)

    events = with_session(context, read)
    data = [{"at": each.at, "reason": each.reason, **each.facts} for each in events]
    show({"name": name, "decisions": data}, output, lambda: _story(events))


def _story(events: "tuple[Event, ...]") -> str:
    return table(
        ("WHEN", "WHAT", "SAID BY"),
        [(moment(each.at), each.reason, _said(each)) for each in events],
    )


def _said(event: "Event") -> str:
    return ", ".join(f"{one['name']} {one['vote']}" for one in event.facts.get("witnesses", ()))
