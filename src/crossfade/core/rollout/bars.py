"""What stands against more users on the new revision, by who may set it aside.  Pure."""

from dataclasses import dataclass

from crossfade.core.analysis.judgement import Run, Verdict
from crossfade.core.failover.evidence import DOWN
from crossfade.core.rollout.state import ClusterPhase, Rollout, Sight, State
from crossfade.core.rollout.words import names


@dataclass(frozen=True, slots=True)
class Bars:
    """Reasons why no share may rise; "" where there is none."""

    closed: str = ""
    """A freeze or a closed gate: holds whatever anybody asks of the rollout."""
    doubt: str = ""
    """Something speaks against the new revision: a person may go on all the same."""
    silence: str = ""
    """Nothing is known yet: clusters may follow one that is ahead, as a person may."""

    def against(self, *, passed: bool, led: bool) -> str:
        """
        Return what bars this rise, "" when nothing does.

        Args:
            passed: a person let the step pass.
            led: another cluster of the wave was allowed it before.
        """
        if self.closed or passed:
            return self.closed
        return self.doubt or ("" if led else self.silence)


def bars(rollout: Rollout, sight: Sight) -> Bars:
    """Return what stands against more users now."""
    state, verdict = rollout.state, sight.judgement.verdict
    closed = closed_by(sight)
    if state.full or rollout.direct:
        return Bars(closed)
    alone = back_alone(rollout)
    if alone:
        return Bars(closed, alone)
    unclear = next((f"{n}: {run.reason}" for n, run in sight.runs.items() if _unclear(run)), "")
    if unclear:
        advice = f"`crossfade rollout promote {rollout.application}` goes on all the same"
        return Bars(closed, f"holding: {unclear}; {advice}")
    if not state.meets_users or not rollout.analysis.judged or verdict is Verdict.PASS:
        return Bars(closed)
    advice = f"`crossfade rollout promote {rollout.application}` goes on without a verdict"
    why = f"holding: {sight.judgement.reason}; {advice}"
    if verdict is not Verdict.UNKNOWN:
        return Bars(closed, why)
    # Where all who met it are lost, there is nobody left to tell: it begins again elsewhere.
    return Bars(closed, silence=why if _met(state, sight) else "")


def _met(state: State, sight: Sight) -> bool:
    """Say whether users meet the new revision on a cluster that is not lost."""
    lost = {each.cluster for each in sight.clusters if each.condition in DOWN and each.left}
    return any(each.meets_users for name, each in state.clusters.items() if name not in lost)


def _unclear(run: Run) -> bool:
    return run.background and run.verdict is Verdict.INCONCLUSIVE


def closed_by(sight: Sight) -> str:
    """Return the freeze or the gate that lets nobody rise, "" when there is none."""
    if sight.frozen:
        return f"holding: {sight.frozen}"
    told = (f"holding: {what}: {why}" for what, why in sight.closed.items())
    return next(told, "")


def back_alone(rollout: Rollout) -> str:
    """Return which clusters went back alone, until a person goes on without them."""
    state = rollout.state
    back = [
        name
        for name, each in state.clusters.items()
        if each.phase is ClusterPhase.BACK and name not in state.without
    ]
    if not back:
        return ""
    advice = f"`crossfade rollout promote {rollout.application}` goes on without it"
    return f"holding: rolled back on {names(back)} alone; {advice}"
