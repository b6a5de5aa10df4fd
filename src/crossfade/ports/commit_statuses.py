"""Tells git servers how the builds of their commits stand."""

from typing import Protocol

from crossfade.core.pipeline.commit_status import Commit, Report


class CommitStatuses(Protocol):
    """
    Statuses of commits and comments of pull requests.

    Both raise Unavailable when asking again may help; NotFound, Denied and InputError when not.
    Every implementation passes tests/contract/test_commit_statuses.py.
    """

    async def report(self, commit: Commit, report: Report) -> None:
        """Have the commit say how the build stands.  Safe to repeat."""
        ...

    async def comment(self, commit: Commit, subject: str, text: str) -> None:
        """Have the pull request say this; of one subject it has one comment, the newest."""
        ...
