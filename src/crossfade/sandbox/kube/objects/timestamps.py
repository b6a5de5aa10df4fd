"""Times as Kubernetes writes them, from and to seconds since the Unix epoch."""

from datetime import UTC, datetime


def stamp(seconds: float) -> str:
    """Return `metav1.Time`: whole seconds, as `2026-01-31T12:00:00Z`."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_stamp(seconds: float) -> str:
    """Return `metav1.MicroTime`: six digits behind the point."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_of(text: str | None) -> float:
    """Return seconds since the epoch of either form; 0 for None or text that is no time."""
    if not text:
        return 0.0
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
