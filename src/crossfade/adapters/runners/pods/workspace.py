"""The workspace of a build, here and on its claim: after each look at both, they are alike."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from crossfade.adapters.runners.pods.files import Entry, Tree, written
from crossfade.adapters.runners.run_files import read, write
from crossfade.base.json_value import Json

PIECE_BYTES = 2 * 1024 * 1024
"""API servers take bodies of about 3 MiB."""
MOST_PIECES = 2000

Listing = dict[str, Entry]
Ask = Callable[[str, Json, bytes], Awaitable[bytes]]
"""Asks the server of the claim: path, question, and data behind it."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """Both sides at one moment, and how they were alike before."""

    ours: Listing
    theirs: Listing
    before: Listing
    changed: tuple[set[str], set[str]]
    """There, and here alone."""


class Workspace:
    """Brings what has changed on either side to the other one."""

    def __init__(self, mirror: Path, agreed: Path, ask: Ask) -> None:
        """`mirror` is our copy; `agreed` the file that says how both sides were the last time."""
        mirror.mkdir(parents=True, exist_ok=True)
        self._tree, self._agreed, self._ask = Tree(str(mirror)), agreed, ask

    async def sync(self) -> None:
        """
        Return once both sides had the same files.

        What both have changed is taken from the claim.  Whoever dies in between leaves nothing that
        the next one does not mend.  Raises Unavailable.
        """
        told = await self._ask("/listing", {}, b"")
        seen = await asyncio.to_thread(self._look, told)  # there may be many files
        ours, theirs, (pulled, pushed) = seen.ours, seen.theirs, seen.changed
        if pulled:
            await self._pull(pulled, theirs)
        if pushed:
            await self._push(pushed, ours)
        if pulled or pushed or seen.before != theirs:
            await asyncio.to_thread(self._agree, seen)

    def _look(self, told: bytes) -> "_Seen":
        theirs, ours = _listed(told.decode()), self._tree.listing()
        before = _listed(read(self._agreed))
        return _Seen(ours, theirs, before, _differences(ours, theirs, before))

    def _agree(self, seen: "_Seen") -> None:
        """Write down how both sides were alike."""
        pulled, pushed = seen.changed
        agreed = {path: each for path, each in seen.theirs.items() if path not in pushed}
        agreed |= {path: seen.ours[path] for path in pushed if path in seen.ours}
        if pulled:  # as it came: what was being written meanwhile comes once more
            now = self._tree.listing()
            agreed |= {path: now[path] for path in pulled if path in now}
        write(self._agreed, written(agreed))

    async def _pull(self, paths: set[str], theirs: Listing) -> None:
        wanted, change = await asyncio.to_thread(_change, paths, theirs)
        await asyncio.to_thread(self._tree.change, *change)
        for pieces in _batches(wanted):
            asked: Json = {"pieces": [[path, offset, size] for path, offset, size, _ in pieces]}
            data = await self._ask("/read", asked, b"")
            await asyncio.to_thread(self._tree.write, pieces, data)

    async def _push(self, paths: set[str], ours: Listing) -> None:
        wanted, (removed, folders, links) = await asyncio.to_thread(_change, paths, ours)
        if removed or folders or links:
            question: Json = {
                "removed": list[Json](removed),
                "folders": list[Json](folders),
                "links": list[Json](links),
            }
            await self._ask("/change", question, b"")
        for pieces in _batches(wanted):
            asked = [[path, offset, size] for path, offset, size, _ in pieces]
            data = await asyncio.to_thread(self._tree.read, asked)
            await self._ask("/write", {"pieces": list[Json](pieces)}, data)


def _listed(text: str) -> Listing:
    """Return the listing: as one piece, it would hold up whatever else a process does."""
    if not text.startswith("{\n"):
        found: Listing = json.loads(text or "{}")
        return found
    lines = (line.removesuffix(",") for line in text.split("\n")[1:-1])
    return {path: entry for line in lines for path, entry in json.loads(f"{{{line}}}").items()}


def _differences(ours: Listing, theirs: Listing, before: Listing) -> tuple[set[str], set[str]]:
    """Return the paths that have changed there, and those that have changed here alone."""
    pulled, pushed = set(), set()
    for path in ours.keys() | theirs.keys():
        mine, other, old = ours.get(path), theirs.get(path), before.get(path)
        if mine == other:
            continue
        if other == old:
            pushed.add(path)
        else:
            pulled.add(path)
    return pulled, pushed


def _change(
    paths: Iterable[str], side: Mapping[str, Entry]
) -> tuple[Listing, tuple[list[str], list[Entry], list[Entry]]]:
    """Return what comes of these paths of a side; and which go, and which are folders and links."""
    wanted = {path: side[path] for path in sorted(paths) if path in side}
    removed = [path for path in paths if path not in wanted]
    folders = [[path, each[1]] for path, each in wanted.items() if each[0] == "folder"]
    links = [[path, each[3]] for path, each in wanted.items() if each[0] == "link"]
    return wanted, (removed, folders, links)


def _batches(wanted: Mapping[str, Entry]) -> Iterator[list[Entry]]:
    """Yield pieces of files, each batch small enough for one request."""
    batch: list[Entry] = []
    left = PIECE_BYTES
    for piece in _pieces(wanted):
        if batch and (piece[2] > left or len(batch) >= MOST_PIECES):
            yield batch
            batch, left = [], PIECE_BYTES
        batch.append(piece)
        left -= piece[2]
    if batch:
        yield batch


def _pieces(wanted: Mapping[str, Entry]) -> Iterator[Entry]:
    for path, (kind, mode, size, _) in wanted.items():
        if kind != "file":
            continue
        offset = 0
        while True:
            length = min(PIECE_BYTES, size - offset)
            ends = offset + length >= size
            yield [path, offset, length, mode if ends else None]
            offset += length
            if ends:
                break
