"""`crossfade sandbox`: embedded clouds, for people and tests without Kubernetes."""

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from crossfade.sandbox.state import Layout

app = typer.Typer(
    name="sandbox",
    help="Embedded clouds: a Kubernetes API, pods and a gateway each, as processes here.",
    no_args_is_help=True,
)
_DEFAULT_CLOUDS = "aws,gcp,onprem"


class Output(StrEnum):
    """How data is printed."""

    TEXT = "text"
    JSON = "json"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="How to print data.")]
CloudArgument = Annotated[str, typer.Argument(help="A cloud of the sandbox.")]


def _directory() -> Path:
    home = os.environ.get("CROSSFADE_HOME")
    if home:
        return Path(home) / "sandbox"
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "crossfade" / "sandbox"


@app.command()
def up(
    clouds: Annotated[
        str | None,
        typer.Option(help=f"Names of the clouds, 1 to 10.  [default: {_DEFAULT_CLOUDS}]"),
    ] = None,
    port_base: Annotated[int | None, typer.Option(help="First of the sandbox's ports.")] = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Start the clouds and wait until all of them serve."""
    from crossfade.base.clock import SteadyClock
    from crossfade.sandbox import control, state
    from crossfade.sandbox.control import Progress

    def report(news: Progress) -> None:
        typer.echo(f"cloud {news.cloud} is ready after {news.seconds:.1f} s", err=True)

    directory = _directory()
    before = state.load(directory)
    names = clouds or (",".join(before.clouds) if before else _DEFAULT_CLOUDS)
    first = port_base or (before.port_base if before else state.DEFAULT_PORT_BASE)
    layout = state.new_layout(directory, [name.strip() for name in names.split(",")], first)
    started = control.up(layout, SteadyClock(), report)
    if output is Output.JSON:
        typer.echo(json.dumps(_addresses(layout) | {"already": started.already}))
        return
    if started.already:
        typer.echo("the sandbox is running already")
    else:
        typer.echo(f"{len(layout.clouds)} clouds are ready after {started.seconds:.1f} s")
    typer.echo(f"users come in at http://127.0.0.1:{layout.edge_port}, once a hub runs")
    typer.echo(f"kubeconfig: {layout.kubeconfig}")


def _addresses(layout: "Layout") -> dict[str, object]:
    clouds = {
        cloud: {
            "api": f"https://127.0.0.1:{layout.ports(cloud).api}",
            "gateway": f"http://127.0.0.1:{layout.ports(cloud).gateway}",
        }
        for cloud in layout.clouds
    }
    return {
        "clouds": clouds,
        "edge": f"http://127.0.0.1:{layout.edge_port}",
        "kubeconfig": str(layout.kubeconfig),
    }


@app.command()
def down() -> None:
    """End every process of the sandbox and remove its files."""
    from crossfade.sandbox import control

    gone = control.down(_directory())
    typer.echo("the sandbox is gone" if gone else "there is no sandbox", err=True)


@app.command()
def kubeconfig() -> None:
    """Print a kubeconfig with one context per cloud, named as the cloud."""
    from crossfade.sandbox import control

    typer.echo(control.require(_directory()).kubeconfig.read_text(), nl=False)


@app.command()
def status(output: OutputOption = Output.TEXT) -> None:
    """Show each cloud: its state, what answers, its pods and its memory."""
    from dataclasses import asdict

    from crossfade.sandbox.survey import survey

    found = survey(_directory())
    if output is Output.JSON:
        typer.echo(json.dumps(asdict(found)))
        return
    header = ("CLOUD", "STATE", "API", "GATEWAY", "PODS", "PROCESSES", "MEMORY")
    rows = [
        (
            one.name,
            one.state,
            f"{one.api} {'ok' if one.api_answers else 'no answer'}",
            f"{one.gateway} {'ok' if one.gateway_answers else 'no answer'}",
            f"{one.ready_pods}/{one.pods}" if one.pods is not None else "?",
            str(one.processes),
            f"{one.memory_mib:.0f} MiB",
        )
        for one in found.clouds
    ]
    _print_table([header, *rows])
    typer.echo(f"edge {found.edge} {found.edge_state}, supervisor {found.supervisor}", err=True)
    typer.echo(
        f"memory {found.memory_mib:.0f} MiB with shared pages counted once,"
        f" {found.resident_mib:.0f} MiB as the sum of the processes",
        err=True,
    )


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


@app.command()
def kill(cloud: CloudArgument, output: OutputOption = Output.TEXT) -> None:
    """Kill a cloud (SIGKILL): its API, its gateway and its pods."""
    _act("kill", cloud, output)


@app.command()
def hang(cloud: CloudArgument, output: OutputOption = Output.TEXT) -> None:
    """Stop a cloud (SIGSTOP): it takes connections, and never answers."""
    _act("hang", cloud, output)


@app.command()
def slow(
    cloud: CloudArgument,
    ms: Annotated[int, typer.Option(help="Delay of each answer in milliseconds.")] = 300,
    output: OutputOption = Output.TEXT,
) -> None:
    """Slow a cloud down: its API and every answer to a user."""
    _act("slow", cloud, output, ms)


@app.command()
def partition(cloud: CloudArgument, output: OutputOption = Output.TEXT) -> None:
    """Cut a cloud's Kubernetes API off; users of its gateway notice nothing."""
    _act("partition", cloud, output)


@app.command()
def restore(cloud: CloudArgument, output: OutputOption = Output.TEXT) -> None:
    """Undo kill, hang, slow or partition; return once the cloud serves again."""
    _act("restore", cloud, output)


def _act(verb: str, cloud: str, output: Output, milliseconds: int = 0) -> None:
    from crossfade.sandbox import control

    state = control.act(_directory(), verb, cloud, milliseconds)
    if output is Output.JSON:
        typer.echo(json.dumps({"cloud": cloud, "state": state}))
    else:
        typer.echo(f"cloud {cloud} is {state}")


if __name__ == "__main__":
    app()
