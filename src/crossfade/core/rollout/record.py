"""An application as it is remembered: its file, what runs, what is kept, and what is wanted."""

from dataclasses import dataclass, field, replace

from crossfade.base.ids import RevisionId
from crossfade.core.application import Application
from crossfade.core.release.revision import Revision
from crossfade.core.release.wanted import Wanted, change
from crossfade.core.rollout.state import Decision, Outcome, Phase, Rollout

HISTORY = 10
"""How many revisions are remembered for `undo --to`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A revision that still runs without users, so that they can be swapped back at once."""

    revision: Revision
    until: float


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is remembered of one application."""

    spec: Application
    active: Revision | None = None
    """The stable revision: it serves all users when no rollout is under way."""
    kept: tuple[Kept, ...] = ()
    """Newest first."""
    history: tuple[Revision, ...] = ()
    """Revisions that were promoted, newest first."""
    wanted: Wanted = field(default_factory=Wanted)
    rollout: int = 0
    """Number of the newest rollout, 0 before the first."""

    def known(self, revision: RevisionId) -> Revision | None:
        """Return the remembered revision of this id, or None."""
        candidates = (self.active, *(each.revision for each in self.kept), *self.history)
        return next((each for each in candidates if each and each.id == revision), None)


def advance(
    record: Record, rollout: Rollout, decision: Decision, now: float
) -> tuple[Record, Rollout]:
    """Return record and rollout as they are to be saved after the decision."""
    state = replace(decision.want, reason=decision.reason)
    rollout = replace(rollout, state=state)
    if state.outcome is Outcome.SUCCEEDED and record.active != rollout.canary:
        record = _promoted(record, rollout, now)
    return replace(record, wanted=wanted_of(record, rollout, now)), rollout


def _promoted(record: Record, rollout: Rollout, now: float) -> Record:
    canary, stable = rollout.canary, rollout.stable
    kept = tuple(k for k in record.kept if k.revision.id != canary.id and k.until > now)
    if stable is not None and rollout.strategy.keep_old_seconds > 0:
        kept = (Kept(stable, now + rollout.strategy.keep_old_seconds), *kept)
    older = (each for each in record.history if each.id != canary.id)
    history = (canary, *older)[:HISTORY]
    return replace(record, active=canary, kept=kept, history=history)


def wanted_of(record: Record, rollout: Rollout | None, now: float) -> Wanted:
    """
    Return what every cluster should run: stable, the new revision, and what is kept.

    Revisions that are kept longer than agreed are left out, and so removed.
    """
    shares: dict[RevisionId, int] = {}
    revisions = [record.active] if record.active else []
    moving = rollout is not None and rollout.active
    if rollout is not None and moving:
        percent = rollout.state.percent
        if rollout.state.phase is not Phase.ROLLING_BACK:
            revisions.append(rollout.canary)
        if rollout.stable is not None:
            shares[rollout.stable.id] = 100 - percent
        if percent > 0:
            shares[rollout.canary.id] = percent
    elif record.active is not None:
        shares[record.active.id] = 100
    revisions.extend(kept.revision for kept in record.kept if kept.until > now)
    unique = {each.id: each for each in revisions}
    return change(record.wanted, shares, tuple(unique.values()), now)


def next_expiry(record: Record, now: float) -> float | None:
    """Return the seconds until the next kept revision is due, None when none is kept."""
    left = [kept.until - now for kept in record.kept if kept.until > now]
    return min(left) if left else None
