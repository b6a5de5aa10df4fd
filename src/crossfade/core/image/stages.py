"""The stages of a Dockerfile: which ones a target needs, and on what each of them builds."""

from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.base.errors import InputError
from crossfade.base.words import did_you_mean
from crossfade.core.image.dockerfile import Dockerfile, Instruction
from crossfade.core.image.words import BadReference, filled_in, words

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
PROXIES = frozenset((*_PROXIES, *map(str.lower, _PROXIES)))
"""Build arguments that need no ARG and are in no image."""


@dataclass(frozen=True, slots=True)
class Stage:
    """From one FROM to the next."""

    number: int
    name: str
    """"": it has none."""
    base: str
    """An image, `scratch`, or the name of an earlier stage."""
    line: int
    instructions: tuple[Instruction, ...]
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Stages:
    """What is to be built, in this order; the last one is the target."""

    needed: tuple[Stage, ...]
    arguments: Mapping[str, str]
    """Values of ARGs before the first FROM; a stage has them once it names them."""

    @property
    def target(self) -> Stage:
        """The stage that becomes the image."""
        return self.needed[-1]

    def earlier(self, stage: Stage, reference: str) -> Stage | None:
        """Return the stage that a FROM or `--from` means, None when it is an image."""
        return _earlier(self.needed, stage.number, reference)


def stages(file: Dockerfile, build_arguments: Mapping[str, str], target: str = "") -> Stages:
    """
    Return the stages that the target (default: the last one) needs.

    Raises InputError for a target that is not there, or a FROM that cannot be read.
    """
    everything, arguments = _split(file, build_arguments)
    wanted = _target(file, everything, target)
    numbers = _needed(everything, wanted)
    return Stages(tuple(everything[number] for number in sorted(numbers)), arguments)


def _split(file: Dockerfile, given: Mapping[str, str]) -> tuple[list[Stage], dict[str, str]]:
    found: list[Stage] = []
    arguments: dict[str, str] = {}
    starts = [at for at, each in enumerate(file.instructions) if each.keyword == "FROM"]
    for each in file.instructions[: starts[0]]:
        arguments |= declared(file, each, read_words(file, each, arguments), given, {})
    for at, end in zip(starts, [*starts[1:], len(file.instructions)], strict=True):
        body = file.instructions[at + 1 : end]
        found.append(_stage(file, file.instructions[at], (len(found), body), arguments))
    return found, arguments


def declared(
    file: Dockerfile,
    arg: Instruction,
    said: tuple[str, ...],
    given: Mapping[str, str],
    inherited: Mapping[str, str],
) -> dict[str, str]:
    """
    Return the variables of an ARG that have a value; `said` are its words.

    What people gave goes before the default, and that before one of an ARG above the first FROM.
    """
    found: dict[str, str] = {}
    for word in said:
        name, has_default, default = word.partition("=")
        if not name.isidentifier() or not name.isascii():
            raise file.problem(arg.line, f"ARG names no variable: {word!r}", "write ARG NAME=value")
        if name in given:
            found[name] = given[name]
        elif has_default:
            found[name] = default
        elif name in inherited:
            found[name] = inherited[name]
    return found


def read_words(
    file: Dockerfile, instruction: Instruction, variables: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the words of an instruction with values for its references.  Raises InputError."""
    try:
        if instruction.items is not None:
            return tuple(filled_in(each, variables, file.escape) for each in instruction.items)
        return words(instruction.text, variables, file.escape)
    except BadReference as error:
        what = f"{instruction.keyword} cannot be read: {error}"
        raise file.problem(instruction.line, what, "escape a character with \\") from None


def _stage(
    file: Dockerfile,
    begin: Instruction,
    content: tuple[int, tuple[Instruction, ...]],
    arguments: Mapping[str, str],
) -> Stage:
    number, body = content
    said = read_words(file, begin, arguments)
    hint = "write `FROM image` or `FROM image AS name`"
    if not said or not said[0]:
        raise file.problem(begin.line, f"FROM names no image: {begin.text!r}", hint)
    if len(said) not in (1, 3) or (len(said) == 3 and said[1].lower() != "as"):
        raise file.problem(begin.line, f"FROM cannot be read: {begin.text!r}", hint)
    for name, _ in begin.flags:
        if name != "platform":
            raise file.problem(begin.line, f"FROM has no flag --{name}", "it has --platform")
    name = said[2].lower() if len(said) == 3 else ""
    return Stage(number, name, said[0], begin.line, body, begin.flag("platform"))


def _target(file: Dockerfile, everything: list[Stage], target: str) -> Stage:
    if not target:
        return everything[-1]
    found = _earlier(everything, len(everything), target)
    if found is None:
        names = [each.name for each in everything if each.name]
        raise InputError(
            f"there is no stage {target}{did_you_mean(target, names)}",
            hint=f"stages are {', '.join(names) or 'not named here: give a number from 0'}",
            file=file.name,
        )
    return found


def unused(file: Dockerfile, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the build arguments that no ARG asks for; that is no error, but worth a notice."""
    asked = {
        word.partition("=")[0]
        for each in file.instructions
        if each.keyword == "ARG"
        for word in each.text.split()
    }
    return tuple(sorted(given.keys() - asked - PROXIES))


def _needed(everything: list[Stage], wanted: Stage) -> set[int]:
    found, waiting = set[int](), [wanted]
    while waiting:
        stage = waiting.pop()
        if stage.number in found:
            continue
        found.add(stage.number)
        references = [stage.base, *(each.flag("from") for each in stage.instructions)]
        below = (_earlier(everything, stage.number, each) for each in references if each)
        waiting += [each for each in below if each is not None]
    return found


def _earlier(known: list[Stage] | tuple[Stage, ...], before: int, reference: str) -> Stage | None:
    """Return the stage that is meant; of several with one name, the last one that is earlier."""
    found = (each for each in reversed(known) if each.number < before)
    names = reference.lower()
    return next((e for e in found if names == e.name or reference == str(e.number)), None)
