"""Where builds have their workspaces: which cluster, and what is there for each of them."""

import asyncio
import json
import secrets
import time
from collections import UserDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar
from weakref import WeakValueDictionary

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.runners.pods import files, manifests
from crossfade.adapters.runners.pods.names import ROLE, WORKSPACE, Names
from crossfade.adapters.runners.pods.options import PodOptions
from crossfade.adapters.runners.pods.records import Home, PodRecords
from crossfade.adapters.runners.pods.sight import WAITS_FOR_NODE, sight_of
from crossfade.adapters.runners.pods.workspace import Workspace
from crossfade.base.errors import (
    Conflict,
    CrossfadeError,
    Denied,
    InputError,
    NotFound,
    Unavailable,
)
from crossfade.base.json_value import Json
from crossfade.core.fleet.cluster import Cluster

K = TypeVar("K")
T = TypeVar("T")
Object: TypeAlias = dict[str, Any]
Clusters: TypeAlias = Callable[[], Awaitable[Sequence[Cluster]]]
"""Gives the clusters that builds may use, the best first."""

_LOOK_SECONDS = 0.1
_REQUEST_SECONDS = 30.0
_TIDY_SECONDS = 60.0
_MOST_KNOWN = 4096


class _Newest(UserDict[K, T], Generic[K, T]):
    """What was set last; what is too old is asked for once more."""

    def __setitem__(self, key: K, value: T) -> None:
        self.data.pop(key, None)
        self.data[key] = value
        while len(self.data) > _MOST_KNOWN:
            del self.data[next(iter(self.data))]


class NoRoom(Unavailable):
    """No node takes the workspace; another cluster may."""


class Homes:
    """Makes workspaces in clusters, reaches them, and leaves those that are lost."""

    def __init__(
        self,
        records: PodRecords,
        options: PodOptions,
        clusters: Clusters,
        mirror: Callable[[str], Path],
    ) -> None:
        """`mirror` says where our copy of the workspace of a build is."""
        self.records, self.options = records, options
        self._clusters, self.mirror = clusters, mirror
        self._apis: dict[str, KubeApi] = {}
        self._servers = _Newest[str, str]()
        """Pods that serve workspaces, by the name of the workspace."""
        self._silent = _Newest[tuple[str, bool], float]()
        """Since when workspaces have not answered: their clusters, or their files."""
        self._turns = WeakValueDictionary[str, asyncio.Lock]()
        """Gone as soon as nobody waits for them any more."""
        self._tidied = _Newest[str, float]()

    async def close(self) -> None:
        """Close the connections."""
        apis, self._apis = self._apis, {}
        for each in apis.values():
            await each.close()

    def names(self, build: str, epoch: int) -> Names:
        """Return what the objects of a build are called."""
        return Names(self.records.installation(), build, epoch)

    def path(self, kind: str, name: str = "", group: str = "api/v1") -> str:
        """Return the path of an object, or of all of a kind, in the namespace of the pods."""
        collection = f"/{group}/namespaces/{self.options.namespace}/{kind}"
        return f"{collection}/{name}" if name else collection

    async def api(self, cluster: str) -> KubeApi:
        """Return what asks the cluster.  Raises Unavailable when builds may not use it any more."""
        for each in await self._allowed():
            if each.name != cluster:
                continue
            known = self._apis.get(cluster)
            if known is None or known.cluster != each:
                if known is not None:
                    await known.close()
                known = self._apis[cluster] = KubeApi(each, _REQUEST_SECONDS)
            return known
        raise Unavailable(
            f"the cluster {cluster} is not one that builds may use any more",
            hint="`crossfade fleet add` adds it again; the build moves when others may be used",
        )

    async def _allowed(self) -> Sequence[Cluster]:
        """Return the clusters; a build whose own ones left the fleet waits for them, or ends."""
        try:
            return await self._clusters()
        except NotFound as error:
            raise Unavailable(error.what, hint=error.hint) from error

    async def ready(self, build: str) -> tuple[Home, Object]:
        """Return where the build has its workspace, made if need be, and what goes with it."""
        async with self._turns.setdefault(build, asyncio.Lock()):
            home = self.records.home(build)
            if home is not None and home.cluster:
                owner = await self._owner(build, home)
                if owner is not None:
                    if self.names(build, home.epoch).workspace not in self._servers:
                        owner = await self._make(build, home)  # whoever began it may have died
                    return home, owner
                home = replace(home, epoch=home.epoch + 1)  # nobody asked for it, so it went
            home, owner = await self._settle(build, home or Home("", 1, ""))
            await self._tidy(build, home)
            return home, owner

    async def _owner(self, build: str, home: Home) -> Object | None:
        """Return the Job of a workspace that is served; None when it is gone."""
        names = self.names(build, home.epoch)

        async def look() -> Object | None:
            api = await self.api(home.cluster)
            job = await api.find(self.path("jobs", names.workspace, "apis/batch/v1"))
            return None if job is None or _is_over(job) else job

        return await self.heard(build, home, look)

    async def _settle(self, build: str, home: Home) -> tuple[Home, Object]:
        """Make the workspace in the first cluster that takes it."""
        candidates = list(await self._allowed())
        if not candidates:
            raise Denied(
                "there is no cluster for the pods of this build",
                hint="`crossfade fleet add` adds one; `--cluster` names one of the fleet",
            )
        # The one that was lost last comes last; where the build has been is best otherwise.
        lost = home.left[-1][0] if home.left and not home.cluster else ""
        candidates.sort(key=lambda one: (one.name == lost, one.name != home.cluster))
        failures: list[Unavailable] = []
        for each in candidates:
            made = replace(home, cluster=each.name, token=secrets.token_hex(16))
            try:
                await self._ensure_namespace(await self.api(each.name))
            except Unavailable as error:
                failures.append(error)
                continue
            self.records.save_home(build, made)
            self.records.agreed(build, made.epoch - 1).unlink(missing_ok=True)
            return made, await self._make(build, made)
        raise next((each for each in failures if isinstance(each, Denied)), failures[0])

    async def _make(self, build: str, home: Home) -> Object:
        """Make claim, Secret and Job, and return the Job once its pod answers."""
        names = self.names(build, home.epoch)

        async def made() -> Object:
            api = await self.api(home.cluster)
            wanted = manifests.files_job(names, self.options)
            job = await self._created(api, self.path("jobs", "", "apis/batch/v1"), wanted)
            owned = manifests.owned(job)["metadata"]
            for kind, body in (
                ("persistentvolumeclaims", manifests.claim(names, self.options)),
                ("secrets", manifests.token_secret(names, home.token)),
            ):
                body["metadata"] |= owned
                await self._created(api, self.path(kind), body)
            await self._wait_for_server(api, names)
            return job

        job = await self.heard(build, home, made, files=True)
        if not home.served:
            self.records.save_home(build, replace(home, served=True))
        return job

    async def _ensure_namespace(self, api: KubeApi) -> None:
        if await api.find(f"/api/v1/namespaces/{self.options.namespace}") is None:
            metadata = {"name": self.options.namespace}
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
            await self._created(api, "/api/v1/namespaces", body)

    async def _created(self, api: KubeApi, path: str, body: Object) -> Object:
        try:
            return await api.create(path, body)
        except Conflict:
            return await api.get(f"{path}/{body['metadata']['name']}")

    async def _wait_for_server(self, api: KubeApi, names: Names) -> str:
        """Return the pod that serves a workspace, once it answers."""
        known = self._servers.get(names.workspace)
        if known is not None:
            return known
        until, labels = (
            time.monotonic() + self.options.ready_seconds,
            f"{WORKSPACE}={names.workspace}",
        )
        while True:
            pods, _ = await api.list(self.path("pods"), f"{labels},{ROLE}=files")
            for each in pods:
                if _is_ready(each):
                    found: str = each["metadata"]["name"]
                    self._servers[names.workspace] = found
                    return found
            if time.monotonic() > until:
                why = _why_not(pods)
                kind = NoRoom if why.startswith(WAITS_FOR_NODE) else Unavailable
                raise kind(
                    f"the workspace in {api.cluster.name} is not ready: {why}",
                    hint="`kubectl describe pod` of it says more; Crossfade tries again by itself",
                )
            await asyncio.sleep(_LOOK_SECONDS)

    async def ask(self, build: str, home: Home, path: str, question: Json, data: bytes) -> bytes:
        """Return the answer of the server of the files.  Raises Unavailable."""
        names = self.names(build, home.epoch)

        async def asked() -> bytes:
            api = await self.api(home.cluster)
            server = await self._wait_for_server(api, names)
            place = f"{self.path('pods', f'{server}:{files.PORT}')}/proxy{path}"
            body = json.dumps(question).encode() + b"\n" + data
            try:
                return await api.ask_pod(place, body, {files.TOKEN_HEADER: home.token})
            except (Unavailable, NotFound) as error:
                self._servers.pop(names.workspace, None)
                raise Unavailable(
                    f"the workspace does not answer: {error}", hint=error.hint
                ) from error

        return await self.heard(build, home, asked, files=True)

    async def sync(self, build: str, home: Home) -> None:
        """Bring what has changed, here or there, to the other side.  Raises Unavailable."""

        async def ask(path: str, question: Json, data: bytes) -> bytes:
            return await self.ask(build, home, path, question, data)

        async with self._turns.setdefault(f"{build}/sync", asyncio.Lock()):
            agreed = self.records.agreed(build, home.epoch)
            try:
                await Workspace(self.mirror(build), agreed, ask).sync()
            except (OSError, ValueError, InputError) as error:  # a full disk, a step meanwhile
                raise Unavailable(
                    f"the files of the workspace cannot be brought here, or there: {error}",
                    hint="see that the state folder can be written and has room",
                ) from error

    async def heard(
        self, build: str, home: Home, act: Callable[[], Awaitable[T]], *, files: bool = False
    ) -> T:
        """
        Return what it returns.  A home that is silent for too long is left.

        A cluster that answers says nothing of the `files` of the workspace in it.
        """
        place = (self.names(build, home.epoch).workspace, files)
        try:
            found = await act()
        except Denied:
            raise
        except Unavailable as error:
            since = self._silent.setdefault(place, time.monotonic())
            soon = home.served or isinstance(error, NoRoom)
            seconds = self.options.lost_seconds if soon else self.options.begin_seconds
            if time.monotonic() - since > seconds and await self._may_leave(home):
                self.leave(build, home)
            raise
        self._silent.pop(place, None)
        return found

    async def _may_leave(self, home: Home) -> bool:
        """
        Return whether the build is better off elsewhere, though its steps are lost then.

        If nobody answers at all, it is we who are cut off, and what runs there may go on.
        """
        try:
            clusters = sorted(await self._clusters(), key=lambda one: one.name == home.cluster)
        except NotFound:
            return True  # it was taken out of the fleet
        for each in clusters:
            with suppress(Unavailable):
                api = await self.api(each.name)
                await api.find(f"/api/v1/namespaces/{self.options.namespace}")
                return True  # of its own cluster: then the workspace alone is gone
        return False

    def leave(self, build: str, home: Home) -> None:
        """Give the home up, unless somebody has already."""
        known = self.records.home(build)
        if known is not None and known.epoch == home.epoch and known.cluster:
            left = (*known.left, (home.cluster, home.epoch))
            self.records.agreed(build, home.epoch).unlink(missing_ok=True)
            self.records.save_home(build, Home("", home.epoch + 1, "", left))

    async def _tidy(self, build: str, home: Home) -> None:
        """Remove what is left where the build was, as far as that answers."""
        due = self._tidied.get(build, 0.0) + _TIDY_SECONDS
        if not home.left or (build in self._tidied and time.monotonic() < due):
            return
        self._tidied[build] = time.monotonic()
        still = []
        for cluster, epoch in home.left:
            try:
                await self._remove(cluster, self.names(build, epoch))
            except CrossfadeError:
                still.append((cluster, epoch))
        known = self.records.home(build)
        if known is not None and known.epoch == home.epoch:
            self.records.save_home(build, replace(known, left=tuple(still)))

    async def _remove(self, cluster: str, names: Names) -> None:
        api = await self.api(cluster)
        pods, _ = await api.list(self.path("pods"), f"{WORKSPACE}={names.workspace}")
        for each in pods:
            await api.delete(self.path("pods", each["metadata"]["name"]), 0)
        await api.delete(self.path("jobs", names.workspace, "apis/batch/v1"))


def _is_over(job: Object) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    over = ("Complete", "Failed", "SuccessCriteriaMet", "FailureTarget")
    ended = any(one.get("type") in over and one.get("status") == "True" for one in conditions)
    return ended or "deletionTimestamp" in job["metadata"]


def _is_ready(pod: Object) -> bool:
    status = pod.get("status") or {}
    conditions = status.get("conditions") or ()
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _why_not(pods: Sequence[Object]) -> str:
    """Return what the newest pod of a server waits for."""
    for pod in pods:
        seen = sight_of(pod, ("files",), 0.0)
        if seen.note or seen.why:
            return seen.note or seen.why
    return "its pod has not begun yet" if pods else "there is no pod yet"
