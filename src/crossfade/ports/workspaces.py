"""Workspaces of builds, which outlast them so that they can be restarted."""

from typing import Protocol


class Workspaces(Protocol):
    """
    The workspaces of builds that have run in one place.

    Every implementation passes tests/contract/test_workspaces.py.
    """

    async def size(self, build: str) -> int:
        """Return how many bytes a workspace has, 0 when there is none.  Raises Unavailable."""
        ...

    async def holds(self, build: str) -> bool:
        """Return whether there is a workspace of the build in which nothing runs."""
        ...

    async def hand_on(self, build: str, to: str) -> None:
        """
        Give a workspace to another build that has none; repeatable.  Raises Unavailable.

        It has all of it or nothing.
        """
        ...

    async def forget(self, build: str) -> bool:
        """Remove a workspace; return False, and leave it, while a run of the build goes on."""
        ...
