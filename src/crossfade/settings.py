"""What the environment decides: where state lives, and on which ports."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crossfade.base.errors import InputError

HIGHEST_PORT_BASE = 65535 - 200
"""The sandbox uses ports up to 192 above the base."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the environment; docs/reference/settings.md is made of these."""

    name: str
    default: str
    about: str


HOME = Variable(
    "CROSSFADE_HOME",
    "$XDG_STATE_HOME/crossfade, else ~/.local/state/crossfade",
    "Folder for everything that Crossfade keeps: the store, the sandbox, reports of crashes. "
    "The option --state-dir goes before it.",
)
DATABASE_URL = Variable(
    "CROSSFADE_DATABASE_URL",
    "sqlite:///<state dir>/crossfade.db",
    "The store: sqlite:////absolute/path/of/the/file, or postgresql://user:password@host/database "
    "with the parameters that libpq knows.",
)
PORT_BASE = Variable(
    "CROSSFADE_PORT_BASE",
    "17000",
    "First port of the embedded edge, hub and sandbox, all on 127.0.0.1: the edge for users is at "
    "+0, the hub's configuration service at +1, the edge's admin page at +2, cloud number i (from "
    "0) at +100+10i to +102+10i. `sandbox up --port-base` goes before it.",
)
SECRET = Variable(
    "CROSSFADE_SECRET_",
    "none",
    "Begins the variables that have secrets of the hub: `{secret: slack-url}` in a file is "
    "CROSSFADE_SECRET_SLACK_URL, else the file secrets/slack-url in the state folder.",
)
PIPELINE_KUBECONFIG = Variable(
    "CROSSFADE_PIPELINE_KUBECONFIG",
    "none: steps get the contexts that the hub works with",
    "Kubeconfig file with a context for each cluster, by its name in the fleet. Steps of pipelines "
    "get these, so that they may have less rights than the hub.",
)
VARIABLES = (HOME, DATABASE_URL, PORT_BASE, SECRET, PIPELINE_KUBECONFIG)


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of this process."""

    state_dir: Path
    """Absolute."""
    database_url: str
    port_base: int = 17000
    pipeline_kubeconfig: Path | None = None
    """Absolute; what steps reach clusters with in place of the hub's own contexts."""

    @property
    def secrets_dir(self) -> Path:
        """Where secrets of the hub are, one a file; variables go before them."""
        return self.state_dir / "secrets"

    @property
    def pipelines_dir(self) -> Path:
        """Where builds of pipelines have their workspaces and logs."""
        return self.state_dir / "pipelines"

    @property
    def images_dir(self) -> Path:
        """Where images are kept that are built here."""
        return self.state_dir / "images"

    @property
    def sandbox_dir(self) -> Path:
        """Where the sandbox keeps its files; also marks its processes."""
        return self.state_dir / "sandbox"

    @property
    def edge_port(self) -> int:
        """Where users come in."""
        return self.port_base

    @property
    def hub_port(self) -> int:
        """Where the hub serves the edges' configuration, on 127.0.0.1."""
        return self.port_base + 1


def load(environment: Mapping[str, str] = os.environ, state_dir: Path | None = None) -> Settings:
    """
    Return the settings; `state_dir` is the option of the command line, which goes first.

    Raises InputError that names the variable which cannot be used.
    """
    folder = _state_dir(environment, state_dir)
    url = environment.get(DATABASE_URL.name) or f"sqlite:///{folder}/crossfade.db"
    weaker = environment.get(PIPELINE_KUBECONFIG.name)
    return Settings(
        folder,
        url,
        _port_base(environment),
        _absolute(Path(weaker), PIPELINE_KUBECONFIG.name) if weaker else None,
    )


def _state_dir(environment: Mapping[str, str], option: Path | None) -> Path:
    if option is not None:
        return _absolute(option, "--state-dir")
    if home := environment.get(HOME.name):
        return _absolute(Path(home), HOME.name)
    states = environment.get("XDG_STATE_HOME", "")
    if states.startswith("/"):  # the XDG specification has others ignored
        return Path(states) / "crossfade"
    return _absolute(Path("~/.local/state/crossfade"), "HOME")


def _absolute(path: Path, source: str) -> Path:
    try:
        return path.expanduser().absolute()
    except (RuntimeError, OSError) as error:
        raise InputError(
            f"a path cannot be told from {source}: {error}",
            hint="give an absolute path, the state folder's with --state-dir or CROSSFADE_HOME",
        ) from error


def _port_base(environment: Mapping[str, str]) -> int:
    text = environment.get(PORT_BASE.name) or PORT_BASE.default
    if text.isascii() and text.isdigit() and 1024 <= int(text) <= HIGHEST_PORT_BASE:
        return int(text)
    raise InputError(
        f"{PORT_BASE.name} is not a port to begin at",
        hint=f"give a number from 1024 to {HIGHEST_PORT_BASE}",
        value=text,
    )
