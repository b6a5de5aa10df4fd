"""`crossfade context`: shared configurations, variables that pipelines have by their names."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import InputError
from crossfade.base.json_value import Json
from crossfade.cli.frame import noun, with_session
from crossfade.cli.output import Format, OutputOption, json_line, moment, note, show, table
from crossfade.core.pipeline.shared_configuration import SharedKind

if TYPE_CHECKING:
    from crossfade.engine.pipelines.shared_configurations import SharedView
    from crossfade.wiring import Session

app = noun("Keep shared configurations: sets of variables, which pipelines list as `contexts`.")

_Name = Annotated[str, typer.Argument(metavar="NAME", help="As in `contexts: [NAME]`.")]
_TYPES = "config, secret, yaml, secret-yaml, or a store that has secrets elsewhere."


@app.command()
def create(  # noqa: PLR0913 - one argument for each option of the command
    context: typer.Context,
    kind: Annotated[
        SharedKind,
        typer.Argument(
            metavar="TYPE",
            help=_TYPES,
        ),
    ],
    name: _Name,
    variable: Annotated[
        list[str] | None,
        typer.Option(
            "--variable",
            "-v",
            metavar="NAME[=VALUE]",
            help="A variable; without a value, that of the environment. May be repeated.",
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="A YAML or JSON mapping; `-` reads standard input."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in place of the one of this name.")
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Keep a shared configuration.

    Values of secret and secret-yaml are sealed, masked in logs, and never shown.  Values of yaml
    and secret-yaml may be lists and mappings: as variables these are JSON.  The types
    secret-store.kubernetes and secret-store.hashicorp-vault say where secrets are, which
    pipelines refer to as ${{secrets.NAME.KEY}}.
    """
    data = {**_read(file), **_given(variable)}

    async def work(session: "Session") -> "SharedView":
        commands = session.shared_configurations()
        return await commands.create(name, kind, data, again=replace)

    made = with_session(context, work)
    count = "1 variable" if len(made.data) == 1 else f"{len(made.data)} variables"
    show(_json(made), output, lambda: f"context {name} has {count}")


@app.command("list")
def list_contexts(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """List the shared configurations, and which registered pipelines have them."""

    async def work(session: "Session") -> "tuple[SharedView, ...]":
        return await session.shared_configurations().all()

    found = with_session(context, work)
    if not found:
        note("there are none; `crossfade context create config NAME -v KEY=VALUE` makes one")
    show({"contexts": [_json(each) for each in found]}, output, lambda: _table(found))


@app.command("show")
def show_context(context: typer.Context, name: _Name, output: OutputOption = Format.TEXT) -> None:
    """Show the variables of a shared configuration; of secret ones only their names."""

    async def work(session: "Session") -> "SharedView":
        return await session.shared_configurations().show(name)

    found = with_session(context, work)
    show(_json(found), output, lambda: _variables(found))


@app.command()
def delete(
    context: typer.Context,
    name: _Name,
    force: Annotated[
        bool, typer.Option("--force", help="Also while registered pipelines list it.")
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Forget a shared configuration; builds under way keep its variables."""

    async def work(session: "Session") -> None:
        await session.shared_configurations().remove(name, force=force)

    with_session(context, work)
    show({"context": name, "change": "removed"}, output, lambda: f"context {name} is removed")


def _given(variables: list[str] | None) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for each in variables or ():
        name, equals, value = each.partition("=")
        if not equals and name not in os.environ:
            raise InputError(
                f"--variable {name} has no value, and is not in the environment",
                hint=f"write -v {name}=VALUE, or export {name}",
            )
        found[name] = value if equals else os.environ[name]
    return found


def _read(file: Path | None) -> dict[str, Json]:
    """Return the mapping of a file.  Raises InputError, which has no values."""
    if file is None:
        return {}
    from crossfade.adapters.documents.files import given_name, read_given
    from crossfade.adapters.pipelines.reading import parse
    from crossfade.core.pipeline.tree import plain

    where, hint = given_name(file), "write NAME: VALUE in each line"
    documents, problems = parse(read_given(file, 1 << 20))
    if problems:
        at = problems[0].at
        raise InputError(f"{where}:{at.line}:{at.column} is no YAML", hint=hint)
    data = plain(documents[0]) if len(documents) == 1 else None
    if not isinstance(data, dict):
        raise InputError(f"{where} is no mapping of names to values", hint=hint)
    return data


def _json(view: "SharedView") -> dict[str, object]:
    """Return it as Codefresh's command shows it, and which pipelines list it."""
    return {
        "apiVersion": "v1",
        "kind": "context",
        "metadata": {"name": view.name},
        "spec": {"type": view.type.value, "data": view.data},
        "at": view.at,
        "pipelines": list(view.pipelines),
    }


def _table(found: "tuple[SharedView, ...]") -> str:
    rows = [
        (
            each.name,
            each.type.value,
            ", ".join(each.data),
            moment(each.at),
            ", ".join(each.pipelines),
        )
        for each in found
    ]
    return table(("NAME", "TYPE", "VARIABLES", "CHANGED", "PIPELINES"), rows) if rows else ""


def _variables(view: "SharedView") -> str:
    plain = ((n, v if isinstance(v, str) else json_line(v)) for n, v in view.data.items())
    return table(("NAME", "VALUE"), plain)
