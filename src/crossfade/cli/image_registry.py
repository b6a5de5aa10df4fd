"""`crossfade image registry`: which registries are known, and who we are there."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.cli.frame import noun, settings_of
from crossfade.cli.image_kept import PasswordOption, UsernameOption, password_of
from crossfade.cli.output import Format, OutputOption, note, show, table

if TYPE_CHECKING:
    from crossfade.adapters.images.registry_file import RegistryFile
    from crossfade.core.image.registries import KnownRegistry

app = noun("Say which registries are known by a name, as pipelines call them.")


@app.command()
def add(  # noqa: PLR0913 - one argument for each option of the command
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What pipelines call it.")],
    address: Annotated[
        str, typer.Argument(help="As registry.example.com:5000, or with what names begin with.")
    ],
    username: UsernameOption = "",
    password_stdin: PasswordOption = False,
    default: Annotated[
        bool, typer.Option("--default", help="Take it when no registry is named.")
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Make a registry known, or change what is known of it; the first one is the default.

    Its password is kept as the secret registry-NAME in the state folder.
    """
    from crossfade.adapters.secrets.files import FileSecrets
    from crossfade.core.image.registries import known_registry, with_registry

    new = known_registry(name, address, username)
    own = password_of(username, password_stdin=password_stdin) if password_stdin else None
    known = _file(context).change(lambda old: with_registry(old, new, default=default))
    if own is not None:
        secrets = FileSecrets(settings_of(context).secrets_dir)
        asyncio.run(secrets.keep(new.secret, own.password))
    elif username:
        note(f"its password is the secret {new.secret}")
    found = next(each for each in known if each.name == name)
    show(_data(found), output, lambda: f"{name} is known: {_place(found)}")


@app.command(name="list")
def list_(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """List the registries that are known."""
    known = _file(context).read()
    if not known and output is Format.TEXT:
        note("no registry is known; `crossfade image registry add` makes one known")
        return
    columns = ("NAME", "ADDRESS", "USER", "DEFAULT")
    cells = [(each.name, _place(each), each.username, each.default) for each in known]
    show([_data(each) for each in known], output, lambda: table(columns, cells))


@app.command(name="rm")
def remove(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Registries that are to be forgotten.")],
) -> None:
    """Forget registries; their passwords stay where they are kept."""
    from crossfade.core.image.registries import chosen

    known = _file(context).read()
    for name in names:
        chosen(known, name)  # or it says that it is not known
    _file(context).change(lambda old: tuple(each for each in old if each.name not in names))
    note(f"forgotten: {', '.join(names)}")


def _file(context: typer.Context) -> "RegistryFile":
    from crossfade.adapters.images.registry_file import RegistryFile

    return RegistryFile(settings_of(context).registries_file)


def _place(one: "KnownRegistry") -> str:
    return f"{one.address}/{one.prefix}".rstrip("/")


def _data(one: "KnownRegistry") -> dict[str, object]:
    return {
        "name": one.name,
        "address": _place(one),
        "username": one.username,
        "default": one.default,
        "secret": one.secret if one.username else "",
    }
