"""What the exit codes of steps mean."""

import signal

from crossfade.core.pipeline.state import Status

_SIGNALS = {128 + each.value: each.name for each in signal.Signals}


def status_of(code: int) -> Status:
    """Return how a step with this exit code of its shell has ended."""
    if code == 128 + signal.SIGKILL:
        return Status.KILLED
    return Status.FAILED if code else Status.SUCCEEDED


def reason_of(code: int) -> str:
    """Return what the exit code says to people, "" when all went well."""
    if code == 0:
        return ""
    if code in _SIGNALS:
        return f"ended by {_SIGNALS[code]}"
    hints = {126: ": it cannot be executed", 127: ": a command was not found"}
    return f"exit code {code}{hints.get(code, '')}"
