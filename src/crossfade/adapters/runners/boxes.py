"""Commands in boxes of their own: on the files of their images, or with the machine's tools."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crossfade.adapters.runners import bubblewrap
from crossfade.adapters.runners.in_image import ImagePlace, InImage, of_machine, prepared
from crossfade.adapters.runners.tools import has_tool
from crossfade.adapters.runners.variables import VARIABLES, write_variables
from crossfade.adapters.runners.view import Mount
from crossfade.base.errors import InputError
from crossfade.core.pipeline.images import is_allowed
from crossfade.core.pipeline.supported import image_refusal, unknown_image
from crossfade.core.pipeline.work import Inside


@dataclass(frozen=True, slots=True)
class Command:
    """What is to be run in a box."""

    name: str
    """Of its folder."""
    image: str
    argv: tuple[str, ...] = ()
    """The whole command; empty: as `inside` says."""
    inside: Inside = field(default_factory=Inside)
    directory: str = ""
    """"": where the image says; /tmp without an image."""
    environment: Mapping[str, str] | None = None
    """None: that of the step."""
    names: tuple[str, ...] = ()
    """What others find it by."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """Makes boxes for one run."""

    working: Path
    """A folder of the run."""
    hosts: Path
    """What names of machines stand for in all of the boxes."""
    images: ImagePlace
    host_images: tuple[str, ...]
    given: Mapping[str, str]
    """The variables of the step."""

    def begin(self, names: Collection[str], beside: str) -> None:
        """Make what all boxes share: nothing, they have the machine's network."""

    def end(self, grace_seconds: float) -> None:
        """End what the boxes' processes do not end themselves: nothing."""

    def address(self, _: str, of_hosts: str) -> str:
        """Return where a service is: where its name leads to."""
        return of_hosts

    def box(self, wanted: Command, mounts: Sequence[Mount]) -> tuple[list[str], dict[str, str]]:
        """
        Return command and environment of a new box that sees these things in their places.

        Raises InputError for an image that is not at hand, and that no tools stand for.
        """
        seen = [*mounts, Mount(str(self.hosts), "/etc/hosts")]
        given = self.images.without_passwords(
            self.given if wanted.environment is None else wanted.environment
        )
        if self._is_here(wanted.image):
            return self._inside(wanted, seen, given)
        why = image_refusal(wanted.image, has_tool, self.host_images)
        if why:
            raise InputError(
                unknown_image(wanted.image, why), hint="nothing of this composition was started"
            )
        argv = wanted.argv or (*wanted.inside.entry_point, *wanted.inside.arguments)
        if not argv:
            raise InputError(
                f"{wanted.name}: it has no command, and its image {wanted.image} is not at hand",
                hint="give it a `command`, or `crossfade image pull` the image",
            )
        given = {"HOME": "/tmp", **given, "PATH": given.get("PATH") or os.environ["PATH"]}  # noqa: S108
        variables = Path(f"{self._new(wanted)}.{VARIABLES}")
        write_variables(variables, given)
        directory = wanted.directory or "/tmp"  # noqa: S108
        return bubblewrap.command(seen, directory, argv, variables), of_machine()

    def _new(self, wanted: Command) -> Path:
        """Return a place that no other box of the run has."""
        count = len(list(self.working.iterdir()))
        return self.working / f"{count}-{wanted.name.replace('/', '-')}"

    def _is_here(self, image: str) -> bool:
        return not is_allowed(image, self.host_images) and self.images.has(image)

    def _inside(
        self, wanted: Command, mounts: list[Mount], given: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str]]:
        runs = bool(wanted.argv)
        inside = Inside(
            wanted.inside.entry_point,
            wanted.inside.arguments,
            runs_script=runs,
            own_directory=not wanted.directory,
        )
        step = InImage(
            wanted.image,
            inside,
            wanted.argv,
            wanted.directory,
            "",
            tuple(mounts),
            str(self._new(wanted)),
            self.images,
        )
        return prepared(step, given)
