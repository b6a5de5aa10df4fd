"""`crossfade pipeline environment`: compositions that steps of builds have launched."""

import asyncio
import json
import signal
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import InputError
from crossfade.base.units import format_duration
from crossfade.cli.frame import noun, with_pipelines
from crossfade.cli.output import Format, OutputOption, note, show, table

if TYPE_CHECKING:
    from crossfade.engine.pipelines.environments import Launch, Seen
    from crossfade.wiring_pipelines import Pipelines

app = noun("Environments that `launch-composition` steps have launched: they outlive their builds.")
_NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the environment.")]


@app.command(name="list")
def list_environments(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """List the environments, and when they end by themselves."""

    async def work(pipelines: "Pipelines") -> None:
        rows = [_row(each) for each in await pipelines.environments().all()]
        columns = ("name", "status", "pipeline", "build", "ends in")
        show(rows, output, lambda: table(columns, [_cells(row) for row in rows]))

    with_pipelines(context, work)


def _row(seen: "Seen") -> dict[str, object]:
    found = seen.environment
    return {
        "name": found.name,
        "status": seen.status,
        "pipeline": found.pipeline,
        "build": found.build,
        "at": found.at,
        "until": found.until,
    }


def _cells(row: dict[str, object]) -> list[object]:
    until = row["until"] if isinstance(row["until"], float) else 0.0
    left = format_duration(round(max(0.0, until - time.time())))  # noqa: TID251 - for people
    ended = row["status"] == "ended"
    return [row["name"], row["status"], row["pipeline"], row["build"], "-" if ended else left]


@app.command()
def end(context: typer.Context, name: _NameArgument, output: OutputOption = Format.TEXT) -> None:
    """End an environment with all of its processes."""

    async def work(pipelines: "Pipelines") -> None:
        await pipelines.environments().end(name)
        show({"name": name, "status": "ended"}, output, lambda: f"environment {name} has ended")

    with_pipelines(context, work)


@app.command()
def logs(context: typer.Context, name: _NameArgument) -> None:
    """Print what the services of an environment have printed until now."""

    async def work(pipelines: "Pipelines") -> None:
        await pipelines.environments().logs(name, _print)

    with_pipelines(context, work)


@app.command()
def launch(
    context: typer.Context,
    name: _NameArgument,
    build: Annotated[str, typer.Option(metavar="RUN", help="The build that it belongs to.")],
    once: Annotated[
        str, typer.Option(metavar="KEY", help="It is launched once a key, however often asked.")
    ],
    lifetime: Annotated[
        str, typer.Option(metavar="DURATION", help="It ends by itself after so long.")
    ] = "24h",
) -> None:
    """
    Launch the composition that stands on standard input, as `launch-composition` steps do.

    Standard input is a JSON object with `composition`, and `directory` and `variables` if wanted.
    An environment of this name is ended first.
    """
    wanted = _wanted(name, build, once, lifetime)

    async def work(pipelines: "Pipelines") -> None:
        task = asyncio.current_task()
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        found = await pipelines.environments().launch(wanted, _print)
        note(f"environment {found.name} is up for {lifetime}")
        note(f"`crossfade pipeline environment end {found.name}` ends it")

    try:
        with_pipelines(context, work)
    except asyncio.CancelledError:
        raise typer.Exit(128 + signal.SIGTERM) from None


def _wanted(name: str, build: str, once: str, lifetime: str) -> "Launch":
    """Return what is to be launched.  Raises InputError."""
    from crossfade.core.pipeline.launching import check_name
    from crossfade.core.pipeline.launching import lifetime as seconds_of
    from crossfade.core.pipeline.work import VOLUME, CannotRun
    from crossfade.engine.pipelines.environments import Launch

    hint = 'write {"composition": {"services": {...}}} to standard input'
    try:
        check_name(name)
        seconds = seconds_of(lifetime)
        data = json.load(sys.stdin)
    except (CannotRun, ValueError) as error:
        raise InputError(f"nothing can be launched so: {error}", hint=hint) from error
    if not isinstance(data, dict) or not data.get("composition"):
        raise InputError("standard input is no object with a `composition`", hint=hint)
    given = data.get("variables") or {}
    if not isinstance(given, dict) or not all(isinstance(each, str) for each in given.values()):
        raise InputError("`variables` is no object of texts", hint=hint)
    directory = data.get("directory") or VOLUME
    return Launch(name, build, once, seconds, data["composition"], str(directory), given)


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
