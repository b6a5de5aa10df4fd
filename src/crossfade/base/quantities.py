"""Kubernetes quantities (`100m`, `1.5`, `64Mi`) as whole thousandths of their unit."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from functools import lru_cache

_SUFFIXES: Mapping[str, Decimal] = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}


@lru_cache(maxsize=1024)
def thousandths(quantity: str | int | float | None) -> int:
    """Return milli-units, rounded up; 0 for None or text that is no quantity."""
    text = str(quantity if quantity is not None else 0).strip()
    suffix = text.lstrip("+-.0123456789")
    try:
        if suffix[:1] in ("e", "E") and suffix[1:].lstrip("+-").isdigit():
            number = Decimal(text)
        else:
            number = Decimal(text[: len(text) - len(suffix)]) * _SUFFIXES[suffix]
    except (InvalidOperation, KeyError):
        return 0
    return int((number * 1000).to_integral_value(rounding=ROUND_CEILING))


def whole(quantity: str | int | float | None) -> int:
    """Return units (bytes, cores), rounded up."""
    return -(-thousandths(quantity) // 1000)


def add(amounts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum by resource name."""
    total: dict[str, int] = {}
    for amount in amounts:
        for name, value in amount.items():
            total[name] = total.get(name, 0) + value
    return total


def shown(resource: str, amount: int) -> str:
    """Return thousandths of a resource for people: `1.5 CPU`, `512 MiB of memory`, `3 pods`."""
    if resource == "cpu":
        return f"{_short(amount / 1000)} CPU"
    if resource in ("memory", "ephemeral-storage"):
        name = "memory" if resource == "memory" else "disk"
        size, unit = amount / 1000 / 2**20, "MiB"
        if size >= 1024:
            size, unit = size / 1024, "GiB"
        return f"{_short(size)} {unit} of {name}"
    return f"{_short(amount / 1000)} {resource}"


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
