"""What Helm has recorded of releases, read from the Secrets that it keeps in the cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.core.release.kinds import labels_of, name_of

DEPLOYED = "deployed"


@dataclass(frozen=True, slots=True)
class Record:
    """The newest Secret in which Helm has recorded a release."""

    secret: str
    version: int
    status: str
    """`deployed`, `failed`, `pending-install`, `uninstalling`, ..."""
    serves: bool
    """This or an older version of the release was installed whole, and may have users."""
    labels: Mapping[str, str]

    @property
    def pending(self) -> bool:
        """Whether Helm was killed while it worked on the release."""
        return self.status.startswith("pending-")


async def read_records(api: KubeApi, namespace: str, labels: str) -> dict[str, Record]:
    """
    Return the newest record of each release with these labels, by the release's name.

    The contents of the Secrets, up to 1 MB each, stay in the cluster.  Raises Unavailable.
    """
    secrets, _ = await api.list(
        f"/api/v1/namespaces/{namespace}/secrets", f"owner=helm,{labels}", metadata_only=True
    )
    newest: dict[str, Record] = {}
    for secret in secrets:
        marks = labels_of(secret)
        status, version = marks.get("status", ""), int(marks.get("version", "0"))
        found = Record(name_of(secret), version, status, status == DEPLOYED, marks)
        known = newest.get(marks.get("name", ""), found)
        newer = max(known, found, key=lambda each: each.version)
        serves = known.serves or found.serves
        newest[marks.get("name", "")] = replace(newer, serves=serves)
    return newest


async def release_record(api: KubeApi, namespace: str, release: str) -> Record | None:
    """
    Return the newest record of one release that Helm can work on, None when there is none.

    Records of a helm that was killed are deleted first: objects that are there already are the
    release's own, and the next run takes them over; the record alone is what keeps Helm from it.
    Only one hub acts in a cluster, and its helm dies with it, so that nobody works on it now.
    """
    while True:
        records = await read_records(api, namespace, f"name={release}")
        record = records.get(release)
        if record is None or not record.pending:
            return record
        await api.delete(f"/api/v1/namespaces/{namespace}/secrets/{record.secret}")
