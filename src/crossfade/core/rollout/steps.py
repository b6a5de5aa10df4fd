"""
The next state of one cluster of a rollout.  Pure.

A step is over once the cluster's data plane has confirmed it.  Before a share rises, the pods for
it are there, the others of the wave are not too far behind, and nothing speaks against it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from crossfade.core.analysis.judgement import Verdict
from crossfade.core.rollout.bars import Bars
from crossfade.core.rollout.remarks import waits_for
from crossfade.core.rollout.scale import scale_for
from crossfade.core.rollout.spec import (
    Analyse,
    Approval,
    Pause,
    Ramp,
    SetHeaderRoute,
    SetMirror,
    SetScale,
    SetWeight,
    Step,
)
from crossfade.core.rollout.state import (
    ClusterPhase,
    ClusterSight,
    Progress,
    Rollout,
    Sight,
)

RAMP_NOISE = 0.1
"""A ramp leaves the share alone while it would change by less than this part of it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one decision knows besides the cluster itself."""

    rollout: Rollout
    sight: Sight
    now: float
    bars: Bars
    hindmost: float
    """The step of the last cluster of the wave; -1 while one is being installed."""
    wave: tuple[Progress, ...] = ()
    """The clusters of the wave: what one of them was allowed, the others are too."""

    @property
    def steps(self) -> Sequence[Step]:
        """Return the steps that are to be gone through; none when users are moved at once."""
        full = self.rollout.state.full or self.rollout.direct
        return () if full else self.rollout.strategy.steps

    def passed(self, step: int) -> bool:
        """Say whether a person let this step pass."""
        return self.rollout.state.passed >= step

    def approved(self, step: int) -> bool:
        """Say whether a person gave this approval."""
        return self.rollout.state.approved >= step


def begin(turn: Turn, progress: Progress) -> Progress:
    """Return the cluster with the new revision being installed, at the size of its first share."""
    weights = [each.percent for each in turn.steps if isinstance(each, SetWeight | SetScale)]
    first = next((each for each in weights if each), None)
    percent = 100 if not turn.steps or first is None else first
    if turn.steps and isinstance(turn.steps[0], Ramp):
        percent = 1
    return replace(
        progress,
        phase=ClusterPhase.INSTALLING,
        scale=_scale(turn, percent),
        since=turn.now,
        reason="installing",
    )


def advance(turn: Turn, seen: ClusterSight, progress: Progress) -> Progress:
    """Return the cluster's next state; the same one, with its reason, while it must wait."""
    match progress.phase:
        case ClusterPhase.INSTALLING:
            return _install(turn, seen, progress)
        case ClusterPhase.STEPPING:
            return _step(turn, seen, progress)
        case ClusterPhase.WAITING | ClusterPhase.DONE | ClusterPhase.BACK:
            return progress
        case _:
            assert_never(progress.phase)


def _install(turn: Turn, seen: ClusterSight, progress: Progress) -> Progress:
    if not (seen.canary_ready and seen.scale >= progress.scale):
        why = seen.trouble or "pods are starting"
        return replace(progress, reason=f"{turn.rollout.canary.id} is not ready: {why}")
    return replace(
        progress,
        phase=ClusterPhase.STEPPING,
        since=turn.now,
        level_since=None,
        reason="ready",
    )


def _step(turn: Turn, seen: ClusterSight, progress: Progress) -> Progress:
    level = f"{progress.percent:g} %"
    if not seen.converged:
        why = f"{level} not confirmed: {seen.trouble or 'the route is not in force yet'}"
        if progress.level_since is None:
            return replace(progress, reason=why)
        return _unconfirmed(turn, progress, why)
    if progress.level_since is None:
        return replace(progress, level_since=turn.now, reason=f"{level} confirmed")
    if not seen.canary_ready and seen.scale >= progress.scale:
        why = seen.trouble or "pods are not ready"
        return replace(progress, reason=f"holding: {turn.rollout.canary.id}: {why}")
    if progress.step >= len(turn.steps):
        return _finish(turn, seen, progress)
    return _perform(turn, seen, progress, turn.steps[progress.step])


def _unconfirmed(turn: Turn, progress: Progress, reason: str) -> Progress:
    """Return the cluster with the time for its data plane to confirm begun anew."""
    return replace(progress, since=turn.now, level_since=None, reason=reason)


def _finish(turn: Turn, seen: ClusterSight, progress: Progress) -> Progress:
    """Return the cluster with all its users on the new revision, and nothing but that."""
    if progress.percent < 100:
        return _raise(turn, seen, progress, 100)
    if progress.headers or progress.mirror:
        return _unconfirmed(turn, replace(progress, headers=(), mirror=0), "plain route")
    return replace(progress, phase=ClusterPhase.DONE, since=turn.now, reason="done")


def _perform(turn: Turn, seen: ClusterSight, progress: Progress, step: Step) -> Progress:
    match step:
        case SetWeight(percent):
            if percent == progress.percent:
                return _over(turn, progress)
            return _raise(turn, seen, progress, percent)
        case Pause() | Approval() | Analyse():
            why = _waits_for(turn, progress, step)
            return replace(progress, reason=why) if why else _over(turn, progress)
        case SetScale(percent):
            return _set_scale(turn, seen, progress, percent)
        case SetHeaderRoute():
            return _set_header(turn, progress, step)
        case SetMirror(percent):
            return _set_mirror(turn, progress, percent)
        case Ramp():
            return _ramp(turn, seen, progress, step)
        case _:
            assert_never(step)


def _over(turn: Turn, progress: Progress) -> Progress:
    step = progress.step + 1
    return replace(progress, step=step, since=turn.now, reason=f"step {step} is over")


def _raise(turn: Turn, seen: ClusterSight, progress: Progress, percent: float) -> Progress:
    """Return the cluster with another share; a higher one only when nothing speaks against it."""
    if percent > progress.percent:
        led = any(each.step == progress.step and each.percent >= percent for each in turn.wave)
        why = _may_not_rise(turn, progress, led=led)
        if why:
            return replace(progress, reason=why)
        scale = _scale_at(turn, progress, percent)
        if progress.scale < scale:
            return replace(progress, scale=scale, reason=f"making room for {percent:g} %")
        if seen.scale < progress.scale or not seen.canary_ready:
            why = seen.trouble or "pods are starting"
            return replace(progress, reason=f"making room for {percent:g} %: {why}")
    return _unconfirmed(turn, replace(progress, percent=percent), f"step to {percent:g} %")


def _may_not_rise(turn: Turn, progress: Progress, *, led: bool) -> str:
    """Return why users must not rise; `led`: another cluster of the wave has done this step."""
    if turn.hindmost < progress.step - turn.rollout.strategy.max_skew:
        return "waiting for the other clusters"
    led = led or any(each.step > progress.step for each in turn.wave)
    return turn.bars.against(passed=turn.passed(progress.step), led=led)


def _scale_at(turn: Turn, progress: Progress, percent: float) -> int:
    """Return the pods for this share: those that a step has set, but never too few for anybody."""
    if progress.fixed_scale is None or percent >= 100:
        return _scale(turn, percent)
    return max(1, progress.fixed_scale)


def _scale(turn: Turn, percent: float) -> int:
    return scale_for(percent, len(turn.sight.clusters), turn.rollout.strategy.survive)


def _waits_for(turn: Turn, progress: Progress, step: Pause | Approval | Analyse) -> str:
    """Return what the step still waits for, "" when it is over."""
    if turn.passed(progress.step):
        return ""
    level = f"{progress.percent:g} %"
    elapsed = turn.now - max(progress.since, progress.level_since or progress.since)
    match step:
        case Pause(None):
            return f"paused at {level} until promoted"
        case Pause(seconds):
            return f"pausing at {level} for {seconds:g} s" if elapsed < (seconds or 0) else ""
        case Approval(message):
            if turn.approved(progress.step):
                return ""
            return f"waiting at {level} for an approval{f': {message}' if message else ''}"
        case Analyse(None, seconds):
            good = turn.sight.judgement.verdict is Verdict.PASS
            if turn.sight.judgement.proven or (good and seconds and elapsed >= seconds):
                return ""
            return f"analysing at {level}: {turn.sight.judgement.reason}{_fed(progress)}"
        case Analyse(run):
            found = turn.sight.runs.get(run or "")
            if found is not None and found.verdict is Verdict.PASS:
                return ""
            return f"analysing at {level}: {run}: {found.reason if found else 'not begun yet'}"
        case _:
            assert_never(step)


def _fed(progress: Progress) -> str:
    """Return what a verdict waits for where no user has the new revision."""
    if progress.percent or progress.mirror:
        return ""
    return f"; {waits_for([each.name for each in progress.headers])}"


def _set_scale(turn: Turn, seen: ClusterSight, progress: Progress, percent: int | None) -> Progress:
    scale = _scale(turn, progress.percent) if percent is None else min(100, percent)
    if progress.meets_users:
        scale = 100 if progress.percent >= 100 else max(1, scale)
    if (progress.scale, progress.fixed_scale) != (scale, percent):
        return replace(progress, scale=scale, fixed_scale=percent, reason=f"scaling to {scale} %")
    if seen.scale != scale or not seen.canary_ready:
        return replace(progress, reason=f"scaling to {scale} %: {seen.trouble or 'under way'}")
    return _over(turn, progress)


def _set_header(turn: Turn, progress: Progress, step: SetHeaderRoute) -> Progress:
    others = tuple(each for each in progress.headers if each.name != step.name)
    headers = (*others, step) if step.matches else others
    if headers == progress.headers:
        return _over(turn, progress)
    led = any(step in each.headers for each in turn.wave)
    if step.matches and (why := _may_not_rise(turn, progress, led=led)):
        return replace(progress, reason=why)
    return _unconfirmed(turn, replace(progress, headers=headers), f"header route {step.name}")


def _set_mirror(turn: Turn, progress: Progress, percent: int) -> Progress:
    if percent == progress.mirror:
        return _over(turn, progress)
    led = any(each.step == progress.step and each.mirror >= percent for each in turn.wave)
    if percent > progress.mirror and (why := _may_not_rise(turn, progress, led=led)):
        return replace(progress, reason=why)
    return _unconfirmed(turn, replace(progress, mirror=percent), f"mirroring {percent} %")


def _ramp(turn: Turn, seen: ClusterSight, progress: Progress, step: Ramp) -> Progress:
    judgement, percent = turn.sight.judgement, progress.percent
    if turn.passed(progress.step) or (judgement.proven and percent >= step.max_percent):
        return _over(turn, progress)
    ramp = step.max_percent if judgement.proven else judgement.ramp
    if ramp is None:
        return replace(progress, reason=f"ramp at {percent:g} %: {judgement.reason}")
    target = min(ramp, step.max_percent)
    same = abs(target - percent) < RAMP_NOISE * percent and target != step.max_percent
    if target == percent or same:
        return replace(progress, reason=f"ramp at {percent:g} %: {judgement.reason}")
    return _raise(turn, seen, progress, target)
