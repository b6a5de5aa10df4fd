"""Tells git servers how the builds of their commits stand."""

import logging

from crossfade.base.clock import Clock
from crossfade.base.errors import Denied, InputError, NotFound
from crossfade.core.pipeline.commit_status import Commit, Report, comment_of, report_of
from crossfade.core.pipeline.state import State
from crossfade.engine.pipelines.records import Build, Builds, Told
from crossfade.ports.commit_statuses import CommitStatuses
from crossfade.ports.documents import Event

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
_IDLE_SECONDS = 60.0


class Statuses:
    """One build at a time; what was told is noted, so that it is told once."""

    def __init__(self, builds: Builds, servers: CommitStatuses, clock: Clock) -> None:
        self._builds, self._servers, self._clock = builds, servers, clock
        self._over: dict[str, int] = {}
        """Builds of which all has been told, with their generation."""

    async def keys(self) -> list[str]:
        """Return the builds of which something is to be told, or will be."""
        known = await self._builds.all()
        return [
            each.id
            for each in known
            if each.commit is not None and self._over.get(each.id) != each.generation
        ]

    async def reconcile(self, number: str) -> float:
        """Tell how the build stands unless it was told; return seconds until the next look."""
        build = (await self._builds.build(number)).value
        state = (await self._builds.state(number)).value
        commit, report = build.commit, report_of(number, state)
        if commit is None:
            return _IDLE_SECONDS
        told = await self._builds.told(number)
        now = Told(build.generation, report.mood, report.text)
        if told is None or told.value != now:
            refusal = await self._tell(build, commit, report, state)
            event = self._event(number, refusal) if refusal and report.final else None
            await self._builds.save_told(number, told, now, event)
        if not report.final:
            return LOOK_SECONDS
        self._over[number] = build.generation
        return _IDLE_SECONDS

    async def _tell(self, build: Build, commit: Commit, report: Report, state: State) -> str:
        """Tell it; return why asking again would not help, "" when it was told."""
        try:
            await self._servers.report(commit, report)
            if report.final and commit.comment and commit.pull:
                text = comment_of(build.pipeline, report, state)
                await self._servers.comment(commit, build.pipeline, text)
        except (NotFound, Denied, InputError) as error:
            log.warning("status-refused", extra={"build": build.id, "error": str(error)})
            return f"{commit.provider} was not told: {error}"
        return ""

    def _event(self, number: str, reason: str) -> Event:
        return Event(f"build/{number}", self._clock.now(), reason, {})
