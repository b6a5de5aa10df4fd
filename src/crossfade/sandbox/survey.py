"""What a sandbox is like right now, seen from outside as its users and operators see it."""

import http.client
import json
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from crossfade.base.errors import Unavailable
from crossfade.sandbox import control, processes, wire
from crossfade.sandbox.state import Layout

_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class CloudSurvey:
    """One cloud."""

    name: str
    state: str
    """As the supervisor knows it; `unknown` without a supervisor."""
    api: str
    """URL of the Kubernetes API."""
    api_answers: bool
    gateway: str
    gateway_answers: bool
    pods: int | None
    """None when the API does not say."""
    ready_pods: int | None
    processes: int
    memory_mib: float
    """A page that n processes share counts as 1/n in each (PSS)."""
    resident_mib: float
    """The sum of what each process has in memory (RSS)."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The whole sandbox."""

    clouds: tuple[CloudSurvey, ...]
    supervisor: str
    """`running` or `dead`."""
    edge: str
    edge_state: str
    memory_mib: float
    """Of all its processes, shared pages counted once (PSS)."""
    resident_mib: float
    """The sum of what each process has in memory (RSS)."""


def survey(directory: Path) -> Survey:
    """Look at everything; takes about a second when a part is silent.  Raises NotFound."""
    layout = control.require(directory)
    try:
        told = wire.ask(layout.directory, {"do": "status"}, seconds=5.0)
    except Unavailable:
        told = {"clouds": {}, "edge": "unknown"}
    with ThreadPoolExecutor(2 * len(layout.clouds)) as pool:
        gateways = [pool.submit(_answers, layout.ports(cloud).gateway) for cloud in layout.clouds]
        pods = [pool.submit(_pods, layout, cloud) for cloud in layout.clouds]
        states = [told["clouds"].get(cloud, "unknown") for cloud in layout.clouds]
        found = [
            _cloud(layout, cloud, state, gateway.result(), count.result())
            for cloud, state, gateway, count in zip(
                layout.clouds, states, gateways, pods, strict=True
            )
        ]
    everything = processes.find(layout.directory)
    return Survey(
        clouds=tuple(found),
        supervisor="running" if "pid" in told else "dead",
        edge=f"http://127.0.0.1:{layout.edge_port}",
        edge_state=told["edge"],
        memory_mib=_mib(processes.pss_kib(one.pid for one in everything)),
        resident_mib=_mib(sum(one.rss_kib for one in everything)),
    )


def _cloud(
    layout: Layout, cloud: str, state: str, gateway: bool, pods: tuple[int, int] | None
) -> CloudSurvey:
    own = processes.find(layout.directory, cloud)
    ports = layout.ports(cloud)
    return CloudSurvey(
        name=cloud,
        state=state,
        api=f"https://127.0.0.1:{ports.api}",
        api_answers=pods is not None,
        gateway=f"http://127.0.0.1:{ports.gateway}",
        gateway_answers=gateway,
        pods=pods[0] if pods else None,
        ready_pods=pods[1] if pods else None,
        processes=len(own),
        memory_mib=_mib(processes.pss_kib(one.pid for one in own)),
        resident_mib=_mib(sum(one.rss_kib for one in own)),
    )


def _mib(kib: int) -> float:
    return round(kib / 1024, 1)


def _answers(port: int) -> bool:
    """Say whether an HTTP server answers, with whatever status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", "/", headers={"Host": "status.invalid"})
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _pods(layout: Layout, cloud: str) -> tuple[int, int] | None:
    """Return how many pods there are and how many of them are ready; None without an answer."""
    authority = layout.directory / "ca.crt"
    token = (layout.folder(cloud) / "token").read_text()
    connection = http.client.HTTPSConnection(
        "127.0.0.1",
        layout.ports(cloud).api,
        timeout=_SECONDS,
        context=ssl.create_default_context(cafile=str(authority)),
    )
    try:
        connection.request("GET", "/api/v1/pods", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        pods = json.loads(answer.read())["items"]
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return None
    finally:
        connection.close()
    ready = [
        pod
        for pod in pods
        for one in pod.get("status", {}).get("conditions") or []
        if one["type"] == "Ready" and one["status"] == "True"
    ]
    return len(pods), len(ready)
