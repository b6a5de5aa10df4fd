"""`crossfade rollout scale-next` and `scale-back`: pods on the way, worked out without a hub."""

import re
from typing import Annotated

import typer

from crossfade.base.errors import InputError
from crossfade.cli.output import Format, OutputOption, show
from crossfade.core.rollout.scale import (
    DEFAULT_FENCE_POST,
    Counts,
    Now,
    Routed,
    Running,
    applied_on_abort,
    by_replicas,
    by_traffic,
    fence_posts,
    next_counts,
    weight_on_abort,
)

_MOST = 1_000_000
_RUNNING = re.compile(r"(canary|stable|older)=(\d{1,7})(?:/(\d{1,7}))?")
_GIVE = "give pods that there should be and those that are ready, as canary=2/1,stable=10/10"

RunningOption = Annotated[
    str,
    typer.Option(
        "--running",
        metavar="canary=N/READY,stable=N/READY[,older=N]",
        help="Pods that there are; without stable it is a first deployment.",
    ),
]
ReplicasOption = Annotated[int, typer.Option(min=0, max=_MOST, help="Pods of the whole.")]


def scale_next(
    replicas: ReplicasOption,
    weight: Annotated[int, typer.Option(min=0, max=100, help="The canary's share of users.")],
    running: RunningOption,
    limits: Annotated[
        str,
        typer.Option(metavar="SURGE,UNAVAILABLE", help="How far pods may go above and below."),
    ] = f"{DEFAULT_FENCE_POST},{DEFAULT_FENCE_POST}",
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Work out the pods to ask for next on the way to a weight, where pods split the users.

    The rules are those of Argo Rollouts: first up, then down, within the limits. Needs no hub.
    """
    surge, separator, unavailable = limits.partition(",")
    try:
        posts = fence_posts(replicas, surge.strip(), unavailable.strip())
    except ValueError as error:
        raise InputError(
            f"--limits: {error if separator else f'`{limits}` has no comma'}",
            hint="give two, each in pods or as a part of the replicas, as 25%,1",
        ) from error
    desired = by_replicas(replicas, weight, max_surge=posts.surge)
    counts = next_counts(replicas, desired, posts, _now(running))
    data = {
        "canary": counts.canary,
        "stable": counts.stable,
        "done": counts == desired,
    }
    text = f"canary {counts.canary}, stable {counts.stable}"
    show(data, output, lambda: text + (", as wanted" if counts == desired else ""))


def scale_back(
    replicas: ReplicasOption,
    steps: Annotated[str, typer.Option(metavar="W,W,...", help="Weights of the steps, in order.")],
    running: RunningOption,
    actual: Annotated[int, typer.Option(min=0, max=100, help="The canary's weight in force.")],
    delay: Annotated[
        int, typer.Option(min=0, help="Seconds for which the canary is kept; 0: it is not.")
    ] = 0,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Work out the next weight and pods of an aborted canary whose stable revision was shrunk.

    The rules are those of Argo Rollouts with a dynamic stable: users follow pods back, step by
    step. Needs no hub.
    """
    now = _now(running)
    desired = weight_on_abort(replicas, now, _weights(steps), delay or None)
    available = now.stable.available if now.stable else 0
    weight = applied_on_abort(replicas, available, desired, actual)
    in_force = Counts(actual, 100 - actual)
    routed = Routed(desired, dynamic_stable=True, actual=in_force, aborted=True)
    counts = by_traffic(replicas, routed)
    data = {"weight": weight, "canary": counts.canary, "stable": counts.stable}
    text = f"{weight} % of users; canary {counts.canary}, stable {counts.stable}"
    show(data, output, lambda: text)


def _now(running: str) -> Now:
    found: dict[str, Running] = {}
    for part in running.split(","):
        read = _RUNNING.fullmatch(part.strip())
        if read is None or read[1] in found:
            what = "is given twice" if read else "is none of canary=, stable= and older="
            raise InputError(f"--running: `{part.strip()}` {what}", hint=_GIVE)
        wanted = int(read[2])
        found[read[1]] = Running(wanted, int(read[3]) if read[3] else wanted)
    older = found.get("older", Running(0, 0))
    return Now(found.get("canary", Running(0, 0)), found.get("stable"), older.wanted)


def _weights(steps: str) -> tuple[int, ...]:
    parts = [each.strip() for each in steps.split(",")]
    if not all(each.isascii() and each.isdecimal() and int(each) <= 100 for each in parts):
        raise InputError(f"--steps: `{steps}` are no weights", hint="give weights, as 10,50")
    return tuple(int(each) for each in parts)
