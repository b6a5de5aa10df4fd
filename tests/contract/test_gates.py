"""What every implementation of the Gates port does."""

import pytest

from crossfade.adapters.notify.gates import WebhookGates
from crossfade.core.rollout.gates import Endpoint, Gate, GateState, Hook, HookPhase, Moment
from crossfade.core.rollout.messages import RolloutFacts
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_notifier import FakeGates
from crossfade.testing.fake_secrets import FakeSecrets
from crossfade.testing.http_service import Reply, http_service

FACTS = RolloutFacts("colors", 1, "why", 1000.0)
STATUS = {GateState.OPEN: 204, GateState.CLOSED: 403, GateState.UNREACHABLE: 503}


@pytest.fixture(params=["memory", "webhook"])
async def asked(request):
    """Return what asks a gate, and calls a hook, that are in a state."""
    if request.param == "memory":
        fake = FakeGates()

        async def in_memory(state):
            fake.states = dict.fromkeys(("gate", "hook"), state)
            return await both(fake, "http://x")

        yield in_memory
        return
    async with http_service() as service:
        gates = WebhookGates(FakeSecrets(), FakeClock(), pause_seconds=0.01)

        async def over_http(state):
            service.say(Reply(STATUS[state]))
            return await both(gates, service.address)

        yield over_http
        await gates.close()


async def both(gates, address):
    endpoint = Endpoint(address, attempts=2)
    hook = Hook("hook", Moment.BEFORE, HookPhase.PROMOTING, endpoint)
    return await gates.ask(Gate("gate", endpoint), FACTS), await gates.call(hook, FACTS)


@pytest.mark.parametrize("state", GateState)
async def test_the_state_of_gates_and_hooks_is_told_with_a_reason(asked, state):
    for answer in await asked(state):
        assert answer.state is state
        assert answer.reason
        assert answer.open is (state is GateState.OPEN)
