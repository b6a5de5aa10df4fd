"""Gates and hooks as webhooks."""

import asyncio

from crossfade.adapters.http.caller import Answer, HttpCaller
from crossfade.adapters.notify.posting import post
from crossfade.base.clock import Clock
from crossfade.base.errors import CrossfadeError
from crossfade.base.json_value import Json
from crossfade.core.rollout.gates import Endpoint, Gate, GateAnswer, GateState, Hook
from crossfade.core.rollout.messages import RolloutFacts
from crossfade.ports.secrets import Secrets

FIRST_PAUSE_SECONDS = 0.5


class WebhookGates:
    """The Gates port: any 2xx is open, another answer is closed, and none is unreachable."""

    def __init__(
        self, secrets: Secrets, clock: Clock, pause_seconds: float = FIRST_PAUSE_SECONDS
    ) -> None:
        """`pause_seconds` is before the second try, and doubles before each after it."""
        self._secrets, self._clock, self._pause_seconds = secrets, clock, pause_seconds
        self._http = HttpCaller()

    async def ask(self, gate: Gate, facts: RolloutFacts) -> GateAnswer:
        """Return whether the gate is open; see the port."""
        key = f"{facts.application}.{facts.rollout}/gate/{gate.name}"
        body = {**facts.as_json(), "gate": gate.name, "before": gate.before.value}
        return await self._tried(gate.endpoint, body, key)

    async def call(self, hook: Hook, facts: RolloutFacts) -> GateAnswer:
        """Call the hook; see the port."""
        when = f"{hook.moment}-{hook.phase}"
        key = f"{facts.application}.{facts.rollout}/hook/{hook.name}/{when}"
        body = {**facts.as_json(), "hook": hook.name, "when": when}
        return await self._tried(hook.endpoint, body, key)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _tried(self, endpoint: Endpoint, body: dict[str, Json], key: str) -> GateAnswer:
        answer = await self._once(endpoint, body, key)
        for attempt in range(1, endpoint.attempts):
            if answer.state is not GateState.UNREACHABLE:
                break
            await asyncio.sleep(self._pause_seconds * 2 ** (attempt - 1))
            answer = await self._once(endpoint, body, key)
        return answer

    async def _once(self, endpoint: Endpoint, body: dict[str, Json], key: str) -> GateAnswer:
        try:
            call = await post(endpoint, body, key, self._secrets, self._clock)
            answer = await self._http.send(call, endpoint.timeout_seconds)
        except CrossfadeError as error:
            return GateAnswer(GateState.UNREACHABLE, error.what)
        return _state(answer, call.shown(answer.text.strip()[:200]))


def _state(answer: Answer, words: str) -> GateAnswer:
    said = f"it answers {answer.status}{': ' if words else ''}{words}"
    if 200 <= answer.status < 300:
        return GateAnswer(GateState.OPEN, said)
    if answer.status >= 500 or answer.status in {408, 429}:
        return GateAnswer(GateState.UNREACHABLE, said)
    return GateAnswer(GateState.CLOSED, said)
