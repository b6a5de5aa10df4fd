"""`crossfade rollout`: watch and steer rollouts."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.ids import ApplicationName, RevisionId
from crossfade.cli.frame import noun, with_session
from crossfade.cli.hub_note import note_if_no_hub
from crossfade.cli.output import Format, OutputOption, show
from crossfade.cli.rollout_scale import scale
from crossfade.cli.rollout_scale_next import scale_back, scale_next
from crossfade.cli.rollout_view import follow, list_text, rollout_data
from crossfade.cli.rollout_why import why
from crossfade.core.rollout.commands import Command

if TYPE_CHECKING:
    from crossfade.core.rollout.state import Rollout
    from crossfade.wiring import Session

app = noun("Watch and steer rollouts.")

NameArgument = Annotated[
    str, typer.Argument(metavar="APPLICATION", help="Name of the application.")
]
WhyOption = Annotated[str, typer.Option("--why", help="Kept in the history.")]
WatchOption = Annotated[bool, typer.Option("--watch", "-w", help="Follow it to its end.")]


@app.command("list")
def list_rollouts(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[APPLICATION]", help="Show all rollouts of this one, newest first."
        ),
    ] = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """List the newest rollout of each application, or all rollouts of one."""
    application = ApplicationName(name) if name else None
    found = with_session(context, lambda session: session.queries.rollouts(application))
    data = {"rollouts": [rollout_data(each) for each in found]}
    show(data, output, lambda: list_text(found) if found else "no rollout yet")


@app.command()
def watch(context: typer.Context, name: NameArgument, output: OutputOption = Format.TEXT) -> None:
    """Follow the newest rollout until it has ended; exits with 7 unless it succeeded."""

    async def work(session: "Session") -> None:
        await note_if_no_hub(session)
        await follow(session.queries.watch(ApplicationName(name)), output)

    with_session(context, work)


@app.command()
def promote(
    context: typer.Context,
    name: NameArgument,
    full: Annotated[
        bool, typer.Option("--full", help="Give it all users, without further steps.")
    ] = False,
    watch: WatchOption = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Let the rollout past its current step.

    Ends a pause, and lets a share pass that has no verdict yet; a bad verdict still counts.
    """
    command = Command.PROMOTE_FULL if full else Command.PROMOTE
    _change(context, name, lambda s, app: s.commands.change(app, command), watch, output)


@app.command()
def pause(context: typer.Context, name: NameArgument, output: OutputOption = Format.TEXT) -> None:
    """Hold the rollout where it is; a bad verdict still rolls it back."""
    _change(context, name, lambda s, app: s.commands.change(app, Command.PAUSE), False, output)


@app.command()
def resume(
    context: typer.Context,
    name: NameArgument,
    watch: WatchOption = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Let a paused rollout go on."""
    _change(context, name, lambda s, app: s.commands.change(app, Command.RESUME), watch, output)


@app.command()
def abort(
    context: typer.Context,
    name: NameArgument,
    why: WhyOption = "",
    watch: WatchOption = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Give all users back to the stable revision."""
    _change(context, name, lambda s, app: s.commands.change(app, Command.ABORT, why), watch, output)


@app.command()
def skip(
    context: typer.Context,
    name: NameArgument,
    watch: WatchOption = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Leave the current step out, whatever it is."""
    _change(context, name, lambda s, app: s.commands.change(app, Command.SKIP), watch, output)


@app.command()
def approve(
    context: typer.Context,
    name: NameArgument,
    why: WhyOption = "",
    watch: WatchOption = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Let the rollout past the approval that it waits for."""
    _change(
        context, name, lambda s, app: s.commands.change(app, Command.APPROVE, why), watch, output
    )


@app.command()
def retry(
    context: typer.Context,
    name: NameArgument,
    watch: WatchOption = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Give what was taken back another go: single clusters, or the whole rollout anew."""
    _change(context, name, lambda s, app: s.deployments.retry(app), watch, output)


@app.command()
def restart(
    context: typer.Context,
    name: NameArgument,
    watch: WatchOption = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Begin again with the first step; after the end, replace all pods in a new rollout."""
    _change(context, name, lambda s, app: s.deployments.restart(app), watch, output)


@app.command()
def undo(
    context: typer.Context,
    name: NameArgument,
    to: Annotated[str | None, typer.Option(metavar="REVISION", help="Go back to this one.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also if it does not get along with what may serve.")
    ] = False,
    watch: WatchOption = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Swap all users back to the revision before: at once while it is still kept running."""
    revision = RevisionId(to) if to else None
    _change(
        context, name, lambda s, app: s.deployments.undo(app, revision, force=force), watch, output
    )


def _change(
    context: typer.Context,
    name: str,
    command: "Callable[[Session, ApplicationName], Awaitable[Rollout]]",
    watch: bool,
    output: Format,
) -> None:
    async def work(session: "Session") -> None:
        application = ApplicationName(name)
        rollout = await command(session, application)
        await note_if_no_hub(session)
        if watch:
            await follow(session.queries.watch(application), output)
            return
        state = rollout.state
        word = "paused" if state.paused else state.phase.value
        text = f"rollout {name}.{rollout.number}: {state.abort or word}"
        show(rollout_data(rollout), output, lambda: text)

    with_session(context, work)


app.command()(scale)
app.command()(scale_next)
app.command()(scale_back)
app.command()(why)
