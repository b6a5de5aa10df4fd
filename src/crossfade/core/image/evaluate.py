"""What each instruction of a stage does: to the image's configuration, and to its files."""

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never

from crossfade.base.json_value import Json
from crossfade.base.units import parse_duration
from crossfade.core.image.dockerfile import Dockerfile, Instruction, json_items
from crossfade.core.image.documents import ImageConfig, canonical, digest
from crossfade.core.image.stages import declared, read_words

_SHELL = ("/bin/sh", "-c")
_PORT = re.compile(r"(\d+)(?:-(\d+))?(?:/(tcp|udp|sctp))?\Z", re.IGNORECASE)
_COPY_FLAGS = ("from", "chown", "chmod")
_TIMINGS = {"interval": "Interval", "timeout": "Timeout", "start-period": "StartPeriod"}
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Copy:
    """Files of the context, of another stage or of an image are put into this one."""

    line: int
    sources: tuple[str, ...]
    target: str
    """Absolute; it ends with `/` when it is to be a folder."""
    source: str = ""
    """"": the context; else a stage or an image."""
    owner: str = ""
    mode: str = ""
    unpacks: bool = False
    """ADD: local archives become their files."""


@dataclass(frozen=True, slots=True)
class Run:
    """A command is run on the files; what it changes is the layer."""

    line: int
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    directory: str
    user: str


Act: TypeAlias = Copy | Run


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a stage has come."""

    config: ImageConfig = field(default_factory=ImageConfig)
    arguments: Mapping[str, str] = field(default_factory=dict)
    """ARGs of the stage so far; variables of the image go before them."""

    @property
    def variables(self) -> dict[str, str]:
        """What references of the next instruction stand for."""
        return {**self.arguments, **self.config.environment}


@dataclass(frozen=True, slots=True)
class Given:
    """What comes from outside of the stage."""

    file: Dockerfile
    build_arguments: Mapping[str, str] = field(default_factory=dict)
    """As people gave them."""
    before: Mapping[str, str] = field(default_factory=dict)
    """ARGs before the first FROM."""


def after(given: Given, standing: Standing, one: Instruction) -> tuple[Standing, Act | None]:
    """
    Return how the stage stands after an instruction, and what it does to files, None for nothing.

    Raises InputError with the line of what cannot be done.
    """
    if one.keyword == "ARG":
        words = read_words(given.file, one, standing.variables)
        found = declared(given.file, one, words, given.build_arguments, given.before)
        return replace(standing, arguments={**standing.arguments, **found}), None
    if one.keyword in ("COPY", "ADD"):
        return standing, _copy(given, standing, one)
    if one.keyword == "RUN":
        return standing, _run(given, standing, one)
    if one.keyword != "HEALTHCHECK":
        _no_flags(given, one)
    changed = _CHANGES[one.keyword](given, standing, one)
    return replace(standing, config=changed), None


def cache_key(below: str, act: Act, inputs: str = "") -> str:
    """
    Return the name of the layer that an act makes on top of another one.

    `below` is the key of what it is put on, `inputs` the digest of the files that it copies.
    """
    said: list[Json]
    match act:
        case Copy():
            target: list[Json] = [act.target, act.source, act.owner, act.mode, act.unpacks]
            said = ["copy", list(act.sources), *target]
        case Run():
            said = ["run", list(act.argv), dict(act.environment), act.directory, act.user]
        case _:
            assert_never(act)
    return digest(canonical([below, said, inputs]))


def _copy(given: Given, standing: Standing, one: Instruction) -> Copy:
    for name, _ in one.flags:
        if name not in _COPY_FLAGS:
            hint = f"it has --{', --'.join(_COPY_FLAGS)} here"
            raise given.file.problem(one.line, f"{one.keyword} has no flag --{name}", hint)
    words = read_words(given.file, one, standing.variables)
    if len(words) < 2:
        hint = f"write `{one.keyword} source target`"
        raise given.file.problem(one.line, f"{one.keyword} needs a source and a target", hint)
    *sources, target = words
    adds = one.keyword == "ADD"
    for each in sources if adds else ():
        if "://" in each or each.startswith("git@"):
            hint = "a build does not use the network: fetch it before, and COPY the file"
            raise given.file.problem(one.line, f"ADD of an address: {each}", hint)
    if len(sources) > 1 and not target.endswith("/"):
        hint = f"write {target}/ for the folder"
        raise given.file.problem(one.line, "several sources need a folder as their target", hint)
    where = _below(standing.config, target) + ("/" if target.endswith("/") else "")
    flags = (one.flag("from"), one.flag("chown"), one.flag("chmod"))
    return Copy(one.line, tuple(sources), where, *flags, unpacks=adds)


def _run(given: Given, standing: Standing, one: Instruction) -> Run:
    if one.flags:
        name = one.flags[0][0]
        hint = "leave it out: the command runs without mounts and with the machine's network"
        raise given.file.problem(one.line, f"RUN --{name} is not supported", hint)
    config = standing.config
    directory = config.working_directory or "/"
    return Run(one.line, _argv(config, one), standing.variables, directory, config.user)


def _argv(config: ImageConfig, one: Instruction) -> tuple[str, ...]:
    """Return the command: a list as it is, a text for the shell, which reads its variables."""
    return one.items if one.items is not None else (*(config.shell or _SHELL), one.text)


def _below(config: ImageConfig, path: str) -> str:
    whole = posixpath.normpath(posixpath.join(config.working_directory or "/", path))
    return "/" + whole.lstrip("/")


def _no_flags(given: Given, one: Instruction) -> None:
    if one.flags:
        what = f"{one.keyword} has no flag --{one.flags[0][0]}"
        raise given.file.problem(one.line, what, "leave it out")


def _pairs(given: Given, standing: Standing, one: Instruction) -> dict[str, str]:
    """Return what `NAME=value ...` or the old `NAME value` say."""
    words = read_words(given.file, one, standing.variables)
    first = one.text.split(maxsplit=1)[0]
    if "=" not in first:
        if len(words) < 2:
            hint = f"write `{one.keyword} NAME=value`"
            raise given.file.problem(one.line, f"{one.keyword} {first} has no value", hint)
        return {words[0]: " ".join(words[1:])}
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            hint = "quote values with spaces: NAME='a b'"
            raise given.file.problem(one.line, f"{one.keyword}: {word!r} is no NAME=value", hint)
        found[name] = value
    return found


def _env(given: Given, standing: Standing, one: Instruction) -> ImageConfig:
    config = standing.config
    return replace(config, environment={**config.environment, **_pairs(given, standing, one)})


def _label(given: Given, standing: Standing, one: Instruction) -> ImageConfig:
    config = standing.config
    return replace(config, labels={**config.labels, **_pairs(given, standing, one)})


def _maintainer(_: Given, standing: Standing, one: Instruction) -> ImageConfig:
    """Return the configuration; the line is taken as it is, as nothing is filled in there."""
    return replace(standing.config, author=one.text)


def _workdir(given: Given, standing: Standing, one: Instruction) -> ImageConfig:
    path = " ".join(read_words(given.file, one, standing.variables))
    return replace(standing.config, working_directory=_below(standing.config, path))


def _user(given: Given, standing: Standing, one: Instruction) -> ImageConfig:
    words = read_words(given.file, one, standing.variables)
    if len(words) != 1 or not words[0]:
        raise given.file.problem(one.line, f"USER names no user: {one.text!r}", "write USER name")
    return replace(standing.config, user=words[0])


def _command(given: Given, standing: Standing, one: Instruction) -> ImageConfig:
    return replace(standing.config, command=_argv(standing.config, one))


def _entrypoint(given: Given, standing: Standing, one: Instruction) -> ImageConfig:
    """Return the configuration; a command of the base was meant for the base's entry point."""
    return replace(standing.config, entrypoint=_argv(standing.config, one), command=())


def _expose(given: Given, standing: Standing, one: Instruction) -> ImageConfig:
    found = dict.fromkeys(standing.config.ports)
    for word in read_words(given.file, one, standing.variables):
        match = _PORT.match(word)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if match is None or not 1 <= first <= last <= 65535:
            hint = "write a port from 1 to 65535, as 8080 or 53/udp or 7000-7010"
            raise given.file.problem(one.line, f"EXPOSE: {word!r} is no port", hint)
        kind = (match[3] or "tcp").lower()
        found |= dict.fromkeys(f"{port}/{kind}" for port in range(first, last + 1))
    return replace(standing.config, ports=tuple(found))


def _volume(given: Given, standing: Standing, one: Instruction) -> ImageConfig:
    words = read_words(given.file, one, standing.variables)
    places = (_below(standing.config, each) for each in words)
    whole = dict.fromkeys((*standing.config.volumes, *places))
    return replace(standing.config, volumes=tuple(whole))


def _stop_signal(given: Given, standing: Standing, one: Instruction) -> ImageConfig:
    words = read_words(given.file, one, standing.variables)
    if len(words) != 1 or not re.fullmatch(r"(SIG)?[A-Z0-9+]+|\d{1,2}", words[0]):
        hint = "write SIGTERM or 15"
        raise given.file.problem(one.line, f"STOPSIGNAL: {one.text!r} is no signal", hint)
    return replace(standing.config, stop_signal=words[0])


def _shell(given: Given, standing: Standing, one: Instruction) -> ImageConfig:
    if not one.items:
        hint = 'write SHELL ["/bin/bash", "-c"]'
        raise given.file.problem(one.line, "SHELL needs a list", hint)
    return replace(standing.config, shell=one.items)


def _health(given: Given, standing: Standing, one: Instruction) -> ImageConfig:
    kind, _, rest = one.text.partition(" ")
    if kind.upper() == "NONE" and not rest.strip():
        return replace(standing.config, health=("NONE",), health_timing={})
    hint = "write `HEALTHCHECK --interval=10s CMD command`, or `HEALTHCHECK NONE`"
    if kind.upper() != "CMD" or not rest.strip():
        raise given.file.problem(one.line, f"HEALTHCHECK cannot be read: {one.text!r}", hint)
    timing = dict(_timing(given, one, name, value, hint) for name, value in one.flags)
    items = json_items(rest.strip())
    test = ("CMD", *items) if items is not None else ("CMD-SHELL", rest.strip())
    return replace(standing.config, health=test, health_timing=timing)


def _timing(given: Given, one: Instruction, name: str, value: str, hint: str) -> tuple[str, int]:
    if name == "retries" and value.isascii() and value.isdigit() and 0 < int(value) < 1000:
        return "Retries", int(value)
    if name not in _TIMINGS:
        raise given.file.problem(one.line, f"HEALTHCHECK cannot have --{name}={value}", hint)
    try:
        return _TIMINGS[name], round(parse_duration(value) * _NANOSECONDS)
    except ValueError as error:
        what = f"HEALTHCHECK --{name}={value} {error}"
        raise given.file.problem(one.line, what, hint) from None


_CHANGES: Mapping[str, Callable[[Given, Standing, Instruction], ImageConfig]] = {
    "CMD": _command,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _health,
    "LABEL": _label,
    "MAINTAINER": _maintainer,
    "SHELL": _shell,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
