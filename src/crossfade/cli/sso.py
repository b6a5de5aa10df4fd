"""`crossfade sso`: people sign in by an identity provider (OpenID Connect)."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import InputError
from crossfade.cli.frame import noun, with_session
from crossfade.cli.output import Format, OutputOption, note, show

if TYPE_CHECKING:
    from crossfade.core.access.roles import Grant
    from crossfade.core.access.sign_on import Provider
    from crossfade.wiring import Session

app = noun("Have people sign in by an identity provider (OpenID Connect).")


@app.command("set")
def set_provider(  # noqa: PLR0913 - one argument for each option of the command
    context: typer.Context,
    issuer: Annotated[str, typer.Option(help="As it writes itself, as https://login.example.com.")],
    client_id: Annotated[str, typer.Option(help="Id of the client that is registered there.")],
    group: Annotated[
        list[str],
        typer.Option(
            metavar="GROUP=ROLE[:APPLICATION[@CLUSTER]]", help="Who gets what; may be repeated."
        ),
    ],
    url: Annotated[
        str, typer.Option(help="Where browsers reach the hub.")
    ] = "http://127.0.0.1:8780",
    groups_claim: Annotated[str, typer.Option(help="Claim that has the groups.")] = "groups",
    scope: Annotated[
        list[str] | None, typer.Option(help="Asked for beside openid, profile and email.")
    ] = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Name the provider, and which of its groups have which roles here.

    The client's secret, when it has one, is the secret oidc-client-secret: `crossfade secret set`.
    """
    from dataclasses import replace

    from crossfade.core.access.sign_on import provider_of

    provider = provider_of(issuer, client_id, url, _groups(group))
    more = tuple(each for each in scope or () if each not in provider.scopes)
    provider = replace(provider, groups_claim=groups_claim, scopes=(*provider.scopes, *more))

    async def work(session: "Session") -> None:
        await session.sign_on_commands().set(provider)

    with_session(context, work)
    text = f"people sign in by {provider.issuer}; register {provider.redirect} there"
    show(_data(provider), output, lambda: text)


@app.command("show")
def show_provider(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """Show the provider, and who gets what."""

    async def work(session: "Session") -> "Provider | None":
        return await session.sign_on_commands().find()

    found = with_session(context, work)
    if found is None:
        note("people sign in with passwords only; `crossfade sso set` names a provider")
    data = _data(found) if found else None
    show({"provider": data}, output, lambda: _text(found) if found else "")


@app.command()
def remove(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """Have nobody sign in by the provider any more; who has is signed in until the session ends."""

    async def work(session: "Session") -> None:
        await session.sign_on_commands().remove()

    with_session(context, work)
    show({"removed": True}, output, lambda: "people sign in with passwords only")


def _groups(written: list[str]) -> "dict[str, list[Grant]]":
    from crossfade.core.access.people import grant_of

    found: dict[str, list[Grant]] = {}
    for text in written:
        name, equals, grant = text.rpartition("=")
        if not equals or not name:
            hint = "write --group GROUP=ROLE[:APPLICATION[@CLUSTER]]"
            raise InputError(f"--group gives nobody anything: {text}", hint=hint)
        found.setdefault(name, []).append(grant_of(grant))
    return found


def _data(provider: "Provider") -> dict[str, object]:
    return {
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "redirect": provider.redirect,
        "groups_claim": provider.groups_claim,
        "scopes": list(provider.scopes),
        "groups": {name: _words(grants) for name, grants in sorted(provider.groups.items())},
    }


def _words(grants: "tuple[Grant, ...]") -> list[str]:
    from crossfade.core.access.people import written_grant

    return [written_grant(each) for each in grants]


def _text(provider: "Provider") -> str:
    lines = [f"{provider.issuer} (client {provider.client_id})", f"back to {provider.redirect}"]
    for name, grants in sorted(provider.groups.items()):
        lines.append(f"{provider.groups_claim} {name}: {', '.join(_words(grants))}")
    return "\n".join(lines)
