"""
Variables: which value holds, and how it gets into texts.

A reference that nothing answers stays as it is written: `${{NAME}}` is then literal text, which is
what the usual test for a missing variable looks for.  Values are put in after the file has been
read, text by text, so that no value can change the structure of the document.
"""

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from crossfade.base.json_value import Json

REFERENCE = re.compile(r"\$\{\{(.+?)\}\}")
"""Not greedy, and not over the end of a line."""
LONGEST = 1_000_000
"""Characters that one text may grow to."""
MASK = "****"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_BUILD = re.compile(r"CF_.*|CI|(https?|no|all)_proxy", re.IGNORECASE)
_NO_TAG = re.compile(r"[^A-Za-z0-9_.-]")


class Source(IntEnum):
    """Where a variable comes from; a greater one goes before a smaller one."""

    SHARED = 2
    PIPELINE = 3
    TRIGGER = 4
    RUN = 5
    EXPORT = 6
    STEP = 7


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable with its value."""

    name: str
    value: str
    source: Source = Source.PIPELINE
    secret: bool = False
    """Its value is not shown, and is taken out of logs."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The variables that one step sees."""

    values: Mapping[str, Variable] = field(default_factory=dict)
    looked_up: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Secrets of stores, by the references that stand for them; they are no variables."""

    def with_all(self, variables: Iterable[Variable]) -> "Scope":
        """Return the scope with these added; of one name the highest source wins, then the last."""
        values = dict(self.values)
        for each in variables:
            old = values.get(each.name)
            if old is None or each.source >= old.source:
                values[each.name] = each
        return Scope(values, self.looked_up)

    @property
    def texts(self) -> dict[str, str]:
        """Names and values."""
        return {name: each.value for name, each in self.values.items()}

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must not be shown, the longest first."""
        found = {each.value for each in self.values.values() if each.secret and each.value}
        found |= {each for each in self.looked_up.values() if each}
        return tuple(sorted(found, key=len, reverse=True))

    def shown(self) -> dict[str, str]:
        """Return names and values as they may be shown."""
        return {n: MASK if each.secret else each.value for n, each in self.values.items()}


def of_build(values: Mapping[str, str]) -> dict[str, str]:
    """
    Return the variables that steps of ours have which know a key, or run on the machine itself.

    What a program reads to run another one (`GIT_SSH_COMMAND`, `LD_PRELOAD`) is not among them, so
    that no step before can export it.
    """
    return {name: value for name, value in values.items() if _OF_BUILD.fullmatch(name)}


Answer = Callable[[str], str | None]
"""Returns the value of a reference, None when there is none."""


def references(text: str) -> tuple[str, ...]:
    """Return what the text refers to, in order."""
    return tuple(found.strip() for found in REFERENCE.findall(text))


def substituted(text: str, answer: Answer) -> str:
    """Return the text with values for references; those without an answer stay as they are."""
    if "${{" not in text:
        return text

    def value(found: "re.Match[str]") -> str:
        answered = answer(found[1].strip())
        return found[0] if answered is None else answered

    result = REFERENCE.sub(value, text)
    return result if len(result) <= LONGEST else result[:LONGEST]


def substituted_tree(value: Json, answer: Answer) -> Json:
    """Return the tree with values for references in each of its texts; keys stay."""
    match value:
        case str():
            return substituted(value, answer)
        case list():
            return [substituted_tree(each, answer) for each in value]
        case dict():
            return {key: substituted_tree(each, answer) for key, each in value.items()}
        case _:
            return value


def as_flag(value: Json, default: bool) -> bool:
    """Return a flag as its words or its variable say; what says neither is the default."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("true", "yes", "on", "1", "1.0"):
        return True
    return False if word in ("false", "no", "off", "0", "0.0") else default


def exported(text: str, masked: Container[str] = ()) -> tuple[Variable, ...]:
    """
    Return what a step has written to its file of exports: `NAME=value` a line, last wins.

    Those whose names are `masked` are secrets from then on.
    """
    found: dict[str, Variable] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and _NAME.fullmatch(name.strip()):
            found[name.strip()] = Variable(
                name.strip(), value, Source.EXPORT, name.strip() in masked
            )
    return tuple(found.values())


def flag(values: Iterable[Json], fill_in: Callable[[str], str], *, default: bool) -> bool:
    """Return the first of the values that is given, as a flag; texts may hold references."""
    given = next((value for value in values if value is not None), None)
    return as_flag(fill_in(given) if isinstance(given, str) else given, default)


def export_command(words: Sequence[str], environment: Mapping[str, str]) -> tuple[Variable, ...]:
    """
    Return what `cf_export` is asked for: `A=1 B --mask`, where B has its value already.

    Raises ValueError that says which word is none of these.
    """
    mask = "--mask" in words
    found: dict[str, Variable] = {}
    for word in words:
        if word == "--mask":
            continue
        name, equals, value = word.partition("=")
        if not _NAME.fullmatch(name):
            raise ValueError(f"{word!r} is neither NAME=value nor the NAME of a variable")
        given = value if equals else environment.get(name, "")
        found[name] = Variable(name, given, Source.EXPORT, mask)
    return tuple(found.values())


def environment(lines: Iterable[str]) -> tuple[Variable, ...]:
    """Return the variables of `environment:`, each written as `NAME=value`."""
    pairs = (line.partition("=") for line in lines)
    return tuple(Variable(name.strip(), value, Source.STEP) for name, _, value in pairs)


def tag_form(text: str) -> str:
    """Return the text as it may be part of an image tag: other characters become dashes."""
    return _NO_TAG.sub("-", text)


def escaped(text: str) -> str:
    """Return the text as it may stand between quotes of an expression."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'")
