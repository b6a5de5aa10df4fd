"""`crossfade fleet`: which clusters there are."""

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from crossfade.base.errors import InputError
from crossfade.base.ids import ClusterName
from crossfade.cli.fleet_drain import drain, restore
from crossfade.cli.frame import noun, settings_of, with_session
from crossfade.cli.output import Format, OutputOption, note, progress, show, table
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.fleet.naming import cluster_name, is_label

if TYPE_CHECKING:
    from crossfade.wiring import Session

app = noun("Say which clusters there are.")

_SANDBOX_LABELS = {"tier": "prod"}
"""What clouds of the sandbox are labelled with, as the examples ask for it."""


@app.command()
def add(  # noqa: PLR0913 - one argument for each option of the command
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="What to call the cluster.")
    ] = None,
    kube_context: Annotated[
        str | None, typer.Option("--context", help="Context in the kubeconfig.")
    ] = None,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(help="Kubeconfig file.  [default: $KUBECONFIG, else ~/.kube/config]"),
    ] = None,
    provider: Annotated[
        str | None, typer.Option(help="Who runs it, as gcp, aws, onprem.  [default: unknown]")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Where it stands.  [default: unknown]")] = None,
    label: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="May be given several times.")
    ] = None,
    preemptible: Annotated[
        bool | None,
        typer.Option("--preemptible/--no-preemptible", help="It may be taken away at any time."),
    ] = None,
    usd_per_cpu_hour: Annotated[float | None, typer.Option(min=0, help="Its price.")] = None,
    capacity: Annotated[
        int | None,
        typer.Option(min=1, help="Requests per second that it carries, of all applications."),
    ] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Add every cloud of the running sandbox instead.")
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """Add cluster NAME to the fleet, or change it: what is not said stays.  It must answer."""
    said = {
        "provider": provider,
        "region": region,
        "preemptible": preemptible,
        "usd_per_cpu_hour": usd_per_cpu_hour,
        "labels": _labels(label) or None,
        "capacity": capacity,
    }
    if sandbox:
        _refuse_beside_sandbox(name, kube_context, kubeconfig)
        clusters = _sandbox_clusters(context)
    else:
        cluster = Cluster(
            name=_checked_name(name),
            context=_required(kube_context, "--context", "name the context of the kubeconfig"),
            kubeconfig=str(_kubeconfig(kubeconfig)),
        )
        clusters = (cluster,)
    given = {key: value for key, value in said.items() if value is not None}
    added = with_session(context, lambda session: _add(session, clusters, given))
    data = [{**asdict(cluster), "version": version} for cluster, version in added]
    show({"added": data}, output, lambda: _added(added))


async def _add(
    session: "Session", clusters: Sequence[Cluster], given: dict[str, Any]
) -> list[tuple[Cluster, str]]:
    """Add each cluster with what is given; what it was given before and is not now, stays."""
    known = {view.cluster.name: view.cluster for view in await session.queries.fleet()}
    added = []
    for each in clusters:
        before = known.get(each.name, each)
        found = replace(before, context=each.context, kubeconfig=each.kubeconfig, **given)
        progress(f"asking the API server of {found.name}")
        added.append((found, await session.commands.add_cluster(found)))
    return added


def _added(added: Sequence[tuple[Cluster, str]]) -> str:
    return "\n".join(
        f"cluster {cluster.name} is in the fleet (Kubernetes {version})"
        for cluster, version in added
    )


@app.command("list")
def list_clusters(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """Show the clusters of the fleet and how they are."""

    async def read(session: "Session") -> tuple[list[dict[str, object]], str | None]:
        views = await session.queries.fleet()
        return [asdict(view) for view in views], await session.hub()

    clusters, hub = with_session(context, read)
    if clusters and hub is None:
        note("note: no hub is running, so this is what the last one saw; `crossfade up` runs one")
    if not clusters:
        note("the fleet is empty; `crossfade fleet add` adds a cluster")
    show({"clusters": clusters, "hub": hub}, output, lambda: _fleet_table(clusters))


def _fleet_table(clusters: Sequence[dict[str, object]]) -> str:
    if not clusters:
        return ""
    columns = (
        "NAME",
        "HEALTH",
        "PROVIDER",
        "REGION",
        "VERSION",
        "APPLICATIONS",
        "LABELS",
        "DETAIL",
    )
    rows = []
    for view in clusters:
        cluster = cast("dict[str, Any]", view["cluster"])
        labels = ",".join(f"{key}={value}" for key, value in sorted(cluster["labels"].items()))
        rows.append(
            (
                cluster["name"],
                view["health"],
                cluster["provider"],
                cluster["region"],
                view["version"],
                view["applications"],
                labels,
                view["detail"],
            )
        )
    return table(columns, rows)


@app.command()
def remove(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A cluster of the fleet.")],
    output: OutputOption = Format.TEXT,
) -> None:
    """Take cluster NAME out of the fleet: its users go elsewhere, what runs there stays."""

    async def work(session: "Session") -> None:
        await session.commands.remove_cluster(ClusterName(name))

    with_session(context, work)
    show({"removed": name}, output, lambda: f"cluster {name} is no longer in the fleet")


def _required(value: str | None, option: str, hint: str) -> str:
    if not value:
        raise InputError(f"{option} is missing", hint=f"{hint}, or give --sandbox")
    return value


def _checked_name(name: str | None) -> ClusterName:
    return cluster_name(_required(name, "the name of the cluster", "say what to call it"))


def _labels(written: Sequence[str] | None) -> dict[str, str]:
    labels = {}
    for text in written or ():
        key, equals, value = text.partition("=")
        if not equals or not is_label(key, value):
            raise InputError(
                "this is no label", hint="write --label KEY=VALUE, as --label tier=prod", label=text
            )
        labels[key] = value
    return labels


def _kubeconfig(given: Path | None) -> Path:
    """Return the absolute path of the file; kubectl's rules say which when none is given."""
    path = given or _usual_kubeconfig()
    absolute = path.expanduser().absolute()
    if not absolute.is_file():
        raise InputError(
            "there is no kubeconfig file", hint="name it with --kubeconfig", kubeconfig=absolute
        )
    return absolute


def _usual_kubeconfig() -> Path:
    files = [file for file in os.environ.get("KUBECONFIG", "").split(os.pathsep) if file]
    if len(files) > 1:
        raise InputError(
            "KUBECONFIG names several files",
            hint="say which one with --kubeconfig",
            files=len(files),
        )
    return Path(files[0] if files else "~/.kube/config")


def _refuse_beside_sandbox(*others: object) -> None:
    if any(other is not None for other in others):
        raise InputError(
            "--sandbox adds all clouds of the sandbox under their own names",
            hint="leave NAME, --context and --kubeconfig out",
        )


def _sandbox_clusters(context: typer.Context) -> tuple[Cluster, ...]:
    from crossfade.sandbox import control

    layout = control.require(settings_of(context).sandbox_dir)
    return tuple(
        Cluster(
            name=ClusterName(cloud),
            context=cloud,
            kubeconfig=str(layout.kubeconfig),
            provider=cloud,
            region="sandbox",
            labels=_SANDBOX_LABELS,
        )
        for cloud in layout.clouds
    )


app.command()(drain)
app.command()(restore)
