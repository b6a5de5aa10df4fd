"""What one cluster should run of an application, and how it should split its users."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.base.ids import NO_EPOCH, Epoch, RevisionId
from crossfade.core.traffic.split import Split


@dataclass(frozen=True, slots=True)
class Rolled:
    """One release in which this percentage of pods is of the revision."""

    revision: RevisionId
    percent: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Saved before anybody acts; the cluster is brought to it and reports when it is there."""

    epoch: Epoch = NO_EPOCH
    """Higher with each change of the split; 0 before the first."""
    previous: Epoch = NO_EPOCH
    """Epoch of the split before this one."""
    since: float = 0.0
    """When this epoch was decided."""
    split: Split = field(default_factory=Split)
    revisions: tuple[RevisionId, ...] = ()
    """What is to be installed; those without a share are kept ready.  Any other is removed."""
    scale: Mapping[RevisionId, int] = field(default_factory=dict)
    """Percent of the chart's pods; a revision that is not named runs all of them."""
    rolled: Rolled | None = None
    """Of an application whose pods are replaced in place; then `revisions` is empty."""

    def share(self, revision: RevisionId) -> float:
        """Return the percentage of `revision`, 0 when it has none."""
        return self.split.share(revision)

    def pods(self, revision: RevisionId) -> int:
        """Return the percentage of the chart's pods that `revision` should run."""
        return self.scale.get(revision, 100)


NOTHING = Wanted()
"""What a cluster runs that has just come into the fleet."""


def change(wanted: Wanted, after: Wanted, epoch: Epoch, now: float) -> Wanted:
    """
    Return `after` with an epoch: the next one, `epoch`, only if its split really differs.

    Raises ValueError unless the shares sum to 100 over revisions that are to be installed, and
    header routes and mirror name such revisions.
    """
    split = after.split
    named = {*split.shares, *(each.revision for each in split.headers)}
    if split.mirror is not None:
        named.add(split.mirror.revision)
    total = round(sum(split.shares.values()), 2)
    if (split.shares and total != 100) or not named <= set(after.revisions):
        raise ValueError(f"{split} must sum to 100 over {sorted(after.revisions)}")
    same = wanted.split == split
    return Wanted(
        epoch=wanted.epoch if same else epoch,
        previous=wanted.previous if same else wanted.epoch,
        since=wanted.since if same else now,
        split=split,
        revisions=after.revisions,
        scale=after.scale,
        rolled=after.rolled,
    )
