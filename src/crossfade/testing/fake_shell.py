"""A shell of a few commands, run line by line in a world where time is a number."""

import posixpath
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from crossfade.core.pipeline.variables import Variable, export_command

WAIT_FOR_FILE = re.compile(r"while \[ ! -e (\S+) \]; do sleep \S+; done")
FOREVER = re.compile(r"while :; do sleep \S+; done")
_TRAP = re.compile(r"trap '([^']*)' TERM")
_REDIRECT = re.compile(r"^(.*?)\s*(>>|>)\s*([^\s&]\S*)$")
_VARIABLE = re.compile(r"\$(\w+)")

Command = Callable[["Shell", list[str]], int]


@dataclass(slots=True)
class Shell:
    """One script on its way, with all that it has done so far."""

    lines: list[str]
    directory: str
    environment: Mapping[str, str]
    files: dict[str, str]
    """Of its build, by their whole path."""
    commands: Mapping[str, Command]
    at: float
    """When the line before the next one ended."""
    output: bytes = b""
    exports: dict[str, Variable] = field(default_factory=dict)
    code: int | None = None
    """How it ended."""
    trap: str | None = None
    """What it does when it is asked to end; "" when it does not listen."""

    def advance(self, now: float) -> None:
        """Do all that is done by this time."""
        while self.code is None:
            if not self.lines:
                self.code = 0
            elif not self._next(self.lines[0], now):
                return

    def _next(self, line: str, now: float) -> bool:
        """Do the next line; return False when it is not over yet."""
        awaited = WAIT_FOR_FILE.fullmatch(line)
        if FOREVER.fullmatch(line) or (awaited and self.path(awaited[1]) not in self.files):
            return False
        words = shlex.split(line)
        if words[:1] == ["sleep"]:
            if self.at + float(words[1]) > now:
                return False
            self.at += float(words[1])
        del self.lines[0]
        if awaited:
            self.at = now
        elif words[:1] != ["sleep"]:
            self._do(line)
        return True

    def _do(self, line: str) -> None:
        if found := _TRAP.fullmatch(line):
            self.trap = found[1]
            return
        for part in line.split(" && "):
            code = self._command(part)
            if code or self.code is not None:
                self.code = code if self.code is None else self.code
                return

    def _command(self, text: str) -> int:
        redirect = _REDIRECT.match(text)
        if redirect:
            kept, self.output = self.output, b""
            code = self._command(redirect[1])
            path, said = self.path(redirect[3]), self.output.decode()
            before = self.files.get(path, "") if redirect[2] == ">>" else ""
            self.files[path], self.output = before + said, kept
            return code
        words = [self._filled(each) for each in shlex.split(text)]
        match words:
            case [] | ["true" | "set" | "mkdir", *_]:
                return 0
            case ["exit", number]:
                self.code = int(number)
                return self.code
            case ["test", "-e", name]:
                return 0 if self.path(name) in self.files else 1
            case ["test", left, "=", right]:
                return 0 if left == right else 1
            case ["touch", *names]:
                for name in names:
                    self.files.setdefault(self.path(name), "")
                return 0
            case _:
                return self._say(words)

    def _say(self, words: list[str]) -> int:
        name, rest = words[0], words[1:]
        match name:
            case "echo":
                self.output += (" ".join(w for w in rest if w != ">&2") + "\n").encode()
            case "cat" | "ls":
                path = self.path(rest[0])
                if path not in self.files:
                    return 1
                self.output += (self.files[path] if name == "cat" else f"{rest[0]}\n").encode()
            case "cf_export":
                return self._export(rest)
            case _ if name in self.commands:
                return self.commands[name](self, rest)
            case _:
                self.output += f"{name}: not found\n".encode()
                return 127
        return 0

    def _export(self, words: list[str]) -> int:
        try:
            found = export_command(words, self.environment)
        except ValueError as error:
            self.output += f"cf_export: {error}\n".encode()
            return 1
        self.exports |= {each.name: each for each in found}
        return 0

    def _filled(self, word: str) -> str:
        return _VARIABLE.sub(lambda found: self.environment.get(found[1], ""), word)

    def path(self, name: str) -> str:
        """Return the whole path of a file."""
        return posixpath.normpath(posixpath.join(self.directory, name))

    def interrupt(self) -> bool:
        """Ask it to end; return whether it has."""
        if self.trap == "":
            return False
        lines, self.lines = (self.trap or "exit 143").split("; "), []
        for line in lines:
            if self.code is None:
                self._do(line)
        self.code = self.code if self.code is not None else 0
        return True
