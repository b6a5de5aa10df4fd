"""`crossfade rollout scale`: the pods of a canary, worked out without a hub."""

from typing import Annotated

import typer

from crossfade.base.errors import InputError
from crossfade.cli.output import Format, OutputOption, show
from crossfade.core.rollout.scale import (
    DEFAULT_FENCE_POST,
    Counts,
    Routed,
    by_replicas,
    by_traffic,
    fence_posts,
)

_MOST = 1_000_000


def scale(
    replicas: Annotated[int, typer.Option(min=0, max=_MOST, help="Pods of the whole.")],
    weight: Annotated[int, typer.Option(min=0, help="The canary's share of the users.")],
    max_weight: Annotated[
        int, typer.Option(min=1, max=_MOST * 1000, help="What the weight is a part of.")
    ] = 100,
    max_surge: Annotated[
        str,
        typer.Option(metavar="PODS|PERCENT", help="Pods beyond the replicas while they change."),
    ] = DEFAULT_FENCE_POST,
    traffic_routed: Annotated[
        bool, typer.Option("--traffic-routed", help="A router splits users: stable stays whole.")
    ] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Work out how many pods the canary and the stable revision have at a weight.

    The rules are those of Argo Rollouts. Needs no hub.
    """
    counts = _counts(replicas, weight, max_weight, max_surge, traffic_routed)
    data = {"canary": counts.canary, "stable": counts.stable}
    show(data, output, lambda: f"canary {counts.canary}, stable {counts.stable}")


def _counts(
    replicas: int, weight: int, max_weight: int, max_surge: str, traffic_routed: bool
) -> Counts:
    try:
        surge = fence_posts(replicas, max_surge).surge
    except ValueError as error:
        raise InputError(
            f"--max-surge: {error}", hint="give pods, as 2, or a part of the replicas, as 25%"
        ) from error
    if traffic_routed:
        # An explicit scale may ask for more than everything, as 200 of 100.
        return by_traffic(replicas, Routed(weight, max_weight))
    if weight > max_weight:
        raise InputError(
            f"--weight {weight} is more than --max-weight {max_weight}",
            hint=f"give a weight from 0 to {max_weight}",
        )
    return by_replicas(replicas, weight, max_weight, surge)
