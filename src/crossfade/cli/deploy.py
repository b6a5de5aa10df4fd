"""`crossfade deploy`: bring out a new revision."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import Conflict, InputError
from crossfade.base.ids import ApplicationName
from crossfade.cli.frame import noun, with_session
from crossfade.cli.hub_note import note_if_no_hub
from crossfade.cli.output import Format, OutputOption, note, progress, show
from crossfade.cli.rollout_view import follow, rollout_data

if TYPE_CHECKING:
    from crossfade.core.application import Values
    from crossfade.core.rollout.state import Rollout
    from crossfade.wiring import Session

app = noun()

INTERRUPTED_EXIT_CODE = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@app.command()
def deploy(  # noqa: PLR0913 - one argument for each option of the command
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="APPLICATION", help="Name of the application.")],
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A Helm value, as with `helm --set`."),
    ] = None,
    values: Annotated[
        Path | None,
        typer.Option(help="A file of Helm values, below --set; `-` reads standard input."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan, ask the clusters, and change nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also where its plan, or its data, are refused.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow it to its end.")] = False,
    once: Annotated[
        str,
        typer.Option(metavar="KEY", help="Start no second rollout for the same key: follow it."),
    ] = "",
    abort_when_ended: Annotated[
        bool,
        typer.Option(
            "--abort-when-ended", help="Abort the rollout when this command is ended by a signal."
        ),
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Bring out a new revision of an application on every cluster it is placed on.

    The chart is rendered and checked here first, and every cluster of the first wave is asked
    whether it takes the objects: when anything is wrong, nothing is changed.
    """
    from crossfade.core.release.values import parse_set

    wanted = parse_set(changes or [], _values(values) if values else None)

    async def work(session: "Session") -> None:
        application = ApplicationName(name)
        progress(f"rendering the chart of {name}")
        if dry_run:
            await _show_plan(session, application, wanted, output, force=force)
            return
        if once:
            rollout = await session.deploy_once(application, wanted, once, force=force)
        else:
            rollout = await session.deployments.deploy(application, wanted, force=force)
        for remark in (await session.queries.rollout(application)).remarks:
            note(f"note: {remark}")
        await note_if_no_hub(session)
        if watch:
            await _follow(session, rollout, output, abort_when_ended=abort_when_ended)
        else:
            _show_begun(rollout, output)

    with_session(context, work)


def _show_begun(rollout: "Rollout", output: Format) -> None:
    name = rollout.application
    text = f"rollout {name}.{rollout.number} to {rollout.canary.id} begins"
    show(rollout_data(rollout), output, lambda: text)
    if output is Format.TEXT:
        note(f"`crossfade rollout watch {name}` follows it")


async def _show_plan(
    session: "Session",
    application: ApplicationName,
    wanted: "Values",
    output: Format,
    *,
    force: bool,
) -> None:
    """Show what a deployment would do; raises what the deployment would."""
    from crossfade.cli.deploy_plan import plan_data, plan_text

    progress("asking the clusters of the first wave")
    plan = await session.plan(application, wanted)
    show(plan_data(plan), output, lambda: plan_text(plan))
    plan.refuse(force=force)


def _values(file: Path) -> "Values":
    """Return the values of a file.  Raises InputError."""
    from crossfade.adapters.documents.files import read_given
    from crossfade.adapters.helm.manifest_text import read

    documents = read(read_given(file))
    if len(documents) > 1 or not all(isinstance(each, dict) for each in documents):
        raise InputError(
            "--values is no file of Helm values", hint="write one mapping", file=str(file)
        )
    return documents[0] if documents else {}


async def _follow(
    session: "Session", rollout: "Rollout", output: Format, *, abort_when_ended: bool
) -> None:
    """Follow the rollout; a signal ends that, and the rollout too if it is to."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    if task is not None and abort_when_ended:
        for each in _SIGNALS:
            loop.add_signal_handler(each, task.cancel)
    try:
        await follow(session.queries.watch(rollout.application, rollout.number), output)
    except asyncio.CancelledError:
        if task is not None and abort_when_ended:
            task.uncancel()
            await _abort(session, rollout)
            raise typer.Exit(INTERRUPTED_EXIT_CODE) from None
        raise
    finally:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)


async def _abort(session: "Session", rollout: "Rollout") -> None:
    from crossfade.core.rollout.commands import Command

    name = rollout.application
    try:
        await session.commands.change(name, Command.ABORT, "who started it was ended")
    except Conflict as error:
        note(f"rollout {name}.{rollout.number} is not aborted: {error}")
        return
    note(
        f"rollout {name}.{rollout.number} is taken back; `crossfade rollout watch {name}` shows it"
    )
