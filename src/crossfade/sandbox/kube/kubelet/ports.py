"""Which port of the host stands behind each container port of a Pod."""

import json
import random
import socket
from collections.abc import Mapping
from pathlib import Path

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.objects.pod_state import PORTS_ANNOTATION

_LOWEST, _TRIES = 20000, 2000


class PortPicker:
    """
    Picks free ports and keeps them for their Pods.

    They lie below the range from which the kernel takes ports for outgoing connections: else
    one of those could sit on a Pod's port just while its container restarts.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._kept: dict[str, set[int]] = {}
        self._random = random.Random()  # noqa: S311 - spreads ports, keeps no secret
        self._highest = first_outgoing_port() - 1

    def assign(self, pod: Object) -> dict[int, int]:
        """
        Return container port to host port for all containers of the Pod.

        Ports of its annotation stay, as long as nobody else has taken them meanwhile.
        """
        uid = pod["metadata"]["uid"]
        before = mapped_ports(pod)
        mine = self._kept.setdefault(uid, set())
        result: dict[int, int] = {}
        for port in _declared(pod):
            number = int(port["containerPort"])
            wanted = port.get("hostPort") or before.get(number)
            if wanted and (port.get("hostPort") or wanted in mine or self._is_free(wanted)):
                result[number] = int(wanted)
            else:
                result[number] = self._pick()
            mine.add(result[number])
        return result

    def is_free(self, port: int) -> bool:
        """Return whether a process could listen on the port now."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self._address, port))
            except OSError:
                return False
        return True

    def _is_free(self, port: int) -> bool:
        return all(port not in kept for kept in self._kept.values()) and self.is_free(port)

    def _pick(self) -> int:
        for _ in range(_TRIES):
            port = self._random.randint(_LOWEST, self._highest)
            if self._is_free(port):
                return port
        with socket.socket() as any_port:
            any_port.bind((self._address, 0))
            found: int = any_port.getsockname()[1]
            return found

    def forget(self, uid: str) -> None:
        """Give up the ports of a Pod."""
        self._kept.pop(uid, None)


def mapped_ports(pod: Object) -> dict[int, int]:
    """Return the map that the Pod's annotation holds; empty when it has none."""
    text = (pod["metadata"].get("annotations") or {}).get(PORTS_ANNOTATION)
    try:
        found = json.loads(text) if text else {}
        return {int(key): int(value) for key, value in found.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def annotation(ports: Mapping[int, int]) -> dict[str, str]:
    """Return the annotation that tells the ports of a Pod to routers."""
    return {PORTS_ANNOTATION: json.dumps({str(key): value for key, value in ports.items()})}


def port_number(container: Object, wanted: int | str, ports: Mapping[int, int]) -> int | None:
    """Return the host port that a probe or hook means by number or name; None: no such name."""
    if isinstance(wanted, str) and not wanted.isdigit():
        named = [one for one in container.get("ports") or () if one.get("name") == wanted]
        if not named:
            return None
        wanted = named[0]["containerPort"]
    return ports.get(int(wanted), int(wanted))


def _declared(pod: Object) -> list[Object]:
    spec = pod["spec"]
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return [port for container in containers for port in container.get("ports") or ()]


def first_outgoing_port() -> int:
    """Return the lowest port that the machine gives to outgoing connections."""
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii")
        lowest = int(text.split()[0])
    except (OSError, ValueError, IndexError):
        return 32768
    return lowest if lowest > _LOWEST + 1000 else 32768
