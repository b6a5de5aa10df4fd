"""Which files of a chart folder are no part of the chart: the rules of `.helmignore`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from crossfade.base.errors import InputError


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of `.helmignore`."""

    pattern: re.Pattern[str]
    whole_path: bool
    """True: matched against the path from the chart's folder; False: against the last name."""
    folders_only: bool
    negated: bool
    """True: what does NOT match is left out, which is how Helm reads `!`."""


def read(text: str) -> tuple[Rule, ...]:
    """
    Return the rules, with Helm's own for dot files in `templates/`.

    Raises InputError for what Helm does not understand either.
    """
    rules = [
        _rule(line.strip(), number)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.strip().startswith("#")
    ]
    return (*rules, _rule("templates/.?*", 0))


def ignores(rules: Sequence[Rule], path: str, folder: bool) -> bool:
    """Return whether `path`, with `/` and relative to the chart's folder, is left out."""
    for rule in rules:
        if rule.folders_only and not folder:
            continue
        matched = bool(rule.pattern.fullmatch(path if rule.whole_path else path.rpartition("/")[2]))
        if matched != rule.negated:
            return True
    return False


def _rule(line: str, number: int) -> Rule:
    negated = line.startswith("!")
    pattern = line.removeprefix("!")
    if "**" in pattern:
        raise InputError(
            "`**` in .helmignore is not known to Helm",
            hint="name each folder, or use `*` for one level",
            line=number,
        )
    folders_only = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    return Rule(
        pattern=_translate(pattern.removeprefix("/"), number),
        whole_path="/" in pattern,
        folders_only=folders_only,
        negated=negated,
    )


def _translate(pattern: str, number: int) -> re.Pattern[str]:
    """Return the shell pattern as a regular expression; `*` and `?` stop at `/`."""
    expression, at = "", 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            expression += "[^/]*"
        elif character == "?":
            expression += "[^/]"
        elif character == "[" and (end := pattern.find("]", at + 1)) > 0:
            inside = pattern[at:end].replace("\\", "\\\\").replace("[", "\\[")
            expression += f"[{inside}]"
            at = end + 1
        else:
            expression += re.escape(character)
    try:
        return re.compile(expression)
    except re.error as error:
        raise InputError(
            f"`{pattern}` in .helmignore is no pattern",
            hint="use names with `*`, `?` and `[a-z]`",
            line=number,
        ) from error
