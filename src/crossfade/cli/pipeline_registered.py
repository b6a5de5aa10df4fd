"""`crossfade pipeline apply` and what belongs to it: pipelines that the hub makes builds of."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import InputError
from crossfade.base.units import parse_duration
from crossfade.cli.frame import with_pipelines
from crossfade.cli.output import Format, OutputOption, note, show, table
from crossfade.cli.pipeline_options import (
    ContextOption,
    HostImageOption,
    SecretOption,
    StepsOption,
    VarOption,
    given_variables,
)
from crossfade.cli.pipeline_run import (
    FAILED_EXIT_CODE,
    read_file,
    show_left,
    warn_without_hub,
)

if TYPE_CHECKING:
    from crossfade.core.pipeline.variables import Variable
    from crossfade.engine.pipelines.records import Build
    from crossfade.wiring_pipelines import Pipelines

_LOOK_SECONDS = 0.2
_VariablesOption = Annotated[
    Path | None,
    typer.Option(
        help="More variables: a JSON object; `-` reads standard input. A value may be an "
        "object with `value` and `secret`."
    ),
]
_OnceOption = Annotated[
    str, typer.Option(metavar="KEY", help="There is one build of a key, however often asked.")
]
_TimeoutOption = Annotated[
    str, typer.Option(metavar="DURATION", help="Wait no longer than this.", show_default="ever")
]
_YamlOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A file whose steps go in place of the pipeline's own."),
]
_OnlyOption = Annotated[
    list[str] | None, typer.Option(metavar="STEP", help="Run this step, and no others.")
]
_SkipOption = Annotated[list[str] | None, typer.Option(metavar="STEP", help="Leave this step out.")]
_BranchOption = Annotated[str, typer.Option(help="CF_BRANCH of the build.")]
_ResetOption = Annotated[bool, typer.Option("--reset-volume", help="Begin in an empty workspace.")]
_NameArgument = Annotated[str, typer.Argument(metavar="PIPELINE", help="metadata.name of it.")]


def apply(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Files with `kind: pipeline`; `-` is stdin.")],
    steps: StepsOption = None,
    host_image: HostImageOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Register pipelines, or change registered ones; nothing is changed unless all are accepted.

    The hub runs builds of them: `crossfade pipeline start` asks for one.
    """
    given = [read_file(file, steps, host_image) for file in files]

    async def work(pipelines: "Pipelines") -> None:
        rows = [asdict(each) for each in await pipelines.files.register(given)]
        show(rows, output, lambda: "\n".join(f"{r['pipeline']} {r['change']}" for r in rows))

    with_pipelines(context, work)


def registered(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """List the registered pipelines, with what makes builds of them."""

    async def work(pipelines: "Pipelines") -> None:
        rows = [asdict(each) for each in await pipelines.registered()]
        columns = ("pipeline", "triggers", "builds", "newest")
        show(rows, output, lambda: table(columns, [[row[c] for c in columns] for row in rows]))

    with_pipelines(context, work)


def unregister(
    context: typer.Context, pipeline: _NameArgument, output: OutputOption = Format.TEXT
) -> None:
    """Forget a registered pipeline; its builds stay and go on."""

    async def work(pipelines: "Pipelines") -> None:
        await pipelines.registry.unregister(pipeline)
        show({"pipeline": pipeline, "change": "removed"}, output, lambda: f"{pipeline} removed")

    with_pipelines(context, work)


def start(  # noqa: PLR0913 - one argument for each option of the command
    context: typer.Context,
    pipeline: _NameArgument,
    var: VarOption = None,
    secret: SecretOption = None,
    variables: _VariablesOption = None,
    shared: ContextOption = None,
    branch: _BranchOption = "",
    trigger: Annotated[str, typer.Option(help="One of its triggers, by hand.")] = "",
    parent: Annotated[str, typer.Option(metavar="RUN", help="The build that asks for it.")] = "",
    once: _OnceOption = "",
    yaml: _YamlOption = None,
    only: _OnlyOption = None,
    skip: _SkipOption = None,
    reset_volume: _ResetOption = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print its logs and wait for its end.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end.")] = False,
    timeout: _TimeoutOption = "",
    terminate_on_timeout: Annotated[
        bool, typer.Option("--terminate-on-timeout", help="End it when it takes longer.")
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Start a build of a registered pipeline; the hub runs it.

    With --follow or --wait, ends with 0 when it succeeds and with 1 when it does not.
    """
    from crossfade.engine.pipelines.starting import Start

    given = {} if variables is None else _variables(variables)
    given |= given_variables(var, secret) | _branch(branch)
    seconds = parse_duration(timeout) if timeout else None
    wanted = Start(
        pipeline,
        given,
        trigger,
        branch,
        parent,
        once,
        template=_steps(yaml),
        only=tuple(only or ()),
        skip=tuple(skip or ()),
        contexts=tuple(shared or ()),
        reset_volume=reset_volume,
    )
    patience = _Patience(seconds, follow=follow, end=terminate_on_timeout)

    async def work(pipelines: "Pipelines") -> None:
        build = await pipelines.registry.start(wanted)
        if not (follow or wait):
            await show_left(pipelines, build, output)
            return
        note(f"build {build.id} of {build.pipeline}")
        await warn_without_hub(pipelines)
        await _wait(pipelines, build, patience, output)

    with_pipelines(context, work)


def _steps(file: Path | None) -> str:
    """Return the text of a file that holds one pipeline, "" without one.  Raises InputError."""
    if file is None:
        return ""
    from crossfade.adapters.pipelines.reading import read_pipeline

    return read_pipeline(file)


class _Patience:
    """How a build is waited for."""

    def __init__(self, seconds: float | None, *, follow: bool, end: bool) -> None:
        self.seconds, self.follow, self.end = seconds, follow, end


async def _wait(
    pipelines: "Pipelines", build: "Build", patience: _Patience, output: Format
) -> None:
    from crossfade.cli.pipeline_view import print_logs, result_json, summary
    from crossfade.core.pipeline.state import Result

    try:
        async with asyncio.timeout(patience.seconds):
            if patience.follow and output is Format.TEXT:
                await print_logs(pipelines, build, "", follow=True)
            while not (state := (await pipelines.builds.state(build.id)).value).ended:  # noqa: ASYNC110 - it is run elsewhere
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        note(f"build {build.id} took longer than {patience.seconds:g} s")
        if patience.end:
            await pipelines.commands.terminate(build.id, "it took longer than its starter waits")
        raise typer.Exit(FAILED_EXIT_CODE) from None
    show(result_json(build, state), output, lambda: summary(build, state))
    if state.result is not Result.SUCCESS:
        raise typer.Exit(FAILED_EXIT_CODE)


def _branch(name: str) -> "dict[str, Variable]":
    from crossfade.core.pipeline.variables import Source, Variable

    return {"CF_BRANCH": Variable("CF_BRANCH", name, Source.RUN)} if name else {}


def _variables(path: Path) -> "dict[str, Variable]":
    """Return the variables of a file.  Raises InputError."""
    from crossfade.adapters.documents.files import given_name, read_given
    from crossfade.core.pipeline.variables import Source, Variable

    where, text = given_name(path), read_given(path, 1 << 20)
    hint = 'write {"NAME": "value"}, or {"NAME": {"value": "text", "secret": true}}'
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InputError(f"{where} is no JSON: {error}", hint=hint) from error
    if not isinstance(data, dict):
        raise InputError(f"{where} is no object of variables", hint=hint)
    found = {}
    for name, item in data.items():
        value = item.get("value") if isinstance(item, dict) else item
        if not isinstance(value, str):
            raise InputError(f"{where}: {name} has no text as its value", hint=hint)
        hidden = isinstance(item, dict) and item.get("secret") is True
        found[name] = Variable(name, value, Source.RUN, hidden)
    return found
