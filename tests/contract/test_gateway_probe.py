"""What every implementation of the GatewayProbe port does."""

import asyncio
from dataclasses import dataclass, field

import pytest

from crossfade.adapters.probes.gateway import HttpGatewayProbe
from crossfade.base.errors import Unavailable
from crossfade.ports.gateway_probe import GatewayProbe
from crossfade.testing.fake_cluster import FakeCluster, FakeConnections
from crossfade.testing.web_server import Server


class FakeGateway:
    """The gateway of a cluster in memory."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.probe: GatewayProbe = FakeConnections(self.cluster)
        self.host, self.port = "aws.test", 80

    async def start(self) -> None:
        self.cluster.faults.gateway_down = False

    async def stop(self) -> None:
        self.cluster.faults.gateway_down = True


@dataclass
class RealGateway:
    """A web server on a port of this machine."""

    host: str = "127.0.0.1"
    port: int = 0
    probe: GatewayProbe = field(default_factory=HttpGatewayProbe)
    server: asyncio.Server | None = None

    async def start(self) -> None:
        self.server = await asyncio.start_server(Server("gateway").serve, self.host, self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()
            self.server = None


@pytest.fixture(params=[FakeGateway, RealGateway], ids=["memory", "sockets"])
async def gateway(request):
    """A gateway that is up."""
    made = request.param()
    await made.start()
    yield made
    await made.stop()


async def test_a_gateway_that_is_there_answers(gateway):
    await gateway.probe.answers(gateway.host, gateway.port)
    await gateway.probe.answers(gateway.host, gateway.port)


async def test_a_gateway_that_is_gone_is_unavailable_and_says_what_to_do(gateway):
    await gateway.stop()
    with pytest.raises(Unavailable) as raised:
        await gateway.probe.answers(gateway.host, gateway.port)
    assert raised.value.hint


async def test_a_gateway_that_is_back_answers_again(gateway):
    await gateway.stop()
    with pytest.raises(Unavailable):
        await gateway.probe.answers(gateway.host, gateway.port)
    await gateway.start()
    await gateway.probe.answers(gateway.host, gateway.port)
