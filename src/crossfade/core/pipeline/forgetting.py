"""What is forgotten of what steps have kept: the old, and then what was used longest ago."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

KEEP_DAYS, KEEP_GIB = 30, 20
DAY_SECONDS = 86400.0
GIB = 1 << 30


class Kind(StrEnum):
    """What was kept."""

    ARTIFACTS = "artifacts"
    CACHE = "cache"
    WORKSPACE = "workspace"
    """Without it a build cannot be restarted."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The artifacts of one run of a step, one cache, or one workspace."""

    kind: Kind
    name: str
    """Of the file that lists its contents; no other entry has it."""
    used: float
    """When it was written, or a cache was used last."""
    contents: Mapping[str, int] = field(default_factory=dict)
    """Bytes by digest; entries share contents."""
    build: str = ""
    """Whose artifacts they are."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things are kept, and how much of them."""

    seconds: float = KEEP_DAYS * DAY_SECONDS
    size: int = KEEP_GIB * GIB
    """Bytes; what several share counts once."""


@dataclass(frozen=True, slots=True)
class InUse:
    """What nobody may take away."""

    builds: frozenset[str] = frozenset()
    """They have not ended."""
    since: float | None = None
    """When the oldest of them was asked for; caches used since then may be used again."""
    newest: frozenset[str] = frozenset()
    """The newest build of each pipeline: age alone takes nothing from it."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """One entry that goes."""

    entry: Entry
    why: str
    size: int
    """Bytes that nobody else needs any more once it is gone."""


def forgotten(
    entries: Sequence[Entry], limits: Limits, in_use: InUse, now: float
) -> tuple[Forgotten, ...]:
    """Return what goes, in this order: the old, then as many others as are over the size."""
    needed = Counter(digest for each in entries for digest in each.contents)
    sizes = {digest: size for each in entries for digest, size in each.contents.items()}
    total = sum(sizes.values())
    free = sorted((e for e in entries if not _is_used(e, in_use)), key=lambda e: (e.used, e.name))
    old = [each for each in free if _is_old(each, limits, in_use, now)]
    others = [each for each in free if each not in old]
    found = []
    for each, why in (*((e, _age(limits)) for e in old), *((e, _size(limits)) for e in others)):
        if each not in old and total <= limits.size:
            break
        gone = _release(each.contents, needed)
        freed = sum(sizes[digest] for digest in gone)
        total -= freed
        found.append(Forgotten(each, why, freed))
    return tuple(found)


def _is_used(entry: Entry, in_use: InUse) -> bool:
    if entry.kind is Kind.WORKSPACE and entry.build in in_use.newest:
        return True  # it is the one that people restart
    if entry.kind is not Kind.CACHE:
        return entry.build in in_use.builds
    return in_use.since is not None and entry.used >= in_use.since


def _is_old(entry: Entry, limits: Limits, in_use: InUse, now: float) -> bool:
    return entry.used < now - limits.seconds and entry.build not in in_use.newest


def _release(contents: Iterable[str], needed: "Counter[str]") -> list[str]:
    """Return the contents that nobody needs any more."""
    gone = []
    for digest in contents:
        needed[digest] -= 1
        gone += [] if needed[digest] else [digest]
    return gone


def _age(limits: Limits) -> str:
    return f"older than {limits.seconds / DAY_SECONDS:g} days"


def _size(limits: Limits) -> str:
    return f"more than {limits.size / GIB:g} GiB are kept"
