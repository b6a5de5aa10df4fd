"""Starts builds when the clock on the wall says so."""

from collections.abc import Callable

from crossfade.base.clock import Clock
from crossfade.base.errors import NotFound
from crossfade.core.pipeline.triggers import Kind, Trigger, due, triggers_of
from crossfade.core.rollout.freeze import next_time
from crossfade.engine.pipelines.records import FIRED, Builds
from crossfade.engine.pipelines.starting import (
    Registry,
    Start,
    as_variables,
    readable_triggers,
)

LONGEST_SECONDS = 30.0
_SEPARATOR = "#"


class Crons:
    """One trigger at a time."""

    def __init__(self, builds: Builds, registry: Registry, clock: Clock) -> None:
        self._builds, self._registry, self._clock = builds, registry, clock
        self.on_start: Callable[[], None] = _nothing
        """Called when there is a new build."""

    async def keys(self) -> list[str]:
        """Return `pipeline#trigger` of every trigger that a calendar fires."""
        return [
            f"{each.value.name}{_SEPARATOR}{trigger.name}"
            for each in await self._builds.registered()
            for trigger in readable_triggers(each.value)
            if trigger.kind is Kind.CRON and not trigger.disabled
        ]

    async def reconcile(self, key: str) -> float:
        """Start a build if one is due; return seconds until the next look."""
        pipeline, _, name = key.rpartition(_SEPARATOR)
        trigger = await self._trigger(pipeline, name)
        now = self._clock.now()
        last = await self._builds.moment(FIRED, key)
        if last is None:
            await self._builds.save_moment(FIRED, key, None, now)  # due from now on
        elif (at := due(trigger, last.value.at, now)) is not None:
            await self._registry.start(_start(pipeline, trigger, at))
            await self._builds.save_moment(FIRED, key, last, at)
            self.on_start()
        following = next_time(trigger.calendar, trigger.zone, now)
        return LONGEST_SECONDS if following is None else min(following - now, LONGEST_SECONDS)

    async def _trigger(self, pipeline: str, name: str) -> Trigger:
        stored = await self._builds.pipeline(pipeline)
        for each in triggers_of(stored.value.spec) if stored else ():
            if each.name == name:
                return each
        raise NotFound(f"there is no trigger {name} of {pipeline} any more", hint="nothing is lost")


def _start(pipeline: str, trigger: Trigger, at: float) -> Start:
    told = {
        "EVENT_MESSAGE": trigger.message,
        "EVENT_TIMESTAMP": str(int(at)),
        "CF_BUILD_TRIGGER": "cron",
        "CF_BUILD_INITIATOR": "cron",
        "CF_PIPELINE_TRIGGER_ID": trigger.name,
    }
    own = {each.name: each for each in trigger.variables}
    return Start(
        pipeline,
        own | as_variables(told),
        trigger.name,
        once=f"cron/{pipeline}/{trigger.name}/{int(at)}",
        of_event=True,
    )


def _nothing() -> None:
    """Nobody waits."""
