"""Messages and gates in memory."""

from dataclasses import dataclass, field

from crossfade.base.errors import CrossfadeError
from crossfade.core.rollout.gates import Gate, GateAnswer, GateState, Hook
from crossfade.core.rollout.messages import Message, RolloutFacts
from crossfade.core.rollout.notifications import Channel


@dataclass(slots=True)
class FakeNotifier:
    """The Notifier port for tests."""

    sent: list[tuple[Channel, Message]] = field(default_factory=list)
    failing: list[tuple[Channel, CrossfadeError]] = field(default_factory=list)
    """Channels that fail, with what sending raises."""
    attempts: int = 0

    async def send(self, channel: Channel, message: Message) -> None:
        """Remember the message, or fail as was arranged."""
        self.attempts += 1
        for failing, error in self.failing:
            if failing == channel:
                raise error
        self.sent.append((channel, message))

    @property
    def keys(self) -> list[str]:
        """The keys of what was sent, in order."""
        return [message.key for _, message in self.sent]


@dataclass(slots=True)
class FakeGates:
    """The Gates port for tests: open unless something else is set for the name."""

    states: dict[str, GateState] = field(default_factory=dict)
    asked: list[tuple[str, RolloutFacts]] = field(default_factory=list)

    async def ask(self, gate: Gate, facts: RolloutFacts) -> GateAnswer:
        """Return the state that was set for the gate."""
        return self._answer(gate.name, facts)

    async def call(self, hook: Hook, facts: RolloutFacts) -> GateAnswer:
        """Return the state that was set for the hook."""
        return self._answer(hook.name, facts)

    def _answer(self, name: str, facts: RolloutFacts) -> GateAnswer:
        self.asked.append((name, facts))
        state = self.states.get(name, GateState.OPEN)
        return GateAnswer(state, f"`{name}` is {state}")
