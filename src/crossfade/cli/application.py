"""`crossfade apply`: applications from their files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.ids import ApplicationName
from crossfade.cli.frame import noun, with_session
from crossfade.cli.output import Format, OutputOption, note, show
from crossfade.core.failover.capacity import refuse_unless_survives
from crossfade.core.fleet.placement import placed
from crossfade.core.rollout.remarks import remarks

if TYPE_CHECKING:
    from crossfade.core.application import Application
    from crossfade.wiring import Session

app = noun()


@dataclass(frozen=True, slots=True)
class _File:
    applications: "tuple[Application, ...]"
    text: str
    folder: Path


@dataclass(frozen=True, slots=True)
class _Result:
    name: ApplicationName
    change: str
    """`created`, `configured` or `unchanged`."""
    clusters: tuple[str, ...]
    """Clusters of the fleet that its placement asks for, now."""
    remarks: tuple[str, ...]
    """What its author may not expect."""


@app.command()
def apply(
    context: typer.Context,
    file: Annotated[
        list[Path],
        typer.Option("--filename", "-f", help="An application file; `-` reads standard input."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also if what runs would not survive `survive` losses.")
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Make or change the applications of a file.

    Every file is checked as a whole first: when anything is wrong, nothing is changed.
    """
    files = [_read(path) for path in file]
    results = with_session(context, lambda session: _apply(session, files, dry_run, force))
    for result in results:
        if not result.clusters:
            note(f"note: no cluster of the fleet carries the labels that {result.name} asks for")
        for remark in result.remarks:
            note(f"note: {result.name}: {remark}")
    data = [
        {"name": each.name, "change": each.change, "clusters": list(each.clusters)}
        for each in results
    ]
    suffix = " (dry run)" if dry_run else ""
    show(
        {"applications": data, "dry_run": dry_run},
        output,
        lambda: "\n".join(f"application {each.name} {each.change}{suffix}" for each in results),
    )


def _read(path: Path) -> _File:
    from crossfade.adapters.documents.application import parse
    from crossfade.adapters.documents.files import given_name, read_given

    text, folder = read_given(path), path.absolute().parent  # for `-`, where we are
    return _File(parse(text, given_name(path), folder), text, folder)


async def _apply(
    session: "Session", files: "Sequence[_File]", dry_run: bool, force: bool
) -> list[_Result]:
    fleet = [view.cluster for view in await session.queries.fleet()]
    applications = [each for file in files for each in file.applications]
    changes: dict[ApplicationName, str] = {}
    found = {each.name: await session.admitted(each) for each in applications}
    for admitted in found.values():
        refuse_unless_survives(admitted.admission, force=force)
    for file in files:
        if dry_run:
            changes |= {each.name: await _would_be(session, each) for each in file.applications}
        else:
            changes |= await session.apply(file.applications, file.text, file.folder, force=force)
    results = []
    for application in applications:
        change = changes[application.name]
        mine = [each for each in fleet if placed(application.placement, each)]
        names = tuple(each.name for each in mine)
        told = remarks(application.strategy, application.analysis, mine)
        admitted = found[application.name]
        if admitted.survive and (admitted.unknown or not admitted.admission.survives):
            told = (*told, admitted.summary)
        results.append(_Result(application.name, change, names, told))
    return results


async def _would_be(session: "Session", application: "Application") -> str:
    stored = await session.commands.records.find_application(application.name)
    if stored is None:
        return "created"
    return "unchanged" if stored.value.spec == application else "configured"
