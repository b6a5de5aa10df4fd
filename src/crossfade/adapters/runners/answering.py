"""What it means that this machine refuses: not now, so that it is asked again."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from crossfade.base.errors import Unavailable

_NOT_NOW = frozenset(
    {
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EIO, errno.ESTALE),
        *(errno.ENOSPC, errno.EDQUOT, errno.EROFS),
    }
)
_FILES = (errno.EMFILE, errno.ENFILE)


def is_not_now(error: OSError) -> bool:
    """Return whether the machine is short of something, and whoever asked has done nothing."""
    return error.errno in _NOT_NOW


def refused(what: str, error: OSError) -> Unavailable:
    """Return the error that says what this machine did not do, and why."""
    hint = "see that the state folder can be written and has room; it is tried again"
    if error.errno in _FILES:
        hint = "raise the limit of open files (`ulimit -n`, LimitNOFILE=); it is tried again"
    named = {"file": error.filename} if error.filename else {}
    return Unavailable(f"{what}: {error.strerror or error}", hint=hint, **named)


@contextmanager
def answering(what: str) -> Iterator[None]:
    """Make of every refusal of the machine an Unavailable that says `what` was not to be had."""
    try:
        yield
    except OSError as error:
        raise refused(what, error) from error
