"""What runs on this machine have exported; their files are looked at again once they change."""

import asyncio
import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from crossfade.adapters.runners.pods.files import MOST_TOLD_BYTES, told
from crossfade.core.pipeline.variables import Variable, exported

EXPORTS, MASKED = "exports", "masked"
"""Files in the folder of a run."""
TOO_MUCH = (
    f"it exports more than {MOST_TOLD_BYTES >> 20} MiB of variables: "
    "keep large things in files of the workspace"
)
_MUCH_BYTES = 64 * 1024
"""So much is read beside the loop."""
_FEW = 16


class Exports(NamedTuple):
    """What a run has exported."""

    variables: tuple[Variable, ...] = ()
    whole: bool = True
    """There is no more than is taken."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that the run wants masked."""
        return tuple(each.value for each in self.variables if each.secret)


async def exports(place: Path) -> Exports:
    """Return what the run with this folder has exported so far."""
    stamps = tuple(_stamp(place / name) for name in (EXPORTS, MASKED))
    if sum(size for size, *_ in stamps) <= _MUCH_BYTES:
        return _read(str(place), stamps)
    return await asyncio.to_thread(_read, str(place), stamps)


@lru_cache(maxsize=_FEW)
def _read(place: str, _: object) -> Exports:
    text, whole = told(os.path.join(place, EXPORTS))
    names, all_names = told(os.path.join(place, MASKED))
    return Exports(exported(text, frozenset(names.split())), whole and all_names)


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what tells that a file has changed, its size first."""
    try:
        state = os.lstat(path)
    except OSError:
        return (0,)
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino
