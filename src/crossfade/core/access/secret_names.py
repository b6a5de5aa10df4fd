"""What secrets of the hub may be called, and how large they may be."""

import re

from crossfade.base.errors import InputError
from crossfade.base.secrets import Secret

LARGEST_BYTES = 1 << 16
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")


def is_secret_name(text: str) -> bool:
    """Say whether a secret of the hub may be called so."""
    return bool(_NAME.fullmatch(text))


def secret_name(text: str) -> str:
    """Return the text as the name of a secret.  Raises InputError."""
    if not is_secret_name(text):
        raise InputError(
            f"`{text}` is not the name of a secret",
            hint="allowed are letters, digits, `_`, `.` and `-`, beginning without `.` or `-`",
        )
    return text


def secret_value(text: str) -> Secret:
    """Return the value, without the line end that `echo` adds.  Raises InputError."""
    value = text.removesuffix("\n").removesuffix("\r")
    size = len(value.encode(errors="replace"))
    if not 1 <= size <= LARGEST_BYTES:
        raise InputError(
            f"a secret of {size} bytes is not kept", hint=f"give 1 to {LARGEST_BYTES} bytes"
        )
    return Secret(value)
