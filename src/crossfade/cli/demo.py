"""`crossfade demo`: the whole of it in one minute."""

import asyncio
import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import RolloutFailed
from crossfade.cli.frame import noun
from crossfade.cli.output import Format, OutputOption, note, show

if TYPE_CHECKING:
    from crossfade.cli.demo_view import View
    from crossfade.sandbox.demo.programme import Programme
    from crossfade.sandbox.demo.record import Record
    from crossfade.sandbox.state import Layout

app = noun()


@app.command()
def demo(
    port_base: Annotated[
        int | None,
        typer.Option(help="First of the ports.  [default: the first that are free]"),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave clouds, edge and hub running, and say where.")
    ] = False,
    verdicts: Annotated[
        bool,
        typer.Option("--verdicts", help="Show how versions are judged, instead of a lost cloud."),
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Show the whole of it: three embedded clouds, a canary, and a cloud that dies.

    With `--verdicts` four versions are judged by what their users meet: one with more errors, one
    twice as slow, a good one while a cloud is in trouble, and one that is bad on one cloud only.

    It has a state folder and ports of its own, so that it disturbs nothing.  Exits with 0 only
    if every claim held.  `--output json` prints the record.
    """
    from crossfade.cli.demo_view import make_view

    state_dir = Path(tempfile.mkdtemp(prefix="crossfade-demo-")).resolve()
    kept = False
    try:
        record = asyncio.run(
            _perform(state_dir, port_base, _Wishes(verdicts, keep), make_view(output))
        )
        kept = keep or not record.ok
    finally:
        if not kept:
            shutil.rmtree(state_dir, ignore_errors=True)
    show(record.as_json(), output, lambda: "")
    if not record.ok:
        broken = [c.text for act in record.acts for c in act.claims if not c.held]
        why = [record.trouble, *broken] if record.trouble else broken
        raise RolloutFailed(
            "the demo did not keep its promises: " + "; ".join(why[:5]),
            hint=f"the hub's log is {state_dir}/hub.log",
        )


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What is to be played, and whether all of it is left running."""

    verdicts: bool
    keep: bool

    def programme(self) -> "Programme":
        """Return the acts that were asked for."""
        from crossfade.sandbox.demo import acts, verdicts

        return verdicts.PROGRAMME if self.verdicts else acts.PROGRAMME


async def _perform(
    state_dir: Path, port_base: int | None, wishes: _Wishes, view: "View"
) -> "Record":
    from crossfade.sandbox import control
    from crossfade.sandbox.demo import play

    layout = play.choose_layout(state_dir, port_base)
    kept = False
    try:
        record, hub = await _on_stage(state_dir, layout, wishes, view)
        kept = wishes.keep
    finally:
        if not kept:
            await asyncio.to_thread(control.down, layout.directory)
    if kept:
        _say_where(layout, state_dir, hub)
    return record


async def _on_stage(
    state_dir: Path, layout: "Layout", wishes: _Wishes, view: "View"
) -> "tuple[Record, int]":
    from crossfade import settings
    from crossfade.adapters.documents.application import read_application
    from crossfade.base.clock import SteadyClock
    from crossfade.sandbox import control
    from crossfade.sandbox.demo import play
    from crossfade.sandbox.demo.record import Record
    from crossfade.sandbox.demo.stage import Hands, Stage
    from crossfade.sandbox.load import Load, target_of
    from crossfade.wiring import session

    programme = wishes.programme()
    application = play.prepared(read_application(play.example() / "crossfade.yaml"), programme)
    host = f"{application.route.host if application.route else ''}:{layout.edge_port}"
    target = target_of(f"http://127.0.0.1:{layout.edge_port}/callme", host)
    load = Load(target, programme.rate)
    record = Record(load.figures)
    chosen = replace(settings.load(play.alone(os.environ), state_dir), port_base=layout.port_base)
    view.opening(layout)
    started = await asyncio.to_thread(control.up, layout, SteadyClock(), view.cloud_ready)
    view.opened(started.seconds)
    async with play.hub(state_dir, layout, keep=wishes.keep) as hub, session(chosen) as opened:
        view.line(await play.door(state_dir / "hub.log"))
        hands = Hands(opened.commands, opened.deployments, opened.queries, opened.clock, opened.hub)
        stage = Stage(hands, layout, application, target, load, record, view.tell)
        with view.showing(stage):
            await play.play(stage, programme, view.draw)
    view.closing(record)
    return record, hub


def _say_where(layout: "Layout", state_dir: Path, hub: int) -> None:
    note(f"it runs on: http://colors.localhost:{layout.edge_port}/ shows who answers")
    note(f"look:  crossfade --state-dir {state_dir} rollout list")
    note(f"play:  crossfade --state-dir {state_dir} deploy colors --set colour=green --watch")
    note(f"end:   kill {hub}; crossfade --state-dir {state_dir} sandbox down")
