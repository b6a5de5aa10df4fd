"""What Crossfade writes on every route that it makes, and how it finds it again.  Pure."""

import json
from typing import Any

from crossfade.adapters.kubernetes.client import Object
from crossfade.base.errors import Conflict, InputError
from crossfade.base.ids import Epoch, RevisionId
from crossfade.core.release.kinds import mapping
from crossfade.ports.router import RouteBackend, WantedRoute

EPOCH = "crossfade.dev/epoch"
BACKENDS = "crossfade.dev/backends"
SPEC = "crossfade.dev/spec"
"""The spec as it was written: so a change by hand is found out, and written over."""
CHANGED_BY_HAND = "somebody has changed the route: it is written again"


def annotations(wanted: WantedRoute, spec: Object) -> dict[str, str]:
    """Return what a route with this spec carries."""
    services = {each.revision: each.service for each in wanted.backends}
    return {
        EPOCH: str(wanted.epoch),
        BACKENDS: json.dumps(services, sort_keys=True),
        SPEC: json.dumps(spec, sort_keys=True),
    }


def epoch_of(route: Object) -> Epoch | None:
    """Return the epoch that the route carries, None when Crossfade has not written it."""
    text = mapping(route["metadata"].get("annotations")).get(EPOCH)
    return Epoch(int(text)) if isinstance(text, str) and text.isdecimal() else None


def revisions_of(route: Object) -> dict[str, RevisionId]:
    """Return the revision behind each Service that the route was written for."""
    text = mapping(route["metadata"].get("annotations")).get(BACKENDS)
    try:
        services = mapping(json.loads(text or "{}"))
    except ValueError:
        services = {}
    return {str(service): RevisionId(revision) for revision, service in services.items()}


def as_written(route: Object) -> bool:
    """Say whether the spec is what was written, but for defaults that the server filled in."""
    text = mapping(route["metadata"].get("annotations")).get(SPEC)
    try:
        return text is None or contains(route.get("spec"), json.loads(text))
    except ValueError:
        return False


def same(held: Object, body: Object) -> bool:
    """Say whether the route is as wanted already, but for defaults that the server filled in."""
    carried = mapping(held["metadata"].get("annotations"))
    wanted = body["metadata"]["annotations"]
    return all(carried.get(key) == value for key, value in wanted.items()) and contains(
        held.get("spec"), body["spec"]
    )


def contains(held: Any, wanted: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Say whether `held` is `wanted`, or more in places where `wanted` says nothing."""
    if isinstance(wanted, dict):
        return isinstance(held, dict) and all(
            contains(held.get(key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(held, list) and len(held) == len(wanted) and all(map(contains, held, wanted))
        )
    return bool(held == wanted)


def refuse_if_newer(epoch: Epoch, wanted: WantedRoute, cluster: str) -> None:
    """Raise Conflict when the cluster holds a route of a higher epoch than is wanted."""
    if epoch > wanted.epoch:
        raise Conflict(
            f"the cluster holds a newer route, of epoch {epoch}",
            hint="another hub has taken over: read its plan again",
            cluster=cluster,
            epoch=wanted.epoch,
        )


def not_ours(kind: str, wanted: WantedRoute, name: str, cluster: str) -> Conflict:
    """Return the error for an object in our place that Crossfade has not written."""
    return Conflict(
        f"the {kind} {name} was not made by Crossfade",
        hint=f"delete it, or hand it over: `kubectl annotate {kind.lower()} {name} "
        f"-n {wanted.namespace} {EPOCH}=0`",
        cluster=cluster,
    )


def sharing(wanted: WantedRoute) -> tuple[RouteBackend, ...]:
    """Return the backends between which users are really split; () when one has them all."""
    found = tuple(each for each in wanted.backends if each.percent > 0)
    return found if len(found) > 1 else ()


def proven(wanted: WantedRoute) -> RouteBackend:
    """Return the backend with most users; the first of equals is the stable revision."""
    return max(wanted.backends, key=lambda each: each.percent)


def backend_of(wanted: WantedRoute, revision: RevisionId) -> RouteBackend:
    """Return the backend of a revision that the route names.  Raises InputError."""
    for each in wanted.backends:
        if each.revision == revision:
            return each
    raise InputError(
        f"the route leads to {revision}, which is not among its backends",
        hint="give it a backend with 0 percent",
        application=wanted.application,
    )


def mirrored(wanted: WantedRoute) -> tuple[RouteBackend, int] | None:
    """Return where copies go and how many percent of requests are copied, None for nowhere."""
    if wanted.mirror is None or wanted.mirror.percent <= 0:
        return None
    return backend_of(wanted, wanted.mirror.revision), wanted.mirror.percent


def weights(wanted: WantedRoute) -> dict[RevisionId, int]:
    """Return the percentages as whole numbers: hundredths of a percent where any has a fraction."""
    whole = all(float(each.percent).is_integer() for each in wanted.backends)
    factor = 1 if whole else 100
    return {each.revision: round(each.percent * factor) for each in wanted.backends}


def shares(weights: dict[str, int], revisions: dict[str, RevisionId]) -> dict[RevisionId, float]:
    """Return the percentage of each revision whose Service has a weight."""
    total = sum(weights.values())
    return {
        revision: round(100 * weights[service] / total, 2)
        for service, revision in revisions.items()
        if total and service in weights
    }
