"""Raw samples of labelled counters, as totals per revision and process."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crossfade.base.errors import InputError
from crossfade.base.ids import RevisionId
from crossfade.core.analysis.counters import ERRORS, Reading, Tally, slower_than
from crossfade.core.analysis.queries import CounterQuery


@dataclass(frozen=True, slots=True)
class Sample:
    """One counter of one process, as it was at one scrape."""

    labels: Mapping[str, str]
    revision: RevisionId
    at: float
    value: float


@dataclass(frozen=True, slots=True)
class _Scrape:
    """All counters of a process for one revision at one time: they were scraped together."""

    revision: RevisionId
    source: str
    at: float


def readings(
    query: CounterQuery, requests: Iterable[Sample], latency: Iterable[Sample]
) -> tuple[Reading, ...]:
    """
    Return the totals of each process at each scrape, oldest first.

    Raises InputError for an edge that the histogram does not have.
    """
    slow = _slow(query, latency)
    totals: dict[_Scrape, float] = defaultdict(float)
    errors: dict[_Scrape, float] = defaultdict(float)
    failed = re.compile(query.failed_pattern)
    for sample in requests:
        scrape = _scrape(query, sample)
        totals[scrape] += sample.value
        if failed.fullmatch(sample.labels.get(query.failed_label, "")):
            errors[scrape] += sample.value
    found = (
        Reading(
            scrape.revision,
            scrape.source,
            scrape.at,
            Tally(round(total), {ERRORS: round(errors[scrape]), **slow.get(scrape, {})}),
        )
        for scrape, total in totals.items()
    )
    return tuple(sorted(found, key=lambda each: (each.at, each.revision, each.source)))


def _slow(query: CounterQuery, samples: Iterable[Sample]) -> dict[_Scrape, dict[str, int]]:
    """Return how many requests were slower than each edge, at each scrape."""
    buckets: dict[_Scrape, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    for sample in samples:
        edge = float(sample.labels.get("le", "nan")) * query.edge_unit_seconds
        buckets[_scrape(query, sample)][edge] += sample.value
    return {scrape: _above(query, within) for scrape, within in buckets.items()}


def _above(query: CounterQuery, within: Mapping[float, float]) -> dict[str, int]:
    events: dict[str, int] = {}
    for edge in query.edges_seconds:
        near = next((each for each in within if math.isclose(each, edge, rel_tol=1e-6)), None)
        if near is None or math.inf not in within:
            there = ", ".join(f"{each:g}" for each in sorted(within) if math.isfinite(each))
            raise InputError(
                f"the latency histogram has no edge at {edge:g} s",
                hint=f"choose among its own, in seconds: {there or 'it has none'}",
            )
        events[slower_than(edge)] = max(round(within[math.inf] - within[near]), 0)
    return events


def _scrape(query: CounterQuery, sample: Sample) -> _Scrape:
    source = "/".join(sample.labels.get(label, "") for label in query.source_labels)
    return _Scrape(sample.revision, source, sample.at)
