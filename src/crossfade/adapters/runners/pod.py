"""Steps as pods of a cluster of the fleet, beside a workspace that they share."""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.runners.compositions import read_composition
from crossfade.adapters.runners.exports import TOO_MUCH, Exports
from crossfade.adapters.runners.pods import manifests
from crossfade.adapters.runners.pods.composed import Companions, companions, composed
from crossfade.adapters.runners.pods.homes import Homes
from crossfade.adapters.runners.pods.logs import Position, news
from crossfade.adapters.runners.pods.options import PodOptions
from crossfade.adapters.runners.pods.records import End, Home, Known, Printed
from crossfade.adapters.runners.pods.sight import Sight, is_serving, sight_of
from crossfade.base.clock import Clock
from crossfade.base.errors import Conflict, InputError, NotFound
from crossfade.base.json_value import Json
from crossfade.core.pipeline.state import RunSight, Status
from crossfade.core.pipeline.variables import exported
from crossfade.core.pipeline.work import VOLUME
from crossfade.ports.runner import Order, Output, RunId, Runner

Object: TypeAlias = dict[str, Any]

MOST_OUTPUT_BYTES = 64 * 1024 * 1024
SILENCE_SECONDS = 0.25
_CHUNK = 64 * 1024
_LOOKS = ((2.0, 0.1), (20.0, 0.3), (math.inf, 1.0))
"""After so long without news, so often a run is looked at."""
_PATIENCE_SECONDS = 10.0
"""People are told what a pod waits for that has not begun so long after."""
_LATE_SECONDS = 30.0
"""A pod that has not ended so long after its grace is ended without asking its node."""


class PodRunner:
    """
    Runs steps in pods; those that are built in run on this machine, on our copy of the workspace.

    A run is a pod whose name follows from it, and what we remember of it.  The claim that the pods
    of a build share is copied here whenever a step has ended, so that nothing is lost with it.
    """

    def __init__(self, homes: Homes, here: Runner, clock: Clock) -> None:
        """`here` runs what is built in."""
        self._homes, self._here, self._clock = homes, here, clock
        self._records = homes.records

    async def close(self) -> None:
        """Close the connections to clusters."""
        await self._homes.close()

    async def start(self, order: Order) -> None:
        """Start the run unless it was started before; see the port."""
        run, build = order.run, order.run.build
        known = self._records.known(run)
        if known is not None and not known.here and (known.created or known.end is not None):
            return
        if not order.image:
            home = self._records.home(build)
            if known is None and home is not None and home.cluster:
                await self._homes.sync(build, home)
            self._records.save(run, Known(here=True))
            await self._here.start(order)
            return
        home, owner = await self._homes.ready(build)
        await self._homes.sync(build, home)
        await self._create(order, home, owner)

    async def _create(self, order: Order, home: Home, owner: Object) -> None:
        build, homes = order.run.build, self._homes
        options = options_of(order, homes.options)
        run = manifests.Run(order, homes.names(build, home.epoch), options, owner)
        known = Known(False, home.cluster, home.epoch, run.name, serves=order.serving is not None)
        try:
            beside = self._companions(run)
            pod = composed(manifests.step_pod(run), beside, await self._aliases(order, beside))
            known = _known(known, pod, beside)
            known = await self._put(run, home, known, pod, beside)
        except InputError as error:
            end = End(Status.FAILED, f"it cannot be started in {home.cluster}: {error.what}")
            begun = self._records.known(order.run)
            known = begun if begun is not None and begun.pod == run.name else known
            # Or the workspace would wait for it to be taken in, and never go.
            await homes.ask(build, home, "/forget", {"run": run.name}, b"")
            self._records.save(order.run, replace(known, end=end))
            return
        self._records.save(order.run, replace(known, created=True))

    async def _put(
        self, run: manifests.Run, home: Home, known: Known, pod: Object, beside: Companions
    ) -> Known:
        """Create what the run is made of, the pod last; return what is known of it then."""
        homes, order = self._homes, run.order
        folders = list[Json]([manifests.below_volume(each) for each in _folders(order)])
        question: Json = {"run": run.name, "folders": folders}
        await homes.ask(order.run.build, home, "/begin", question, b"")
        secrets = list(manifests.run_secrets(run))
        for name, variables in beside.variables.items():
            secrets.append(manifests.variables_secret(run, name, variables))
        names = tuple(each["metadata"]["name"] for each in secrets)
        known = replace(known, secrets=names)
        self._records.save(order.run, known)
        self._records.add(order.run, b"", Printed(secrets=order.secrets))
        api = await homes.api(home.cluster)
        for each in secrets:
            each["metadata"] |= manifests.owned(run.owner)["metadata"]
            await _create_once(api, homes.path("secrets"), each)
        await _create_once(api, homes.path("pods"), pod)
        return known

    def _companions(self, run: manifests.Run) -> Companions:
        order = run.order
        if order.composition is None:
            return Companions()
        volume = self._homes.mirror(order.run.build)
        found = read_composition(order.composition, order.environment, order.directory, volume)
        return companions(run, *found)

    async def _aliases(self, order: Order, beside: Companions) -> list[Object]:
        """Return names of machines: own services, and those of the run beside this one."""
        other = self._records.known(order.beside) if order.beside else None
        names = [each for each in other.services if each not in beside.services] if other else []
        if order.beside is None or other is None or not names:
            return list(beside.aliases)
        home = self._records.home(order.run.build)
        pod = await self._pod(order.run.build, home, other) if home else None
        address = ((pod or {}).get("status") or {}).get("podIP")
        if not address:
            raise InputError("the services beside it are gone", hint="restart the build")
        return [*beside.aliases, {"ip": address, "hostnames": names}]

    async def look(self, run: RunId) -> RunSight | None:
        """Return how the run stands; see the port."""
        known = self._records.known(run)
        if known is None:
            return None
        if known.here:
            return await self._here.look(run)
        end = known.end
        if end is None:
            sight = await self._sight(run, known)
            if sight.status.alive:
                return RunSight(run.number, sight.status)
            end = await self._take_in(run, known, sight)
        return RunSight(run.number, end.status, end.why, exports=end.exports)

    async def _sight(self, run: RunId, known: Known) -> Sight:
        """Return how the pod of a run stands."""
        home = self._records.home(run.build)
        if home is None or home.epoch != known.epoch:
            return Sight(Status.LOST, f"it was lost with its workspace in {known.cluster}")
        if not known.created and not known.stopped:
            return Sight(Status.RUNNING)  # it is about to be
        pod = await self._pod(run.build, home, known)
        if pod is None:
            why = "we have ended it" if known.stopped else "its pod was taken away"
            return Sight(Status.FAILED if known.stopped else Status.LOST, why)
        sight = sight_of(pod, known.mains, self._clock.now(), known.gates)
        if known.serves:
            return _serving(pod, known, sight)
        return sight

    async def _pod(self, build: str, home: Home, known: Known) -> Object | None:
        async def find() -> Object | None:
            api = await self._homes.api(known.cluster)
            return await api.find(self._homes.path("pods", known.pod))

        return await self._homes.heard(build, home, find)

    async def _take_in(self, run: RunId, known: Known, sight: Sight) -> End:
        """Remember how a run has ended, with what it has exported and what it left."""
        home, found = self._records.home(run.build), Exports()
        if sight.status is not Status.LOST and home is not None:
            found = await self._exports(run.build, home, known)
            await self._homes.sync(run.build, home)
        end = End(sight.status, sight.why, found.variables)
        if sight.status is Status.SUCCEEDED and not found.whole:
            end = replace(end, status=Status.FAILED, why=TOO_MUCH)
        self._records.save(run, replace(known, end=end))
        if home is not None and home.epoch == known.epoch:
            await self._homes.ask(run.build, home, "/forget", {"run": known.pod}, b"")
        return end

    async def _exports(self, build: str, home: Home, known: Known) -> Exports:
        answer = await self._homes.ask(build, home, "/run", {"run": known.pod}, b"")
        return await asyncio.to_thread(_exports, answer)

    async def output(self, run: RunId) -> AsyncIterator[Output]:
        """Yield what the run prints until it has ended; see the port."""
        known = self._records.known(run)
        if known is None:
            return
        if known.here:
            async for each in self._here.output(run):
                yield each
            return
        printed = self._records.printed(run)
        for data in self._kept(run, printed):
            yield Output(data, printed.secrets)
        silent_at, heard_at, told = math.inf, time.monotonic(), ""
        while True:
            known = self._records.known(run) or known
            sight = Sight(Status.LOST) if known.end else await self._sight(run, known)
            ended = not sight.status.alive
            if sight.note not in ("", told) and time.monotonic() > heard_at + _PATIENCE_SECONDS:
                told = sight.note
                yield Output(f"{told}\n".encode())
            printed, data = await self._more(run, known, printed)
            now = time.monotonic()
            if data:
                silent_at, heard_at = now + SILENCE_SECONDS, now
                yield Output(data, printed.secrets)
                continue
            if ended:
                return
            if now > silent_at:
                silent_at = math.inf
                yield Output(b"")
            await asyncio.sleep(next(pause for most, pause in _LOOKS if now - heard_at < most))

    def _kept(self, run: RunId, printed: Printed) -> Iterator[bytes]:
        """Yield what has been kept of the output."""
        if not printed.size:
            return
        with self._records.output(run).open("rb") as file:
            left = printed.size
            while left > 0 and (data := file.read(min(_CHUNK, left))):
                left -= len(data)
                yield data

    async def _more(self, run: RunId, known: Known, printed: Printed) -> tuple[Printed, bytes]:
        """Return what has been printed since, and how much there is then; it is kept here."""
        home = self._records.home(run.build)
        gone = home is None or home.epoch != known.epoch
        if home is None or gone or printed.size >= MOST_OUTPUT_BYTES:
            return printed, b""
        positions, parts = dict(printed.positions), []
        several = len(known.mains) > 1
        for name in (*known.beside, *known.gates, *known.mains):
            before = positions.get(name, Position())
            log = await self._log(run.build, home, known, name, before)
            if several or name not in known.mains:
                text, positions[name] = news(log[: log.rfind(b"\n") + 1], before)
                text = b"".join(b"%s | %s" % (name.encode(), each) for each in _lines(text))
            else:
                text, positions[name] = news(log, before)
            parts.append(text)
        data = b"".join(parts)
        if not data:
            return printed, b""
        secrets = await self._masked(run, home, known)
        kept = tuple(dict.fromkeys((*printed.secrets, *secrets)))
        printed = Printed(printed.size + len(data), positions, kept)
        self._records.add(run, data, printed)
        return printed, data

    async def _log(
        self, build: str, home: Home, known: Known, container: str, before: Position
    ) -> bytes:
        async def read() -> bytes:
            api = await self._homes.api(known.cluster)
            query = {"container": container, "timestamps": "true", "sinceTime": before.since}
            try:
                return await api.content(f"{self._homes.path('pods', known.pod)}/log", query)
            except (InputError, NotFound):  # it has not begun, or is gone
                return b""

        return await self._homes.heard(build, home, read)

    async def _masked(self, run: RunId, home: Home, known: Known) -> tuple[str, ...]:
        """Return the values that the run wants masked; it has said so before it printed them."""
        if known.end:
            return Exports(known.end.exports).secrets
        return (await self._exports(run.build, home, known)).secrets

    async def stop(self, run: RunId, grace_seconds: float) -> None:
        """End the run; see the port."""
        known = self._records.known(run)
        if known is None or known.end is not None:
            return
        if known.here:
            await self._here.stop(run, grace_seconds)
            return
        known = replace(known, stopped=True)
        self._records.save(run, known)
        home = self._records.home(run.build)
        if home is None or home.epoch != known.epoch:
            return
        path, grace = self._homes.path("pods", known.pod), max(1, math.ceil(grace_seconds))
        api = await self._homes.api(known.cluster)
        await self._homes.heard(run.build, home, lambda: api.delete(path, grace))
        hard_at = time.monotonic() + grace + _LATE_SECONDS
        while await self._pod(run.build, home, known) is not None:
            if time.monotonic() > hard_at:  # its node does not answer
                await self._homes.heard(run.build, home, lambda: api.delete(path, 0))
            await asyncio.sleep(_LOOKS[0][1])
        await self.look(run)

    async def forget(self, run: RunId) -> None:
        """Drop what is kept of a run that has ended; see the port."""
        known = self._records.known(run)
        if known is None:
            return
        if known.here:
            await self._here.forget(run)
            return
        home = self._records.home(run.build)
        if known.end is None or (home is not None and home.epoch == known.epoch):
            await self._delete(known)
        self._records.drop(run)

    async def _delete(self, known: Known) -> None:
        homes = self._homes
        api = await homes.api(known.cluster)
        await api.delete(homes.path("pods", known.pod), 0)
        for name in known.secrets:
            await api.delete(homes.path("secrets", name))


def _exports(answer: bytes) -> Exports:
    told = json.loads(answer)
    found = exported(told["exports"], frozenset(told["masked"].split()))
    return Exports(found, told.get("whole", True))  # an older server does not say


async def _create_once(api: KubeApi, path: str, body: Object) -> None:
    try:
        await api.create(path, body)
    except Conflict:
        return  # by somebody who died before writing it down


def _known(known: Known, pod: Object, beside: Companions) -> Known:
    """Return what is to be remembered of a pod that is about to be created."""
    mains = tuple(each["name"] for each in pod["spec"]["containers"])
    services = tuple(each["name"] for each in beside.before if each["name"] not in beside.gates)
    return replace(
        known, mains=mains, gates=beside.gates, beside=services, services=beside.services
    )


def _serving(pod: Object, known: Known, sight: Sight) -> Sight:
    """Return how services stand that are a run of their own."""
    if sight.status is Status.RUNNING and is_serving(pod, known.mains):
        return Sight(Status.SERVING)
    reason = (pod.get("status") or {}).get("reason")
    if reason == "DeadlineExceeded" or sight.status is Status.SUCCEEDED:
        return Sight(Status.LOST, "its time was over")
    return sight


def options_of(order: Order, options: PodOptions) -> PodOptions:
    """Return the options for one run: services may say how long they go on."""
    if order.serving is None:
        return options
    return replace(options, most_seconds=max(1, math.ceil(order.serving.most_seconds)))


def _lines(text: bytes) -> list[bytes]:
    return [line + b"\n" for line in text.split(b"\n")[:-1]]


def _folders(order: Order) -> tuple[str, ...]:
    """Return the folders of the workspace that a run asks for."""
    wanted = (order.directory, *(source for source, _ in order.volumes))
    return tuple(each for each in wanted if f"{each}/".startswith(f"{VOLUME}/"))
