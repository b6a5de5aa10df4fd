"""Asks gates and calls hooks."""

from typing import Protocol

from crossfade.core.rollout.gates import Gate, GateAnswer, Hook
from crossfade.core.rollout.messages import RolloutFacts


class Gates(Protocol):
    """
    Neither method raises: what gives no answer is unreachable, with the reason.

    Every implementation passes tests/contract/test_gates.py.
    """

    async def ask(self, gate: Gate, facts: RolloutFacts) -> GateAnswer:
        """Return whether the gate is open for the rollout now."""
        ...

    async def call(self, hook: Hook, facts: RolloutFacts) -> GateAnswer:
        """
        Call the hook, and return `open` when it succeeded.

        Safe to repeat: calls of one hook in one rollout have one idempotency key.
        """
        ...
