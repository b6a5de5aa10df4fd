"""Who we are for a registry: what `docker login` and its kin have written down."""

import base64
import binascii
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from crossfade.base.errors import InputError
from crossfade.core.image.reference import Reference

_DOCKER_HUB = "https://index.docker.io/v1/"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user of a registry."""

    user: str
    password: str = field(repr=False)


def docker_credentials(image: Reference) -> Credentials | None:
    """
    Return what Docker's configuration has for the image's registry, None for nothing.

    Programs that keep passwords (`credsStore`) are not asked.  Raises InputError for a file that
    cannot be read.
    """
    folder = os.environ.get("DOCKER_CONFIG") or Path("~/.docker").expanduser()
    path = Path(folder) / "config.json"
    try:
        known = json.loads(path.read_bytes()).get("auths") or {}
        for key in (image.registry, f"https://{image.registry}", _hub(image)):
            if found := (known.get(key) or {}).get("auth"):
                user, _, password = base64.b64decode(found, validate=True).decode().partition(":")
                return Credentials(user, password)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError, TypeError, binascii.Error) as error:
        hint = "mend it, or move it away and give --username"
        raise InputError(
            f"Docker's configuration cannot be read: {type(error).__name__}",
            hint=hint,
            file=str(path),
        ) from None
    return None


def _hub(image: Reference) -> str:
    return _DOCKER_HUB if image.registry == "docker.io" else ""
