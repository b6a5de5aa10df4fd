"""What a word without quotes stands for in a pipeline file: the YAML 1.2 core schema, and dates."""

import re

from crossfade.core.pipeline.expression.numbers import written
from crossfade.core.pipeline.tree import Date

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_BASED = re.compile(
    r"([-+]?)0(?:b([01][01_]*)|x([0-9a-fA-F][0-9a-fA-F_]*)|o([0-7][0-7_]*))", re.ASCII
)
_WHOLE = re.compile(r"[-+]?[0-9][0-9_]*", re.ASCII)
_FLOAT = re.compile(
    r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9_]+(?:[eE][-+]?[0-9]+)?", re.ASCII
)
_SPECIAL = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
    r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?",
    re.ASCII,
)
_LONGEST = 400
"""A number with more digits is text: nobody means one."""


def plain_value(text: str) -> bool | int | float | str | Date | None:
    """Return what the word stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-+.0123456789" or len(text) > _LONGEST:
        return text
    if _DATE.fullmatch(text):
        return Date(text)
    number = _number(text)
    return text if number is None else number


def _number(text: str) -> int | float | None:
    if text.endswith("_"):
        return None
    if found := _BASED.fullmatch(text):
        sign, *digits = found.groups()
        for base, each in zip((2, 16, 8), digits, strict=True):
            if each:
                return int(f"{sign}{each.replace('_', '')}", base)
    if _WHOLE.fullmatch(text):
        return int(text.replace("_", ""))
    if found := _SPECIAL.fullmatch(text):
        number = "nan" if "n" in text.lower()[-3:-1] and text.lower().endswith("nan") else "inf"
        return float(f"{found[1] or ''}{number}")
    if _FLOAT.fullmatch(text) and any(character.isdigit() for character in text):
        return float(text.replace("_", ""))
    return None


def key_text(value: bool | int | float | str | Date | None) -> str:
    """Return the name of a key that was written without quotes."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return written(float(value)) if abs(value) < 1e300 else str(value)
        case Date(text):
            return text
        case None:
            return "null"
