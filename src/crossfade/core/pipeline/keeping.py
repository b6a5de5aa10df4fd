"""What steps leave behind on purpose: test results, artifacts, and folders for the next build."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.core.pipeline.junit import Case, Outcome

_PREFIX = "CROSSFADE_"
"""Of variables of steps; the program itself reads none of them from its environment."""
PUSH = f"{_PREFIX}PUSH"
"""Variable of a build; when it is false, images stay on this machine whatever steps say."""
_NAMES = tuple(f"{_PREFIX}{each}" for each in ("TESTS", "ARTIFACTS", "CACHE", "CACHE_KEY"))
TESTS, ARTIFACTS = _NAMES[:2]
LARGEST_FILE_BYTES = 256 * 1024 * 1024
LARGEST_STEP_BYTES = 1024 * 1024 * 1024
LARGEST_REPORT_BYTES = 32 * 1024 * 1024
MOST_FILES = 10_000
MOST_CASES = 20_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a step asks to keep: patterns of paths below its own folder, or the workspace."""

    tests: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    cache: tuple[str, ...] = ()
    cache_key: tuple[str, ...] = ()
    """The cached folders are good as long as these files stay as they are."""

    def __bool__(self) -> bool:
        """Return whether there is anything."""
        return bool(self.tests or self.artifacts or self.cache)


def wanted(environment: Mapping[str, str]) -> Wanted:
    """Return what the variables of a step ask for; several patterns have spaces between them."""
    return Wanted(*(tuple(environment.get(name, "").split()) for name in _NAMES))


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file that is kept."""

    path: str
    """Below the workspace."""
    digest: str
    """Its SHA-256: what is there already is not kept twice."""
    size: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What one run of a step has left."""

    build: str
    step: str
    generation: int = 0
    number: int = 1
    artifacts: tuple[Artifact, ...] = ()
    cases: tuple[Case, ...] = ()
    notes: tuple[str, ...] = field(default=())
    """What was left out, and why."""
    forgotten: str = ""
    """Why its artifacts are gone, "" when they are not."""

    def count(self, outcome: Outcome) -> int:
        """Return how many tests ended so."""
        return sum(each.outcome is outcome for each in self.cases)

    @property
    def summary(self) -> str:
        """All of it as one line, "" when there is nothing to say."""
        parts = []
        if self.cases:
            bad = self.count(Outcome.FAILED) + self.count(Outcome.ERROR)
            skipped = self.count(Outcome.SKIPPED)
            more = [f"{bad} failed"] if bad else []
            more += [f"{skipped} skipped"] if skipped else []
            told = f" ({', '.join(more)})" if more else ""
            parts.append(f"{_counted(len(self.cases), 'test')}{told}")
        if self.artifacts:
            parts.append(f"{_counted(len(self.artifacts), 'artifact')} kept")
        return "; ".join([*parts, *self.notes])


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
