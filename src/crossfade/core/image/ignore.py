"""What of a build context `.dockerignore` leaves out."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the file."""

    pattern: str
    again: bool
    """With `!`: what matches is back."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """The rules of one file; the last one that matches a path decides."""

    rules: tuple[Rule, ...] = ()

    def leaves_out(self, path: str) -> bool:
        """Return whether a file is left out; `path` is relative to the context, with `/`."""
        out = False
        for rule in self.rules:
            if rule.again == out and _matches(rule.pattern, path):
                out = not rule.again
        return out

    def may_skip(self, folder: str) -> bool:
        """Return whether nothing below a folder can be back, so that it need not be walked."""
        return self.leaves_out(folder) and not any(rule.again for rule in self.rules)


def parse(text: str) -> Ignored:
    """Return the rules of a `.dockerignore`."""
    rules = []
    for line in text.removeprefix("\ufeff").splitlines():
        pattern = line.strip()
        if not pattern or line.startswith("#"):
            continue
        again = pattern.startswith("!")
        pattern = posixpath.normpath(pattern.removeprefix("!").strip()).lstrip("/")
        if pattern not in ("", "."):
            rules.append(Rule(pattern, again))
    return Ignored(tuple(rules))


def _matches(pattern: str, path: str) -> bool:
    """Return whether a path, or a folder that it is in, matches."""
    compiled = _compiled(pattern)
    parts = path.split("/")
    return any(compiled.fullmatch("/".join(parts[:count])) for count in range(1, len(parts) + 1))


def matching(pattern: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Return the paths that the source of a COPY with wildcards means."""
    compiled = _compiled(pattern)
    return tuple(path for path in paths if compiled.fullmatch(path))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(_expression(pattern))
    except re.error:  # a range from high to low, as in `[z-a]`, means nothing but itself
        return re.compile(re.escape(pattern))


def _expression(pattern: str) -> str:
    """Return the regular expression of a pattern; `*` and `?` do not cross a `/`."""
    parts, at = [], 0
    while at < len(pattern):
        character = pattern[at]
        if pattern.startswith("**/", at):
            parts.append(r"(?:.*/)?")
            at += 3
            continue
        if pattern.startswith("**", at):
            parts.append(".*")
            at += 2
            continue
        if character == "[" and (end := pattern.find("]", at + 2)) > 0:
            inside = re.sub(r"[\\\[&~|]", r"\\\g<0>", pattern[at + 1 : end])
            parts.append(f"[{inside}]")
            at = end + 1
            continue
        if character == "\\" and at + 1 < len(pattern):
            at += 1
            character = re.escape(pattern[at])
        else:
            character = {"*": "[^/]*", "?": "[^/]"}.get(character, re.escape(character))
        parts.append(character)
        at += 1
    return "".join(parts)
