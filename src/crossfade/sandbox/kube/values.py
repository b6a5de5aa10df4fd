"""Small things about Kubernetes objects as JSON values."""

import calendar
import time
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

Json: TypeAlias = Any
"""Any JSON value; what it is, the code that holds it has to find out."""


def clone(value: T) -> T:
    """Return a deep copy of a JSON value."""
    copied: Any = value
    if isinstance(value, dict):
        copied = {key: clone(item) for key, item in value.items()}
    elif isinstance(value, list):
        copied = [clone(item) for item in value]
    result: T = copied
    return result


def timestamp(now: float) -> str:
    """Return seconds since the epoch as Kubernetes writes a time, in whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))


def seconds(text: str) -> float:
    """Return a time of Kubernetes as seconds since the epoch; raises ValueError."""
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def without_version(obj: dict[str, Any]) -> dict[str, Any]:
    """Return the object less what each write changes anyway, to compare two of them."""
    metadata = dict(obj["metadata"])
    metadata.pop("resourceVersion", None)
    metadata["managedFields"] = [
        {key: value for key, value in entry.items() if key != "time"}
        for entry in metadata.get("managedFields") or ()
    ]
    return {**obj, "metadata": metadata}
