"""The life of one container: started, probed, restarted, ended."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crossfade.base.quantities import whole
from crossfade.sandbox.kube.client import KubeClient, Object
from crossfade.sandbox.kube.kinds import POD
from crossfade.sandbox.kube.kubelet import images, launch, probes
from crossfade.sandbox.kube.kubelet.back_off import BackOff
from crossfade.sandbox.kube.kubelet.container_record import (
    ContainerRecord,
    Running,
    Terminated,
    Waiting,
)
from crossfade.sandbox.kube.kubelet.environment import PodFacts
from crossfade.sandbox.kube.kubelet.launch import Launch, Place
from crossfade.sandbox.kube.kubelet.logs import LogFile, rotated
from crossfade.sandbox.kube.kubelet.options import KubeletOptions
from crossfade.sandbox.kube.kubelet.probe_attempt import Target, attempt
from crossfade.sandbox.kube.kubelet.probes import ProbeKind, Reports
from crossfade.sandbox.kube.kubelet.process import (
    Command,
    ContainerProcess,
    StartError,
    memory_bytes,
)
from crossfade.sandbox.kube.kubelet.references import ConfigError
from crossfade.sandbox.kube.kubelet.stop_order import StopOrder
from crossfade.sandbox.kube.objects.events import EventRecorder

_CONFIG_RETRY, _CONFIG_MOST = 0.5, 10.0
_MEMORY_LOOK = 0.25


@dataclass(slots=True)
class Surroundings:
    """What the containers of one Pod share."""

    client: KubeClient
    events: EventRecorder
    options: KubeletOptions
    pod: Object
    """As last seen."""
    facts: PodFacts
    place: Place
    changed: Callable[[], None]
    """To be called when a record has changed."""


class ContainerRunner:
    """Runs one container of one Pod."""

    def __init__(self, around: Surroundings, name: str, record: ContainerRecord) -> None:
        self._around, self._name, self.record = around, name, record
        self.stop = StopOrder()
        self.stop.listener = self._woken
        self.log: LogFile | None = None
        self._wake = asyncio.Event()
        self._killed_for: str | None = None
        self._launch: Launch | None = None
        self._failed_starts = 0
        options = around.options
        self._back_off = BackOff(options.first_back_off_seconds, options.most_back_off_seconds)

    def _woken(self) -> None:
        self._wake.set()

    @property
    def container(self) -> Object:
        """The container as the manifest has it now."""
        spec = self._around.pod["spec"]
        for one in (*spec.get("containers", ()), *(spec.get("initContainers") or ())):
            if one["name"] == self._name:
                found: Object = one
                return found
        raise KeyError(self._name)

    def log_path(self, run: int) -> Path:
        """Return where the output of the `run`th start (0 is the first) is."""
        return self._around.place.directory / self._name / f"{run}.log"

    async def run(self, policy: str) -> None:
        """Return when the container has ended for good, by its restart policy or by order."""
        clock = self._around.options.clock
        if isinstance(self.record.state, Terminated):  # of an earlier life of the kubelet
            if not _restarts(policy, self.record.state.exit_code):
                return
            self._next_run(self.record.state)
        elif self.record.last is not None:
            self._next_run(self.record.last)
        while not self.stop.given:
            begin = clock.now()
            ended = await self._run_once()
            if self.stop.given:
                return
            if ended is None:
                pause = min(_CONFIG_RETRY * 2**self._failed_starts, _CONFIG_MOST)
                self._failed_starts += 1
                await self.stop.sleep(pause)
                continue
            self._failed_starts = 0
            if not _restarts(policy, ended.exit_code):
                return
            if await self._pause(ended, self._back_off.next(clock.now() - begin)):
                return
            self._next_run(ended)

    def _next_run(self, ended: Terminated) -> None:
        self.record.last = ended
        self.record.restarts += 1
        if isinstance(self.record.state, Terminated):
            self.record.state = Waiting("ContainerCreating")
        old = self.log_path(self.record.restarts - 2)
        for path in (old, rotated(old)):
            path.unlink(missing_ok=True)  # only one earlier run can be asked for

    async def _pause(self, ended: Terminated, seconds: float) -> bool:
        """Wait before a restart; return True when the container has to end instead."""
        if seconds <= 0:
            return False
        meta = self._around.pod["metadata"]
        pod = f"{meta['name']}_{meta['namespace']}({meta['uid']})"
        message = f"back-off {seconds:g}s restarting failed container={self._name} pod={pod}"
        self.record.last = ended
        self._wait("CrashLoopBackOff", message)
        text = f"Back-off restarting failed container {self._name} in pod {pod}"
        self._warn("BackOff", text)
        return await self.stop.sleep(seconds)

    def _wait(self, reason: str, message: str) -> None:
        self.record.state = Waiting(reason, message)
        self.record.ready = self.record.started = False
        self._around.changed()

    def _warn(self, reason: str, message: str) -> None:
        path = f"spec.containers{{{self._name}}}"
        self._around.events.warning(POD, self._around.pod, reason, message, path)

    def _tell(self, reason: str, message: str) -> None:
        path = f"spec.containers{{{self._name}}}"
        self._around.events.normal(POD, self._around.pod, reason, message, path)

    async def _run_once(self) -> Terminated | None:
        """Run the container until its process ends; None when it could not be made."""
        around, image = self._around, self.container.get("image", "")
        self.record.image = image
        if (problem := images.problem(image, around.options.stands_for)) is not None:
            first = not self._failed_starts
            self._wait("ErrImagePull" if first else "ImagePullBackOff", problem)
            self._warn("Failed", problem[:1].upper() + problem[1:])
            return None
        try:
            prepared = await launch.prepare(
                around.client, around.pod, self.container, around.facts, around.place
            )
        except ConfigError as error:
            self._wait("CreateContainerConfigError", str(error))
            self._warn("Failed", f"Error: {error}")
            return None
        except StartError as error:
            return self._not_started(str(error))
        except OSError as error:
            self._not_made(error)
            return None
        if prepared.unavailable_mounts:
            paths = ", ".join(prepared.unavailable_mounts)
            message = f"mounts need bubblewrap, which does not work here: {paths} not available"
            self._warn("FailedMount", message)
        self._tell("Pulled", f'Container image "{image}" already present on machine')
        try:
            log = LogFile(self.log_path(self.record.restarts), around.options.clock)
        except OSError as error:
            self._not_made(error)
            return None
        return await self._run_process(prepared, log)

    def _not_made(self, error: OSError) -> None:
        """The host does not let us: its disk is full, or a folder is somebody else's."""
        self._wait("CreateContainerError", str(error))
        self._warn("Failed", f"Error: {error}")

    async def _run_process(self, prepared: Launch, log: LogFile) -> Terminated:
        self._killed_for = None
        self._launch, self.log = prepared, log
        try:
            try:
                process = ContainerProcess(prepared.command, log.write, self._woken)
            except StartError as error:
                return self._not_started(str(error))
            try:
                return await self._supervise(process)
            finally:
                process.discard()
        finally:
            log.close()

    def _not_started(self, why: str) -> Terminated:
        now = self._around.options.clock.now()
        self._warn("Failed", f"Error: failed to create containerd task: {why}"[:1024])
        return self._end(Terminated(128, "StartError", 0.0, now, why))

    def _end(self, ended: Terminated) -> Terminated:
        self.record.state = ended
        self.record.ready = self.record.started = False
        self._around.changed()
        return ended

    async def _supervise(self, process: ContainerProcess) -> Terminated:
        begin = self._around.options.clock.now()
        self.record.id = f"sandbox://{uuid.uuid4().hex}"
        self.record.state = Running(begin)
        self.record.ready = self.record.started = False
        self._around.changed()
        self._tell("Created", f"Created container: {self._name}")
        self._tell("Started", f"Started container {self._name}")
        async with asyncio.TaskGroup() as group:
            care = group.create_task(self._care(process))
            await self._until_end(process)
            care.cancel()
        code = process.exit_code if process.exit_code is not None else 137
        reason = "Completed" if code == 0 else "Error"
        if self._killed_for == "OOMKilled":
            code, reason = 137, "OOMKilled"
        now = self._around.options.clock.now()
        return self._end(Terminated(code, reason, begin, now, "", self.record.id))

    async def _until_end(self, process: ContainerProcess) -> None:
        while process.exit_code is None:
            self._wake.clear()
            if self.stop.given:
                await self._terminate(process, self.stop.seconds_left)
            elif self._killed_for == "OOMKilled":
                process.kill()
                await self._wake.wait()
            elif self._killed_for is not None:
                grace = StopOrder()
                grace.give(self._grace_seconds())
                await self._terminate(process, grace.seconds_left)
            else:
                await self._wake.wait()

    def _grace_seconds(self) -> float:
        probe = self.container.get("livenessProbe") or {}
        own = probe.get("terminationGracePeriodSeconds")
        pods = self._around.pod["spec"].get("terminationGracePeriodSeconds", 30)
        return float(own if own is not None else pods)

    async def _terminate(self, process: ContainerProcess, left: Callable[[], float]) -> None:
        """End the process: hook, SIGTERM, and SIGKILL when the time is over."""
        self._tell("Killing", f"Stopping container {self._name}")
        hook = (self.container.get("lifecycle") or {}).get("preStop")
        if hook and left() > 0:
            async with asyncio.TaskGroup() as group:
                asked = group.create_task(self._pre_stop(hook, left()))
                while process.exit_code is None and left() > 0 and not asked.done():
                    await self._wait_for_change(left())
                asked.cancel()
        if left() > 0:
            process.terminate()
        while process.exit_code is None and left() > 0:
            await self._wait_for_change(left())
        process.kill()
        while process.exit_code is None:
            await self._wait_for_change(1.0)

    async def _wait_for_change(self, seconds: float) -> None:
        """Return when something has happened to the process or to its orders, or after a while."""
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _pre_stop(self, hook: Object, seconds: float) -> None:
        if "sleep" in hook:
            await asyncio.sleep(float(hook["sleep"].get("seconds") or 0))
        else:
            outcome = await attempt(hook, self._target(), seconds)
            if not outcome.good:
                self._warn("FailedPreStopHook", f"PreStopHook failed: {outcome.message}")
        self._wake.set()

    def _target(self) -> Target:
        facts = self._around.facts
        return Target(self.container, facts.address, facts.ports, self._exec)

    async def _care(self, process: ContainerProcess) -> None:
        """Run hook, probes and the memory limit beside the process."""
        hook = (self.container.get("lifecycle") or {}).get("postStart")
        if hook:
            outcome = await attempt(hook, self._target(), 30.0)
            if not outcome.good:
                self._warn("FailedPostStartHook", f"PostStartHook failed: {outcome.message}")
                self._kill_for("FailedPostStartHook")
                return
        async with asyncio.TaskGroup() as group:
            group.create_task(probes.watch(self._target(), self._reports()))
            limit = ((self.container.get("resources") or {}).get("limits") or {}).get("memory")
            if limit:
                group.create_task(self._limit_memory(process, whole(limit)))

    async def _limit_memory(self, process: ContainerProcess, limit: int) -> None:
        while True:
            if memory_bytes(process.pid) > limit:
                self._kill_for("OOMKilled")
                return
            await asyncio.sleep(_MEMORY_LOOK)

    def _kill_for(self, reason: str) -> None:
        self._killed_for = reason
        self._wake.set()

    def _reports(self) -> Reports:
        def started() -> None:
            self.record.started = True
            self._around.changed()

        def ready(good: bool) -> None:
            if self.record.ready != good:
                self.record.ready = good
                self._around.changed()

        def unhealthy(kind: ProbeKind) -> None:
            message = f"Container {self._name} failed {kind.value.lower()} probe, will be restarted"
            self._tell("Killing", message)
            self._kill_for("Unhealthy")

        def failed(kind: ProbeKind, message: str) -> None:
            self._warn("Unhealthy", f"{kind.value} probe failed: {message}")

        return Reports(started, ready, unhealthy, failed)

    async def _exec(self, command: list[str], timeout_seconds: float) -> tuple[int, str]:
        """Run a command with the files and the environment of the container."""
        if self._launch is None or not command:
            return 126, "no command"
        output: list[bytes] = []
        done = asyncio.Event()
        base = self._launch.command
        wanted = Command(tuple(command), base.environment, base.view, base.isolated)
        try:
            process = ContainerProcess(wanted, lambda _, data: output.append(data), done.set)
        except StartError as error:
            return 126, str(error)
        try:
            async with asyncio.timeout(timeout_seconds):
                await done.wait()
        finally:
            process.discard()
        return process.exit_code or 0, b"".join(output).decode("utf-8", "replace")


def _restarts(policy: str, exit_code: int) -> bool:
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)
