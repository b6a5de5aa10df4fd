"""`crossfade deploy`: bring out a new revision."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.ids import ApplicationName
from crossfade.cli.frame import noun, with_session
from crossfade.cli.hub_note import note_if_no_hub
from crossfade.cli.output import Format, OutputOption, note, progress, show
from crossfade.cli.rollout_view import follow, rollout_data

if TYPE_CHECKING:
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
        bool, typer.Option("--dry-run", help="Show the plan, ask the clusters, and change nothing.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow it to its end.")] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Bring out a new revision of an application on every cluster it is placed on.

    The chart is rendered and checked here first, and every cluster of the first wave is asked
    whether it takes the objects: when anything is wrong, nothing is changed.
    """
    from crossfade.cli.deploy_plan import plan_data, plan_text
    from crossfade.core.release.values import parse_set
    from crossfade.engine.forecast import require_accepted

    wanted = parse_set(changes or [])

    async def work(session: "Session") -> None:
        application = ApplicationName(name)
        progress(f"rendering the chart of {name}")
        if dry_run:
            preview = await session.deployments.preview(application, wanted)
            progress("asking the clusters of the first wave")
            forecast = await session.deployments.forecast(preview)
            spec = (await session.queries.record(application)).spec
            show(plan_data(preview, forecast), output, lambda: plan_text(preview, forecast, spec))
            require_accepted(forecast.checked, bool(spec.shared))
            return
        rollout = await session.deployments.deploy(application, wanted)
        for remark in (await session.queries.rollout(application)).remarks:
            note(f"note: {remark}")
        await note_if_no_hub(session)
        if watch:
            await follow(session.queries.watch(application), output)
            return
        text = f"rollout {name}.{rollout.number} to {rollout.canary.id} begins"
        show(rollout_data(rollout), output, lambda: text)
        if output is Format.TEXT:
            note(f"`crossfade rollout watch {name}` follows it")

    with_session(context, work)
