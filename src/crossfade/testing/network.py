"""A network of its own for a server, that can be made to drop everything; needs root and `ip`."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


class NoNetwork(Exception):
    """Networks cannot be made here; says why."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network namespace with a cable to this machine."""

    name: str
    here: str
    """Address of this machine on the cable."""
    there: str

    @property
    def within(self) -> tuple[str, ...]:
        """Command that runs another one in it."""
        return ("ip", "netns", "exec", self.name)

    def drop(self) -> None:
        """Let every answer from there be lost, on connections that are open, too."""
        self._must("-n", self.name, "route", "add", "blackhole", self.here)

    def mend(self) -> None:
        """Let answers through again."""
        self._must("-n", self.name, "route", "del", "blackhole", self.here)

    def lay(self) -> None:
        """Make it.  Raises NoNetwork."""
        cable, end = f"{self.name}a", f"{self.name}b"
        for command in (
            f"netns add {self.name}",
            f"link add {cable} type veth peer name {end} netns {self.name}",
            f"addr add {self.here}/30 dev {cable}",
            f"link set {cable} up",
            f"-n {self.name} addr add {self.there}/30 dev {end}",
            f"-n {self.name} link set {end} up",
        ):
            self._must(*command.split())

    def remove(self) -> None:
        """Take it away, as far as it is there."""
        _ip("link", "del", f"{self.name}a")
        _ip("netns", "del", self.name)

    def _must(self, *arguments: str) -> None:
        done = _ip(*arguments)
        if done.returncode != 0:
            raise NoNetwork(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


@contextmanager
def network() -> Iterator[Network]:
    """Have a network until the block ends.  Raises NoNetwork where that cannot be."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise NoNetwork("needs root and `ip` (Debian package iproute2) to drop packets")
    part, last = f"10.213.{secrets.randbelow(256)}", 4 * secrets.randbelow(63)
    made = Network(f"cf{secrets.token_hex(3)}", f"{part}.{last + 1}", f"{part}.{last + 2}")
    try:
        made.lay()
        yield made
    finally:
        made.remove()


def _ip(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("ip") or "ip"
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=20, check=False
    )
