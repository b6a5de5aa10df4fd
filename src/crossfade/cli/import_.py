"""`crossfade import`: rollouts of others as applications."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import Conflict
from crossfade.cli.frame import noun
from crossfade.cli.output import Format, OutputOption, note, show

if TYPE_CHECKING:
    from crossfade.adapters.importers.fates import Entry
    from crossfade.adapters.importers.objects import KubernetesObject
    from crossfade.adapters.importers.reading import Import

app = noun()


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Rollouts and Canaries, and what they name; `-` for stdin."
        ),
    ],
    charts: Annotated[
        str, typer.Option(metavar="FOLDER", help="Where the charts of the applications are.")
    ] = "charts",
    write_charts: Annotated[
        bool,
        typer.Option("--write-charts", help="Write charts with the imported workloads there."),
    ] = False,
    domain: Annotated[
        str, typer.Option(help="Domain of hosts that are made up where none is found.")
    ] = "example.com",
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Turn Rollouts of Argo and Canaries of Flagger into applications.

    The applications are printed as one file; what was kept, what changed and what is not
    supported is told for each field.
    """
    from crossfade.adapters.importers.reading import Wishes, applications_of

    things = [thing for path in files for thing in _objects(path)]
    imported = applications_of(things, Wishes(charts, domain))
    written = _write(imported, Path(charts)) if write_charts else []
    data = {
        "applications": [each.document for each in imported.applications],
        "yaml": imported.text,
        **{fate: [_as_json(entry) for entry in entries] for fate, entries in _by_fate(imported)},
        "charts": written,
    }
    show(data, output, lambda: imported.text.rstrip("\n"))
    if output is Format.TEXT:
        _tell(imported)


def _objects(path: Path) -> "Iterable[KubernetesObject]":
    from crossfade.adapters.documents.files import given_name, read_given
    from crossfade.adapters.importers.objects import parse_objects

    return parse_objects(read_given(path), given_name(path))


def _by_fate(imported: "Import") -> "Iterable[tuple[str, list[Entry]]]":
    from crossfade.adapters.importers.fates import Fate

    for fate in Fate:
        yield str(fate), [entry for entry in imported.entries if entry.fate is fate]


def _as_json(entry: "Entry") -> dict[str, str]:
    return {"object": entry.object, "path": entry.path, "reason": entry.reason}


def _tell(imported: "Import") -> None:
    for fate, entries in _by_fate(imported):
        note(f"\n{fate} ({len(entries)}):")
        for entry in entries:
            path = f" {entry.path}" if entry.path else ""
            reason = f": {entry.reason}" if entry.reason else ""
            note(f"  {entry.object}{path}{reason}")


def _write(imported: "Import", charts: Path) -> list[str]:
    """Write the charts, all or none, and return their files."""
    chosen = [each for each in imported.applications if each.chart]
    for each in chosen:
        folder = charts / each.name
        if folder.exists():
            raise Conflict(
                f"{folder} exists already; nothing was written",
                hint="name another folder with --charts, or leave --write-charts out",
            )
    written = []
    for each in chosen:
        for place, text in each.chart.items():
            path = charts / each.name / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(str(path))
    return written
