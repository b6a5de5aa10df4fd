"""Services that are a run of their own: they end when they are stopped, or by themselves."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from crossfade.adapters.runners.lock import is_held

COMPOSED, READY = "composed", "ready"
"""Names of the folder of services in that of their run, and of the file that says they are."""
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Serve:
    """How long they go on."""

    most_seconds: float
    build: str
    """Folder of the build that they end with, "" when they outlive it."""
    abandoned_seconds: float
    """So long after nobody runs the build any more, and no other run of it is left."""

    def until_over(self, ready: Path, look: Callable[[], None]) -> None:
        """Say that they are ready, and return once they have no reason left to be."""
        began = wanted_at = time.monotonic()
        ready.touch()
        while (now := time.monotonic()) - began < self.most_seconds:
            if not self.build or is_run(Path(self.build), ready.parent.parent):
                wanted_at = now
            if now - wanted_at >= self.abandoned_seconds:
                return
            look()
            left = self.most_seconds - (now - began)
            time.sleep(max(0.0, min(_LOOK_SECONDS, left, self.abandoned_seconds)))


def is_run(build: Path, besides: Path) -> bool:
    """Return whether somebody runs the build, or any other run of it than this one goes on."""
    if is_held(build / "claim"):
        return True
    others = (each for each in (build / "runs").glob("*") if each != besides)
    # One that serves by itself, as an environment that was launched, needs no services of others.
    return any(is_held(each / "lock") for each in others if not (each / COMPOSED / READY).exists())


def vanish() -> NoReturn:
    """End with who keeps this run, so that it is lost and nobody takes its end for a result."""
    os.killpg(0, signal.SIGKILL)
    raise SystemExit
