"""What an image builds on: nothing, this machine's own tools, or another image."""

from dataclasses import dataclass

from crossfade.core.pipeline.images import tools_for

SCRATCH, HOST = "scratch", "host"
HOST_LABEL = "crossfade.dev/base"
"""Label of images that need the machine's own files to run; its value is `host`."""


@dataclass(frozen=True, slots=True)
class Base:
    """What the name after FROM means."""

    image: str
    """As it was written."""
    on_host: bool = False
    """Whether the machine's files are below it."""
    commands: tuple[str, ...] = ()
    """Those that the machine must have to stand for the image."""

    @property
    def notice(self) -> str:
        """What people must know of it, "" for nothing."""
        if not self.on_host or self.image == HOST:
            return ""
        return (
            f"{self.image} is not pulled: the tools of this machine stand for it, and the image "
            "has only what is added here"
        )


def known_base(image: str) -> Base | None:
    """Return a base that needs no image: scratch, host, a public image of tools; else None."""
    if image in (SCRATCH, HOST):
        return Base(image, image == HOST)
    tools = tools_for(image)
    return None if tools is None else Base(image, on_host=True, commands=tools.commands)
