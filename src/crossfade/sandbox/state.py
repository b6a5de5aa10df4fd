"""What the sandbox keeps on disk, and which ports its parts use."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossfade.base.errors import InputError, NotFound
from crossfade.base.files import write_json

DEFAULT_PORT_BASE = 17000
_MOST_CLOUDS = 10
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class CloudPorts:
    """Where one cloud is reached, all on 127.0.0.1."""

    api: int
    gateway: int
    gateway_admin: int


@dataclass(frozen=True, slots=True)
class Layout:
    """One sandbox: its folder, its clouds, its ports."""

    directory: Path
    """Absolute path of `<state dir>/sandbox`; also marks every process of this sandbox."""
    clouds: tuple[str, ...]
    port_base: int = DEFAULT_PORT_BASE

    @property
    def edge_port(self) -> int:
        """Where users come in."""
        return self.port_base

    @property
    def hub_port(self) -> int:
        """Where the hub serves the edge's configuration; the sandbox itself does not use it."""
        return self.port_base + 1

    @property
    def edge_admin_port(self) -> int:
        """Admin page of the edge."""
        return self.port_base + 2

    @property
    def page_port(self) -> int:
        """Where a hub of the demo serves its page; the sandbox itself does not use it."""
        return self.port_base + 3

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig with one context per cloud."""
        return self.directory / "kubeconfig"

    @property
    def edge_folder(self) -> Path:
        """Files of the edge."""
        return self.directory / "edge"

    def folder(self, cloud: str) -> Path:
        """Return where a cloud keeps its files."""
        return self.directory / "clouds" / cloud

    def ports(self, cloud: str) -> CloudPorts:
        """Return a cloud's ports.  Raises NotFound when the sandbox has no such cloud."""
        first = self.port_base + 100 + 10 * self.clouds.index(self.known(cloud))
        return CloudPorts(first, first + 1, first + 2)

    def known(self, cloud: str) -> str:
        """Return `cloud`.  Raises NotFound when the sandbox has no such cloud."""
        if cloud not in self.clouds:
            raise NotFound(
                f"the sandbox has no cloud `{cloud}`", hint=f"its clouds: {', '.join(self.clouds)}"
            )
        return cloud

    def own_ports(self) -> dict[int, str]:
        """Return every port that the sandbox listens on, with what for."""
        wanted = {self.edge_port: "edge", self.edge_admin_port: "edge admin page"}
        for cloud in self.clouds:
            ports = self.ports(cloud)
            wanted[ports.api] = f"Kubernetes API of {cloud}"
            wanted[ports.gateway] = f"gateway of {cloud}"
            wanted[ports.gateway_admin] = f"gateway admin page of {cloud}"
        return wanted


def new_layout(directory: Path, clouds: Sequence[str], port_base: int) -> Layout:
    """Return the layout after a check of what the user asked for.  Raises InputError."""
    if not 1 <= len(clouds) <= _MOST_CLOUDS:
        raise InputError(
            f"a sandbox has 1 to {_MOST_CLOUDS} clouds, not {len(clouds)}",
            hint="for example `--clouds aws,gcp,onprem`",
        )
    for name in clouds:
        if not _NAME.fullmatch(name):
            raise InputError(
                f"`{name}` cannot be the name of a cloud",
                hint="1 to 40 small letters, digits and inner hyphens, for example `onprem`",
            )
    twice = sorted({name for name in clouds if clouds.count(name) > 1})
    if twice:
        raise InputError(f"cloud `{twice[0]}` is named twice", hint="give each cloud its own name")
    highest = 65535 - 100 - 10 * _MOST_CLOUDS
    if not 1024 <= port_base <= highest:
        raise InputError(
            f"{port_base} cannot be the first port of a sandbox",
            hint=f"`--port-base` takes 1024 to {highest}",
        )
    return Layout(directory.resolve(), tuple(clouds), port_base)


def save(layout: Layout) -> None:
    """Write the layout into its folder."""
    layout.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_json(_file(layout.directory), {"clouds": layout.clouds, "port_base": layout.port_base})


def load(directory: Path) -> Layout | None:
    """Return the layout of the sandbox in this folder; None when there is none."""
    try:
        data = json.loads(_file(directory).read_text())
        return Layout(directory.resolve(), tuple(data["clouds"]), int(data["port_base"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{_file(directory)} cannot be read: {error}",
            hint="`crossfade sandbox down` removes what is left of this sandbox",
        ) from error


def _file(directory: Path) -> Path:
    return directory / "sandbox.json"
