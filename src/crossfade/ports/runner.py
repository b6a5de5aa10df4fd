"""Where the steps of pipelines run."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from crossfade.core.pipeline.composition import Composition
from crossfade.core.pipeline.state import RunSight
from crossfade.core.pipeline.work import Inside


@dataclass(frozen=True, slots=True)
class RunId:
    """One run of one step.  A run is started once at most, so that a start may be repeated."""

    build: str
    """Steps of one build share its workspace."""
    generation: int
    """Counts how often the build was restarted."""
    key: str
    """The step."""
    number: int

    def __str__(self) -> str:
        return f"{self.build}.{self.generation}/{self.key}#{self.number}"


@dataclass(frozen=True, slots=True)
class Serving:
    """How long services go on that are a run of their own."""

    most_seconds: float
    """After so long the run ends by itself, and then was lost."""
    outlives: bool = False
    """It goes on when its build is over; otherwise it also ends when nobody is there any more who
    runs the build, and no other run of it is left."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run.  Places are as a step sees them: the workspace is `/codefresh/volume`."""

    run: RunId
    script: str
    """Commands for a shell, all of them in one session."""
    shell: str = "sh"
    directory: str = "/codefresh/volume"
    """It is made when it is not there."""
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    """Values that must not be shown."""
    image: str = ""
    """"": the runner's own tools and the runner's own files, for steps that are built in."""
    inside: Inside | None = None
    """How it runs on the files of its image; None: on the tools of the runner's place."""
    volumes: tuple[tuple[str, str], ...] = ()
    """Folders of the workspace, and where else it sees them."""
    composition: Composition | None = None
    """Services that run beside the script, or candidates in its place."""
    serving: Serving | None = None
    """There is no script: the composition alone runs, until it is stopped.  The run is SERVING once
    that is ready and set up; it has failed when that cannot be."""
    beside: RunId | None = None
    """A run of the same build that serves: the script, and what runs beside it, finds its services
    by their names.  Services of its own go before those of the same name."""
    kubeconfig: str = ""
    """The clusters that it may reach, as a file that no other run sees; "": none."""
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of known registries, as variables for who fetches its image; the step has none of them."""


@dataclass(frozen=True, slots=True)
class Output:
    """A piece of what a run printed."""

    data: bytes
    """Empty: nothing has come for a while."""
    secrets: tuple[str, ...] = ()
    """Values that the run itself has asked not to show, with `cf_export --mask`."""


class Runner(Protocol):
    """
    Runs steps, each with all of its processes, whether or not we are there to watch.

    Every implementation passes tests/contract/test_runner.py.
    """

    async def start(self, order: Order) -> None:
        """Start the run unless it was started before.  Raises Unavailable; try again then."""
        ...

    async def look(self, run: RunId) -> RunSight | None:
        """Return how the run stands and what it exported; None: it was never started."""
        ...

    def output(self, run: RunId) -> AsyncIterator[Output]:
        """Yield everything that it prints, from its beginning, until it has ended."""
        ...

    async def stop(self, run: RunId, grace_seconds: float) -> None:
        """End the run, first kindly; return once none of its processes is left.  Repeatable."""
        ...

    async def forget(self, run: RunId) -> None:
        """Drop what is kept of a run that has ended: its end has been taken in.  Repeatable."""
        ...
