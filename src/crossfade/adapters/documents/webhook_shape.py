"""Secrets, addresses and webhooks in files: their keys, and what the core makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from crossfade.adapters.documents.problems import Problems
from crossfade.adapters.documents.shapes import (
    Duration,
    Field,
    ListOf,
    MapOf,
    Number,
    OneKey,
    OneOf,
    Read,
    Record,
    Text,
    given,
)
from crossfade.adapters.documents.tree import Located
from crossfade.base.secrets import SecretRef
from crossfade.core.rollout.gates import Address, Endpoint

_SECRET_NAME = Text(
    "a name of letters, digits, `_`, `.` and `-`", r"[A-Za-z0-9_][A-Za-z0-9_.-]*", 253
)
_OBJECT_NAME = Text("the name of a Kubernetes object", r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", 253)
HTTP_ADDRESS = Text(
    "an address that starts with https:// or http://, without user and password",
    r"https?://[^\s/@]+(/[^\s]*)?(\?[^\s]*)?",
)
HEADER_NAME = Text("the name of an HTTP header", r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", 100)


SECRET = Record(
    {
        "secret": Field(
            _SECRET_NAME, "One of the hub's own secrets: a variable or a file where it runs."
        ),
        "secretRef": Field(
            Record(
                {
                    "cluster": Field(_OBJECT_NAME, "Cluster of the fleet.", required=True),
                    "namespace": Field(_OBJECT_NAME, "Of the Secret.", required=True),
                    "name": Field(_OBJECT_NAME, "Of the Secret.", required=True),
                    "key": Field(_SECRET_NAME, "In its data.", required=True),
                }
            ),
            "A key of a Kubernetes Secret.",
        ),
    },
    check=OneKey(("secret", "secretRef"), "a reference to a secret"),
)
_REFERENCE = "{secret: NAME} or {secretRef: {cluster, namespace, name, key}}"
ADDRESS = OneOf((HTTP_ADDRESS, SECRET), f"{HTTP_ADDRESS.allowed}; or {_REFERENCE}")
VALUE = OneOf((Text("text"), SECRET), f"text; or {_REFERENCE}")
HEADERS = MapOf(HEADER_NAME, VALUE)

WEBHOOK = Record(
    {
        "url": Field(ADDRESS, "Where it is; a secret if it lets everybody in.", required=True),
        "headers": Field(HEADERS, "Sent along.", default="none"),
        "signingKey": Field(SECRET, "Signs each body with HMAC-SHA256.", default="none"),
        "timeout": Field(Duration(0.1, 300), "For each try.", default="10s"),
        "attempts": Field(Number(1, 10), "Tries before it is unreachable.", default="3"),
    }
)


@dataclass(frozen=True, slots=True)
class NamedList:
    """A list of records, each with a `name` of its own."""

    item: Record
    allowed: str

    def read(self, value: Located, path: str, problems: Problems) -> object:
        """Return a tuple of what was read."""
        seen: set[object] = set()
        for index, entry in enumerate(value.value if isinstance(value.value, tuple) else ()):
            name = entry.value.get("name") if isinstance(entry.value, Mapping) else None
            if name is None or not isinstance(name[1].value, str):
                continue
            if name[1].value in seen:
                where = f"{path}[{index}].name"
                problems.add(name[1].at, where, "is the name of an entry above already")
            seen.add(name[1].value)
        return ListOf(self.item, self.allowed).read(value, path, problems)


def secret(value: object) -> SecretRef:
    """Return the reference that was read."""
    found = cast(Read, value)
    if "secret" in found:
        return SecretRef(str(found["secret"]))
    ref = cast("dict[str, str]", found["secretRef"])
    return SecretRef(ref["name"], ref["key"], ref["namespace"], ref["cluster"])


def address(value: object) -> Address:
    """Return the address that was read, or the reference to it."""
    return value if isinstance(value, str) else secret(value)


def headers(value: object) -> dict[str, str | SecretRef]:
    """Return the headers that were read."""
    return {name: address(each) for name, each in cast(Read, value or {}).items()}


def endpoint(value: object) -> Endpoint:
    """Return the webhook that was read."""
    found = cast(Read, value)
    more = given(found, {"timeout": "timeout_seconds", "attempts": "attempts"})
    key = secret(found["signingKey"]) if "signingKey" in found else None
    return Endpoint(
        address(found["url"]),
        headers(found.get("headers")),
        key,
        **more,  # type: ignore[arg-type]
    )
