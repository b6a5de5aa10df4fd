"""Asks the gates and calls the hooks of rollouts; what they answer is saved before it counts."""

from dataclasses import dataclass

from crossfade.base.clock import Clock
from crossfade.base.ids import ApplicationName
from crossfade.core.rollout.gates import Gate, GateAnswer, Hook
from crossfade.core.rollout.gating import Answers, Asked, to_ask
from crossfade.core.rollout.messages import RolloutFacts
from crossfade.core.rollout.state import Rollout
from crossfade.engine.records import GATE, Records, Stored, rollout_name, save_answers
from crossfade.ports.documents import Event
from crossfade.ports.gates import Gates

LOOK_SECONDS = 0.5
IDLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Gating:
    """One application at a time."""

    records: Records
    gates: Gates
    clock: Clock

    async def reconcile(self, name: str) -> float:
        """Ask what is due in the newest rollout; return seconds until the next look."""
        stored = await self.records.application(ApplicationName(name))
        rollout = await self.records.rollout(stored.value)
        if rollout is None or not (rollout.value.strategy.gates or rollout.value.strategy.hooks):
            return IDLE_SECONDS
        document = rollout_name(rollout.value.application, rollout.value.number)
        before = await self.records.find_answers(document) or Stored(Answers())
        now = self.clock.now()
        for key, each in to_ask(rollout.value, before.value, now).items():
            answer = await self._ask(each, rollout.value, now)
            asked = {**before.value.asked, key: Asked(answer, self.clock.now())}
            event = Event(
                f"{GATE}/{document}", now, f"{key}: {answer.state}: {answer.reason}", {"key": key}
            )
            change = save_answers(before.version, document, Answers(asked))
            await self.records.commit(change, events=(event,))
            return 0.0
        return LOOK_SECONDS if rollout.value.active else IDLE_SECONDS

    async def _ask(self, each: Gate | Hook, rollout: Rollout, now: float) -> GateAnswer:
        state = rollout.state
        facts = RolloutFacts(
            rollout.application,
            rollout.number,
            state.reason,
            now,
            {
                "revision": rollout.canary.id,
                "phase": state.phase.value,
                "percent": state.percent,
                "step": state.step,
                "outcome": state.outcome.value,
            },
        )
        if isinstance(each, Gate):
            return await self.gates.ask(each, facts)
        return await self.gates.call(each, facts)
