"""`crossfade login`: commands are given to a hub over HTTP."""

import asyncio
import sys
from typing import Annotated

import typer

from crossfade.base.errors import InputError
from crossfade.base.secrets import Secret
from crossfade.cli.frame import noun, settings_of
from crossfade.cli.output import Format, OutputOption, show

app = noun()


@app.command()
def login(  # noqa: PLR0913 - one argument for each option of the command
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="As https://crossfade.example.com.")],
    name: Annotated[str, typer.Option("--name", "-n", help="The account.")] = "admin",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    token_stdin: Annotated[
        bool,
        typer.Option("--token-stdin", help="Read a token instead, as single sign-on needs it."),
    ] = False,
    days: Annotated[int, typer.Option(min=1, max=365, help="How long the token counts.")] = 30,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Give commands to the hub at URL from now on; it also runs the builds of pipelines.

    The password becomes a token of its own, which is kept in the state folder; `crossfade logout`
    revokes it.  Commands on images, on the sandbox and on files alone stay on this machine.
    """
    from crossfade.remote import signing_in
    from crossfade.remote.logins import Logins, hub_url

    if password_stdin and token_stdin:
        raise InputError("standard input is one of them", hint="give one of the two options")
    address = hub_url(url)
    secret = _secret(name, asked=not (password_stdin or token_stdin))
    logins = Logins(settings_of(context).logins_file)
    if token_stdin:
        made = asyncio.run(signing_in.by_token(address, secret))
    else:
        known = logins.known(address, name)
        made = asyncio.run(signing_in.by_password(address, name, secret, days, known))
    logins.keep(made)
    text = f"commands go to {made.url} as {made.account}; `crossfade logout` ends that"
    show({"hub": made.url, "account": made.account}, output, lambda: text)


def _secret(name: str, *, asked: bool) -> Secret:
    if not asked:
        return Secret(sys.stdin.readline().rstrip("\r\n"))
    if not sys.stdin.isatty():
        raise InputError("nobody can be asked for the password", hint="give --password-stdin")
    text: str = typer.prompt(f"password of {name}", hide_input=True, err=True)
    return Secret(text)
