"""Which adapters the HTTP API is made of; apart, as most commands need none of it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from crossfade.adapters.documents.application import parse
from crossfade.adapters.documents.application_keys import as_written
from crossfade.adapters.passwords import ArgonPasswords
from crossfade.adapters.runners.claim import is_claimed
from crossfade.adapters.runners.kept_files import KeptFiles
from crossfade.adapters.runners.log_files import LogFiles
from crossfade.adapters.sign_on.oidc import OidcProvider
from crossfade.adapters.webhooks.reading import read_events
from crossfade.adapters.webhooks.signatures import genuine
from crossfade.api.app import create_app, warm
from crossfade.api.server import serve
from crossfade.api.services import Acts, Building, Services
from crossfade.base.secrets import Secret
from crossfade.core.application import Application
from crossfade.engine.accounts import Accounts
from crossfade.engine.audit import AuditedDocuments
from crossfade.engine.commands import Commands
from crossfade.engine.feed import Feed
from crossfade.engine.figures import Figures
from crossfade.engine.pipelines.commands import BuildCommands
from crossfade.engine.pipelines.records import Builds
from crossfade.engine.pipelines.starting import Registry
from crossfade.engine.pipelines.webhooks import Senders, Webhooks
from crossfade.engine.records import Records
from crossfade.engine.secret_commands import SecretCommands
from crossfade.engine.sign_on import SignOn
from crossfade.ports.documents import Documents
from crossfade.settings import Settings
from crossfade.wiring import Session, key_ring, session
from crossfade.wiring_pipelines import (
    graph_of_build,
    left_by_builds,
    pipeline_files,
    shared_configurations,
)

_HOUSEKEEPING_SECONDS = 3600.0


@asynccontextmanager
async def services(settings: Settings, figures: Figures | None = None) -> AsyncIterator[Services]:
    """Open the store for an API."""
    async with session(settings) as opened:
        accounts = Accounts(opened.store, ArgonPasswords(), opened.clock)
        feed = Feed(opened.store)
        await feed.begin()

        identities = OidcProvider(opened.secrets(), opened.clock)

        def acts(documents: Documents) -> Acts:
            return _acts(opened, documents)

        try:
            yield Services(
                opened.store,
                opened.queries,
                opened.history,
                accounts,
                feed,
                opened.clock,
                acts,
                _applications,
                as_written,
                opened.hub,
                _building(settings, opened),
                _webhooks(opened),
                SignOn(accounts, identities, opened.clock),
                opened.names(),
                figures or Figures(),
            )
        finally:
            await identities.close()


async def run_api(
    settings: Settings,
    opened: socket.socket,
    began: Callable[[Secret | None], None],
    *,
    new_password: bool = False,
    figures: Figures | None = None,
) -> None:
    """
    Answer requests at the socket until cancelled; `figures` are those of the hub's loops.

    `began` is told the password of the account `admin` when there is a new one.
    """
    async with services(settings, figures) as parts, asyncio.TaskGroup() as group:
        accounts = parts.accounts
        made = accounts.new_admin_password if new_password else accounts.first_admin
        began(await made())
        housekeeping = group.create_task(_keep_house(accounts))
        try:
            # Apart, as it takes half a second.
            app = await asyncio.to_thread(lambda: warm(create_app(parts)))
            await serve(app, parts.feed, opened)
        finally:
            housekeeping.cancel()


def _acts(opened: Session, documents: Documents) -> Acts:
    records = Records(documents)
    return Acts(
        Commands(records, opened.connections, opened.clock),
        # The charts of the session: each HelmCommand of its own looks for helm anew, and counts
        # only its own processes where it limits them.
        replace(opened.deployments, records=records),
        BuildCommands(Builds(documents), opened.clock),
        SecretCommands(documents, key_ring(opened.settings), opened.clock),
        pipeline_files(opened.settings, Builds(documents), opened.clock, records),
        shared_configurations(opened.settings, Builds(documents), opened.clock),
        *left_by_builds(opened.settings, documents, opened.clock),
    )


def _building(settings: Settings, opened: Session) -> Building:
    folder = settings.pipelines_dir

    return Building(
        Builds(opened.store),
        LogFiles(folder),
        graph_of_build,
        lambda build: is_claimed(folder, build),
        KeptFiles(folder, lambda build: folder / build),  # only what is kept is read
    )


def _webhooks(opened: Session) -> Webhooks:
    builds = Builds(opened.store)
    audited = AuditedDocuments(opened.store, "webhook", "webhook", opened.clock)
    registry = Registry(Builds(audited), opened.clock, graph_of_build)
    senders = Senders(genuine, read_events)
    return Webhooks(builds, registry, opened.secrets(), senders, opened.clock)


def _applications(text: str) -> tuple[Application, ...]:
    return parse(text, "the request")


async def _keep_house(accounts: Accounts) -> None:
    while True:
        await accounts.forget_expired()
        await asyncio.sleep(_HOUSEKEEPING_SECONDS)
