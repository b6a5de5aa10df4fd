"""Services, candidates and probes in containers of their own."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossfade.adapters.runners.boxes import Command
from crossfade.adapters.runners.companions import say
from crossfade.adapters.runners.container_images import ready
from crossfade.adapters.runners.container_words import Hiding
from crossfade.adapters.runners.containers import (
    HOSTS,
    Container,
    Containers,
    Network,
    name_of,
    open_to,
    running,
    variables_of,
)
from crossfade.adapters.runners.in_image import ImagePlace
from crossfade.adapters.runners.view import Mount
from crossfade.base.errors import InputError
from crossfade.core.image.command import command_of

_ADDRESS_SECONDS, _LOOK_SECONDS = 10.0, 0.1


@dataclass(slots=True)
class ContainerBoxes:
    """Makes containers for one run."""

    working: Path
    """A folder of the run."""
    hosts: Path
    """What names stand for on the machine's network."""
    images: ImagePlace
    containers: Containers
    run: str
    """The run's folder, which marks what belongs to it."""
    network: str
    given: Mapping[str, str]
    """The variables of the step."""
    secrets: tuple[str, ...] = ()
    """Values that must not be shown."""

    def begin(self, names: Collection[str], beside: str) -> None:
        """
        Make the network of the run, unless it has that of other services.

        Raises InputError when these, in the file `beside`, have one of its names.
        """
        if self.containers.network is Network.HOST:
            return
        if not beside:
            self.containers.make_network(self.run)
            return
        lines = Path(beside).read_text().splitlines()
        if both := {name for line in lines for name in line.split()[1:]} & set(names):
            raise InputError(
                f"{', '.join(sorted(both))}: services beside have this name already",
                hint="give it another name, or set CROSSFADE_CONTAINER_NETWORK=host",
            )

    def end(self, grace_seconds: float) -> None:
        """Return once nothing of the run is left."""
        self.containers.stop(self.run, grace_seconds)
        self.containers.remove((self.run,))

    def address(self, name: str, of_hosts: str) -> str:
        """Return where a service is, for who is on this machine and not on its network."""
        if self.network == Network.HOST:
            return of_hosts
        shape = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        words = ("container", "inspect", "--format", shape, name_of(self.run, name))
        until = time.monotonic() + _ADDRESS_SECONDS
        while time.monotonic() < until:  # it was started just now
            code, text = self.containers.command.tried(*words)
            if not code and text.strip():
                return text.strip()
            time.sleep(_LOOK_SECONDS)
        return "no address that is known yet"

    def box(self, wanted: Command, mounts: Sequence[Mount]) -> tuple[list[str], dict[str, str]]:
        """
        Return command and environment of a new container that sees these things.

        Raises NotFound for an image that is not to be had, InputError for one with no command.
        """
        seen = (*mounts, Mount(str(self.hosts), HOSTS))
        given = self.given if wanted.environment is None else wanted.environment
        engine, inside = self.containers.command, wanted.inside
        image = ready(engine, self.images, wanted.image, inside.contexts, say)
        if image.on_host:
            raise InputError(
                f"{wanted.name}: its image {wanted.image} is made on this machine's own files, "
                "which no container has",
                hint="build it on another base, or run the pipeline with `--runner process`",
            )
        argv = wanted.argv or command_of(image.config, inside.entry_point, inside.arguments)
        if not argv:
            hint = "give it a `command`"
            raise InputError(f"{wanted.name}: neither it nor its image has a command", hint=hint)
        open_to(image.config.user, mounts)
        argv, more = Hiding(self.containers, self.run, self.secrets, say).told(image.id, argv)
        container = Container(
            image.id,
            argv,
            seen,
            self.network,
            name_of(self.run, wanted.name) if wanted.names else "",
            wanted.names,
            wanted.directory,
            {**variables_of(given, self.images.passwords(), image.config, ""), **more},
        )
        count = len(list(self.working.iterdir()))
        return running(self.containers, self.run, container, self.working / f"{count}.variables")
