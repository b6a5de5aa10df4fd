"""Decisions on rollouts as they are written down: with all that they depended on."""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from typing import Any

from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import InputError
from crossfade.core.rollout.decide import decide
from crossfade.core.rollout.state import Decision, Rollout, Sight, State
from crossfade.engine.records import ROLLOUT, rollout_name
from crossfade.ports.documents import Event

_SEEN = "decision"


@dataclass(frozen=True, slots=True)
class Replayed:
    """A decision made again from what was written down."""

    at: float
    reason: str
    again: str
    """The reason that it gives now."""
    identical: bool
    """State and reason are the same as then."""


_WAITS = re.compile(
    "paused|waiting at|holding: (frozen|rolled back|(gate|hook) (?!.*it is being (asked|called)))"
)
"""Reasons for which somebody may have to do something; the others pass by themselves."""


def _waits(state: State) -> bool:
    """Say whether it cannot go on by itself."""
    reasons = (state.reason, *(each.reason for each in state.clusters.values()))
    return state.held_since is not None or any(_WAITS.match(each) for each in reasons)


def decision_event(before: Rollout, sight: Sight, now: float, decision: Decision) -> Event:
    """Return the event that tells of the decision, and from which it can be made again."""
    state = decision.want
    facts: dict[str, Any] = {
        "phase": state.phase.value,
        "percent": state.percent,
        "step": state.step,
        "outcome": state.outcome.value,
        "pending": list(state.pending),
        "from_phase": before.state.phase.value,
        "from_percent": before.state.percent,
        "held": _waits(replace(state, reason=decision.reason)),
        "from_held": _waits(before.state),
        "verdict": sight.judgement.verdict.value,
        "requests": sight.judgement.requests,
        "errors": sight.judgement.errors,
        "harmed": round(sight.judgement.harmed, 1),
        "evidence": round(sight.judgement.evidence, 2),
        "analysis": sight.judgement.reason,
        "revision": before.canary.id,
        _SEEN: {
            "state": to_json(before.state),
            "sight": to_json(sight),
            "digest": _digest(decision),
        },
    }
    subject = f"{ROLLOUT}/{rollout_name(before.application, before.number)}"
    return Event(subject, now, decision.reason, facts)


def is_decision(event: Event) -> bool:
    """Say whether the event is a decision of the hub; others are commands of people."""
    return _SEEN in event.facts


def replay(rollout: Rollout, event: Event) -> Replayed:
    """
    Make the decision again and compare.

    `rollout` is the one of the event, at any later state.  Raises InputError when what was
    written down cannot be read, as after an upgrade that changed its form.
    """
    try:
        written = event.facts[_SEEN]
        state = from_json(State, written["state"])
        sight = from_json(Sight, written["sight"])
    except (KeyError, TypeError) as error:
        raise InputError(
            f"the decision at {event.at:.1f} cannot be read",
            hint="it was written by another version of crossfade",
        ) from error
    made = decide(replace(rollout, state=state), sight, event.at)
    same = _digest(made) == written["digest"] and made.reason == event.reason
    return Replayed(event.at, event.reason, made.reason, same)


def _digest(decision: Decision) -> str:
    canonical = json.dumps(to_json(decision), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
