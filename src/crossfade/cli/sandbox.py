"""`crossfade sandbox`: embedded clouds, for people and tests without Kubernetes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.cli.frame import noun, settings_of
from crossfade.cli.output import Format, OutputOption, note, show, table

if TYPE_CHECKING:
    from crossfade.sandbox.state import Layout
    from crossfade.sandbox.survey import Survey

app = noun("Run embedded clouds on this machine, and break them.")
_DEFAULT_CLOUDS = "aws,gcp,onprem"
CloudArgument = Annotated[str, typer.Argument(help="A cloud of the sandbox.", show_default=False)]


def _directory(context: typer.Context) -> Path:
    return settings_of(context).sandbox_dir


@app.command()
def up(
    context: typer.Context,
    clouds: Annotated[
        str | None,
        typer.Option(
            help=f"Names of the clouds, 1 to 10; {_DEFAULT_CLOUDS} or those that were here before.",
            show_default=False,
        ),
    ] = None,
    port_base: Annotated[
        int | None,
        typer.Option(help="First port (CROSSFADE_PORT_BASE).", show_default=False),
    ] = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Start the clouds and the edge, and wait until all clouds serve.  Safe to repeat."""
    from crossfade.base.clock import SteadyClock
    from crossfade.sandbox import control, ports, state

    def report(news: control.Progress) -> None:
        note(f"cloud {news.cloud} is ready after {news.seconds:.1f} s")

    directory = _directory(context)
    before = state.load(directory)
    names = clouds or (",".join(before.clouds) if before else _DEFAULT_CLOUDS)
    first = port_base or (before.port_base if before else settings_of(context).port_base)
    layout = state.new_layout(directory, [name.strip() for name in names.split(",")], first)
    if risk := ports.warning(layout.own_ports()):
        note(f"warning: {risk}")
    started = control.up(layout, SteadyClock(), report)

    def text() -> str:
        begin = f"{len(layout.clouds)} clouds are ready after {started.seconds:.1f} s"
        lines = ["the sandbox is running already" if started.already else begin]
        lines.append(f"edge        http://127.0.0.1:{layout.edge_port}  (serves once a hub runs)")
        lines.append(f"kubeconfig  {layout.kubeconfig}")
        return "\n".join(lines)

    show({**_addresses(layout), "already": started.already}, output, text)


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
def down(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """End every process of the sandbox and remove its files.  Safe to repeat."""
    from crossfade.sandbox import control

    gone = control.down(_directory(context))
    show({"removed": gone}, output, lambda: "the sandbox is gone" if gone else "no sandbox here")


@app.command()
def status(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """Show each cloud: its state, what answers, its pods, its memory."""
    from dataclasses import asdict

    from crossfade.sandbox.survey import survey

    found = survey(_directory(context))
    show(asdict(found), output, lambda: _survey_table(found))
    if output is Format.TEXT:
        note(f"edge {found.edge} {found.edge_state}; supervisor {found.supervisor}")
        if found.supervisor == "dead":
            note("`crossfade sandbox up` brings it back, with the clouds and what is in them")
        note(
            f"memory {found.memory_mib:.0f} MiB with shared pages counted once, "
            f"{found.resident_mib:.0f} MiB as the sum of all processes"
        )


def _survey_table(found: "Survey") -> str:
    def answer(url: str, *, there: bool) -> str:
        return f"{url} {'ok' if there else 'no answer'}"

    rows = [
        (
            one.name,
            one.state,
            answer(one.api, there=one.api_answers),
            answer(one.gateway, there=one.gateway_answers),
            None if one.pods is None else f"{one.ready_pods}/{one.pods}",
            one.processes,
            f"{one.memory_mib:.0f} MiB",
        )
        for one in found.clouds
    ]
    return table(("CLOUD", "STATE", "API", "GATEWAY", "PODS", "PROCESSES", "MEMORY"), rows)


@app.command()
def kubeconfig(context: typer.Context) -> None:
    """Print a kubeconfig with one context per cloud, named as the cloud."""
    from crossfade.sandbox import control

    typer.echo(control.require(_directory(context)).kubeconfig.read_text(), nl=False)


@app.command()
def kill(context: typer.Context, cloud: CloudArgument, output: OutputOption = Format.TEXT) -> None:
    """Kill a cloud (SIGKILL): its API, its gateway and its pods."""
    _act(context, "kill", cloud, output)


@app.command()
def hang(context: typer.Context, cloud: CloudArgument, output: OutputOption = Format.TEXT) -> None:
    """Stop a cloud (SIGSTOP): it takes connections, and never answers."""
    _act(context, "hang", cloud, output)


@app.command()
def slow(
    context: typer.Context,
    cloud: CloudArgument,
    ms: Annotated[int, typer.Option(help="Delay of each answer, in milliseconds.")] = 300,
    output: OutputOption = Format.TEXT,
) -> None:
    """Slow a cloud down: its API, and every answer to a user."""
    _act(context, "slow", cloud, output, ms)


@app.command()
def partition(
    context: typer.Context, cloud: CloudArgument, output: OutputOption = Format.TEXT
) -> None:
    """Cut a cloud's Kubernetes API off; users of its gateway notice nothing."""
    _act(context, "partition", cloud, output)


@app.command()
def fill(context: typer.Context, cloud: CloudArgument, output: OutputOption = Format.TEXT) -> None:
    """Leave no CPU and no memory for further pods; those that are there stay."""
    _act(context, "fill", cloud, output)


@app.command()
def evict(context: typer.Context, cloud: CloudArgument, output: OutputOption = Format.TEXT) -> None:
    """Take the machine away with notice, as clouds do with cheap ones: pods end, none starts."""
    _act(context, "evict", cloud, output)


@app.command()
def blackout(
    context: typer.Context, cloud: CloudArgument, output: OutputOption = Format.TEXT
) -> None:
    """Let a cloud's machines die without notice: gateway and pods are gone, its API lives on."""
    _act(context, "blackout", cloud, output)


@app.command()
def restore(
    context: typer.Context, cloud: CloudArgument, output: OutputOption = Format.TEXT
) -> None:
    """Undo whatever was done to a cloud; return once it serves again."""
    _act(context, "restore", cloud, output)


def _act(
    context: typer.Context, verb: str, cloud: str, output: Format, milliseconds: int = 0
) -> None:
    from crossfade.sandbox import control

    state = control.act(_directory(context), verb, cloud, milliseconds)
    show({"cloud": cloud, "state": state}, output, lambda: f"cloud {cloud} is {state}")


@app.command()
def load(
    context: typer.Context,
    rate: Annotated[float, typer.Option(help="Requests per second, whatever happens.")] = 200.0,
    duration: Annotated[
        str, typer.Option(help="How long, such as 30s or 2m; `forever` ends with Ctrl-C.")
    ] = "30s",
    host: Annotated[str, typer.Option(help="Host name of the application.")] = "colors.localhost",
    url: Annotated[
        str | None,
        typer.Option(help="Where to send; the path /callme of the edge.", show_default=False),
    ] = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Be many users: send requests at a steady rate, and count who answers.  Ctrl-C ends it."""
    from crossfade.cli import load_view
    from crossfade.sandbox import state
    from crossfade.sandbox.load import Load, target_of
    from crossfade.sandbox.load_figures import as_json

    layout = state.load(_directory(context))
    port = layout.edge_port if layout else settings_of(context).edge_port
    target = target_of(url or f"http://127.0.0.1:{port}/callme", host)
    figures = load_view.run(Load(target, rate), load_view.seconds_of(duration))
    show(as_json(figures), output, lambda: load_view.summary(figures))
