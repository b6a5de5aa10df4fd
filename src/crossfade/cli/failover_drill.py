"""`crossfade failover drill` and `drills`: take a cloud out on purpose, and what came of it."""

import asyncio
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import Conflict, InputError, Unavailable, UnsafePlan
from crossfade.base.ids import ClusterName
from crossfade.base.units import format_duration, parse_duration
from crossfade.cli.confirm import confirm
from crossfade.cli.frame import with_session
from crossfade.cli.output import Format, OutputOption, moment, note, progress, show, table

if TYPE_CHECKING:
    from crossfade.core.failover.drill import Course, Drill
    from crossfade.engine.draining import Effect
    from crossfade.engine.drilling import Order
    from crossfade.wiring import Session

LOOK_SECONDS = 0.5
_HINT = "for example `60s`; from 5s to 1h"


def drill(  # noqa: PLR0913 - one argument for each option of the command
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="CLUSTER", help="A cluster of the fleet.")],
    duration: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long it is out.")
    ] = "60s",
    recovery: Annotated[
        str,
        typer.Option(
            metavar="DURATION",
            help="Until users must be served by others, instead of what applications declare.",
        ),
    ] = "",
    error_budget: Annotated[
        str,
        typer.Option(
            metavar="PERCENT",
            help="Requests that may fail, such as 0.1%, instead of what applications declare.",
        ),
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say whether it could be done now.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave it to the hub, and do not wait.")
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Take CLUSTER out for a while as if it were lost, and measure how its users get by.

    Edges find nobody there, so users leave as in a loss; what runs there goes on.  They come back
    at the end, and at once when more requests fail than `spec.failover.objective.errorBudget`
    allows, when this command is interrupted, or when anything else goes wrong.  The hub holds it:
    it goes on when this command is killed, and `failover abort-drill` ends it.  Exits with 4 when
    it was refused or aborted, or an objective was missed.
    """
    order = _order(name, duration, recovery, error_budget, dry_run=dry_run)
    if not dry_run:
        with_session(context, lambda session: _require_hub(session))
        effects = with_session(
            context, lambda session: session.commands.effects_of_draining(order.cluster)
        )
        confirm(_effect(order, effects), "hold the drill?", yes=yes)
    if detach:
        begun = with_session(context, lambda session: _begin(session, order))
        show(_data(begun), output, lambda: f"drill {begun.number} of {begun.cluster} begins")
        return
    done = with_session(context, lambda session: _hold(session, order))
    show(_data(done), output, lambda: _story(done))
    _raise_unless_good(done)


def drills(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """List all drills, the newest first."""

    async def read(session: "Session") -> "tuple[Drill, ...]":
        return await session.drilling().drills()

    found = with_session(context, read)
    show({"drills": [_data(each) for each in found]}, output, lambda: _list(found))


def abort_drill(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="CLUSTER", help="A cluster of the fleet.")],
    why: Annotated[str, typer.Option(help="Kept with the drill.")] = "",
    output: OutputOption = Format.TEXT,
) -> None:
    """End the drill of CLUSTER that goes on: its users come back now."""
    reason = f"aborted by a person{f': {why}' if why else ''}"

    async def stop(session: "Session") -> "Drill":
        return await session.drilling().abort(ClusterName(name), reason)

    found = with_session(context, stop)
    text = f"drill {found.number} of {name} ends; users come back now"
    show(_data(found), output, lambda: text)


def _order(name: str, duration: str, recovery: str, budget: str, *, dry_run: bool) -> "Order":
    from crossfade.core.failover.drill import LONGEST_SECONDS, SHORTEST_SECONDS
    from crossfade.engine.drilling import Order

    seconds = _seconds("--for", duration)
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise InputError(f"--for {duration} is out of bounds", hint=_HINT)
    return Order(
        ClusterName(name),
        seconds,
        dry_run=dry_run,
        recovery_seconds=_seconds("--recovery", recovery) if recovery else None,
        error_budget_percent=_percent(budget) if budget else None,
    )


def _seconds(option: str, value: str) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise InputError(f"{option} {error}", hint=_HINT, value=value) from None


def _percent(value: str) -> float:
    try:
        percent = float(value.removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise InputError("--error-budget is not a percentage", hint="say 0.1%", value=value)
    return percent


async def _require_hub(session: "Session") -> None:
    if await session.hub() is None:
        raise Unavailable(
            "no hub runs, so nobody would bring users back", hint="`crossfade up` starts one"
        )


def _effect(order: "Order", found: "tuple[Effect, ...]") -> str:
    told = (f"{each.percent:g} % of {each.application} to {', '.join(each.to)}" for each in found)
    users = "; ".join(told) or "it has no users"
    return f"{order.cluster} is out for {format_duration(order.seconds)}: {users}"


async def _begin(session: "Session", order: "Order") -> "Drill":
    await _require_hub(session)
    return await session.drilling().begin(order)


async def _hold(session: "Session", order: "Order") -> "Drill":
    known = await _begin(session, order)
    drilling = session.drilling()
    try:
        while known.active:
            await asyncio.sleep(LOOK_SECONDS)
            known = await drilling.drill(known.number)
            progress(_progress(known, session.clock.now()))
            if known.active and await session.hub() is None:
                note("note: no hub runs; the next one ends the drill and brings users back")
                break
    except asyncio.CancelledError:
        with suppress(Conflict):  # it has just ended
            async with asyncio.timeout(5.0):
                await drilling.abort(order.cluster, "interrupted by a person")
        note(f"interrupted: users come back to {order.cluster} now")
        raise
    except Unavailable:
        note(f"the hub holds drill {known.number} on; `crossfade failover drills` shows its end")
        raise
    return known


def _progress(drill: "Drill", now: float) -> str:
    from crossfade.core.failover.drill import Phase

    counted = ", ".join(f"{each.failed} of {each.requests} failed" for each in drill.courses)
    match drill.phase:
        case Phase.ASKED:
            return "counting users as they are"
        case Phase.OUT:
            left = drill.seconds - (now - (drill.began_at or now))
            return f"{drill.cluster} is out, {max(0.0, left):.0f} s left; {counted}"
        case _:
            return f"the way to {drill.cluster} is open again"


def _data(drill: "Drill") -> dict[str, object]:
    data = asdict(drill)
    data.pop("presence")
    for course, row in zip(drill.courses, data["courses"], strict=True):
        row["recovery_seconds"] = _rounded(drill.recovery_seconds(course))
        row["requests_per_second"] = round(course.requests_per_second(), 1)
        row["met"] = _met(drill, course)
    return data


def _met(drill: "Drill", course: "Course") -> bool | None:
    from crossfade.core.failover.drill import meets

    return meets(drill, course) if drill.began_at is not None else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def _story(drill: "Drill") -> str:
    rows = [
        (
            each.application,
            f"{each.requests_per_second():.0f}",
            each.requests,
            each.failed,
            f"{each.objective.error_budget_percent:g} %",
            _time(drill.recovery_seconds(each)),
            _time(each.objective.recovery_seconds),
        )
        for each in drill.courses
    ]
    columns = ("APPLICATION", "PER SECOND", "REQUESTS", "FAILED", "BUDGET", "RECOVERY", "DECLARED")
    return f"{_headline(drill)}\n{table(columns, rows)}"


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"


def _headline(drill: "Drill") -> str:
    outcome = drill.outcome.value if drill.outcome else drill.phase.value
    said = f": {drill.reason}" if drill.reason else ""
    return f"drill {drill.number} of {drill.cluster}: {outcome}{said}"


def _list(found: "tuple[Drill, ...]") -> str:
    if not found:
        return "no drill was held yet"
    columns = ("DRILL", "WHEN", "CLUSTER", "OUT FOR", "OUTCOME", "RECOVERY", "FAILED", "WHY")
    return table(columns, [_row(each) for each in found])


def _row(drill: "Drill") -> tuple[object, ...]:
    took = [drill.recovery_seconds(each) for each in drill.courses]
    known = [each for each in took if each is not None]
    out = None if drill.began_at is None else (drill.opened_at or drill.began_at) - drill.began_at
    return (
        drill.number,
        moment(drill.asked_at),
        drill.cluster,
        _time(out),
        drill.outcome.value if drill.outcome else drill.phase.value,
        _time(max(known)) if known and len(known) == len(took) else "",
        sum(each.failed for each in drill.courses),
        drill.reason,
    )


def _raise_unless_good(drill: "Drill") -> None:
    from crossfade.core.failover.drill import FAILED

    if drill.outcome in FAILED or drill.active:
        raise UnsafePlan(
            _headline(drill),
            hint="`crossfade failover status` shows where users are, `failover drills` all drills",
        )
