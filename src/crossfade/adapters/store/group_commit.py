"""
Commits that wait for the disk together.

While one transaction is on its way, what others want to commit is gathered; the next transaction
takes all of it.  So a lone commit is made at once, and a thousand at a time cost a few waits.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from crossfade.adapters.store.commits import Commit

MOST_TOGETHER = 500
"""In one transaction, so that the first of very many need not wait for the last."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    commit: Commit
    told: asyncio.Future[int]


class GroupCommit:
    """Gathers commits for `commit_all`, which is called in the thread and reports each one."""

    def __init__(
        self,
        thread: ThreadPoolExecutor,
        commit_all: Callable[[Sequence[Commit]], Sequence[int | Exception]],
    ) -> None:
        self._thread, self._commit_all = thread, commit_all
        self._waiting: deque[_Waiting] = deque()

    async def commit(self, commit: Commit) -> int:
        """
        Return the number of the commit once it is on the disk, or raise why it is not.

        Cancelling the call leaves the commit on its way.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(commit, loop.create_future())
        self._waiting.append(waiting)
        # With others before it, the job that was given for the first of them takes this one, too.
        if len(self._waiting) == 1:
            self._thread.submit(self._make, loop)
        return await waiting.told

    def _make(self, loop: asyncio.AbstractEventLoop) -> None:
        """Make all that waits, in the thread; what comes meanwhile has a job of its own."""
        taken: list[_Waiting] = []
        while self._waiting:
            taken.append(self._waiting.popleft())
        for first in range(0, len(taken), MOST_TOGETHER):
            together = taken[first : first + MOST_TOGETHER]
            outcomes: Sequence[int | Exception]
            try:
                outcomes = self._commit_all([each.commit for each in together])
            except Exception as error:
                outcomes = [error] * len(together)
            loop.call_soon_threadsafe(_tell, together, outcomes)


def _tell(together: Sequence[_Waiting], outcomes: Sequence[int | Exception]) -> None:
    for each, outcome in zip(together, outcomes, strict=True):
        if each.told.done():  # whoever waited was cancelled
            continue
        if isinstance(outcome, Exception):
            each.told.set_exception(outcome)
        else:
            each.told.set_result(outcome)
