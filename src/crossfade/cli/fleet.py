"""`crossfade fleet`: which clusters there are."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
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
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="KEY- takes it away.  May be given several times."),
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
        "capacity": capacity,
    }
    labels = _labels(label)
    clusters: Sequence[Cluster | _Named]
    if sandbox:
        _refuse_beside_sandbox(name, kube_context, kubeconfig)
        clusters = _sandbox_clusters(context)
    else:
        file = str(_kubeconfig(kubeconfig)) if kubeconfig else None
        clusters = (_Named(_checked_name(name), kube_context, file),)
    given = {key: value for key, value in said.items() if value is not None}
    added = with_session(context, lambda session: _add(session, clusters, given, labels))
    data = [{**asdict(cluster), "version": version} for cluster, version in added]
    show({"added": data}, output, lambda: _added(added))


@dataclass(frozen=True, slots=True)
class _Named:
    """A cluster by its name, and where it is as far as that was said."""

    name: ClusterName
    context: str | None
    kubeconfig: str | None

    def found(self, before: Cluster | None) -> Cluster:
        """Return it as it is in the fleet, where it is said to be now.  Raises InputError."""
        if before is None:
            hint = "name the context of the kubeconfig"
            context = _required(self.context, "--context", hint)
            return Cluster(self.name, context, self.kubeconfig or str(_usual_kubeconfig()))
        file = self.kubeconfig or before.kubeconfig
        return replace(before, context=self.context or before.context, kubeconfig=file)


async def _add(
    session: "Session",
    clusters: Sequence[Cluster | _Named],
    given: dict[str, Any],
    labels: Mapping[str, str | None],
) -> list[tuple[Cluster, str]]:
    """Add each cluster with what is given; what it was given before and is not now, stays."""
    known = {view.cluster.name: view.cluster for view in await session.queries.fleet()}
    added = []
    for each in clusters:
        before = known.get(each.name)
        if isinstance(each, _Named):
            there = each.found(before)
        else:
            there = replace(before or each, context=each.context, kubeconfig=each.kubeconfig)
        all_labels = {**there.labels, **labels}
        kept = {key: value for key, value in all_labels.items() if value is not None}
        found = replace(there, labels=kept, **given)
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
        "CAPACITY",
        "PRICE",
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
                f"{cluster['capacity']}/s" if cluster["capacity"] else "",
                _price(cluster["usd_per_cpu_hour"], cluster["preemptible"]),
                labels,
                view["detail"],
            )
        )
    return table(columns, rows)


def _price(usd_per_cpu_hour: float | None, preemptible: bool) -> str:
    known = [] if usd_per_cpu_hour is None else [f"${usd_per_cpu_hour:g} per CPU hour"]
    return ", ".join([*known, *(["preemptible"] if preemptible else [])])


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


def _labels(written: Sequence[str] | None) -> dict[str, str | None]:
    """Return labels with their values, None for those that are taken away, as `tier-`."""
    labels: dict[str, str | None] = {}
    for text in written or ():
        key, equals, value = text.partition("=")
        gone = not equals and key.endswith("-")
        key = key[:-1] if gone else key
        if not (equals or gone) or not is_label(key, value):
            raise InputError(
                "this is no label",
                hint="write --label KEY=VALUE, as --label tier=prod, or --label KEY- to remove it",
                label=text,
            )
        labels[key] = None if gone else value
    return labels


def _kubeconfig(given: Path) -> Path:
    """Return the absolute path of the file.  Raises InputError when there is none."""
    absolute = given.expanduser().absolute()
    if not absolute.is_file():
        raise InputError(
            "there is no kubeconfig file", hint="name it with --kubeconfig", kubeconfig=absolute
        )
    return absolute


def _usual_kubeconfig() -> Path:
    """Return the file that kubectl would read.  Raises InputError."""
    files = [file for file in os.environ.get("KUBECONFIG", "").split(os.pathsep) if file]
    if len(files) > 1:
        raise InputError(
            "KUBECONFIG names several files",
            hint="say which one with --kubeconfig",
            files=len(files),
        )
    return _kubeconfig(Path(files[0] if files else "~/.kube/config"))


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
