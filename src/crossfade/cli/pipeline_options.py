"""What commands of pipelines take: variables, definitions of steps, images."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import InputError

if TYPE_CHECKING:
    from crossfade.core.pipeline.runtime import Runtime
    from crossfade.core.pipeline.variables import Variable

VarOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="A variable; may be repeated.")
]
SecretOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME[=VALUE]",
        help="A variable that is masked in logs; without a value, that of the environment.",
    ),
]
StepsOption = Annotated[
    str | None,
    typer.Option(help="Folder or address with definitions of typed steps (step.yaml)."),
]
HostImageOption = Annotated[
    list[str] | None,
    typer.Option(metavar="IMAGE", help="Run steps of this image with this machine's tools."),
]
ContextOption = Annotated[
    list[str] | None,
    typer.Option(
        "--context",
        metavar="NAME",
        help="A shared configuration whose variables it has beside those of the pipeline; may be "
        "repeated.",
    ),
]
RunnerOption = Annotated[
    str,
    typer.Option(
        metavar="RUNNER",
        help="What steps run in: process, container or pod; else as the pipeline or the setting "
        "CROSSFADE_PIPELINE_RUNNER says.",
    ),
]
ClusterOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CLUSTER",
        help="A cluster for the pods of steps, the best first; may be repeated. Without it any of "
        "the fleet will do, the cheapest first.",
    ),
]


def given_runtime(runner: str, clusters: list[str] | None) -> "Runtime":
    """Return where a command line has steps run.  Raises InputError."""
    from crossfade.core.pipeline.runtime import RunnerKind, Runtime, runner_named

    kind = runner_named(runner, "--runner") if runner else None
    if clusters and kind not in (None, RunnerKind.POD):
        raise InputError(
            f"--cluster is for pods, and --runner is {runner}", hint="give `--runner pod`"
        )
    return Runtime(RunnerKind.POD if clusters else kind, tuple(clusters or ()))


def given_variables(var: list[str] | None, secret: list[str] | None) -> "dict[str, Variable]":
    """Return the variables of a command line.  Raises InputError."""
    from crossfade.core.pipeline.variables import Source, Variable

    found = {n: Variable(n, value, Source.RUN) for n, value in map(_pair, var or ())}
    hidden = map(_secret, secret or ())
    return found | {n: Variable(n, value, Source.RUN, secret=True) for n, value in hidden}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InputError(f"--var is not NAME=VALUE: {text}", hint="write --var BRANCH=main")
    return name, value


def _secret(text: str) -> tuple[str, str]:
    name, equals, _ = text.partition("=")
    if equals:
        return _pair(text)
    if name not in os.environ:
        raise InputError(
            f"--secret {name} is not in the environment", hint=f"export {name}, or give its value"
        )
    return name, os.environ[name]
