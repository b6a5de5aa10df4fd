"""How messages quote what users wrote, and guess what they meant."""

import difflib
import json
from collections.abc import Iterable


def shown(value: object) -> str:
    """Return a value as it may be quoted in a message: short, on one line."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def nearest(wrong: str, allowed: Iterable[str], alike: float = 0.6) -> str | None:
    """Return the allowed word that was probably meant, None when none is so much `alike`."""
    plain = {_plain(word): word for word in allowed}
    near = difflib.get_close_matches(_plain(wrong)[:100], plain, n=1, cutoff=alike)
    return plain[near[0]] if near else None


def did_you_mean(wrong: str, allowed: Iterable[str]) -> str:
    """Return `; did you mean "x"?`, or "" when nothing comes near."""
    near = nearest(wrong, allowed)
    return f'; did you mean "{near}"?' if near is not None else ""


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")
