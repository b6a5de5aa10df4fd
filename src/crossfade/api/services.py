"""What the routes work with; the wiring makes it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from crossfade.base.clock import Clock
from crossfade.core.application import Application
from crossfade.core.pipeline.graph import Graph
from crossfade.engine.accounts import Accounts
from crossfade.engine.application_changes import Written
from crossfade.engine.cached_documents import CachedDocuments
from crossfade.engine.commands import Commands
from crossfade.engine.deployments import Deployments
from crossfade.engine.feed import Feed
from crossfade.engine.figures import Figures
from crossfade.engine.history import History
from crossfade.engine.names import Names
from crossfade.engine.overview import Overviews
from crossfade.engine.pipelines.commands import BuildCommands
from crossfade.engine.pipelines.environments import Environments
from crossfade.engine.pipelines.files import PipelineFiles
from crossfade.engine.pipelines.forgetting import Pruning
from crossfade.engine.pipelines.records import Build, Builds
from crossfade.engine.pipelines.shared_configurations import SharedConfigurations
from crossfade.engine.pipelines.webhooks import Webhooks
from crossfade.engine.queries import Queries
from crossfade.engine.secret_commands import SecretCommands
from crossfade.engine.sign_on import SignOn
from crossfade.ports.documents import Documents
from crossfade.ports.step_files import StepFiles
from crossfade.ports.step_logs import StepLogs


@dataclass(frozen=True, slots=True)
class Acts:
    """The commands, by one person."""

    commands: Commands
    deployments: Deployments
    builds: BuildCommands
    secrets: SecretCommands
    files: PipelineFiles
    """On pipelines."""
    shared: SharedConfigurations
    """Of pipelines."""
    environments: Environments
    pruning: Pruning
    """Of what builds have left."""


@dataclass(frozen=True, slots=True)
class Building:
    """What builds are looked at with."""

    builds: Builds
    logs: StepLogs
    graph: Callable[[Build], Graph]
    """What the build's pipeline says; it may read files and addresses.  Raises CrossfadeError."""
    runs: Callable[[str], bool]
    """Whether a process of this machine works on the build."""
    files: StepFiles
    """What steps have left."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the API."""

    documents: Documents
    queries: Queries
    history: History
    accounts: Accounts
    feed: Feed
    clock: Clock
    acts: Callable[[Documents], Acts]
    """Commands that write to these documents."""
    read_applications: Callable[[str], tuple[Application, ...]]
    """What an application file says.  Raises InputError."""
    written: Written
    hub: Callable[[], Awaitable[str | None]]
    """Who runs the loops on the store."""
    building: Building
    webhooks: Webhooks
    sign_on: SignOn
    names: Names
    figures: Figures = field(default_factory=Figures)
    """What the loops of this process have counted."""
    overviews: Overviews = field(init=False)

    def __post_init__(self) -> None:
        """Make what is made of the others."""
        made = Overviews(self.queries.records, self.figures)
        object.__setattr__(self, "overviews", made)

    async def lists(self) -> Queries:
        """Return what lists are made of: what a hub in this process has read, and what is newer."""
        records = self.figures.records
        if records is None:
            return self.queries
        if isinstance(records.documents, CachedDocuments):
            await records.documents.catch_up()
        return Queries(records, self.clock)


def _services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


Use = Annotated[Services, Depends(_services)]
"""The services, as an argument of a route."""
