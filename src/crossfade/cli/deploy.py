"""`crossfade deploy`: bring out a new revision."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.ids import ApplicationName
from crossfade.cli.frame import noun, with_session
from crossfade.cli.hub_note import note_if_no_hub
from crossfade.cli.output import Format, OutputOption, note, progress, show
from crossfade.cli.rollout_view import follow, rollout_data

if TYPE_CHECKING:
    from crossfade.engine.deployments import Preview
    from crossfade.wiring import Session

app = noun()


@app.command()
def deploy(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="APPLICATION", help="Name of the application.")],
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A Helm value, as with `helm --set`."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be installed, and change nothing.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow it to its end.")] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Bring out a new revision of an application on every cluster it is placed on.

    The chart is rendered and checked here first: when anything is wrong, nothing is changed.
    """
    from crossfade.core.release.values import parse_set

    wanted = parse_set(changes or [])

    async def work(session: "Session") -> None:
        application = ApplicationName(name)
        progress(f"rendering the chart of {name}")
        if dry_run:
            preview = await session.deployments.preview(application, wanted)
            show(_preview_data(preview), output, lambda: _preview_text(preview))
            return
        rollout = await session.deployments.deploy(application, wanted)
        await note_if_no_hub(session)
        if watch:
            await follow(session.queries.watch(application), output)
            return
        text = f"rollout {name}.{rollout.number} to {rollout.canary.id} begins"
        show(rollout_data(rollout), output, lambda: text)
        if output is Format.TEXT:
            note(f"`crossfade rollout watch {name}` follows it")

    with_session(context, work)


def _titles(preview: "Preview") -> list[str]:
    return [
        f"{each.get('kind')}/{_name(each.get('metadata'))}" for each in preview.prepared.objects
    ]


def _name(metadata: object) -> str:
    return str(metadata.get("name")) if isinstance(metadata, dict) else "?"


def _preview_data(preview: "Preview") -> dict[str, object]:
    return {
        "revision": preview.revision.id,
        "chart": preview.revision.chart,
        "replaces": preview.replaces,
        "clusters": list(preview.clusters),
        "objects": _titles(preview),
        "removed": list(preview.prepared.removed),
        "renamed": [list(pair) for pair in preview.prepared.renamed],
        "notes": list(preview.prepared.notes),
    }


def _preview_text(preview: "Preview") -> str:
    revision = preview.revision
    lines = [
        f"revision {revision.id} of {revision.chart}"
        f" would {'replace ' + preview.replaces if preview.replaces else 'be the first'}",
        f"on: {', '.join(preview.clusters) or 'no cluster (none carries the labels)'}",
        "objects:",
        *(f"  {title}" for title in _titles(preview)),
    ]
    if preview.prepared.removed:
        lines.append("left out, since the application has its own route:")
        lines += [f"  {title}" for title in preview.prepared.removed]
    lines += [f"  {old} is called {new}" for old, new in preview.prepared.renamed]
    lines += [f"note: {text}" for text in preview.prepared.notes]
    return "\n".join(lines)
