"""`crossfade audit`: who has done what."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.cli.frame import noun, with_session
from crossfade.cli.output import Format, OutputOption, moment, show, table

if TYPE_CHECKING:
    from crossfade.core.access.audit import Entry
    from crossfade.engine.audit import Verified
    from crossfade.wiring import Session

app = noun("Say who has done what; the log cannot be changed unnoticed.")


@app.command("list")
def list_entries(
    context: typer.Context,
    newest: Annotated[int, typer.Option(min=1, help="So many entries at most.")] = 50,
    output: OutputOption = Format.TEXT,
) -> None:
    """List what people have done, the newest last."""

    async def work(session: "Session") -> "tuple[Entry, ...]":
        return await session.audit().latest(newest)

    found = with_session(context, work)
    show({"entries": [_data(each) for each in found]}, output, lambda: _text(found))


@app.command()
def verify(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """Check that no entry was changed, dropped or put in; exits with 5 when one was."""
    from crossfade.base.errors import Conflict

    async def work(session: "Session") -> "Verified":
        return await session.audit().verify()

    found = with_session(context, work)
    if found.wrong:
        raise Conflict(
            f"the audit log was tampered with: {found.wrong}",
            hint="compare with a backup of the store; do not trust entries from there on",
            entries=found.entries,
        )
    data = {"entries": found.entries, "whole": True}
    show(data, output, lambda: f"{found.entries} entries, all of them as they were written")


def _data(entry: "Entry") -> dict[str, object]:
    deed = entry.deed
    return {
        "number": entry.number,
        "at": deed.at,
        "who": deed.who,
        "via": deed.via,
        "what": list(deed.what),
        "outcome": deed.outcome,
        "hash": entry.hash,
    }


def _text(entries: "tuple[Entry, ...]") -> str:
    if not entries:
        return "nobody has done anything yet"
    rows = [
        [
            str(each.number),
            moment(each.deed.at),
            each.deed.who,
            each.deed.via,
            each.deed.outcome,
            "; ".join(each.deed.what),
        ]
        for each in entries
    ]
    return table(["NUMBER", "AT", "WHO", "VIA", "OUTCOME", "WHAT"], rows)
