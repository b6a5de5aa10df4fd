"""The instructions of a Dockerfile, each with the line that it begins on."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from crossfade.base.errors import InputError
from crossfade.base.words import did_you_mean

KEYWORDS = (
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
)
_REFUSED = {
    "ONBUILD": "write the instruction into the Dockerfiles that build on this image",
}
_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9-]*)\s*=\s*(.*?)\s*\Z")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|\Z)")
_HEREDOC = re.compile(r"(?:^|\s|\d)<<-?[\"']?[A-Za-z_][A-Za-z0-9_]*[\"']?(?=\s|\Z|[;&|>])")
_WITH_HEREDOC = ("RUN", "COPY", "ADD")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; references to variables are as they were written."""

    line: int
    keyword: str
    """In capitals."""
    text: str
    """What comes after keyword and flags, in one line."""
    flags: tuple[tuple[str, str], ...] = ()
    items: tuple[str, ...] | None = None
    """The strings of a JSON list; None when it was not written as one."""

    def flag(self, name: str) -> str:
        """Return the value of a flag, "" when it is not given."""
        return dict(self.flags).get(name, "")


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A whole file."""

    name: str
    """As people know it, for messages."""
    instructions: tuple[Instruction, ...]
    escape: str = "\\"

    def problem(self, line: int, what: str, hint: str) -> InputError:
        """Return the error that says what is wrong on a line."""
        return InputError(what, hint=hint, file=self.name, line=line)


def parse(text: str, name: str = "Dockerfile") -> Dockerfile:
    """Return the instructions.  Raises InputError with the line of what cannot be read."""
    lines = text.removeprefix("\ufeff").splitlines()
    empty = Dockerfile(name, (), _escape(lines, name))
    found = tuple(_instruction(empty, line, whole) for line, whole in _joined(lines, empty.escape))
    if not any(each.keyword == "FROM" for each in found):
        hint = "begin with `FROM scratch`, `FROM host` or the image to build on"
        raise empty.problem(1, "the file has no FROM", hint)
    first = next(each for each in found if each.keyword != "ARG")
    if first.keyword != "FROM":
        hint = "only ARG may come before the first FROM"
        raise empty.problem(first.line, f"{first.keyword} stands before the first FROM", hint)
    return Dockerfile(name, found, empty.escape)


def _escape(lines: list[str], name: str) -> str:
    """Return the character that continues lines; directives stand at the very top."""
    for number, line in enumerate(lines, 1):
        match = _DIRECTIVE.match(line.strip())
        if match is None:
            break
        if match.group(1).lower() != "escape":
            continue
        if match.group(2) not in ("\\", "`"):
            what = f"the escape directive is {match.group(2)!r}"
            raise InputError(what, hint="it may be \\ or `", file=name, line=number)
        return match.group(2)
    return "\\"


def _joined(lines: list[str], escape: str) -> Iterator[tuple[int, str]]:
    """Yield each instruction as one line; comments and empty lines inside of it are dropped."""
    start, parts = 0, list[str]()
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        start = start or number
        bare = line.rstrip()
        if bare.endswith(escape):
            parts.append(bare[: -len(escape)])
            continue
        yield start, "".join([*parts, bare]).strip()
        start, parts = 0, []
    if whole := "".join(parts).strip():
        yield start, whole


def _instruction(file: Dockerfile, line: int, whole: str) -> Instruction:
    keyword, _, rest = whole.replace("\t", " ").partition(" ")
    keyword = keyword.upper()
    _check_keyword(file, line, keyword)
    if keyword in _WITH_HEREDOC and _HEREDOC.search(rest):
        hint = "write the text into a file and COPY it, or join commands with && and \\"
        raise file.problem(line, f"{keyword} has a here-document, which is not supported", hint)
    flags, text = _flags(rest.strip())
    if not text:
        raise file.problem(line, f"{keyword} has no arguments", f"write `{keyword} ...`")
    return Instruction(line, keyword, text, flags, json_items(text))


def _check_keyword(file: Dockerfile, line: int, keyword: str) -> None:
    if keyword in _REFUSED:
        raise file.problem(line, f"{keyword} is not supported", _REFUSED[keyword])
    if keyword not in KEYWORDS:
        what = f"there is no instruction {keyword}{did_you_mean(keyword, KEYWORDS)}"
        raise file.problem(line, what, f"allowed are {', '.join(KEYWORDS)}")


def _flags(rest: str) -> tuple[tuple[tuple[str, str], ...], str]:
    found = []
    while match := _FLAG.match(rest):
        found.append((match.group(1), match.group(2) or ""))
        rest = rest[match.end() :]
    return tuple(found), rest.strip()


def json_items(text: str) -> tuple[str, ...] | None:
    """Return the strings of a JSON list; as in Docker, what is none is a text."""
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return tuple(found)
    return None
