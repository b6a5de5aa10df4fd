"""The gateway at work: follows the cluster, programs Envoy, says in the status what is served."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace

from crossfade.base.clock import Clock
from crossfade.sandbox.gateway.admin import AdminError
from crossfade.sandbox.gateway.config import Config, render
from crossfade.sandbox.gateway.envoy import GatewayEnvoy, Place, Rejected
from crossfade.sandbox.gateway.status import (
    attached_routes,
    class_status,
    gateway_status,
    route_status,
    virtual_status,
)
from crossfade.sandbox.gateway.watching import Watched
from crossfade.sandbox.gateway.world import CONTROLLER, Named, World
from crossfade.sandbox.kube.client import ApiError, KubeClient, Object
from crossfade.sandbox.kube.kinds import GATEWAY, GATEWAY_CLASS, HTTP_ROUTE, VIRTUAL_SERVICE, Kind
from crossfade.sandbox.kube.objects.timestamps import stamp

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 0.05


class Gateway:
    """One cloud's gateway."""

    def __init__(
        self, client: KubeClient, place: Place, clock: Clock, environment: Mapping[str, str]
    ) -> None:
        """`environment` is added to that of Envoy, so that its process can be found."""
        self._client, self._clock = client, clock
        self._place, self._environment = place, dict(environment)
        self._envoy = GatewayEnvoy(place)
        self._watched = Watched(client, place.port)
        self._good: dict[Named, Object] = {}
        """Routes as Envoy last took them, for when it refuses their successors."""
        self._refused: dict[Named, tuple[int, str]] = {}
        self._kept: frozenset[str] = frozenset()
        self._delay_milliseconds = 0
        self._power = asyncio.Event()
        """Set while the machine of the gateway lives."""
        self._power.set()
        self._process: asyncio.subprocess.Process | None = None
        self._up = asyncio.Event()
        """Set while Envoy is there."""
        self.ready = asyncio.Event()
        """Set while Envoy serves what the cluster says."""

    async def run(self) -> None:
        """Serve until cancelled; Envoy is started again whenever it ends."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watched.run(), name="gateway watch")
                group.create_task(self._keep_envoy(), name="gateway envoy")
                group.create_task(self._program(), name="gateway program")
        finally:
            self._envoy.admin.close()

    @property
    def powered(self) -> bool:
        """Whether its machine lives."""
        return self._power.is_set()

    async def power_off(self) -> None:
        """Let the machine of the gateway die: Envoy ends, and none is started.  Safe to repeat."""
        self._power.clear()
        if self._process is not None:
            await _end(self._process)

    def power_on(self) -> None:
        """Let a gateway start again."""
        self._power.set()

    async def set_delay(self, milliseconds: int) -> None:
        """Delay each request of each user by so much from now on; 0 ends it."""
        self._delay_milliseconds = milliseconds
        while True:
            await self._up.wait()
            try:
                await self._envoy.delay(milliseconds)
            except AdminError:  # it has just ended: wait for its successor
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def _keep_envoy(self) -> None:
        while True:
            await self._power.wait()
            process = self._process = await self._envoy.start(self._environment)
            try:
                async with asyncio.timeout(5):
                    await self._up_or_dead(process)
                code = await process.wait()
                _log.error("gateway ended code=%s; it is started again", code)
            except TimeoutError:
                _log.exception("gateway does not answer; it is started again")
            finally:
                self.ready.clear()
                self._up.clear()
                await _end(process)
            await asyncio.sleep(0.2)

    async def _up_or_dead(self, process: asyncio.subprocess.Process) -> None:
        serving = self._envoy.serving()
        async with asyncio.TaskGroup() as group:
            up = group.create_task(serving)
            dead = group.create_task(process.wait())
            done, waiting = await asyncio.wait((up, dead), return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
        if up in done:
            if self._delay_milliseconds:
                await self._envoy.delay(self._delay_milliseconds)
            self._up.set()
            self._watched.touch()

    async def _program(self) -> None:
        while True:
            await self._watched.changed()
            await self._up.wait()
            world = self._watched.world()
            try:
                config = await self._serve(world)
            except AdminError as error:
                _log.debug("gateway not there yet error=%s", error)
                await asyncio.sleep(_RETRY_SECONDS)
                self._watched.touch()
                continue
            await self._report(world, config)
            self.ready.set()

    async def _serve(self, world: World) -> Config:
        """Serve all routes, except those that Envoy refuses: of these, their last good version."""
        accepted = self._without_refused(world)
        config = render(accepted, self._envoy.files, self._kept)
        try:
            await self._envoy.serve(config)
        except Rejected as error:
            _log.warning("configuration refused error=%s", error)
            accepted = await self._one_by_one(world)
            config = render(accepted, self._envoy.files, self._kept)
        self._good = accepted.written()
        self._kept = frozenset(config.clusters)
        if not self._refused:
            return config
        asked = render(world, self._envoy.files)
        return replace(config, verdicts=asked.verdicts, virtual=asked.virtual)

    def _without_refused(self, world: World) -> World:
        routes = world.written()
        for key, (generation, _) in list(self._refused.items()):
            if key not in routes or routes[key]["metadata"].get("generation", 1) != generation:
                del self._refused[key]
            elif key in self._good:
                routes[key] = self._good[key]
            else:
                del routes[key]
        return world.with_written(routes)

    async def _one_by_one(self, world: World) -> World:
        """Add changed routes to those known to be good, one at a time; remember the refused."""
        wanted = world.written()
        routes = {key: self._good[key] for key in wanted if key in self._good}
        for key, route in wanted.items():
            if routes.get(key) is route or key in self._refused:
                continue
            attempt = world.with_written({**routes, key: route})
            try:
                await self._envoy.serve(render(attempt, self._envoy.files, self._kept))
            except Rejected as error:
                self._refused[key] = (route["metadata"].get("generation", 1), str(error))
            else:
                routes[key] = route
        accepted = world.with_written(routes)
        await self._envoy.serve(render(accepted, self._envoy.files, self._kept))
        return accepted

    async def _report(self, world: World, config: Config) -> None:
        now = stamp(self._clock.now())
        for key, verdict in config.verdicts.items():
            trouble = self._refused.get(("HTTPRoute", *key), (0, ""))[1]
            route = world.routes[key]
            await self._write(HTTP_ROUTE, route, route_status(route, verdict, trouble, now))
        for key, problem in config.virtual.items():
            trouble = self._refused.get(("VirtualService", *key), (0, ""))[1] or problem
            service = world.virtual_services[key]
            await self._write(VIRTUAL_SERVICE, service, virtual_status(service, trouble, now))
        await self._release(world, config)
        attached = attached_routes(config.verdicts)
        for gateway in world.gateways.values():
            await self._write(GATEWAY, gateway, gateway_status(world, gateway, attached, now))
        for one in self._watched.all(GATEWAY_CLASS).values():
            if one["spec"].get("controllerName") == CONTROLLER:
                await self._write(GATEWAY_CLASS, one, class_status(one, now))

    async def _release(self, world: World, config: Config) -> None:
        """Take our entries out of routes that no longer name a Gateway of ours."""
        for key, route in world.routes.items():
            parents = (route.get("status") or {}).get("parents") or []
            others = [one for one in parents if one.get("controllerName") != CONTROLLER]
            if key not in config.verdicts and len(others) != len(parents):
                await self._write(HTTP_ROUTE, route, {"parents": others})

    async def _write(self, kind: Kind, thing: Object, status: Object) -> None:
        if thing.get("status") == status:
            return
        try:
            # With the version that was looked at: a newer spec must not get an old verdict.
            await self._client.update(kind, {**thing, "status": status}, "status")
        except ApiError as error:
            # Changed or deleted meanwhile: the watch brings it here again.
            if error.code not in (404, 409):
                _log.exception("status refused kind=%s", kind.kind)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
