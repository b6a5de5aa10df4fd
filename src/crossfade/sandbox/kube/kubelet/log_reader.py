"""What `kubectl logs` gets: finds the files of a container and reads them."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from crossfade.base.clock import Clock
from crossfade.sandbox.kube.client import ApiError
from crossfade.sandbox.kube.kubelet.container_record import ContainerRecord, Waiting
from crossfade.sandbox.kube.kubelet.containers import ContainerRunner
from crossfade.sandbox.kube.kubelet.logs import LogFile, LogOptions, follow, read
from crossfade.sandbox.kube.kubelet.pods import PodWorker
from crossfade.sandbox.kube.logs import LogQuery

_DEFAULT = "kubectl.kubernetes.io/default-container"

Find = Callable[[str, str], PodWorker | None]
"""Gives the Pod of a namespace and name that runs (or ran) here."""


class LogReader:
    """Reads logs of the containers of one Node."""

    def __init__(self, find: Find, clock: Clock) -> None:
        self._find, self._clock = find, clock

    def __call__(self, query: LogQuery) -> AsyncIterator[bytes]:
        """
        Return the log in pieces; with `follow` until the container ends.

        Raises ApiError at once (not while iterating): 404 for a Pod that is not here, 400 for a
        container that does not exist, has not started, or has no earlier run.
        """
        worker = self._find(query.namespace, query.pod)
        if worker is None:
            raise ApiError(404, "NotFound", f'pods "{query.pod}" not found')
        runner = _runner(worker, query.container)
        path = _path(worker, runner, previous=query.previous)
        seconds = query.since_seconds
        since = None if seconds is None else self._clock.now() - seconds
        since = since if query.since_time is None else query.since_time
        options = LogOptions(query.tail_lines, since, query.timestamps, query.limit_bytes)
        return _pieces(runner, path, options, live=query.follow and not query.previous)


def _runner(worker: PodWorker, name: str) -> ContainerRunner:
    pod = worker.pod["metadata"]
    names = [runner.record.name for runner in worker.runners]
    mains = [one["name"] for one in worker.pod["spec"].get("containers") or ()]
    if not name:
        name = (pod.get("annotations") or {}).get(_DEFAULT, mains[0] if len(mains) == 1 else "")
    if not name:
        message = (
            f"a container name must be specified for pod {pod['name']}, choose one of: "
            f"[{' '.join(mains)}]"
        )
        raise ApiError(400, "BadRequest", message)
    for runner in worker.runners:
        if runner.record.name == name:
            return runner
    message = f"container {name} is not valid for pod {pod['name']}"
    raise ApiError(400, "BadRequest", f"{message}, choose one of: [{' '.join(names)}]")


def _path(worker: PodWorker, runner: ContainerRunner, *, previous: bool) -> Path:
    record, pod = runner.record, worker.pod["metadata"]["name"]
    run = record.restarts  # 0 is the first
    if previous:
        if record.last is None:
            message = f'previous terminated container "{record.name}" in pod "{pod}" not found'
            raise ApiError(400, "BadRequest", message)
        return runner.log_path(run - 1 if not _between(record) else run)
    path = runner.log_path(run)
    if not path.exists():
        state = record.state
        why = state.reason if isinstance(state, Waiting) else "ContainerCreating"
        message = f'container "{record.name}" in pod "{pod}" is waiting to start: {why}'
        raise ApiError(400, "BadRequest", message)
    return path


def _between(record: ContainerRecord) -> bool:
    """Return whether it waits for a restart, so that its latest run is the previous one too."""
    return isinstance(record.state, Waiting) and record.state.reason == "CrashLoopBackOff"


async def _pieces(
    runner: ContainerRunner, path: Path, options: LogOptions, *, live: bool
) -> AsyncIterator[bytes]:
    if not live:
        for block in read(path, options):
            yield block
        return

    def current() -> LogFile | None:
        log = runner.log
        return log if log is not None and log.path == path else None

    async for block in follow(path, options, current):
        yield block
