"""What builds are run with."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from crossfade.base.clock import Clock
from crossfade.base.errors import InputError, Unavailable
from crossfade.core.pipeline.clusters import Kubeconfig
from crossfade.core.pipeline.runtime import Runtime
from crossfade.core.pipeline.supported import no_image
from crossfade.core.pipeline.variables import Variable
from crossfade.engine.pipelines.places import Place
from crossfade.engine.pipelines.records import Builds
from crossfade.engine.pipelines.registries import Registries
from crossfade.ports.runner import Runner
from crossfade.ports.secrets import Secrets
from crossfade.ports.step_files import StepFiles
from crossfade.ports.step_logs import StepLogs


async def no_clusters(_only: tuple[str, ...] | None) -> Kubeconfig:
    """Return that there are no clusters."""
    return Kubeconfig()


def nothing_there(address: str) -> str:
    """Say that nobody reads addresses.  Raises Unavailable always."""
    raise Unavailable(f"{address} cannot be read here", hint="give the steps in the file")


async def nothing_shared(names: Iterable[str]) -> dict[str, Variable]:
    """Return that nothing is shared.  Raises InputError for whatever is named."""
    named = ", ".join(names)
    if named:
        raise InputError(f"nothing is shared here: {named}", hint="give it in `variables`")
    return {}


async def no_stores(references: Iterable[str]) -> dict[str, str]:
    """Return that no secret is to be looked up.  Raises InputError for whatever is."""
    named = ", ".join(references)
    if named:
        raise InputError(f"there are no secret stores here: {named}", hint="give it as a variable")
    return {}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a build is run with."""

    builds: Builds
    runner: Runner
    logs: StepLogs
    clock: Clock
    has_tool: Callable[[str], bool]
    """Whether this machine has a command."""
    clusters: Callable[[tuple[str, ...] | None], Awaitable[Kubeconfig]] = no_clusters
    """Makes the kubeconfig of the fleet, or of the named clusters of it."""
    own: Mapping[str, str] = field(default_factory=dict)
    """The environment of our own commands, for steps that are made of them."""
    files: StepFiles | None = None
    """Keeps test results, artifacts and cached folders; None: nothing keeps them."""
    has_image: Callable[[str], bool] = no_image
    """Whether an image is kept here or in a known registry, so that steps can run inside of it."""
    secrets: Secrets | None = None
    """Where keys of git integrations are looked up; None: clones use those of the user."""
    registries: Registries | None = None
    """Known registries with their passwords; None: nobody is known anywhere."""
    fetch: Callable[[str], str] = nothing_there
    """Reads the text at an address, and takes its time.  Raises InputError, Unavailable."""
    shared: Callable[[Iterable[str]], Awaitable[dict[str, Variable]]] = nothing_shared
    """Reads the variables of shared configurations.  Raises InputError, Denied."""
    secret_values: Callable[[Iterable[str]], Awaitable[dict[str, str]]] = no_stores
    """Reads secrets of stores by references.  Raises InputError, NotFound, Unavailable."""
    places: Callable[[Runtime], Place] | None = None
    """Gives the place that a build asks for; None: there is only this one."""

    def of(self, runtime: Runtime) -> "Surroundings":
        """Return the surroundings of a build that asks for this.  Raises InputError."""
        if self.places is None:
            return self
        it = self.places(runtime)
        return replace(self, runner=it.runner, has_tool=it.has_tool, has_image=it.has_image)
