"""Patterns of paths, as `modifiedFilesGlob` has them."""

import re

from crossfade.core.pipeline.expression.errors import ExpressionError
from crossfade.core.pipeline.expression.meter import Meter
from crossfade.core.pipeline.expression.regex import Flags, found

_PIECE = re.compile(r"\*\*/|\*\*|\*|\?|\{|\}|,|\[[^\]/]+\]|.", re.DOTALL)
_MEANINGS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def fits_glob(pattern: str, path: str, meter: Meter | None = None) -> bool:
    """
    Return whether the path is one that the pattern means.

    `*` and `?` are for characters other than `/`, `**` for any, `{a,b}` for one or the other, and
    a `!` in front for everything else.
    """
    wanted = not pattern.startswith("!")
    body = pattern.removeprefix("!").removeprefix("/")
    try:
        fits = found(f"^{_regex(body)}$", path, Flags(dot_all=True), meter)
    except ExpressionError:
        return False
    return fits is wanted


def _regex(glob: str) -> str:
    depth, parts = 0, []
    for piece in _PIECE.findall(glob):
        if piece == "{":
            depth, part = depth + 1, "(?:"
        elif piece == "}" and depth:
            depth, part = depth - 1, ")"
        elif piece == "," and depth:
            part = "|"
        elif len(piece) > 1 and piece.startswith("["):
            part = f"[^{piece[2:]}" if piece[1] == "!" else piece
        else:
            part = _MEANINGS.get(piece) or _literal(piece)
        parts.append(part)
    return "".join(parts)


def _literal(character: str) -> str:
    return f"\\{character}" if character in r"\^$.|?*+()[]{}/" else character
