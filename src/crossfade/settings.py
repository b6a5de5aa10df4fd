"""What the environment decides: where state lives, and on which ports."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crossfade.base.errors import InputError
from crossfade.base.host_port import HostPort, host_port

HIGHEST_PORT_BASE = 65535 - 200
"""The sandbox uses ports up to 192 above the base."""
MOST_KEPT = 1_000_000
"""Days or GiB."""


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
EDGE_LISTEN = Variable(
    "CROSSFADE_EDGE_LISTEN",
    "127.0.0.1:<port base + 1>",
    "Address and port at which the hub listens for edges, as 0.0.0.0:17443 for those of other "
    "machines; that takes CROSSFADE_EDGE_TLS. docs/guides/edges.md.",
)
EDGE_TLS = Variable(
    "CROSSFADE_EDGE_TLS",
    "none: without TLS, on the loopback interface",
    "Folder with ca.pem, hub.pem and hub.key, as `crossfade edge authority` makes it: hub and "
    "edges show each other certificates.",
)
SECRET = Variable(
    "CROSSFADE_SECRET_",
    "none",
    "Begins the variables that have secrets of the hub: `{secret: slack-url}` in a file is "
    "CROSSFADE_SECRET_SLACK_URL, else the file secrets/slack-url in the state folder.",
)
HUB = Variable(
    "CROSSFADE_HUB",
    "none: the hub of the newest `crossfade login`, else the store of this machine",
    "Address of the hub that commands are given to, as https://crossfade.example.com, or local for "
    "the store of this machine. The option --hub goes before it.",
)
SEALING_KEY = Variable(
    "CROSSFADE_SEALING_KEY",
    "none: a key is made, in the file sealing.key of the state folder",
    "Keys for secrets that are kept in the store (`crossfade secret`), each 32 bytes in base64, "
    "with spaces between them: the first one seals, all of them open. For hubs on several machines "
    "that share a store.",
)
PIPELINE_KUBECONFIG = Variable(
    "CROSSFADE_PIPELINE_KUBECONFIG",
    "none: steps get the contexts that the hub works with",
    "Kubeconfig file with a context for each cluster, by its name in the fleet. Steps of pipelines "
    "get these, so that they may have less rights than the hub.",
)
IMAGE_BUILDER = Variable(
    "CROSSFADE_IMAGE_BUILDER",
    "auto",
    "What builds images, also in pipelines: podman, buildah, docker or built-in; auto is the first "
    "of these engines that works here, else the built-in builder. `image build --builder` goes "
    "before it.",
)
PIPELINE_RUNNER = Variable(
    "CROSSFADE_PIPELINE_RUNNER",
    "process",
    "What steps of pipelines run in when neither `pipeline run --runner` nor runtimeEnvironment "
    "says it: process, container or pod.",
)
CONTAINER_ENGINE = Variable(
    "CROSSFADE_CONTAINER_ENGINE",
    "auto",
    "Whose containers steps run in: podman or docker; auto is the first of these that works here.",
)
CONTAINER_NETWORK = Variable(
    "CROSSFADE_CONTAINER_NETWORK",
    "own",
    "Over what services in containers, and steps beside them, talk: own is a network of their own, "
    "host is that of the machine. Steps without services always have that of the machine.",
)
_ALLOWED = {
    CONTAINER_ENGINE: ("auto", "podman", "docker"),
    CONTAINER_NETWORK: ("own", "host"),
}
POD_NAMESPACE = Variable(
    "CROSSFADE_POD_NAMESPACE",
    "crossfade-pipelines",
    "Namespace of the pods of steps, in every cluster that they run in.",
)
POD_STORAGE = Variable(
    "CROSSFADE_POD_STORAGE",
    "10Gi",
    "Room of a build's workspace in a cluster: a quantity, with the name of a storage class and a "
    "slash before it where the cluster's default is not the right one, as in fast/20Gi.",
)
POD_FILES_IMAGE = Variable(
    "CROSSFADE_POD_FILES_IMAGE",
    "python:3-alpine",
    "Image that serves a build's workspace in a cluster; any with Python 3.8 or newer will do.",
)
POD_TOOLS_IMAGE = Variable(
    "CROSSFADE_POD_TOOLS_IMAGE",
    "alpine/k8s:1.29.2",
    "Image of `helm` and `deploy` steps that run as pods: it has bash, kubectl and helm.",
)
KEEP_DAYS = Variable(
    "CROSSFADE_KEEP_DAYS",
    "30",
    "So many days artifacts, caches and workspaces of builds are kept; then they are forgotten, "
    "except what belongs to builds under way and to the newest build of each pipeline.",
)
KEEP_GIB = Variable(
    "CROSSFADE_KEEP_GIB",
    "20",
    "So many GiB of artifacts and caches are kept, and as many of workspaces; of more, what was "
    "used longest ago is forgotten.",
)
OTLP = Variable(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "none: nothing is traced",
    "Where traces go, as http://127.0.0.1:4318: a collector that takes OTLP over HTTP. It takes "
    "`pip install 'crossfade[otel]'`. The other variables OTEL_* of traces count as OpenTelemetry "
    "has them; docs/guides/tracing.md.",
)
VARIABLES = (
    HOME,
    DATABASE_URL,
    PORT_BASE,
    EDGE_LISTEN,
    EDGE_TLS,
    HUB,
    SECRET,
    SEALING_KEY,
    PIPELINE_KUBECONFIG,
    IMAGE_BUILDER,
    PIPELINE_RUNNER,
    CONTAINER_ENGINE,
    CONTAINER_NETWORK,
    POD_NAMESPACE,
    POD_STORAGE,
    POD_FILES_IMAGE,
    POD_TOOLS_IMAGE,
    KEEP_DAYS,
    KEEP_GIB,
    OTLP,
)
_OTLP_OF_TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"


@dataclass(frozen=True, slots=True)
class PodSettings:
    """Where pods of steps go, and what they are made of."""

    namespace: str = POD_NAMESPACE.default
    storage: str = POD_STORAGE.default
    storage_class: str = ""
    files_image: str = POD_FILES_IMAGE.default
    tools_image: str = POD_TOOLS_IMAGE.default


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of this process."""

    state_dir: Path
    """Absolute."""
    database_url: str
    port_base: int = 17000
    pipeline_kubeconfig: Path | None = None
    """Absolute; what steps reach clusters with in place of the hub's own contexts."""
    image_builder: str = IMAGE_BUILDER.default
    hub: str = ""
    """Address of the hub to talk to, `local` for none; "": that of the newest sign-in."""
    pipeline_runner: str = PIPELINE_RUNNER.default
    pods: PodSettings = field(default_factory=PodSettings)
    keep_days: float = 30
    keep_gib: float = 20
    container_engine: str = CONTAINER_ENGINE.default
    container_network: str = CONTAINER_NETWORK.default
    edge_listen: HostPort | None = None
    """Where the hub listens for edges; None: at `hub_port` on 127.0.0.1."""
    edge_tls: Path | None = None
    """Absolute; certificates that edges and hub show each other."""

    @property
    def logins_file(self) -> Path:
        """Which hubs one is signed in at, with tokens."""
        return self.state_dir / "hubs.json"

    @property
    def secrets_dir(self) -> Path:
        """Where secrets of the hub are, one a file; variables go before them."""
        return self.state_dir / "secrets"

    @property
    def sealing_key_file(self) -> Path:
        """The key of the secrets in the store, unless the environment has one."""
        return self.state_dir / "sealing.key"

    @property
    def pipelines_dir(self) -> Path:
        """Where builds of pipelines have their workspaces and logs."""
        return self.state_dir / "pipelines"

    @property
    def images_dir(self) -> Path:
        """Where images are kept that are built here."""
        return self.state_dir / "images"

    @property
    def registries_file(self) -> Path:
        """Which registries people have made known; without passwords."""
        return self.state_dir / "registries.json"

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
        """Where the hub serves the edges' configuration, on 127.0.0.1, unless told otherwise."""
        return self.port_base + 1

    @property
    def hub_listens(self) -> HostPort:
        """Where the hub serves the edges' configuration."""
        return self.edge_listen or HostPort("127.0.0.1", self.hub_port)


def load(
    environment: Mapping[str, str] = os.environ, state_dir: Path | None = None, hub: str = ""
) -> Settings:
    """
    Return the settings; `state_dir` and `hub` are options of the command line, which go first.

    Raises InputError that names the variable which cannot be used.
    """
    folder = _state_dir(environment, state_dir)
    url = environment.get(DATABASE_URL.name) or f"sqlite:///{folder}/crossfade.db"
    weaker, tls = environment.get(PIPELINE_KUBECONFIG.name), environment.get(EDGE_TLS.name)
    return Settings(
        folder,
        url,
        _port_base(environment),
        _absolute(Path(weaker), PIPELINE_KUBECONFIG.name) if weaker else None,
        environment.get(IMAGE_BUILDER.name) or IMAGE_BUILDER.default,
        hub or environment.get(HUB.name, ""),
        environment.get(PIPELINE_RUNNER.name) or PIPELINE_RUNNER.default,
        _pods(environment),
        _number(environment, KEEP_DAYS),
        _number(environment, KEEP_GIB),
        container_engine=_one_of(environment, CONTAINER_ENGINE),
        container_network=_one_of(environment, CONTAINER_NETWORK),
        edge_listen=_edge_listen(environment),
        edge_tls=_absolute(Path(tls), EDGE_TLS.name) if tls else None,
    )


def _edge_listen(environment: Mapping[str, str]) -> HostPort | None:
    if not (text := environment.get(EDGE_LISTEN.name)):
        return None
    found = host_port(text, EDGE_LISTEN.name)
    if not found.is_loopback and not environment.get(EDGE_TLS.name):
        raise InputError(
            f"{EDGE_LISTEN.name} is open to other machines, and {EDGE_TLS.name} is not set",
            hint="`crossfade edge authority FOLDER` makes certificates; set it to FOLDER",
            value=text,
        )
    return found


def _one_of(environment: Mapping[str, str], variable: Variable) -> str:
    text = environment.get(variable.name) or variable.default
    if text in _ALLOWED[variable]:
        return text
    raise InputError(
        f"{variable.name} is {text!r}", hint=f"allowed: {', '.join(_ALLOWED[variable])}"
    )


def _number(environment: Mapping[str, str], variable: Variable) -> float:
    text = environment.get(variable.name) or variable.default
    try:
        found = float(text)
    except ValueError:
        found = -1
    if 0 <= found <= MOST_KEPT:
        return found
    raise InputError(
        f"{variable.name} is no number",
        hint=f"give a number from 0 to {MOST_KEPT}, as {variable.default}",
        value=text,
    )


def _pods(environment: Mapping[str, str]) -> PodSettings:
    """Return the settings of pods.  Raises InputError."""
    named = (POD_NAMESPACE, POD_STORAGE, POD_FILES_IMAGE, POD_TOOLS_IMAGE)
    found = {each.name: environment.get(each.name) or each.default for each in named}
    namespace, storage = found[POD_NAMESPACE.name], found[POD_STORAGE.name]
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", namespace):
        hint = "small letters, digits and dashes, at most 63"
        raise InputError(
            f"{POD_NAMESPACE.name} is no name of a namespace", hint=hint, value=namespace
        )
    if not re.fullmatch(r"([a-z0-9.-]+/)?[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?", storage):
        hint = "give a quantity, as 20Gi, or fast/20Gi with the name of a storage class"
        raise InputError(f"{POD_STORAGE.name} is no room", hint=hint, value=storage)
    storage_class, _, room = storage.rpartition("/")
    images = found[POD_FILES_IMAGE.name], found[POD_TOOLS_IMAGE.name]
    return PodSettings(namespace, room, storage_class, *images)


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


@dataclass(frozen=True, slots=True)
class Tracing:
    """Whether traces are wanted."""

    wanted: bool
    refusal: str = ""
    """Why they cannot be had as they are wanted."""


def tracing(environment: Mapping[str, str] = os.environ) -> Tracing:
    """Return what the variables of OpenTelemetry say; it is off unless they name a place."""
    named = environment.get(_OTLP_OF_TRACES) or environment.get(OTLP.name)
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    disabled = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if disabled or exporter == "none" or not (named or exporter):
        return Tracing(wanted=False)
    if exporter not in ("", "otlp"):
        return Tracing(False, f"OTEL_TRACES_EXPORTER={exporter} is not known here, `otlp` is")
    common = environment.get("OTEL_EXPORTER_OTLP_PROTOCOL", "")
    protocol = environment.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or common
    if protocol not in ("", "http/protobuf"):
        return Tracing(False, f"OTLP is sent as `http/protobuf` here, not as `{protocol}`")
    return Tracing(wanted=True)
