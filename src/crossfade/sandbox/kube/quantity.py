"""Amounts of resources, as `500m` of a processor or `1Gi` of memory."""

import re
from decimal import ROUND_CEILING, Decimal

_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?\d{1,3}))")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = "KMGTPE"


def amount(text: object) -> Decimal | None:
    """Return the number that a quantity (a text or a number) stands for, None if it is none."""
    found = _FORM.fullmatch(str(text))
    if found is None or isinstance(text, bool):
        return None
    number, binary, decimal, exponent = found.groups()
    if binary:
        return Decimal(number) * Decimal(1024) ** (_BINARY.index(binary[0]) + 1)
    return Decimal(number).scaleb(int(exponent) if exponent else _DECIMAL[decimal])


def canonical(text: object) -> str:
    """
    Return a quantity as a server writes it: a whole number with the largest suffix that allows it.

    `0.5` becomes `500m` and `1024Mi` becomes `1Gi`.  What is no quantity comes back as text.
    """
    value = amount(text)
    if value is None or re.search(r"[eE][+-]?\d", str(text)):
        return str(text)
    if str(text).endswith("i") and abs(value) >= 1024 and value == value.to_integral_value():
        return _binary(int(value))
    steps = (value.scaleb(9)).to_integral_value(rounding=ROUND_CEILING)
    power = -9
    while steps and steps % 1000 == 0 and power < 18:
        steps, power = steps / 1000, power + 3
    suffix = next(suffix for suffix, exponent in _DECIMAL.items() if exponent == power)
    return f"{int(steps)}{suffix}" if steps else "0"


def _binary(value: int) -> str:
    place = -1
    while value % 1024 == 0 and place < len(_BINARY) - 1:
        value, place = value // 1024, place + 1
    return f"{value}{_BINARY[place]}i" if place >= 0 else str(value)
