"""What a cluster has against an object, found by a dry run: its schema, its policies, its quota."""

import re
from dataclasses import dataclass

_POLICY = re.compile(
    r'admission webhook "|denied the request|denied request|ValidatingAdmissionPolicy'
    r"|violates PodSecurity|exceeded quota|failed quota|(maximum|minimum|max limit).* usage per"
    r"|is forbidden: (?!User )",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Objection:
    """One reason against one object."""

    kind: str
    name: str
    message: str
    """The cluster's own words."""
    is_policy: bool = False
    """A policy, a quota or an admission webhook of this cluster, not the form of the object."""
    warning: bool = False
    """The cluster takes the object all the same."""
    unknown_kind: bool = False
    """The cluster does not know the kind yet; a shared chart may be about to bring it."""


def objection(kind: str, name: str, message: str) -> Objection:
    """Return a refusal, with whose it is found in the words of the API server."""
    return Objection(kind, name, message, is_policy=bool(_POLICY.search(message)))
