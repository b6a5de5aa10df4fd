"""The fleet."""

from dataclasses import dataclass

from fastapi import APIRouter

from crossfade.api.access import Signed
from crossfade.api.pages import After, Limit, Page, page
from crossfade.api.services import Use
from crossfade.base.errors import NotFound
from crossfade.engine.queries import FleetView

router = APIRouter(prefix="/fleet", tags=["fleet"])


@dataclass(frozen=True, slots=True)
class Member:
    """A cluster of the fleet, without where its credentials are."""

    name: str
    provider: str
    region: str
    preemptible: bool
    usd_per_cpu_hour: float | None
    labels: dict[str, str]
    health: str
    """`healthy`, `api-down`, `data-plane-down`, `lost`, or `unknown` before the first probe."""
    detail: str
    version: str


@router.get("")
async def list_clusters(
    caller: Signed, services: Use, after: After = "", limit: Limit = 100
) -> Page[Member]:
    """Return the clusters that the caller may see, by name."""
    found = [_member(each) for each in await services.queries.fleet()]
    seen = [each for each in found if caller.identity.sees_cluster(each.name)]
    return page(seen, lambda each: each.name, after, limit)


@router.get("/{cluster}")
async def get_cluster(cluster: str, caller: Signed, services: Use) -> Member:
    """Return one cluster."""
    for each in await services.queries.fleet():
        if each.cluster.name == cluster and caller.identity.sees_cluster(cluster):
            return _member(each)
    raise NotFound(
        f"there is no cluster `{cluster}`", hint="`GET /api/v1/fleet` lists those that you may see"
    )


def _member(view: FleetView) -> Member:
    cluster = view.cluster
    return Member(
        cluster.name,
        cluster.provider,
        cluster.region,
        cluster.preemptible,
        cluster.usd_per_cpu_hour,
        dict(cluster.labels),
        view.health,
        view.detail,
        view.version,
    )
