"""`crossfade logout`: the token of a hub is revoked and forgotten."""

import asyncio

import typer

from crossfade.base.errors import NotFound, Unavailable
from crossfade.cli.frame import noun, settings_of
from crossfade.cli.output import Format, OutputOption, note, show

app = noun()


@app.command()
def logout(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """
    Give commands to the hub no more: its token is revoked and forgotten.

    Without --hub it is the one of the newest sign-in.
    """
    from crossfade.remote.logins import Logins
    from crossfade.remote.signing_in import sign_out

    settings = settings_of(context)
    logins = Logins(settings.logins_file)
    found = logins.chosen(settings.hub)
    if found is None:
        raise NotFound("you are signed in at no hub", hint="`crossfade login URL` signs in")
    try:
        asyncio.run(sign_out(found))
    except Unavailable as error:
        note(f"note: the token is forgotten here, but not revoked: {error}")
    logins.forget(found.url)
    show({"hub": found.url}, output, lambda: f"commands no longer go to {found.url}")
