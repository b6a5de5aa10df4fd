"""
The audit log as a chain: each entry has the hash of the one before.

Whoever changes, drops or swaps an old entry breaks the chain from there on; whoever drops the
newest ones is found out by the head, which is kept apart.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

BEGINNING = "0" * 64


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did, before it has its place in the log."""

    at: float
    who: str
    """The account, or the person of this machine."""
    via: str
    """`cli`, `api`, `token ID`, `page`."""
    what: tuple[str, ...]
    """One line for each thing that was changed, or what was refused."""
    outcome: str = "done"
    """`done`, or `refused`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed in the log."""

    number: int
    """1, 2, 3, ..., without a gap."""
    deed: Deed
    before: str
    """Hash of the entry before; BEGINNING for the first."""
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry."""

    number: int = 0
    hash: str = BEGINNING


def chained(head: Head, deed: Deed) -> Entry:
    """Return the entry of the deed that comes after the head."""
    number = head.number + 1
    return Entry(number, deed, head.hash, _hash(number, deed, head.hash))


def broken(entries: Iterable[Entry], head: Head) -> str:
    """
    Return what is wrong with the log, "" when nothing is.

    Args:
        entries: all of them, in their order.
        head: what was kept apart.
    """
    last = Head()
    for entry in entries:
        if entry.number != last.number + 1:
            return f"entry {last.number + 1} is missing"
        if entry.before != last.hash:
            return f"entry {entry.number} does not follow entry {last.number}: one was replaced"
        if entry.hash != _hash(entry.number, entry.deed, entry.before):
            return f"entry {entry.number} was changed"
        last = Head(entry.number, entry.hash)
    if last != head:
        return f"entries after {last.number} are missing, there were {head.number}"
    return ""


def _hash(number: int, deed: Deed, before: str) -> str:
    content = json.dumps([number, asdict(deed), before], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()
