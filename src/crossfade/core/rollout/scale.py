"""
How many pods the canary and the stable revision should have.

The rules of Argo Rollouts are kept to the letter, its floating-point comparisons included, so that
who moves here sees the same counts; docs/guides/coming-from.md says where to find them.  Weights
are parts of `max_weight`, which is 100 unless a router counts finer.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

DEFAULT_FENCE_POST = "25%"
"""Surge and unavailability when neither is given."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Pods of the two revisions of a canary."""

    canary: int
    stable: int


@dataclass(frozen=True, slots=True)
class Running:
    """Pods that a revision was told to have, and those of them that are ready for users."""

    wanted: int
    available: int

    def counted(self, *, drained: bool) -> int:
        """
        Return how many pods may be relied on while capacity is taken away.

        A revision that is being drained counts with all pods it was told to have: pods of it
        that never come up must not keep it from being drained.
        """
        return self.wanted if drained else min(self.wanted, self.available)


@dataclass(frozen=True, slots=True)
class FencePosts:
    """How far the number of pods may go above and below the wanted one, in pods."""

    surge: int
    unavailable: int


@dataclass(frozen=True, slots=True)
class Now:
    """The pods that there are; `stable` is None at a first deployment."""

    canary: Running
    stable: Running | None
    older: int = 0
    """Pods of revisions that are neither."""


def fence_posts(
    replicas: int,
    max_surge: int | str = DEFAULT_FENCE_POST,
    max_unavailable: int | str = DEFAULT_FENCE_POST,
) -> FencePosts:
    """
    Return the limits in pods; a percentage of surge rounds up, one of unavailability down.

    When both come out as nothing, one pod may be unavailable: otherwise nothing could ever move.

    Raises:
        ValueError: unless each is a number of pods or a percentage, none below 0.
    """
    surge = _pods(replicas, max_surge, math.ceil)
    unavailable = _pods(replicas, max_unavailable, math.floor)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return FencePosts(surge, min(unavailable, replicas))


def _pods(replicas: int, given: int | str, rounded: Callable[[float], int]) -> int:
    text = str(given)
    number = text.removesuffix("%")
    if not (number.isascii() and number.isdecimal()):
        raise ValueError(f"`{text}` is neither a number of pods nor a percentage such as 25%")
    return rounded(replicas * int(number) / 100) if text.endswith("%") else int(number)


def by_replicas(replicas: int, weight: int, max_weight: int = 100, max_surge: int = 0) -> Counts:
    """
    Return counts whose ratio comes nearest to the weight: pods are all that splits users.

    With two pods or more, surge included, a weight between nothing and everything leaves
    neither revision without a pod.
    """
    if replicas == 0:
        return Counts(0, 0)
    high = math.ceil(replicas * weight / max_weight)
    low = math.floor(replicas * weight / max_weight)
    zero_allowed = weight in (0, max_weight) or (replicas == 1 and max_surge == 0)
    low_allowed = low != 0 or zero_allowed
    options: list[tuple[int, int]] = []
    if high < replicas or zero_allowed:
        options.append((high, replicas))
    if low_allowed and not _tied(replicas, weight, max_weight):
        options.append((low, replicas))
    if max_surge > 0:
        options.append((high, replicas + 1))
        if low_allowed and not _tied(replicas + 1, weight, max_weight):
            options.append((low, replicas + 1))
    if not options:
        # A tie just below everything, as 95 % of ten pods.  Argo's code ends without a canary
        # here and says that this cannot be; what it promises is a pod for each.
        return Counts(low, replicas - low)
    # min keeps the first of equals: fewer pods win, and the larger canary among as many.
    canary, total = min(
        options, key=lambda option: abs(option[0] * max_weight / option[1] - weight)
    )
    return Counts(canary, total - canary)


def _tied(total: int, weight: int, max_weight: int) -> bool:
    """Say whether rounding up and down are equally far off; then only up is considered."""
    return math.modf(total * (weight / max_weight))[0] == 0.5


def share_of(replicas: int, weight: int, max_weight: int = 100) -> int:
    """Return the pods that carry a weight, rounded up."""
    return math.ceil(weight * replicas / max_weight)


@dataclass(frozen=True, slots=True)
class Routed:
    """What decides the counts where a router splits users, so that pods need not."""

    weight: int
    """The wanted weight of the canary; that of an explicit scale may exceed `max_weight`."""
    max_weight: int = 100
    canary_replicas: int | None = None
    """An explicit number of canary pods, instead of those that the weight asks for."""
    min_pods: int = 0
    """At least so many for a revision that has any, but never more than the replicas."""
    dynamic_stable: bool = False
    """Shrink the stable revision as users leave it."""
    actual: Counts | None = None
    """Weights in force; None before any is known."""
    aborted: bool = False


def by_traffic(replicas: int, routed: Routed) -> Counts:
    """
    Return counts for a canary whose users are split by a router.

    With a dynamic stable revision the higher of the wanted and the actual weight decides: pods
    come before users, and go after them.
    """
    canary = routed.canary_replicas
    if canary is None:
        canary = _at_least(share_of(replicas, routed.weight, routed.max_weight), replicas, routed)
    if not routed.dynamic_stable:
        return Counts(canary, replicas)
    stable = share_of(replicas, routed.max_weight - routed.weight, routed.max_weight)
    if routed.actual is not None:
        stable = max(stable, share_of(replicas, routed.actual.stable, routed.max_weight))
        if routed.aborted:
            canary = max(canary, share_of(replicas, routed.actual.canary, routed.max_weight))
    return Counts(_at_least(canary, replicas, routed), _at_least(stable, replicas, routed))


def _at_least(count: int, replicas: int, routed: Routed) -> int:
    return 0 if count == 0 else max(count, min(routed.min_pods, replicas))


def weight_on_abort(
    replicas: int,
    now: Now,
    steps: Iterable[int],
    scale_down_delay: int | None = None,
    max_weight: int = 100,
) -> int:
    """
    Return the canary's weight while an aborted rollout with a dynamic stable walks back.

    Args:
        replicas: pods of the whole.
        now: the pods that there are.
        steps: weights of the rollout's steps, in their order.
        scale_down_delay: seconds for which the canary is kept, when it was given: its pods then
            stay until stable is whole, so they must not hold the weight up.
        max_weight: what the weights are parts of.
    """
    if now.stable is None:
        return 0
    pods = replicas - now.stable.available
    if not scale_down_delay:
        pods = max(pods, now.canary.available)
    lower = (each for each in reversed(tuple(steps)) if share_of(replicas, each, max_weight) < pods)
    return next(lower, 0)


def applied_on_abort(
    replicas: int, stable_available: int, desired: int, actual: int | None, max_weight: int = 100
) -> int:
    """
    Return the weight to apply during the walk back: it never rises, and waits for stable's pods.

    Args:
        replicas: pods of the whole.
        stable_available: pods of stable that are ready for users.
        desired: what `weight_on_abort` says.
        actual: the canary's weight in force; None before any is known.
        max_weight: what the weights are parts of.
    """
    if replicas == 0:
        return 0
    carried = max_weight * stable_available // replicas
    left = max(0, max_weight - carried)
    if actual is None:
        return max(left, desired)
    if desired <= 0:
        return min(left, actual)
    return actual if carried < max_weight - desired else min(desired, actual)


def next_counts(replicas: int, desired: Counts, posts: FencePosts, now: Now) -> Counts:
    """
    Return the counts to ask for next on the way to the desired ones, within the fence posts.

    Pods are added first, stable before canary; nothing is taken away while an older revision
    still has pods; what is taken away leaves enough that is available.
    """
    if now.stable is None:
        desired = Counts(replicas, 0)
    grown = _grow(replicas + posts.surge, desired, now)
    if now.older > 0:
        return grown
    return _shrink(replicas, desired, posts, now, grown)


def _grow(ceiling: int, desired: Counts, now: Now) -> Counts:
    canary, stable = now.canary.wanted, now.stable.wanted if now.stable else 0
    room = max(0, ceiling - canary - stable - now.older)
    more_stable = min(room, max(0, desired.stable - stable))
    more_canary = min(room - more_stable, max(0, desired.canary - canary))
    return Counts(canary + more_canary, stable + more_stable)


def _shrink(replicas: int, desired: Counts, posts: FencePosts, now: Now, grown: Counts) -> Counts:
    needed = replicas - posts.unavailable
    rising = desired.canary >= now.canary.wanted
    stable = now.stable or Running(0, 0)
    relied_on = now.canary.counted(drained=not rising) + stable.counted(drained=rising)
    spare = relied_on - needed
    if spare <= 0:
        return grown
    limits = _Limits(replicas + posts.surge, needed)
    if not rising:
        lower = _drained(now.canary, desired.canary, spare, grown.canary)
        drained, kept = limits.fitted(now.canary, lower, now.stable, grown.stable)
        return Counts(canary=drained, stable=kept)
    if now.stable is None:
        return grown
    lower = _drained(stable, desired.stable, spare, grown.stable)
    drained, kept = limits.fitted(stable, lower, now.canary, grown.canary)
    return Counts(canary=kept, stable=drained)


def _drained(running: Running, desired: int, spare: int, grown: int) -> int:
    return max(desired, running.wanted - spare) if running.wanted > desired else grown


@dataclass(frozen=True, slots=True)
class _Limits:
    most: int
    """Pods of both revisions together."""
    needed: int
    """Available pods of both together."""

    def fitted(
        self, drained: Running, drained_count: int, kept: Running | None, kept_count: int
    ) -> tuple[int, int]:
        """
        Return the counts of the drained and the kept revision, both within the limits.

        The kept one gives up what is over the ceiling, gets back of it what availability needs,
        and the drained one gives up the rest.
        """
        if kept is None:
            return drained_count, kept_count
        over = max(0, kept_count + drained_count - self.most)
        kept_count -= over
        available = min(drained.available, drained_count) + min(kept.available, kept_count)
        idle = max(0, kept.available - kept_count)
        kept_count += min(idle, max(0, self.needed - available))
        over = max(0, kept_count + drained_count - self.most)
        return drained_count - over, kept_count


def scale_for(percent: float, clusters: int, survive: int) -> int:
    """
    Return the percentage of the chart's pods that carries this share of users.

    Enough also after `survive` of the clusters are lost and their users have come here.  Counted
    in whole fractions, so that a share that comes out even is not rounded up by a hair.

    Args:
        percent: the canary's share of a cluster's users, 0 to 100; as people write it, so 0.1 is
            a tenth and not the nearest binary number.
        clusters: those that take part.
        survive: how many of them may be lost.
    """
    taking_part = max(1, clusters)
    left = max(1, taking_part - survive)
    return min(100, math.ceil(Fraction(str(percent)) * taking_part / left))
