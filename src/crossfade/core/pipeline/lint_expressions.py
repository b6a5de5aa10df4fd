"""Expressions that are never true, or not what the documentation makes of them."""

import re
from collections.abc import Container, Iterator

from crossfade.core.pipeline.expression.evaluate import evaluate, names, steps_read, syntax_error
from crossfade.core.pipeline.state import Result

_REFERENCE = re.compile(r"\$\{\{.+?\}\}")
_QUOTED_REFERENCE = re.compile(r"""(["'])[^"']*\$\{\{.+?\}\}[^"']*\1""")
_BARE_WORD = re.compile(r"""\$\{\{.+?\}\}\s*(?:==|!=)\s*["']|["']\s*(?:==|!=)\s*\$\{\{""")
_RESULT = re.compile(r"""\.result\s*[!=]=\s*["']([a-z_-]+)["']""")
_SLASHES = re.compile(r"""\bmatch\([^)]*,\s*["']/.*/["']\s*,""")
_MEMBER = re.compile(r"""\bMember\(\s*["']""")
_DOUBTS = (
    (_MEMBER, "Member takes an object first, as in Member(steps, 'name') or Member(steps.a, 'b')"),
    (_SLASHES, "the slashes in match are part of the pattern, so it never matches: leave them out"),
)
_REPLACE = re.compile(r"""\breplace\(\s*["']([^"'$]*)["']\s*,\s*["']([^"'$]+)["']""")


def doubts(text: str) -> Iterator[str]:
    """Yield what is wrong with an expression that Codefresh accepts."""
    plain = _REFERENCE.sub("x", text)
    error = syntax_error(plain)
    if error is not None:
        yield f"is never true, as it is no valid expression: {error}"
        return
    if _BARE_WORD.search(_QUOTED_REFERENCE.sub('""', text)):
        yield 'compares a variable without quotes with a text; write "${{NAME}}" in quotes'
    for pattern, doubt in _DOUBTS:
        if pattern.search(text):
            yield doubt
    for word in _RESULT.findall(text):
        if word not in [each.value for each in Result]:
            yield f"a result is never {word!r}; results are success, failure, skipped and so on"
    if any(whole.count(part) > 1 for whole, part in _REPLACE.findall(text)):
        yield "replace changes only the first place"
    if not _REFERENCE.search(text) and not names(text) and "Variable(" not in text:
        verdict = evaluate(text, {})
        if not verdict.result:
            why = f": {verdict.error}" if verdict.error else ""
            yield f"is never true, whatever happens{why}"


def missing_steps(text: str, there: Container[str]) -> Iterator[str]:
    """Yield the steps that an expression reads and that do not exist."""
    plain = _REFERENCE.sub("x", text)
    yield from (name for name in sorted(steps_read(plain)) if name not in there)
