"""What a rollout will do that whoever wrote its file may not expect: told beforehand.  Pure."""

from collections.abc import Iterator, Sequence

from crossfade.core.analysis.spec import Analysis
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.rollout.spec import (
    Analyse,
    Ramp,
    SetHeaderRoute,
    SetMirror,
    SetWeight,
    Step,
    Strategy,
    Wave,
)
from crossfade.core.rollout.waves import members
from crossfade.core.rollout.words import names


def remarks(strategy: Strategy, analysis: Analysis, clusters: Sequence[Cluster]) -> tuple[str, ...]:
    """Return what is to be pointed out, in whole sentences; `clusters` run the application."""
    waiting = _unfed(strategy.steps) if analysis.judge else ()
    return (*_empty_waves(strategy.waves, clusters), *waiting)


def fits_no_wave(strategy: Strategy, clusters: Sequence[Cluster]) -> bool:
    """Say whether there are waves, and no cluster belongs to any: then all would go at once."""
    found = members(strategy.waves, clusters)
    return bool(strategy.waves and clusters) and not any(found[:-1])


def _empty_waves(waves: Sequence[Wave], clusters: Sequence[Cluster]) -> Iterator[str]:
    if not clusters:
        return
    for index, (wave, found) in enumerate(zip(waves, members(waves, clusters), strict=False)):
        if not found:
            yield (
                f"wave {index + 1} ({asked_by(wave)}) has none of the application's clusters, or"
                " earlier waves have them: it is passed over"
            )


def asked_by(wave: Wave) -> str:
    """Return which clusters a wave asks for."""
    labels = ", ".join(f"{key}={value}" for key, value in sorted(wave.match_labels.items()))
    named = names(wave.clusters)
    return " or ".join(each for each in (named, f"labels {labels}" if labels else "") if each)


def _unfed(steps: Sequence[Step]) -> Iterator[str]:
    """Return where the judge is to decide although no user has the new revision by then."""
    percent, mirrored, routes = 0.0, False, dict[str, bool]()
    for index, step in enumerate(steps):
        match step:
            case SetWeight(share):
                percent = share
            case Ramp():
                percent = step.max_percent
            case SetMirror(share):
                mirrored = share > 0
            case SetHeaderRoute(name, matches):
                routes[name] = bool(matches)
            case Analyse(None) if not percent and not mirrored:
                yield f"step {index + 1} analyses at 0 % of users: {waits_for(_open(routes))}"
            case _:
                pass


def _open(routes: dict[str, bool]) -> tuple[str, ...]:
    return tuple(name for name, is_open in routes.items() if is_open)


def waits_for(routes: Sequence[str]) -> str:
    """Return what a verdict at 0 % of users waits for, with these header routes."""
    if not routes:
        return "no request reaches the new revision, so that there will be no verdict"
    several = "s" if len(routes) > 1 else ""
    return (
        f"only requests that match the header route{several} {', '.join(routes)} reach the new"
        " revision, and there is no verdict before every cluster has had some"
    )
