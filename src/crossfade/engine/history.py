"""The whole story of a rollout: what was decided, by whom, from what; and the same again."""

from dataclasses import dataclass
from typing import Any

from crossfade.base.codec import to_json
from crossfade.base.ids import ApplicationName
from crossfade.core.analysis.evidence import Evidence, look
from crossfade.core.analysis.past import Past, before_first, takes_back
from crossfade.core.analysis.past import again as again_from
from crossfade.core.analysis.standstill import stood
from crossfade.core.rollout.state import Rollout
from crossfade.engine.decisions import is_decision, replay
from crossfade.engine.queries import Queries
from crossfade.engine.records import EVIDENCE, ROLLOUT, rollout_name
from crossfade.engine.verdicts import past_of
from crossfade.ports.documents import Event

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Chapter:
    """One line of the story."""

    at: float
    kind: str
    """`decision`, `verdict`, or `command` of a person."""
    reason: str
    facts: dict[str, Any]
    """The figures that it rests on."""
    identical: bool | None = None
    """Whether it comes out the same again; None when that was not asked, or for commands."""


@dataclass(frozen=True, slots=True)
class Story:
    """A rollout with all its chapters, oldest first."""

    rollout: Rollout
    chapters: tuple[Chapter, ...]

    @property
    def replayed(self) -> int:
        """How many chapters were made again."""
        return sum(1 for each in self.chapters if each.identical is not None)

    @property
    def different(self) -> tuple[Chapter, ...]:
        """Those that came out otherwise."""
        return tuple(each for each in self.chapters if each.identical is False)


@dataclass(frozen=True, slots=True)
class History:
    """Reads the history; asks no cluster, and needs no hub."""

    queries: Queries

    async def story(
        self, application: ApplicationName, number: int | None = None, *, again: bool = False
    ) -> Story:
        """
        Return the story of the newest rollout of the application, or of that `number`.

        With `again` every decision and verdict is made again from what was written down.  Raises
        NotFound, and InputError when what was written cannot be read.
        """
        rollout = (await self.queries.rollout(application, number)).rollout
        name = rollout_name(application, rollout.number)
        decided = [
            _chapter(rollout, each, again) for each in await self._events(f"{ROLLOUT}/{name}")
        ]
        judged = await self._verdicts(name, again)
        chapters = sorted((*decided, *judged), key=lambda each: each.at)
        return Story(rollout, tuple(chapters))

    async def _verdicts(self, name: str, again: bool) -> list[Chapter]:
        stored = await self.queries.records.find_evidence(name)
        if stored is None:
            return []
        first = evidence = before_first(stored.value)
        past: list[Past] = []
        chapters = []
        for event in await self._events(f"{EVIDENCE}/{name}"):
            same = None
            if again:
                newest = past_of(event)
                if takes_back(past, newest.discarded):
                    evidence = again_from(first, past, newest.discarded)
                evidence, same = _look_again(evidence, newest, event)
                past.append(newest)
            facts = {key: event.facts["verdict"].get(key) for key in ("e", "harm", "ratio")}
            facts["percent"] = event.facts["percent"]
            facts["windows"] = event.facts["windows"]
            facts["discarded"] = event.facts.get("discarded", [])
            chapters.append(Chapter(event.at, "verdict", event.reason, facts, same))
        return chapters

    async def _events(self, subject: str) -> list[Event]:
        found: list[Event] = []
        while True:
            after = found[-1].number if found else 0
            page = await self.queries.records.events(subject, after)
            found += page
            if len(page) < _PAGE:
                return found


def _chapter(rollout: Rollout, event: Event, again: bool) -> Chapter:
    if not is_decision(event):
        return Chapter(event.at, "command", event.reason, dict(event.facts))
    same = replay(rollout, event).identical if again else None
    facts = {key: value for key, value in event.facts.items() if key != "decision"}
    return Chapter(event.at, "decision", event.reason, facts, same)


def _look_again(evidence: Evidence, past: Past, event: Event) -> tuple[Evidence, bool]:
    evidence = stood(evidence, past.discarded, past.at, still=past.still)
    excluded = tuple(event.facts.get("excluded", ()))
    seen = look(evidence, past.windows, past.percent, past.rps, excluded, past.at)
    return seen.after, to_json(seen.found) == event.facts.get("verdict")
