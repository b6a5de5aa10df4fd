"""What every cluster of an application should run, and how it should split its users."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.base.ids import NO_EPOCH, Epoch, RevisionId
from crossfade.core.release.revision import Revision


@dataclass(frozen=True, slots=True)
class Wanted:
    """Saved before anybody acts; each cluster is brought to it and reports when it is there."""

    epoch: Epoch = NO_EPOCH
    """One more with each change of shares; 0 before the first."""
    since: float = 0.0
    """When this epoch was decided."""
    shares: Mapping[RevisionId, int] = field(default_factory=dict)
    """Percent of each cluster's users; sums to 100, or is empty before the first deployment."""
    revisions: tuple[Revision, ...] = ()
    """What is to be installed; those without a share are kept ready.  Any other is removed."""

    def share(self, revision: RevisionId) -> int:
        """Return the percentage of `revision`, 0 when it has none."""
        return self.shares.get(revision, 0)


def change(
    wanted: Wanted,
    shares: Mapping[RevisionId, int],
    revisions: tuple[Revision, ...],
    now: float,
) -> Wanted:
    """
    Return the next wanted state; its epoch is higher only if shares really differ.

    Raises ValueError unless shares sum to 100 over revisions that are to be installed.
    """
    shares = {revision: percent for revision, percent in shares.items() if percent > 0}
    known = {revision.id for revision in revisions}
    if shares and (sum(shares.values()) != 100 or not set(shares) <= known):
        raise ValueError(f"shares {shares} must sum to 100 over {sorted(known)}")
    if dict(wanted.shares) == shares:
        return Wanted(wanted.epoch, wanted.since, wanted.shares, revisions)
    return Wanted(Epoch(wanted.epoch + 1), now, shares, revisions)
