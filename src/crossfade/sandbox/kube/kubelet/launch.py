"""From a container of a manifest to the command that runs it."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crossfade.sandbox.kube.client import KubeClient, Object
from crossfade.sandbox.kube.kubelet import leftovers, volumes
from crossfade.sandbox.kube.kubelet.bubblewrap import Bind, View
from crossfade.sandbox.kube.kubelet.environment import PodFacts, environment, expand
from crossfade.sandbox.kube.kubelet.images import is_host
from crossfade.sandbox.kube.kubelet.process import Command, StartError, missing

_HOSTS = "/etc/hosts"
_TEMPORARY = "/tmp"  # noqa: S108 - each container has its own, so parts of the host's are shown


@dataclass(slots=True)
class Place:
    """Where a Pod lives on the host."""

    root: Path
    """Folder of the kubelet."""
    directory: Path
    """Folder of the Pod."""
    isolated: bool
    markers: Mapping[str, str]
    volumes: Mapping[str, Path] = field(default_factory=dict)
    links: list[Path] = field(default_factory=list)
    """Links outside of the folder, to be removed with the Pod."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A container ready to be started."""

    command: Command
    unavailable_mounts: tuple[str, ...] = ()


async def prepare(
    client: KubeClient, pod: Object, container: Object, facts: PodFacts, place: Place
) -> Launch:
    """
    Return the command of a container.

    Raises ConfigError for references that lead nowhere, StartError for a command that cannot run.
    """
    env = await environment(client, pod, container, facts)
    argv = [expand(part, env) for part in container.get("command") or ()]
    argv += [expand(part, env) for part in container.get("args") or ()]
    if not container.get("command") and (not argv or is_host(container.get("image", ""))):
        raise StartError("no command specified: the image `host` has none of its own")
    binds = (*volumes.binds(pod, container, place.volumes, env), *_hosts(pod, place))
    directory = container.get("workingDir") or "/"
    problem = missing(argv[0], env.get("PATH", os.defpath), binds, directory)
    if problem is not None:
        raise StartError(problem)
    temporary = place.directory / container["name"] / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    env |= place.markers
    env |= {leftovers.MARKER: str(place.root), "CROSSFADE_POD": pod["metadata"]["uid"]}
    visible = tuple(sorted(set(_visible(argv, directory, env))))
    hostname = pod["spec"].get("hostname") or pod["metadata"]["name"]
    view = View(temporary, hostname, directory, binds, visible)
    unavailable: list[str] = []
    if not place.isolated:
        made, unavailable = volumes.link_without_namespaces(
            bind for bind in binds if Path(bind.target) not in place.links
        )
        place.links.extend(made)
    return Launch(Command(tuple(argv), env, view, place.isolated), tuple(unavailable))


def _hosts(pod: Object, place: Place) -> Iterator[Bind]:
    """Yield the names of machines that the Pod adds, if it adds any; they need namespaces."""
    aliases = pod["spec"].get("hostAliases") or ()
    if not aliases or not place.isolated:
        return
    try:
        text = Path(_HOSTS).read_text(errors="replace")
    except OSError:
        text = "127.0.0.1 localhost"
    lines = [text.rstrip("\n")]
    lines += [f"{each['ip']} {' '.join(each.get('hostnames') or ())}" for each in aliases]
    place.directory.mkdir(parents=True, exist_ok=True)
    file = place.directory / "hosts"
    file.write_text("\n".join(lines) + "\n")
    yield Bind(file, _HOSTS, read_only=True)


def _visible(argv: list[str], directory: str, env: Mapping[str, str]) -> Iterator[str]:
    """Yield the entries of the host's `/tmp` that the command names: checkouts, virtual envs."""
    texts = [*argv, directory, sys.prefix, *env.values()]
    for text in texts:
        for part in text.replace("=", ":").split(":"):
            path = os.path.normpath(part) if part.startswith(_TEMPORARY + "/") else ""
            if not path.startswith(_TEMPORARY + "/"):
                continue
            entry = os.path.join(_TEMPORARY, path.split("/")[2])
            if os.path.exists(entry):
                yield entry


def forget(place: Place) -> None:
    """Remove what the Pod has left on the host."""
    for link in place.links:
        link.unlink(missing_ok=True)
    place.links.clear()
    shutil.rmtree(place.directory, ignore_errors=True)
