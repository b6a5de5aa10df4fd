"""Images: the sandbox has none, but for `host`, the host's own files."""

import re

HOST_IMAGE = "host"
_HOST = re.compile(r"host(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?(@sha256:[0-9a-f]{64})?\Z")


def problem(image: str) -> str | None:
    """Return why containers of this image cannot run, or None for `host` with whatever tag."""
    if _HOST.match(image):
        return None
    return (
        f'failed to pull image "{image}": the sandbox runs no container images; it knows '
        f"`{HOST_IMAGE}` only, with which the container's command runs as a process of this machine"
    )
