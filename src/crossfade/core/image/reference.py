"""Names of images: registry, repository, tag and digest."""

import re
from dataclasses import dataclass

from crossfade.base.errors import InputError

_PART = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*\Z")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_REGISTRY = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d+)?\Z"
)
_LONGEST = 255
_HINT = "write registry/name:tag or registry/name@sha256:..., the name in small letters"


@dataclass(frozen=True, slots=True)
class Reference:
    """What an image is called, or where it is."""

    registry: str
    """As `registry.example.com:5000`; "": none was given, so it is on this machine."""
    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"

    @property
    def name(self) -> str:
        """Registry and repository."""
        return f"{self.registry}/{self.repository}" if self.registry else self.repository

    @property
    def is_loopback(self) -> bool:
        """Whether the registry is on this machine, where TLS would protect from nobody."""
        host = re.sub(r":\d+\Z", "", self.registry)
        return host in ("localhost", "[::1]") or re.match(r"127(\.\d{1,3}){3}\Z", host) is not None


def reference(text: str) -> Reference:
    """Return the image that a text names; without tag and digest it is `latest`."""
    whole, at, digest = text.strip().partition("@")
    if at and not _DIGEST.match(digest):
        raise InputError(f"{text!r} has a digest that is none", hint="write @sha256: and 64 digits")
    before, slash, last = whole.rpartition("/")
    last, colon, tag = last.partition(":")
    if colon and not _TAG.match(tag):
        hint = "letters, digits, `_`, `.` and `-` are allowed, 128 at most"
        raise InputError(f"{text!r} has a tag that is none", hint=hint)
    registry, parts = _split(f"{before}{slash}{last}".split("/"))
    repository = "/".join(parts)
    if not parts or not all(_PART.match(part) for part in parts) or len(repository) > _LONGEST:
        raise InputError(f"{text!r} is not the name of an image", hint=_HINT)
    if registry and not _REGISTRY.match(registry):
        raise InputError(f"{text!r} names no registry", hint=_HINT)
    return Reference(registry, repository, tag or ("" if digest else "latest"), digest)


def _split(parts: list[str]) -> tuple[str, list[str]]:
    """Return registry and the rest: a registry has a dot or a port, or is `localhost`."""
    first = parts[0]
    if len(parts) > 1 and ("." in first or ":" in first or first == "localhost"):
        return first, parts[1:]
    return "", parts
