"""Which of the sandbox's ports are taken, and by whom."""

import os
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

from crossfade.base.errors import Conflict
from crossfade.sandbox.kube.kubelet.ports import first_outgoing_port

_LISTEN = "0A"


def require_free(wanted: Mapping[int, str]) -> None:
    """Raise Conflict when a port is in use; it names the port, its purpose and the holder."""
    for port, purpose in wanted.items():
        if not is_free(port):
            pid = holder(port)
            facts: dict[str, object] = {"port": port, "wanted_for": purpose}
            if pid is not None:
                facts |= {"pid": pid, "process": _name(pid)}
            raise Conflict(f"port {port} is taken", hint=_hint(port, pid), **facts)


def _hint(port: int, pid: int | None) -> str:
    lowest = first_outgoing_port()
    if pid is None and port >= lowest:
        return (
            f"from {lowest} on, ports belong to outgoing connections, any of which may have it: "
            "choose lower ones with `--port-base`"
        )
    return "end that process, or choose other ports with `--port-base`"


def warning(wanted: Iterable[int]) -> str:
    """Return why these ports may be taken by the time they are needed, "" when all are safe."""
    highest, lowest = max(wanted), first_outgoing_port()
    if highest < lowest:
        return ""
    return (
        f"ports up to {highest} are used, and from {lowest} on they belong to outgoing connections:"
        " a cloud that is started again may find one of its ports taken; choose lower ones with "
        "`--port-base`"
    )


def is_free(port: int) -> bool:
    """Say whether a server could listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        # As servers do: connections that have just ended must not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def holder(port: int) -> int | None:
    """Return the process that listens on the port, or None when that cannot be known."""
    inodes = {f"socket:[{inode}]" for inode in _listening(port)}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            for descriptor in os.listdir(f"/proc/{entry}/fd"):
                if os.readlink(f"/proc/{entry}/fd/{descriptor}") in inodes:
                    return int(entry)
        except OSError:
            continue
    return None


def _listening(port: int) -> set[str]:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(fields[9])
    return inodes


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "unknown"
