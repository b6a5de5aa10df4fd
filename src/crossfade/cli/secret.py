"""`crossfade secret`: secrets of the hub, sealed in the store; values are never shown."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.cli.frame import noun, with_session
from crossfade.cli.output import Format, OutputOption, moment, note, show, table

if TYPE_CHECKING:
    from crossfade.base.secrets import Secret
    from crossfade.engine.secret_commands import Rotation, SecretView
    from crossfade.wiring import Session

app = noun("Keep secrets of the hub, sealed; their values are never shown.")

_Name = Annotated[str, typer.Argument(metavar="NAME", help="As in `{secret: NAME}`.")]


@app.command("list")
def list_secrets(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """List the names of the secrets in the store, and since when they have their values."""

    async def work(session: "Session") -> "tuple[SecretView, ...]":
        return await session.secret_commands().all()

    found = with_session(context, work)
    if not found:
        note("the store has no secrets; `crossfade secret set NAME` reads one from standard input")
    show({"secrets": [asdict(each) for each in found]}, output, lambda: _table(found))


@app.command("set")
def set_secret(context: typer.Context, name: _Name, output: OutputOption = Format.TEXT) -> None:
    """
    Keep what standard input says as secret NAME, sealed.

    At a terminal it is asked for, unseen.  The last line end is dropped.
    """
    value = _read(name)

    async def work(session: "Session") -> bool:
        return await session.secret_commands().set(name, value)

    changed = with_session(context, work)
    word = "changed" if changed else "set"
    show({"secret": name, "change": word}, output, lambda: f"secret {name} is {word}")


@app.command()
def rm(context: typer.Context, name: _Name, output: OutputOption = Format.TEXT) -> None:
    """Forget secret NAME."""

    async def work(session: "Session") -> None:
        await session.secret_commands().remove(name)

    with_session(context, work)
    show({"secret": name, "change": "removed"}, output, lambda: f"secret {name} is removed")


@app.command("rotate-key")
def rotate_key(
    context: typer.Context,
    only_seal: Annotated[
        bool,
        typer.Option("--only-seal", help="Make no new key: seal again with the newest there is."),
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Make a new key, and seal all secrets again with it.

    Where the keys are in CROSSFADE_SEALING_KEY, put a new one before the others there, and give
    --only-seal; then the others can go.
    """

    async def work(session: "Session") -> "Rotation":
        commands = session.secret_commands()
        return await (commands.seal_again() if only_seal else commands.rotate())

    done = with_session(context, work)
    text = f"{done.sealed_again} secrets were sealed again, with key {done.key}"
    show(asdict(done), output, lambda: text)


def _read(name: str) -> "Secret":
    from crossfade.base.errors import InputError
    from crossfade.core.access.secret_names import LARGEST_BYTES, secret_name, secret_value

    secret_name(name)
    if sys.stdin.isatty():
        text: str = typer.prompt(f"value of {name}", hide_input=True, err=True)
        return secret_value(text)
    data = sys.stdin.buffer.read(LARGEST_BYTES + 3)
    try:
        return secret_value(data.decode())
    except UnicodeDecodeError:  # from nothing: that error has the bytes of the secret
        raise InputError(
            "standard input is no text", hint="write it as UTF-8, or as base64"
        ) from None


def _table(found: "tuple[SecretView, ...]") -> str:
    rows = [(each.name, moment(each.at), each.key) for each in found]
    return table(("NAME", "SET", "KEY"), rows) if rows else ""
