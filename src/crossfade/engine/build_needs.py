"""Builds that wait for a person: for an answer, or for somebody to look at why they failed."""

from dataclasses import dataclass, field

from crossfade.base.codec import from_json
from crossfade.core.pipeline.state import BUILD as WHOLE
from crossfade.core.pipeline.state import Result, State
from crossfade.engine.needs import Need
from crossfade.engine.pipelines.records import BUILD, STATE, Build, newest_builds
from crossfade.ports.documents import Document, Documents

LOOKED_AT = 100
"""The newest builds; an approval that is older has been forgotten by all."""
FAILED_SECONDS = 86_400.0
"""After a day without another build nobody is waiting for it any more."""
KEPT_SECONDS = 2.0
_ABOVE_ALL = 10**9


@dataclass(slots=True)
class BuildNeeds:
    """Looks at builds for all who watch: what is found is given to others for a moment."""

    _found: tuple[Need, ...] = ()
    _at: float = field(default=float("-inf"))

    async def of(self, documents: Documents, now: float) -> tuple[Need, ...]:
        """Return what waits for a person, at most `KEPT_SECONDS` old."""
        if not 0 <= now - self._at < KEPT_SECONDS:
            self._found, self._at = await of_builds(documents, now), now
        return self._found


async def of_builds(documents: Documents, now: float) -> tuple[Need, ...]:
    """Return the builds that wait for an answer, then those that failed and were not mended."""
    waiting: list[Need] = []
    failed: list[Need] = []
    told: set[tuple[str, str]] = set()
    for build in newest_builds(await documents.list(BUILD), "", _ABOVE_ALL, LOOKED_AT):
        document = await documents.get(STATE, build.id)
        state = _state(document) if document else State()
        whole = state.units.get(WHOLE)
        line = build.pipeline, build.branch
        waiting += [_asks(build, key) for key in state.active]
        # A build that another one has started is told with that one.
        if whole is None or whole.ended is None or build.parent or line in told:
            continue
        told.add(line)
        if whole.result is Result.FAILURE and now - whole.ended < FAILED_SECONDS:
            failed.append(_failed(build, whole.reason))
    return (*waiting, *failed)


def _state(document: Document) -> State:
    """Return what matters of the state: of thousands of steps the build and those that ask."""
    units, active = document.body["units"], document.body["active"]
    keys = [key for key in active if units[key]["result"] == Result.WAITING]
    some = {key: units[key] for key in (WHOLE, *keys) if key in units}
    return from_json(State, {"units": some, "active": keys})


def _asks(build: Build, key: str) -> Need:
    what = f"build {build.id} of {build.pipeline} waits for your answer"
    return Need(False, what, f"approve or deny `{key}`", build=build.id)


def _failed(build: Build, reason: str) -> Need:
    on = f" on {build.branch}" if build.branch else ""
    return Need(False, f"build {build.id} of {build.pipeline}{on} failed", reason, build=build.id)
