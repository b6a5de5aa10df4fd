"""`crossfade account`: who may sign in at the hub, and what they may do."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.secrets import Secret
from crossfade.cli.frame import noun, with_session
from crossfade.cli.output import Format, OutputOption, day, note, show, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossfade.core.access.roles import Grant
    from crossfade.engine.people import Person
    from crossfade.wiring import Session

app = noun("Say who may sign in at the hub, and what they may do.")

_Name = Annotated[str, typer.Argument(metavar="NAME", help="The account.")]
_Roles = Annotated[
    list[str],
    typer.Option(
        "--role",
        metavar="ROLE[:APPLICATION[@CLUSTER]]",
        help="viewer, developer, releaser or admin, on all or one; may be repeated.",
    ),
]
_Stdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password; else one is made.")
]


@app.command("list")
def list_accounts(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """List the accounts."""

    async def work(session: "Session") -> "tuple[Person, ...]":
        return await session.people().all()

    found = with_session(context, work)
    if not found:
        note("there are no accounts; `crossfade up` makes `admin` at its first start")
    show({"accounts": [_data(each) for each in found]}, output, lambda: _table(found))


@app.command()
def add(
    context: typer.Context,
    name: _Name,
    role: _Roles,
    password_stdin: _Stdin = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Make account NAME, and print its password, once, unless it was given."""
    grants, given = _grants(role), _read() if password_stdin else None

    async def work(session: "Session") -> Secret | None:
        return await session.people().add(name, grants, given)

    made = with_session(context, work)
    password = made.reveal() if made else None
    text = f"account {name} is made" + (f"; its password is {password}" if password else "")
    show({"account": name, "password": password}, output, lambda: text)


@app.command()
def grant(
    context: typer.Context, name: _Name, role: _Roles, output: OutputOption = Format.TEXT
) -> None:
    """Give account NAME these roles in place of those that it has."""
    grants = _grants(role)

    async def work(session: "Session") -> "Person":
        return await session.people().grant(name, grants)

    _show(with_session(context, work), output, "has other roles")


@app.command()
def disable(context: typer.Context, name: _Name, output: OutputOption = Format.TEXT) -> None:
    """Have account NAME, its browsers and its tokens count no more."""

    async def work(session: "Session") -> "Person":
        return await session.people().disable(name)

    _show(with_session(context, work), output, "is disabled")


@app.command()
def enable(context: typer.Context, name: _Name, output: OutputOption = Format.TEXT) -> None:
    """Have account NAME count again."""

    async def work(session: "Session") -> "Person":
        return await session.people().enable(name)

    _show(with_session(context, work), output, "is enabled")


@app.command()
def password(
    context: typer.Context,
    name: _Name,
    password_stdin: _Stdin = False,
    keep_tokens: Annotated[
        bool,
        typer.Option("--keep-tokens", help="Only browsers, and tokens that change accounts, end."),
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Give account NAME another password; its browsers are signed out, and its tokens end."""
    from crossfade.engine.people import new_password

    given = _read() if password_stdin else None
    wanted = given or new_password()

    async def work(session: "Session") -> None:
        await session.people().set_password(name, wanted, keep_tokens=keep_tokens)

    with_session(context, work)
    shown = None if given else wanted.reveal()
    text = f"account {name} has another password" + (f": {shown}" if shown else "")
    show({"account": name, "password": shown}, output, lambda: text)


def _grants(written: "Sequence[str]") -> "list[Grant]":
    from crossfade.core.access.people import grant_of

    return [grant_of(each) for each in written]


def _read() -> Secret:
    return Secret(sys.stdin.readline().rstrip("\r\n"))


def _show(person: "Person", output: Format, what: str) -> None:
    show(_data(person), output, lambda: f"account {person.name} {what}")


def _data(person: "Person") -> dict[str, object]:
    from crossfade.core.access.people import written_grant

    return {
        "name": person.name,
        "roles": [written_grant(each) for each in person.grants],
        "disabled": person.disabled,
        "issuer": person.issuer,
        "created_at": person.created_at,
    }


def _table(found: "Sequence[Person]") -> str:
    from crossfade.core.access.people import written_grant

    rows = []
    for each in found:
        made = day(each.created_at)
        roles = ", ".join(written_grant(grant) for grant in each.grants)
        state = "disabled" if each.disabled else "active"
        rows.append((each.name, state, roles, each.issuer or "password", made))
    return table(("NAME", "STATE", "ROLES", "SIGNS IN BY", "SINCE"), rows) if rows else ""
