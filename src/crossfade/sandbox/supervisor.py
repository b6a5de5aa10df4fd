"""
The process that owns a sandbox: its clouds and its edge.

It is started detached from any terminal, tells of its start on its standard output, and takes
requests on a socket.  A cloud that dies stays dead until it is restored, since that is what the
sandbox is for; the edge is started again whenever it ends.
"""

import asyncio
import json
import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from crossfade.base.errors import CrossfadeError
from crossfade.base.files import write_json
from crossfade.sandbox import processes, wire
from crossfade.sandbox.child import Child, last_words
from crossfade.sandbox.entry import begin
from crossfade.sandbox.state import Layout
from crossfade.sandbox.supervised_cloud import Request, SupervisedCloud

_log = logging.getLogger(__name__)
_STOP_SECONDS = 3.0


class Supervisor:
    """All processes of one sandbox."""

    def __init__(self, layout: Layout, tell: Callable[[wire.Json], None]) -> None:
        """`tell` takes the news of the start, until it is ready."""
        self._layout, self._tell = layout, tell
        self._clouds = {name: SupervisedCloud(layout, name) for name in layout.clouds}
        self._edge: Child | None = None
        self._stop = asyncio.Event()
        self._began = time.monotonic()

    async def run(self) -> None:
        """Start everything, serve requests until told to stop, end everything."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        try:
            async with asyncio.TaskGroup() as group:
                work = group.create_task(self._work(), name="supervise")
                await self._stop.wait()
                work.cancel()
        finally:
            await self._end_all()

    async def _work(self) -> None:
        try:
            async with asyncio.TaskGroup() as group, wire.Server(self._layout.directory, self._do):
                group.create_task(self._keep_edge(), name="edge")
                for cloud in self._clouds.values():
                    group.create_task(cloud.keep(), name=f"cloud {cloud.name}")
                await self._all_ready()
                await asyncio.Event().wait()
        except* CrossfadeError as errors:
            first: BaseException = errors
            while isinstance(first, BaseExceptionGroup):
                first = first.exceptions[0]
            assert isinstance(first, CrossfadeError)  # noqa: S101 - that is what was caught
            _log.error("start failed error=%s", first)
            self._tell({"error": wire.error_as_json(first)})
            self._stop.set()

    async def _all_ready(self) -> None:
        async with asyncio.TaskGroup() as group:
            for cloud in self._clouds.values():
                group.create_task(self._ready(cloud))
        seconds = round(time.monotonic() - self._began, 3)
        _log.info("ready clouds=%s seconds=%s", ",".join(self._clouds), seconds)
        self._tell({"ready": True, "seconds": seconds})

    async def _ready(self, cloud: SupervisedCloud) -> None:
        await cloud.do(Request("start"))
        self._tell({"cloud": cloud.name, "seconds": round(time.monotonic() - self._began, 3)})

    async def _do(self, request: wire.Json) -> wire.Json:
        """Answer one request from the command line."""
        match request.get("do"):
            case "status":
                return self._status()
            case "stop":
                self._stop.set()
                return {}
            case verb:
                cloud = self._clouds[self._layout.known(str(request.get("cloud")))]
                await cloud.do(Request(str(verb), int(request.get("milliseconds", 0))))
                return {"cloud": cloud.name, "state": cloud.state}

    def _status(self) -> wire.Json:
        return {
            "clouds": {cloud.name: cloud.state for cloud in self._clouds.values()},
            "edge": "running" if self._edge is not None and self._edge.alive else "starting",
            "pid": os.getpid(),
        }

    async def _keep_edge(self) -> None:
        """Run the edge, again and again."""
        from crossfade.adapters.envoy.bootstrap import edge_bootstrap, edge_command

        layout = self._layout
        layout.edge_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        bootstrap = layout.edge_folder / "bootstrap.json"
        write_json(
            bootstrap,
            edge_bootstrap(
                "sandbox-edge",
                "127.0.0.1",
                layout.hub_port,
                layout.edge_admin_port,
                layout.edge_port,
            ),
        )
        log = layout.edge_folder / "edge.log"
        while True:
            self._edge = await Child.start(
                edge_command(bootstrap), processes.markers(layout.directory, "edge"), log
            )
            try:
                code = await self._edge.wait()
            finally:
                await self._edge.end(seconds=0.0)
            _log.error("edge ended code=%s words=%s; it is started again", code, last_words(log))
            await asyncio.sleep(0.2)

    async def _end_all(self) -> None:
        """Ask all clouds to end, then see to it that nothing is left."""
        async with asyncio.TaskGroup() as group:
            for cloud in self._clouds.values():
                group.create_task(cloud.end(_STOP_SECONDS))
        await asyncio.to_thread(processes.end, self._layout.directory)
        _log.info("ended")


def main() -> None:
    """Supervise the sandbox in the folder that is the only argument."""
    layout = begin()

    def tell(news: wire.Json) -> None:
        # Whoever started us may be gone.
        with suppress(OSError):
            os.write(1, json.dumps(news).encode() + b"\n")

    asyncio.run(Supervisor(layout, tell).run())


if __name__ == "__main__":
    main()
