"""Takes in what git servers and registries send, and starts the builds that wait for it."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from crossfade.base.clock import Clock
from crossfade.base.errors import Conflict, CrossfadeError, NotFound, NotSignedIn
from crossfade.base.secrets import Secret, SecretRef
from crossfade.core.pipeline.git_events import GitEvent, variables_of_event
from crossfade.core.pipeline.triggers import (
    Kind,
    Push,
    Trigger,
    commit_of,
    pushed,
    quiet,
    variables_of_push,
)
from crossfade.engine.pipelines.records import DELIVERY, Builds, Registered
from crossfade.engine.pipelines.starting import (
    Registry,
    Start,
    as_variables,
    readable_triggers,
)
from crossfade.ports.secrets import Secrets

log = logging.getLogger(__name__)

SECRET_PREFIX = "webhook-"  # noqa: S105 - begins the name of one
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Senders:
    """How requests of senders are read; `headers` have names in lower case."""

    genuine: Callable[[Headers, bytes, Secret], bool]
    events: Callable[[Headers, bytes], tuple[GitEvent | Push, ...]]
    """Raises InputError."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request."""

    builds: tuple[str, ...] = ()
    """Numbers of the builds that it has started."""
    quiet: Mapping[str, str] = field(default_factory=dict)
    """Triggers of the same repository that stayed quiet, as `pipeline/trigger`, and why."""


class Webhooks:
    """Everything behind the endpoint."""

    def __init__(
        self, builds: Builds, registry: Registry, secrets: Secrets, senders: Senders, clock: Clock
    ) -> None:
        self._builds, self._registry, self._secrets = builds, registry, secrets
        self._senders, self._clock = senders, clock

    async def receive(self, context: str, headers: Headers, body: bytes) -> Taken:
        """
        Start the builds that wait for the request; of one request they are started once.

        Raises NotSignedIn unless it is signed with the secret `webhook-CONTEXT`, Conflict when it
        has been taken before, InputError when it cannot be read.
        """
        await self._authenticate(context, headers, body)
        digest = hashlib.sha256(f"{context}\n".encode() + body).hexdigest()
        if await self._builds.moment(DELIVERY, digest) is not None:
            raise Conflict("this request has been taken before", hint="there is nothing to do")
        builds, silent = [], {}
        for index, event in enumerate(self._senders.events(headers, body)):
            for pipeline, trigger in await self._triggers(context):
                why = _why_quiet(trigger, event)
                if why is None:
                    continue
                name = f"{pipeline.name}/{trigger.name}"
                if why:
                    silent[name] = why
                    continue
                start = _start(pipeline, trigger, event, f"{digest}#{index}/{trigger.name}")
                try:
                    builds.append((await self._registry.start(start)).id)
                except CrossfadeError as error:  # of one pipeline: others get their builds
                    silent[name] = f"it cannot be started: {error}"
                    log.warning("build-not-started", extra={"trigger": name, "error": str(error)})
        await self._builds.save_moment(DELIVERY, digest, None, self._clock.now())
        log.info("webhook-taken", extra={"context": context, "builds": len(builds)})
        return Taken(tuple(builds), silent)

    async def _authenticate(self, context: str, headers: Headers, body: bytes) -> None:
        name = f"{SECRET_PREFIX}{context}"
        try:
            secret = await self._secrets.resolve(SecretRef(name))
        except NotFound:  # told as a wrong signature is: nobody learns which secrets there are
            log.warning("webhook-without-secret", extra={"secret": name})
            secret = Secret("")
        if not self._senders.genuine(headers, body, secret):
            raise NotSignedIn(
                f"the request is not signed with the secret {name}",
                hint="give the sender and the hub the same secret: docs/guides/triggers.md",
            )

    async def _triggers(self, context: str) -> list[tuple[Registered, Trigger]]:
        """Return the triggers that belong to the context, or to none."""
        return [
            (each.value, trigger)
            for each in await self._builds.registered()
            for trigger in readable_triggers(each.value)
            if trigger.context in ("", context)
        ]


def _why_quiet(trigger: Trigger, event: GitEvent | Push) -> str | None:
    """Return why a trigger stays quiet, "" when it does not, None when it is not meant at all."""
    if isinstance(event, Push):
        return "" if pushed(trigger, event) else None
    same = trigger.kind is Kind.GIT and trigger.repository.lower() == event.repository.lower()
    return quiet(trigger, event) if same else None


def _start(pipeline: Registered, trigger: Trigger, event: GitEvent | Push, key: str) -> Start:
    git = isinstance(event, GitEvent)
    told = variables_of_event(event) if isinstance(event, GitEvent) else variables_of_push(event)
    by = event.author if isinstance(event, GitEvent) else event.by
    told |= {
        "CF_BUILD_TRIGGER": "webhook",
        "CF_BUILD_INITIATOR": by or "webhook",
        "CF_PIPELINE_TRIGGER_ID": trigger.name,
    }
    if isinstance(event, GitEvent):
        told["CF_GIT_INTEGRATION"] = trigger.context or event.provider
        if trigger.clone_url:  # what its server tells may be out of reach of the hub
            told["CF_REPO_CLONE_URL"] = trigger.clone_url
    own = {each.name: each for each in trigger.variables}
    return Start(
        pipeline.name,
        own | as_variables(told),
        trigger.name,
        event.branch if isinstance(event, GitEvent) else "",
        once=f"webhook/{key}/{pipeline.name}",
        clone=git and bool(told.get("CF_REPO_CLONE_URL")),
        commit=commit_of(pipeline.name, trigger, event) if isinstance(event, GitEvent) else None,
        of_event=True,
    )
