"""Values that must not be shown, and references to them, which may be."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import quote, quote_plus

MASK = "***"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """
    Where a secret is: what files of users have in place of the value.

    `{secret: NAME}` is one of the hub's own; with `namespace` it is the `key` of a Secret in a
    cluster, as in `{secretRef: {cluster, namespace, name, key}}`.
    """

    name: str
    key: str = ""
    namespace: str = ""
    cluster: str = ""

    def __str__(self) -> str:
        parts = (self.cluster, self.namespace, self.name, self.key)
        return "/".join(part for part in parts if part)


class Secret:
    """A secret value.  Printed or logged it is `***`; it cannot be stored."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the one who must be shown it."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


def masked(text: str, secrets: Iterable[Secret]) -> str:
    """Return the text with `***` for each secret, also in the forms it takes on the wire."""
    forms = {form for secret in secrets for form in _forms(secret.reveal()) if form}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def _forms(value: str) -> tuple[str, ...]:
    return (
        value,
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
        json.dumps(value)[1:-1],
        base64.b64encode(value.encode()).decode(),
    )
