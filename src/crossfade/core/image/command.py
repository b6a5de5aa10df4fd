"""What runs when an image runs."""

from crossfade.core.image.documents import ImageConfig


def command_of(
    config: ImageConfig, entry_point: tuple[str, ...] = (), arguments: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """
    Return the command, as `docker run` would make it; empty when the image says nothing.

    Another entry point comes without the image's command, for that was meant for the image's own.
    """
    if entry_point:
        return (*entry_point, *arguments)
    return (*config.entrypoint, *(arguments or config.command))
