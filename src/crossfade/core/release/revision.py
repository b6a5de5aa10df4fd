"""A revision: one immutable version of an application, and its name."""

import hashlib
import json
from dataclasses import dataclass, field

from crossfade.base.ids import ApplicationName, RevisionId
from crossfade.base.json_value import Json
from crossfade.core.release.data import DataForms


@dataclass(frozen=True, slots=True)
class Revision:
    """What is installed beside other revisions as one Helm release."""

    id: RevisionId
    application: ApplicationName
    namespace: str
    chart_digest: str
    """SHA-256 of the packed chart, under which its bytes are stored."""
    service: str
    """Name of its Service as rendered for this release: what the route points to."""
    values: dict[str, Json] = field(default_factory=dict)
    chart: str = ""
    """Name and version of the chart, for people."""
    created_at: float = 0.0
    data: DataForms | None = None
    """As its file declared it when it was deployed first."""

    @property
    def release(self) -> str:
        """Name of its Helm release."""
        return release_name(self.application, self.id)


def release_name(application: ApplicationName, revision: RevisionId) -> str:
    """Return the name of the Helm release that runs `revision`."""
    return f"{application}-{revision}"


def revision_id(chart_digest: str, values: dict[str, Json], restarts: int = 0) -> RevisionId:
    """
    Return the id of the revision made of this chart and these values.

    The same content always gives the same id, unless it is to be run anew (`restarts`).  It
    starts with a letter, so that names made of it are valid DNS labels.
    """
    content: dict[str, object] = {"chart": chart_digest, "values": values}
    if restarts:
        content["restarts"] = restarts
    canonical = json.dumps(content, sort_keys=True)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return RevisionId("r" + digest[:7])
