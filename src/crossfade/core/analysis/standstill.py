"""
What the judge does while users move between clusters because one of them was lost.  Pure.

Moving users changes latency and errors by itself, so windows of that time are thrown away, and the
clock of the analysis stops: the loss of a cloud uses up nobody's patience.  Only the grossest
fault is still looked for in what was thrown away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.counters import ERRORS
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.evidence import Aside, Evidence
from crossfade.core.failover.during_rollout import Shift, settle_seconds, usable
from crossfade.core.failover.during_rollout import Window as Span

BURST_REQUESTS = 20
"""Of each revision, before anything is said of how many of them fail."""
BURST_SHARE = 0.5
"""Of the new revision's requests fail."""
FINE_SHARE = 0.05
"""At most so many of the old one's do: then neither the cluster nor the shift is to blame."""


def stood(evidence: Evidence, dirty: Sequence[Window], now: float, *, still: bool) -> Evidence:
    """
    Return the evidence with its clock stopped, or going.

    Args:
        evidence: what is known so far.
        dirty: windows that have ended and are not judged.
        now: in seconds.
        still: whether the rollout stands still now.
    """
    if still and evidence.still_since is None:
        evidence = replace(evidence, still_since=now, aside={})
    if not still and evidence.still_since is not None:
        stopped = evidence.stopped_seconds(now)
        evidence = replace(evidence, still_since=None, stopped=stopped, aside={})
    if not dirty:
        return evidence
    aside = dict(evidence.aside)
    for window in dirty:
        aside[window.cluster] = _more(aside.get(window.cluster, Aside()), window)
    return replace(evidence, aside=aside, discarded=evidence.discarded + len(dirty))


def sorted_out(
    windows: Sequence[Window], shift: Shift | None, seconds: float
) -> tuple[tuple[Window, ...], tuple[Window, ...]]:
    """Return the windows, `seconds` long, that may be judged, and those that the shift spoils."""
    if shift is None:
        return tuple(windows), ()
    clean: list[Window] = []
    dirty: list[Window] = []
    for window in windows:
        end = window.ends_at(seconds)
        good = usable([Span(end - seconds, end)], [shift], settle_seconds(seconds))
        (clean if good else dirty).append(window)
    return tuple(clean), tuple(dirty)


def bursts(aside: Mapping[ClusterName, Aside]) -> tuple[ClusterName, ...]:
    """Return where half of the new revision's requests fail beside an old one that serves well."""
    return tuple(sorted(name for name, each in aside.items() if _bursts(each)))


def _bursts(each: Aside) -> bool:
    enough = min(each.new, each.old) >= BURST_REQUESTS
    fine = each.old_errors <= FINE_SHARE * each.old
    return enough and fine and each.new_errors >= BURST_SHARE * each.new


def _more(known: Aside, window: Window) -> Aside:
    new_errors, old_errors = window.events.get(ERRORS, (0, 0))
    return Aside(
        known.new + window.n_c,
        known.new_errors + new_errors,
        known.old + window.n_s,
        known.old_errors + old_errors,
    )
