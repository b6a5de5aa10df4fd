"""Images: the sandbox has none, but the tools of the host stand for `host` and for some others."""

import re
from collections.abc import Callable

HOST_IMAGE = "host"
_HOST = re.compile(r"host(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?(@sha256:[0-9a-f]{64})?\Z")

StandsFor = Callable[[str], str | None]
"""Says of an image what the host lacks to stand for it: "" for nothing; None: it never can."""


def only_host(_image: str) -> str | None:
    """Say that the host stands for no other image."""
    return None


def is_host(image: str) -> bool:
    """Return whether it is the host itself; it has no command of its own."""
    return _HOST.match(image) is not None


def problem(image: str, stands_for: StandsFor = only_host) -> str | None:
    """Return why containers of this image cannot run, or None for `host` with whatever tag."""
    if is_host(image):
        return None
    lacking = stands_for(image)
    if lacking == "":
        return None
    if lacking:
        return f'failed to pull image "{image}": for it this machine would need {lacking}'
    return (
        f'failed to pull image "{image}": the sandbox runs no container images; it knows '
        f"`{HOST_IMAGE}` only, with which the container's command runs as a process of this "
        "machine, and public images of tools, as alpine or python"
    )
