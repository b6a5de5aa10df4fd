"""`crossfade fleet drain` and `restore`: users leave a cluster in order, and come back."""

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import Unavailable
from crossfade.base.ids import ClusterName
from crossfade.cli.confirm import confirm
from crossfade.cli.frame import with_session
from crossfade.cli.hub_note import note_if_no_hub
from crossfade.cli.output import Format, OutputOption, progress, show

if TYPE_CHECKING:
    from crossfade.engine.draining import Effect
    from crossfade.engine.failover_status import ClusterStanding
    from crossfade.wiring import Session

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A cluster of the fleet.")]
LOOK_SECONDS = 0.5


def drain(
    context: typer.Context,
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait until its users have left; 0: do not.")
    ] = 60.0,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Have all users of cluster NAME served elsewhere, as others have room; what runs there stays.

    Requests under way are finished.  It is never done to the last cluster that serves an
    application.
    """
    cluster = ClusterName(name)

    async def ask(session: "Session") -> "tuple[Effect, ...]":
        return await session.commands.effects_of_draining(cluster)

    found = with_session(context, ask)
    said = _effect(name, found)
    if dry_run:
        show({"effects": [asdict(each) for each in found]}, output, lambda: said)
        return
    confirm(said, "drain it?", yes=yes)

    async def work(session: "Session") -> "ClusterStanding":
        await session.commands.drain_cluster(cluster)
        return await _until_empty(session, cluster, wait)

    standing = with_session(context, work)
    done = f"{name} is drained: it has no users"
    text = done if standing.empty else f"{name} is being drained; it has {_users(standing)}"
    data = {"drained": name, "users": {**standing.users}, "empty": standing.empty}
    show(data, output, lambda: text)


def restore(
    context: typer.Context,
    name: NameArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Let users come back to cluster NAME, which was drained or waits for a person.

    They come step by step, with 1, 5, 25, 50 and 100 % of its share, while it does as well as the
    others; all at once where the application says `failback: never`.
    """
    cluster = ClusterName(name)
    if dry_run:
        with_session(context, lambda session: session.commands.require_cluster(cluster))
        said = f"users may come back to {name}, step by step; `crossfade failover status` shows how"
        show({"restore": name, "dry_run": True}, output, lambda: said)
        return

    async def work(session: "Session") -> "ClusterStanding":
        await session.commands.restore_cluster(cluster)
        await note_if_no_hub(session)
        return await _look(session, cluster)

    standing = with_session(context, work)
    text = f"users may come back to {name}; `crossfade failover status` shows how far they are"
    show({"restored": name, "standing": standing.standing}, output, lambda: text)


def _effect(name: str, found: "tuple[Effect, ...]") -> str:
    if not found:
        return f"{name} has no users; it will get none until it is restored"
    told = (f"{each.percent:g} % of {each.application} to {', '.join(each.to)}" for each in found)
    return f"users of {name} move: {'; '.join(told)}"


async def _until_empty(session: "Session", cluster: ClusterName, wait: float) -> "ClusterStanding":
    await note_if_no_hub(session)
    until = session.clock.now() + wait
    while True:
        standing = await _look(session, cluster)
        left = until - session.clock.now()
        if standing.empty or left <= 0:
            return standing
        progress(f"{cluster} has {_users(standing)}; {left:.0f} s left")
        if await session.hub() is None:
            raise Unavailable("no hub runs, so nobody moves", hint="`crossfade up` starts one")
        await asyncio.sleep(LOOK_SECONDS)


async def _look(session: "Session", cluster: ClusterName) -> "ClusterStanding":
    found = await session.failover()
    return next(each for each in found.clusters if each.cluster == cluster)


def _users(standing: "ClusterStanding") -> str:
    told = (f"{part:g} % of {name}" for name, part in sorted(standing.users.items()) if part)
    return ", ".join(told) or "no users"
