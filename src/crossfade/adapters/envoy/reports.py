"""What an edge has seen of each cluster between two of its reports.  Pure."""

from collections.abc import Mapping
from dataclasses import replace

from crossfade.adapters.envoy.classes import class_of
from crossfade.adapters.envoy.resources import application_of
from crossfade.adapters.envoy.statistics import Counters, Endpoint, Page
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.ports.edge import EdgeAnswers, EdgeClassSight, EdgeTargetSight

_RETRIES = "upstream_rq_retry"
_CLUSTERS_OWN = ("502", "503", "504")
"""Answers that a cluster gives, or an edge in its place; other 5xx are the application's."""
_NOTHING: Counters = {}


def sights(now: Page, before: Page | None) -> tuple[tuple[EdgeTargetSight, ...], Page]:
    """
    Return what an edge has seen since the page `before`, and what to compare its next page with.

    Without a page before, it is not known when requests were counted, so none are.
    Endpoints that were not probed yet are left out: neither good nor bad is known of them.
    """
    page = now.without(_not_probed(now, before))
    since = before or page
    own = _own_shares(page, since)
    found: dict[tuple[ApplicationName, ClusterName], EdgeTargetSight] = {}
    for endpoint in sorted(page.endpoints, key=lambda each: (each.group, each.address)):
        one = _sight(endpoint, page, since, own.get(endpoint.group, 0.0))
        key = (one.application, one.cluster)
        found[key] = _together(found[key], one) if key in found else one
    return tuple(found[key] for key in sorted(found)), page


def seconds(now: Page, before: Page | None, arrived: float) -> float:
    """
    Return for how long an edge has counted since the page `before`; 0.0 without one.

    It is the edge's own clock that says so: a hub that was busy takes several reports in at once.
    Only when the edge does not say, it is the `arrived` seconds between both reports.
    """
    if before is None:
        return 0.0
    return max(0.0, now.at - before.at if now.at and before.at else arrived)


def answers(now: Page, before: Page | None) -> tuple[EdgeAnswers, ...]:
    """Return how users fared since the page `before`; nobody is counted without one."""
    since = before or now
    found: dict[ApplicationName, EdgeAnswers] = {}
    for group, counters in sorted(now.groups.items()):
        more = _more(counters, since.groups.get(group, _NOTHING))
        tries = sum(
            _ended(endpoint, now, since) for endpoint in now.endpoints if endpoint.group == group
        )
        # A request that is tried twice ends two tries, and one of them is what its user gets.
        requests = max(0, tries - more.get(_RETRIES, 0))
        failed = more.get("5xx", 0)
        name = _application(group)
        known = found.get(name, EdgeAnswers(name, 0, 0))
        found[name] = EdgeAnswers(
            name, known.requests + max(requests, failed), known.failed + failed
        )
    return tuple(found[name] for name in sorted(found))


def _ended(endpoint: Endpoint, page: Page, before: Page) -> int:
    """Return how many tries at an address have ended."""
    earlier = before.endpoints.get(endpoint, _NOTHING)
    now = page.endpoints[endpoint]
    under_way = now.get("rq_active", 0) - earlier.get("rq_active", 0)
    return max(0, _more(now, earlier).get("rq_total", 0) - under_way)


def class_sights(now: Page, before: Page | None) -> tuple[EdgeClassSight, ...]:
    """Return how many requests of each priority class were sent on, and were turned away."""
    found: dict[tuple[ApplicationName, str], EdgeClassSight] = {}
    for (host, label), count in now.routes.items():
        earlier = (before or now).routes.get((host, label), 0)
        more = count - earlier if count >= earlier else count
        name, turned_away = class_of(label)
        key = (ApplicationName(host), name)
        one = found.get(key, EdgeClassSight(*key))
        if turned_away:
            found[key] = replace(one, turned_away=more)
        else:
            found[key] = replace(one, served=more)
    return tuple(found[key] for key in sorted(found))


def _not_probed(now: Page, before: Page | None) -> frozenset[Endpoint]:
    """Return the endpoints that are new and bad in groups in which some wait for a probe."""
    return frozenset(
        endpoint
        for endpoint, counters in now.endpoints.items()
        if not counters.get("healthy")
        and (before is None or endpoint not in before.endpoints)
        and now.groups.get(endpoint.group, _NOTHING).get("membership_excluded")
    )


def _sight(endpoint: Endpoint, page: Page, before: Page, own: float) -> EdgeTargetSight:
    """Return what is seen of one address; `own` is the share of errors that do not count."""
    now = page.endpoints[endpoint]
    earlier = before.endpoints.get(endpoint, _NOTHING)
    more = _more(now, earlier)
    group = page.groups.get(endpoint.group, _NOTHING)
    retries = _more(group, before.groups.get(endpoint.group, _NOTHING)).get(_RETRIES, 0)
    answered, failed = more.get("rq_success", 0), more.get("rq_error", 0)
    under_way = now.get("rq_active", 0) - earlier.get("rq_active", 0)
    # A try that was too slow goes on beside a second one, and is given up when that is answered
    # first: it ends as neither success nor error.  So do tries whose users go away; there are
    # never more slow ones than second tries.
    given_up = more.get("rq_total", 0) - under_way - answered - failed
    slow = max(0, min(given_up, retries))
    healthy = bool(now.get("healthy"))
    return EdgeTargetSight(
        application=_application(endpoint.group),
        cluster=endpoint.cluster,
        healthy=healthy,
        trouble="" if healthy else _trouble(group),
        requests=answered + failed + slow,
        failed=failed - round(failed * own),
        slow=slow,
        connect_failures=more.get("cx_connect_fail", 0),
    )


def _trouble(group: Counters) -> str:
    """Return why a cluster is unhealthy; Envoy counts by application, not by cluster."""
    if not group.get("outlier_detection.ejections_active"):
        return "probes fail"
    if group.get("health_check.healthy") == group.get("membership_total"):
        return "requests fail"
    return "probes or requests fail"


def _own_shares(page: Page, before: Page) -> Mapping[str, float]:
    """
    Return the share of each group's errors that were answers of the application itself, as 500 is.

    Envoy counts answers by code for the group only, so each of its clusters is taken to have the
    same share: exact while an application fails or a cluster does, but not both.
    """
    own = {name: _own_errors(page, before, name) for name in page.groups}
    errors = dict.fromkeys((name for name, count in own.items() if count > 0), 0)
    for endpoint, counters in page.endpoints.items():
        if endpoint.group in errors:
            more = _more(counters, before.endpoints.get(endpoint, _NOTHING))
            errors[endpoint.group] += more.get("rq_error", 0)
    return {name: min(1.0, own[name] / count) for name, count in errors.items() if count}


def _own_errors(page: Page, before: Page, group: str) -> int:
    codes = _more(page.groups[group], before.groups.get(group, _NOTHING))
    return codes.get("5xx", 0) - sum(codes.get(code, 0) for code in _CLUSTERS_OWN)


def _more(now: Counters, before: Counters) -> Counters:
    """Return by how much counters have risen; one that is lower than before began anew."""
    return {
        name: value - before.get(name, 0) if value >= before.get(name, 0) else value
        for name, value in now.items()
    }


def _together(one: EdgeTargetSight, other: EdgeTargetSight) -> EdgeTargetSight:
    """Return the sight of two addresses of one cluster: healthy when one of them is."""
    healthy = one.healthy or other.healthy
    return replace(
        one,
        healthy=healthy,
        trouble="" if healthy else one.trouble or other.trouble,
        requests=one.requests + other.requests,
        failed=one.failed + other.failed,
        slow=one.slow + other.slow,
        connect_failures=one.connect_failures + other.connect_failures,
    )


def _application(group: str) -> ApplicationName:
    return ApplicationName(application_of(group)[0])
