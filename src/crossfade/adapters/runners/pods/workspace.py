"""The workspace of a build, here and on its claim: after each look at both, they are alike."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path

from crossfade.adapters.runners.pods.files import Entry, Tree
from crossfade.adapters.runners.run_files import read, write
from crossfade.base.json_value import Json

PIECE_BYTES = 2 * 1024 * 1024
"""API servers take bodies of about 3 MiB."""
MOST_PIECES = 2000

Listing = dict[str, Entry]
Ask = Callable[[str, Json, bytes], Awaitable[bytes]]
"""Asks the server of the claim: path, question, and data behind it."""


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
        theirs: Listing = json.loads(await self._ask("/listing", {}, b""))
        ours = await asyncio.to_thread(self._tree.listing)
        before: Listing = json.loads(read(self._agreed) or "{}")
        pulled, pushed = _differences(ours, theirs, before)
        if pulled:
            await self._pull(pulled, theirs)
        if pushed:
            await self._push(pushed, ours)
        if not pulled and not pushed and before == theirs:
            return
        agreed = {path: each for path, each in theirs.items() if path not in pushed}
        agreed |= {path: ours[path] for path in pushed if path in ours}
        if pulled:  # as it came: what was being written meanwhile comes once more
            now = await asyncio.to_thread(self._tree.listing)
            agreed |= {path: now[path] for path in pulled if path in now}
        write(self._agreed, json.dumps(agreed))

    async def _pull(self, paths: set[str], theirs: Listing) -> None:
        wanted = {path: theirs[path] for path in sorted(paths) if path in theirs}
        change = _change(paths, wanted)
        await asyncio.to_thread(self._tree.change, *change)
        for pieces in _batches(wanted):
            asked: Json = {"pieces": [[path, offset, size] for path, offset, size, _ in pieces]}
            data = await self._ask("/read", asked, b"")
            await asyncio.to_thread(self._tree.write, pieces, data)

    async def _push(self, paths: set[str], ours: Listing) -> None:
        wanted = {path: ours[path] for path in sorted(paths) if path in ours}
        removed, folders, links = _change(paths, wanted)
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
    paths: Iterable[str], wanted: Mapping[str, Entry]
) -> tuple[list[str], list[Entry], list[Entry]]:
    """Return which paths go, and which folders and links come."""
    removed = [path for path in paths if path not in wanted]
    folders = [[path, each[1]] for path, each in wanted.items() if each[0] == "folder"]
    links = [[path, each[3]] for path, each in wanted.items() if each[0] == "link"]
    return removed, folders, links


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
