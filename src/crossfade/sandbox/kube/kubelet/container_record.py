"""How a container of a Pod is doing, and how its status says so."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from crossfade.sandbox.kube.objects.timestamps import seconds_of, stamp


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not running (yet, or again)."""

    reason: str = "ContainerCreating"
    message: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """A process runs."""

    since: float


@dataclass(frozen=True, slots=True)
class Terminated:
    """The last process has ended."""

    exit_code: int
    reason: str
    started_at: float
    finished_at: float
    message: str = ""
    container_id: str = ""


State: TypeAlias = Waiting | Running | Terminated


@dataclass(slots=True)
class ContainerRecord:
    """One container of a Pod, over all its restarts."""

    name: str
    image: str
    state: State = field(default_factory=Waiting)
    last: Terminated | None = None
    restarts: int = 0
    ready: bool = False
    started: bool = False
    id: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether it has ended well."""
        return isinstance(self.state, Terminated) and self.state.exit_code == 0

    def status(self) -> dict[str, Any]:
        """Return the entry of `status.containerStatuses`."""
        return {
            "name": self.name,
            "image": self.image,
            "imageID": f"{self.image}@sandbox" if self.id else "",
            "state": _as_json(self.state),
            "lastState": _as_json(self.last) if self.last else {},
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
            **({"containerID": self.id} if self.id else {}),
        }


def _as_json(state: State) -> dict[str, Any]:
    match state:
        case Waiting(reason, message):
            found = {"reason": reason, "message": message}
            return {"waiting": {key: value for key, value in found.items() if value}}
        case Running(since):
            return {"running": {"startedAt": stamp(since)}}
        case Terminated():
            ended: dict[str, Any] = {
                "exitCode": state.exit_code,
                "reason": state.reason,
                "startedAt": stamp(state.started_at) if state.started_at else None,
                "finishedAt": stamp(state.finished_at),
            }
            if state.message:
                ended["message"] = state.message
            if state.container_id:
                ended["containerID"] = state.container_id
            return {"terminated": ended}


def restored(
    container: dict[str, Any], before: dict[str, Any] | None, now: float
) -> ContainerRecord:
    """
    Return the record of a container of which an earlier kubelet has reported `before`.

    What it left running has died with it.
    """
    record = ContainerRecord(container["name"], container.get("image", ""))
    if not before:
        return record
    record.restarts = int(before.get("restartCount", 0))
    record.id = before.get("containerID", "")
    state = before.get("state") or {}
    last = (before.get("lastState") or {}).get("terminated")
    if "running" in state:
        since = seconds_of(state["running"].get("startedAt"))
        message = "The container could not be located when the node came back"
        record.state = Terminated(137, "ContainerStatusUnknown", since, now, message, record.id)
    elif "terminated" in state:
        record.state = _terminated(state["terminated"])
    if last:
        record.last = _terminated(last)
    return record


def _terminated(found: dict[str, Any]) -> Terminated:
    return Terminated(
        int(found.get("exitCode", 0)),
        found.get("reason", ""),
        seconds_of(found.get("startedAt")),
        seconds_of(found.get("finishedAt")),
        found.get("message", ""),
        found.get("containerID", ""),
    )
