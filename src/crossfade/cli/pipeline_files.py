"""`crossfade pipeline tests` and `artifacts`: what the steps of a build have left."""

from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import InputError
from crossfade.cli.frame import with_pipelines
from crossfade.cli.output import Format, OutputOption, note, show, table

if TYPE_CHECKING:
    from crossfade.core.pipeline.keeping import Kept
    from crossfade.wiring_pipelines import Pipelines

_SHOWN = 200
_RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The number of the build.")]


def results(context: typer.Context, run: _RunArgument, output: OutputOption = Format.TEXT) -> None:
    """
    Show the results of a build's tests, those that failed one by one.

    A step says in the variable CROSSFADE_TESTS where its JUnit reports are.
    """
    from crossfade.core.pipeline.junit import Outcome

    async def work(pipelines: "Pipelines") -> None:
        kept = [each for each in await _kept(pipelines, run) if each.cases]
        rows = [
            {
                "step": each.step,
                "run": each.number,
                **{outcome.value: each.count(outcome) for outcome in Outcome},
                "tests": [_case(one) for one in each.cases],
            }
            for each in kept
        ]
        show(rows, output, lambda: _text(kept))

    with_pipelines(context, work)


def _case(case: object) -> dict[str, object]:
    from crossfade.base.codec import to_json

    return dict(to_json(case))


def _text(kept: "list[Kept]") -> str:
    from crossfade.core.pipeline.junit import Outcome

    if not kept:
        return "no test results; a step says in CROSSFADE_TESTS where its reports are"
    columns = ("step", "run", *(each.value for each in Outcome))
    rows = [(k.step, str(k.number), *(str(k.count(each)) for each in Outcome)) for k in kept]
    bad = [
        f"{each.step}: {case.suite}: {case.name}: {case.outcome.value}: {case.message}".rstrip(": ")
        for each in kept
        for case in each.cases
        if case.outcome in (Outcome.FAILED, Outcome.ERROR)
    ]
    more = [f"and {len(bad) - _SHOWN} more, with --output json"] if len(bad) > _SHOWN else []
    return "\n".join([table(columns, rows), *bad[:_SHOWN], *more])


def artifacts(
    context: typer.Context,
    run: _RunArgument,
    to: Annotated[
        Path | None, typer.Option(help="Folder that they are written to; it must be new or empty.")
    ] = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    List the files that a build's steps have kept, or write them to a folder.

    A step says in the variable CROSSFADE_ARTIFACTS which; of a path that several runs have kept,
    the last one counts.
    """

    async def work(pipelines: "Pipelines") -> None:
        newest = {a.path: (k.step, a) for k in await _kept(pipelines, run) for a in k.artifacts}
        if to is not None:
            if to.exists() and (not to.is_dir() or any(to.iterdir())):
                raise InputError(f"--to is not empty: {to}", hint="name a folder that is not there")
            for _, artifact in newest.values():
                target = to / _inside(artifact.path)
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    await pipelines.save(run, artifact, file.write)
            note(f"{len(newest)} files are in {to}")
        rows = [
            {"step": step, "path": a.path, "size": a.size, "sha256": a.digest}
            for step, a in newest.values()
        ]
        for each in await _kept(pipelines, run):
            if each.forgotten:
                note(f"artifacts of {each.step} were forgotten: {each.forgotten}")
        columns = ("step", "path", "size", "sha256")
        show(rows, output, lambda: table(columns, [[str(r[c]) for c in columns] for r in rows]))

    with_pipelines(context, work)


def prune(
    context: typer.Context,
    days: Annotated[
        float | None,
        typer.Option("--keep-days", min=0, help="Forget what is older; else CROSSFADE_KEEP_DAYS."),
    ] = None,
    gib: Annotated[
        float | None,
        typer.Option("--keep-gib", min=0, help="Keep this much; else CROSSFADE_KEEP_GIB."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be forgotten, and leave it.")
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Forget old artifacts, caches and workspaces of builds, and when they take too much, the oldest.

    The limits hold for artifacts and caches together, and for workspaces.  What belongs to builds
    under way stays, and so do results of tests, logs, the workspace of each pipeline's newest
    build, and its artifacts as long as there is room.  Without a workspace nothing is restarted.
    """

    async def work(pipelines: "Pipelines") -> None:
        gone = await pipelines.pruning.forget(days, gib, dry_run=dry_run)
        rows = [{**asdict(each), "kind": each.kind.value} for each in gone]
        total = sum(each.bytes for each in gone)
        data = {"forgotten": rows, "bytes": total, "dryRun": dry_run}
        said = "would be forgotten" if dry_run else "forgotten"
        columns = ("kind", "run", "bytes", "why")
        cells = [[str(row[each]) for each in columns] for row in rows]
        last = f"{said}: {len(gone)}, {total} bytes"
        show(data, output, lambda: "\n".join([*([table(columns, cells)] if cells else []), last]))

    with_pipelines(context, work)


def _inside(path: str) -> PurePosixPath:
    """Return the path if it leads nowhere else: a hub that is not one's own says it."""
    found = PurePosixPath(path)
    if found.is_absolute() or ".." in found.parts:
        raise InputError(f"the path of a file leads out of the folder: {path}", hint="take no file")
    return found


async def _kept(pipelines: "Pipelines", run: str) -> "tuple[Kept, ...]":
    build = (await pipelines.builds.build(run)).value
    return await pipelines.kept.kept(build.id)
