"""Services of compositions, read from a subset of docker-compose."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from crossfade.base.errors import InputError
from crossfade.base.json_value import Json
from crossfade.base.units import parse_duration
from crossfade.base.words import did_you_mean
from crossfade.core.pipeline.composition import Probe, Service
from crossfade.core.pipeline.work import VOLUME, text, words_of

_IGNORED = frozenset(
    {
        *("cap_add", "cap_drop", "deploy", "dns", "expose", "init", "labels", "links", "logging"),
        *("mem_limit", "memswap_limit", "network_mode", "networks", "platform", "ports"),
        *("privileged", "pull_policy", "restart", "security_opt", "shm_size", "stdin_open"),
        *("stop_grace_period", "sysctls", "tty", "ulimits", "user"),
    }
)
"""Keys without effect for processes that share the machine's network."""
_READ = frozenset(
    {
        *("command", "container_name", "depends_on", "entrypoint", "environment", "healthcheck"),
        *("hostname", "image", "volumes", "working_dir"),
    }
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
_HINT = "see docs/guides/running-pipelines.md for what compositions may have"


def read_services(document: Json, folder: str = VOLUME) -> tuple[Service, ...]:
    """
    Return the services of a composition in the order in which they start.

    `folder` is where relative paths begin.  Raises InputError that names service and key.
    """
    if not isinstance(document, dict):
        raise _wrong("the composition", "it is no mapping of services")
    version = text(document.get("version"))
    if version.startswith("2.") and version != "2.0":
        raise _wrong("the composition", f"version {version} is not supported; 2 and 3 are")
    services = document.get("services", document)
    if not isinstance(services, dict):
        raise _wrong("the composition", "`services` is no mapping")
    named = services.items() if "services" in document else _without_version(services)
    return ordered(tuple(read_service(name, each, folder) for name, each in named))


def _without_version(services: Mapping[str, Json]) -> list[tuple[str, Json]]:
    return [(n, each) for n, each in services.items() if n not in ("version", "name", "networks")]


def read_service(name: str, given: Json, folder: str = VOLUME) -> Service:
    """Return one service.  Raises InputError."""
    if not isinstance(given, dict):
        raise _wrong(name, "it is no mapping")
    for key in given:
        if key == "build":
            raise _wrong(name, "`build` is not supported: a step of type build makes its image")
        if key not in _READ and key not in _IGNORED and not key.startswith("x-"):
            known = did_you_mean(key, sorted(_READ | _IGNORED))
            raise _wrong(name, f"`{key}` is not supported{known}")
    image = text(given.get("image")).strip()
    if not image or "${{" in image:
        raise _wrong(name, f"it does not know its image: {image!r}")
    for one in (name, text(given.get("container_name")), text(given.get("hostname"))):
        if one and not _NAME.fullmatch(one):
            raise _wrong(name, f"{one!r} cannot be the name of a machine")
    aliases = (text(given.get("container_name")), text(given.get("hostname")))
    return Service(
        name,
        image,
        words_of(given.get("entrypoint")),
        words_of(given.get("command")),
        _environment(name, given.get("environment")),
        text(given.get("working_dir")),
        tuple(_volumes(name, given.get("volumes"), folder)),
        _after(given.get("depends_on")),
        tuple(each for each in dict.fromkeys(aliases) if each and each != name),
        _health(name, given.get("healthcheck")),
    )


def _environment(name: str, given: Json) -> dict[str, str]:
    if isinstance(given, dict):
        return {key: _spelled(value) for key, value in given.items()}
    listed = given if isinstance(given, list) else []
    pairs = (text(each).partition("=") for each in listed)
    found = {}
    for key, equals, value in pairs:
        if not equals:
            raise _wrong(name, f"environment: {key!r} is no NAME=value")
        found[key] = value
    return found


def _spelled(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else text(value)


def _volumes(name: str, given: Json, folder: str) -> Iterator[tuple[str, str]]:
    for each in given if isinstance(given, list) else []:
        source, colon, rest = text(each).partition(":")
        target = rest.partition(":")[0]
        if not colon:
            source, target = f"anonymous{source.replace('/', '-')}", source
        if not target.startswith("/"):
            raise _wrong(name, f"volumes: {text(each)!r} is no source:target")
        if "/" not in source and not source.startswith("."):
            yield source, posixpath.normpath(target)
            continue
        place = posixpath.normpath(posixpath.join(folder, source))
        if place != VOLUME and not place.startswith(f"{VOLUME}/"):
            raise _wrong(name, f"volumes: {source} is not below {VOLUME}")
        yield place, posixpath.normpath(target)


def _after(given: Json) -> dict[str, bool]:
    if isinstance(given, dict):
        return {
            name: isinstance(each, dict) and each.get("condition") == "service_healthy"
            for name, each in given.items()
        }
    return {text(each): False for each in given} if isinstance(given, list) else {}


def _health(name: str, given: Json) -> Probe | None:
    if not isinstance(given, dict) or given.get("disable"):
        return None
    test = given.get("test")
    words = words_of(test) if isinstance(test, list) else ("CMD-SHELL", text(test))
    match words:
        case ("NONE", *_):
            return None
        case ("CMD", *argv) if argv:
            command = tuple(argv)
        case ("CMD-SHELL", line) if line:
            command = ("sh", "-c", line)
        case _:
            raise _wrong(name, f"healthcheck: test is {test!r}")
    seconds = {key: _seconds(name, key, given) for key in ("interval", "timeout", "start_period")}
    retries = given.get("retries")
    return Probe(
        command,
        "",
        seconds["timeout"] or 30.0,
        seconds["interval"] or 30.0,
        1,
        retries if isinstance(retries, int) and retries > 0 else 3,
        seconds["start_period"],
    )


def _seconds(name: str, key: str, given: Mapping[str, Json]) -> float:
    value = text(given.get(key)).strip()
    try:
        return parse_duration(value) if value else 0.0
    except ValueError as error:
        raise _wrong(name, f"healthcheck: {key} is {value!r}: {error}") from None


def ordered(services: Sequence[Service]) -> tuple[Service, ...]:
    """Return services so that each comes after those that it needs.  Raises InputError."""
    left, found = {each.name: each for each in services}, dict[str, Service]()
    names = set(left)
    for each in services:
        unknown = next((one for one in each.after if one not in names), "")
        if unknown:
            hint = did_you_mean(unknown, sorted(names))
            raise _wrong(each.name, f"depends_on names no service: {unknown}{hint}")
    while left:
        free = [each for each in left.values() if not each.after.keys() & left.keys()]
        if not free:
            raise _wrong("the composition", f"{', '.join(left)} wait for each other")
        for each in free:
            found[each.name] = left.pop(each.name)
    return tuple(found.values())


def read_probe(given: Json) -> Probe | None:
    """Return a `readiness` or a `setup` of services, None when there is none."""
    if not isinstance(given, dict) or not given.get("commands"):
        return None
    commands = given["commands"]
    lines = [text(each) for each in commands] if isinstance(commands, list) else [text(commands)]
    probe = Probe(("sh", "-c", "\n".join(["set -e", *lines])), text(given.get("image")))
    return replace(
        probe,
        timeout_seconds=_number(given, "timeoutSeconds", 10.0),
        period_seconds=_number(given, "periodSeconds", 10.0),
        successes=max(int(_number(given, "successThreshold", 1)), 1),
        failures=max(int(_number(given, "failureThreshold", 3)), 1),
    )


def _number(given: Mapping[str, Json], key: str, default: float) -> float:
    try:
        return max(float(text(given.get(key)) or default), 0.001)
    except ValueError:
        raise _wrong("readiness", f"{key} is {given.get(key)!r}, not a number") from None


def _wrong(name: str, what: str) -> InputError:
    return InputError(f"{name}: {what}", hint=_HINT)
