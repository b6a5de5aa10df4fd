"""Files that outlast the workspace of a build."""

from collections.abc import AsyncIterator
from typing import Protocol

from crossfade.core.pipeline.forgetting import Forgotten, InUse, Limits
from crossfade.core.pipeline.keeping import Artifact, Kept
from crossfade.ports.runner import Order


class StepFiles(Protocol):
    """
    Keeps what steps leave on purpose, by content.

    Every implementation passes tests/contract/test_step_files.py.
    """

    async def restore(self, order: Order) -> str:
        """Put cached folders back before a run; return what to tell people, "" for nothing."""
        ...

    async def keep(self, order: Order, *, succeeded: bool) -> Kept:
        """Keep what an ended run has left; repeatable.  Raises Unavailable."""
        ...

    async def kept(self, build: str) -> tuple[Kept, ...]:
        """Return what the runs of a build have left, oldest first."""
        ...

    async def forget(
        self, limits: Limits, in_use: InUse, now: float, *, dry_run: bool = False
    ) -> tuple[Forgotten, ...]:
        """
        Drop what is over the limits and not in use; with `dry_run`, only tell.

        Results of tests stay.  Killed in between, it leaves nothing that looks whole and is not.
        Raises Unavailable, InputError.
        """
        ...

    async def read(self, artifact: Artifact) -> bytes:
        """Return the content of an artifact.  Raises NotFound."""
        ...

    def pieces(self, artifact: Artifact) -> AsyncIterator[bytes]:
        """Yield the content of an artifact, little by little.  Raises NotFound before the first."""
        ...
