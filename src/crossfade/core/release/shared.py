"""Charts that every revision shares, upgraded in place before it: databases, definitions."""

import hashlib
import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from crossfade.base.json_value import Json
from crossfade.core.release.kinds import Object, child, flatten, is_hook

SHARED_LABEL = "crossfade.dev/shared"
"""On objects: the shared release that they belong to."""

DIGEST_LABEL = "crossfade.dev/shared-digest"
"""On Helm's record: what the release was made of."""


@dataclass(frozen=True, slots=True)
class SharedRelease:
    """One chart under a fixed release name."""

    name: str
    """Name of the Helm release."""
    namespace: str
    chart_digest: str
    """SHA-256 of the packed chart."""
    values: dict[str, Json] = field(default_factory=dict)
    chart: bytes = field(default=b"", repr=False)
    """The packed chart; not needed to ask for its status."""

    @property
    def digest(self) -> str:
        """Same for the same chart with the same values; short enough for a label."""
        canonical = json.dumps({"chart": self.chart_digest, "values": self.values}, sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:40]


def prepare_shared(objects: Sequence[Object], name: str) -> list[Object]:
    """Return the objects with the label by which they are found again; nothing else changes."""
    kept = [deepcopy(thing) for thing in flatten(objects)]
    for thing in kept:
        if not is_hook(thing):
            child(thing, "metadata", "labels")[SHARED_LABEL] = name
    return kept
