"""Documents, blobs and leases in an SQL database; SQLite is the default one."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from crossfade.adapters.store import statements
from crossfade.adapters.store.commits import Commit, commit_all, forget_events, prepared
from crossfade.adapters.store.database import connect, shown, sqlite_file
from crossfade.adapters.store.failures import translated
from crossfade.adapters.store.group_commit import GroupCommit
from crossfade.base.errors import CrossfadeError, Unavailable
from crossfade.ports.documents import Document, Event, Remove, Save
from crossfade.ports.leases import Lease

T = TypeVar("T")


class SqlStore:
    """
    The ports HubStore, Blobs and Leases on one database.

    All its work is done by one thread of its own, so that the event loop never waits for a disk.
    Cancelling a call does not stop its work: a commit on its way is done in full or not at all.
    """

    def __init__(self, engine: Engine, thread: ThreadPoolExecutor, url: str) -> None:
        self._engine, self._thread, self._closed = engine, thread, False
        self._where = shown(url)
        self._group = GroupCommit(thread, self._commit_all)
        self._path = sqlite_file(url)
        self._inode = self._path.stat().st_ino if self._path is not None else 0

    @classmethod
    async def open(cls, url: str) -> Self:
        """
        Return the store at `sqlite:////absolute/path`; it is made when it is not there yet.

        Raises InputError when the address or the file is not ours, is damaged, or was written by
        a newer Crossfade; Denied when it may not be read or written; Unavailable.
        """
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="crossfade-store")
        try:
            engine = await asyncio.get_running_loop().run_in_executor(thread, connect, url)
            return cls(engine, thread, url)
        except BaseException:
            thread.shutdown(wait=False)
            raise

    async def close(self) -> None:
        """Finish what has begun and let go of the database.  Safe to repeat."""
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
            self._thread.shutdown(wait=False)  # it has nothing left to do

    # Documents

    async def get(self, kind: str, name: str) -> Document | None:
        """Return the document, or None when there is none."""
        found = await self._read(partial(statements.documents_of, kind=kind, names=[name]))
        return found[0] if found else None

    async def list(self, kind: str, names: Collection[str] | None = None) -> tuple[Document, ...]:
        """Return all documents of the kind by name, or those of the names that there are."""
        return await self._read(partial(statements.documents_of, kind=kind, names=names))

    async def commit(
        self, changes: tuple[Save | Remove, ...], events: tuple[Event, ...] = (), fence: int = 0
    ) -> int:
        """Make all changes and record the events, or nothing at all; see the port."""
        self._check_open()
        return await self._group.commit(prepared(changes, events, fence))

    async def sequence(self) -> int:
        """Return a number that rises with each commit: equal means that nothing has changed."""
        return await self._read(statements.sequence)

    async def changed_outside(self, after: int) -> tuple[tuple[str, str], ...]:
        """Return kind and name of what was changed without a fence since the commit `after`."""
        return await self._read(partial(statements.changed_outside, after=after))

    async def events(
        self, subject: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[Event, ...]:
        """Return events with a number above `after`, oldest first; of all subjects when None."""
        return await self._read(
            partial(statements.events_of, subject=subject, after=after, limit=limit)
        )

    async def event_counts(self) -> Mapping[str, int]:
        """Return how many events there are of each subject."""
        return await self._read(statements.event_counts)

    async def forget_events(self, numbers: tuple[int, ...], fence: int) -> None:
        """Remove the events with these numbers, and outside changes that nobody needs any more."""
        await self._write(partial(forget_events, numbers=numbers, fence=fence))

    async def newest_event_at(self) -> float:
        """Return the time of the newest event, 0.0 when there is none."""
        return await self._read(statements.newest_event_at)

    # Blobs

    async def put(self, data: bytes) -> str:
        """Keep the bytes and return their SHA-256 in hexadecimal.  Safe to repeat."""
        return await self._write(partial(statements.put, data=data))

    async def fetch(self, digest: str) -> bytes:
        """Return the bytes.  Raises NotFound, InputError when they are damaged."""
        return await self._read(partial(statements.fetch, digest=digest))

    # Leases

    async def acquire(self, name: str, holder: str, now: float, seconds: float) -> Lease:
        """
        Take the lease, or renew it when `holder` already has it; renewal keeps the epoch.

        Raises Conflict, naming the holder, while somebody else's lease has not expired.
        """
        return await self._write(
            partial(statements.acquire, name=name, holder=holder, now=now, seconds=seconds)
        )

    async def release(self, name: str, holder: str) -> None:
        """Give the lease up; nothing happens when `holder` does not have it."""
        await self._write(partial(statements.release, name=name, holder=holder))

    async def current(self, name: str) -> Lease | None:
        """Return the lease whether or not it has expired, or None when there never was one."""
        return await self._read(partial(statements.lease_of, name=name))

    # The thread

    async def _read(self, work: Callable[[Connection], T]) -> T:
        return await self._run(work, writes=False)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await self._run(work, writes=True)

    async def _run(self, work: Callable[[Connection], T], *, writes: bool) -> T:
        self._check_open()
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._transact, work, writes)
        except DBAPIError as error:
            raise translated(error, self._where) from error

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("the store is closed", hint="open it again", store=self._where)

    def _commit_all(self, commits: Sequence[Commit]) -> Sequence[int | CrossfadeError]:
        """Return the number of each commit, or why it was not made."""
        try:
            return [*self._transact(partial(commit_all, commits=commits), writes=True)]
        except OperationalError as error:  # the disk, a lock: all would meet it again
            return [translated(error, self._where) for _ in commits]
        except DBAPIError as error:
            # One of them cannot be written, as one that is too big: the others shall not suffer.
            if len(commits) == 1:
                return [translated(error, self._where)]
            return [self._commit_all([each])[0] for each in commits]

    def _transact(self, work: Callable[[Connection], T], writes: bool) -> T:
        self._check_file()
        with self._engine.connect() as plain:
            connection = plain.execution_options(writes=writes)
            with connection.begin():
                return work(connection)

    def _check_file(self) -> None:
        """Notice that the file was deleted or replaced: SQLite would write on into nowhere."""
        if self._path is None:
            return
        try:
            same = self._path.stat().st_ino == self._inode
        except OSError:
            same = False
        if not same:
            raise Unavailable(
                "the file of the store is gone or was replaced",
                hint="put it back, then start Crossfade again",
                store=self._where,
            )
