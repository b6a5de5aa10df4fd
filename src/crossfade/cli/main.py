"""
The `crossfade` program: finds the command, runs it, turns errors into words and exit codes.

Each noun is a file of its own that is imported only when it is used, so that the program starts
fast; those files in turn import what is slow inside of their commands.
"""

import gc
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from itertools import islice, pairwise
from pathlib import Path
from typing import Annotated, NoReturn, Protocol

import typer
from typer.core import TyperCommand, TyperGroup

from crossfade import settings
from crossfade.base import tracing
from crossfade.base.errors import InputError
from crossfade.cli.errors import BROKEN_PIPE_EXIT_CODE, INTERRUPTED_EXIT_CODE, report, wants_json

NOUNS = {
    "demo": "Show the whole of it: three embedded clouds, a canary, and a cloud that dies.",
    "up": "Run the hub: control loops, configuration of the edges, the HTTP API.",
    "login": "Give commands to a hub over HTTP from now on.",
    "logout": "Give commands to a hub no more.",
    "fleet": "Say which clusters there are.",
    "failover": "Say which clusters have users, and why; rehearse the loss of one.",
    "edge": "Say which edges there are, and which plan each has; make some on other machines.",
    "dns": "Say what is published in DNS, and what would be.",
    "apply": "Make or change an application from its file.",
    "deploy": "Bring out a new revision of an application.",
    "rollout": "Watch and steer rollouts.",
    "pipeline": "Check and run pipelines of codefresh.yml files.",
    "context": "Keep shared configurations: variables that pipelines have by name.",
    "image": "Build images, keep them on this machine, push and pull them.",
    "analysis": "Judge recorded windows of a canary; needs no hub.",
    "audit": "Say who has done what.",
    "account": "Say who may sign in at the hub, and what they may do.",
    "sso": "Have people sign in by an identity provider (OpenID Connect).",
    "secret": "Keep secrets of the hub, sealed; their values are never shown.",
    "import": "Turn Rollouts of Argo and Canaries of Flagger into applications.",
    "traffic": "Work out where users go: a traffic plan, or what edges do by themselves.",
    "sandbox": "Run embedded clouds on this machine, and break them.",
    "version": "Print the version.",
}
"""Commands in the order of the help, with their help; each is `app` in a file of cli/."""

_COLLECT = (20_000, 20, 200)
"""Objects until the youngest are looked at: what is imported stays, so it is not worth a look."""
_COMMON = ("--state-dir", "--hub")
_FILES = {"apply": "application", "import": "import_"}


class _Formatter(Protocol):
    def section(self, name: str) -> AbstractContextManager[None]: ...
    def write_dl(self, rows: Sequence[tuple[str, str]]) -> None: ...


class LazyGroup(TyperGroup):
    """The program's commands, none of which is imported for the help of all."""

    def list_commands(self, ctx: object) -> list[str]:
        """Return the names of all commands."""
        return list(NOUNS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | TyperGroup | None:
        """Return the command, imported now, or None when there is none of this name."""
        if cmd_name not in NOUNS:
            return None
        module = import_module(f"crossfade.cli.{_FILES.get(cmd_name, cmd_name)}")
        command = typer.main.get_command(module.app)
        if not isinstance(command, TyperCommand | TyperGroup):
            raise TypeError(f"the command {cmd_name} is of another kind")
        command.name = cmd_name
        return command

    def format_commands(self, ctx: object, formatter: _Formatter) -> None:
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(NOUNS.items()))


app = typer.Typer(
    cls=LazyGroup,
    help="One release, every cloud: canary rollouts over several Kubernetes clusters.",
    epilog="--state-dir and --hub may also stand after the command.",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,  # plain help: rich alone would cost a third of the time to start
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        from crossfade.cli.version import print_version

        print_version()
        raise typer.Exit


@app.callback()
def crossfade(
    context: typer.Context,
    state_dir: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder for everything that is kept (CROSSFADE_HOME).",
            show_default=False,
        ),
    ] = None,
    hub: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Hub that commands are given to; local: the store of this machine "
            "(CROSSFADE_HUB).",
            show_default=False,
        ),
    ] = "",
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Load the settings that all commands work with."""
    if state_dir == "":  # an unset variable of a script; "" is the folder where it stands
        hint = "name a folder, or leave --state-dir out"
        raise InputError("--state-dir is empty", hint=hint)
    folder = None if state_dir is None else Path(state_dir)
    context.obj = settings.load(state_dir=folder, hub=hub)


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program with these arguments (of the process when None) and exit."""
    gc.set_threshold(*_COLLECT)
    sys.exit(main(list(sys.argv[1:] if arguments is None else arguments)))


def main(arguments: list[str]) -> int:
    """Run one command and return the exit code; errors are printed, none is raised."""
    tracing.adopt(os.environ.get(tracing.VARIABLE, ""))
    try:
        command = typer.main.get_command(app)
        ordered = _common_first(arguments) or ["--help"]
        code = command.main(ordered, prog_name="crossfade", standalone_mode=False)
        _flush()
    except BrokenPipeError:
        return BROKEN_PIPE_EXIT_CODE
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("interrupted", err=True)
        return INTERRUPTED_EXIT_CODE
    except Exception as error:
        return report(error, _reports(arguments), as_json=wants_json(arguments))
    finally:
        _give_up_stdout_if_broken()
    return code if isinstance(code, int) else 0


def _common_first(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with those of all commands first, where the program reads them."""
    first: list[str] = []
    others: list[str] = []
    left = iter(arguments)
    for argument in left:
        if argument == "--":
            return [*first, *others, argument, *left]
        if argument in _COMMON:
            first += [argument, *islice(left, 1)]
        elif argument.startswith(tuple(f"{each}=" for each in _COMMON)):
            first.append(argument)
        else:
            others.append(argument)
    return [*first, *others]


def _reports(arguments: Sequence[str]) -> Path:
    """Return the folder for reports of crashes, also when the settings are what went wrong."""
    pairs = pairwise(_common_first(arguments))
    option = next((Path(path) for name, path in pairs if name == "--state-dir"), None)
    try:
        return settings.load(state_dir=option).state_dir / "crashes"
    except InputError:
        return Path(tempfile.gettempdir())


def _flush() -> None:
    if sys.stdout is not None:  # None: closed by the caller, as with `>&-`
        sys.stdout.flush()


def _give_up_stdout_if_broken() -> None:
    """
    Drop output that cannot be written: the reader has gone, as with `| head`, or the disk is full.

    Python would try again at its end, and change the exit code.
    """
    try:
        _flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    run()
