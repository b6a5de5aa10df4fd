"""
Counts of tries per revision, from the Prometheus page of a gateway's Envoy.

With retries on, Envoy's `upstream_rq_xx` shows only what the last try gave: a revision that fails
30 % of tries shows 100 % success there.  A failed answer that was tried again is counted in
`retry_upstream_rq_xx`.  A try without any answer (refused, reset, too slow) that was tried again
is in neither, and is known only as the rest of `upstream_rq_retry`; the last one is in
`upstream_rq_xx` as a 503 or 504.  So, of all tries:

    tries  = sum(rq_xx) + rq_retry
    errors = rq_xx{5} + retry_rq_xx{5} + (rq_retry - sum(retry_rq_xx))

Times are known of requests, not of tries: `upstream_rq_time` has one entry for each request whose
last try was answered, from when the request had come until the answer was complete, earlier tries
and the wait between them included.  A request that got no answer in time, or none at all, is not
in it: that is an error above.  Envoy adds new entries every `stats_flush_interval` (5 s unless the
gateway's bootstrap says otherwise), so these counts come later than the others.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from crossfade.base.errors import Unavailable
from crossfade.base.ids import ApplicationName, RevisionId
from crossfade.ports.traffic_counts import SLOWER_EDGES, Counts

if TYPE_CHECKING:
    import httpx2

_ANSWERS = "envoy_cluster_upstream_rq_xx"
_RETRIED_ANSWERS = "envoy_cluster_retry_upstream_rq_xx"
_RETRIES = "envoy_cluster_upstream_rq_retry"
_TIMES = "envoy_cluster_upstream_rq_time_bucket"
_METRICS = (_ANSWERS, _RETRIED_ANSWERS, _RETRIES, _TIMES)
_ALL = "+Inf"
_LINE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)(?: -?\d+)?")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?')


class EnvoyPages:
    """Reads pages over HTTP.  Made once and shared: it keeps connections open."""

    def __init__(self, seconds: float = 2.0) -> None:
        """`seconds` is the deadline of each read."""
        self._seconds = seconds
        self._client: httpx2.AsyncClient | None = None

    async def read(self, url: str, query: Mapping[str, str]) -> str:
        """Return the page.  Raises Unavailable."""
        import httpx2

        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=self._seconds, trust_env=False)
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._client.get(url, params=query)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError) as error:
            why = str(error) or f"no answer in {self._seconds:g} s"
            raise _unreadable(url, why) from error
        if answer.status_code != 200:
            raise _unreadable(url, f"it answers {answer.status_code}")
        return answer.text

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


class EnvoyCounts:
    """The TrafficCounts port for the revisions of one application at one gateway."""

    def __init__(
        self,
        pages: EnvoyPages,
        url: str,
        clusters: Mapping[str, RevisionId],
        edges: tuple[int, ...] = SLOWER_EDGES,
    ) -> None:
        """
        `clusters` has the revision behind each `cluster_name`.

        `edges` are milliseconds; those that the gateway's Envoy has no bucket for are left out.
        """
        self._pages = pages
        self._url = url
        self._edges = edges
        self._clusters = {_in_stats(name): revision for name, revision in clusters.items()}

    async def read(self, application: ApplicationName) -> tuple[Counts, ...]:
        """Return the counters of the revisions; see the port for errors."""
        if not self._clusters:
            return ()
        page = await self._pages.read(self._url, {"usedonly": "", "filter": self._filter()})
        answers: Counter[tuple[str, str, str]] = Counter()
        for metric, labels, value in parse(page, self._url):
            name = labels.get("envoy_cluster_name", "")
            if name in self._clusters:
                kind = labels.get("envoy_response_code_class") or labels.get("le", "")
                answers[name, metric, kind] += value
        counts = (
            _counts(name, each, answers, self._edges) for name, each in self._clusters.items()
        )
        return tuple(each for each in counts if each.requests > 0)

    def _filter(self) -> str:
        """Return the expression for Envoy's own names of what is read here."""
        names = "|".join(re.escape(name) for name in self._clusters)
        return rf"^cluster\.({names})\.(retry\.)?upstream_rq_([1-5]xx|retry|time)$"


def cluster_name(namespace: str, service: str, port: int) -> str:
    """Return what gateways call the Envoy cluster of a Service's port."""
    return f"{namespace}/{service}:{port}"


def parse(page: str, url: str = "") -> Iterator[tuple[str, dict[str, str], int]]:
    """
    Yield name, labels and value of each counter of a page in Prometheus' text format.

    Raises Unavailable when it is no such page: half a page must not be read as zeros.
    """
    for line in page.splitlines():
        if not line or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise _unreadable(url, f"it has a line that is no sample: {line[:60]!r}")
        name, labels, value = found.groups()
        if name in _METRICS:
            try:
                yield name, _labels(labels or ""), int(float(value))
            except (ValueError, OverflowError) as error:
                raise _unreadable(url, f"{name} is no number: {value!r}") from error


def _labels(text: str) -> dict[str, str]:
    return {key: re.sub(r"\\(.)", _unescaped, value) for key, value in _LABEL.findall(text)}


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]


def _in_stats(name: str) -> str:
    """Return the name of an Envoy cluster as it is in statistics: without colons."""
    return name.replace(":", "_")


def _counts(
    name: str,
    revision: RevisionId,
    found: Counter[tuple[str, str, str]],
    edges: tuple[int, ...],
) -> Counts:
    """Return one revision's counts; a series that is missing is one that was never needed: 0."""
    classes = "12345"
    answers = sum(found[name, _ANSWERS, each] for each in classes)
    retries = found[name, _RETRIES, ""]
    retried_answers = sum(found[name, _RETRIED_ANSWERS, each] for each in classes)
    timed = found[name, _TIMES, _ALL]
    return Counts(
        revision=revision,
        requests=answers + retries,
        errors=found[name, _ANSWERS, "5"]
        + found[name, _RETRIED_ANSWERS, "5"]
        + max(retries - retried_answers, 0),
        slower={
            edge: timed - found[name, _TIMES, str(edge)]
            for edge in edges
            if (name, _TIMES, str(edge)) in found
        },
    )


def _unreadable(url: str, why: str) -> Unavailable:
    return Unavailable(
        f"the gateway's counters cannot be read: {why}",
        hint="check the Gateway's annotation crossfade.dev/metrics-url, and that it is reachable",
        url=url,
    )
