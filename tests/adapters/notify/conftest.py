"""Receivers of messages on this machine."""

import ssl
from dataclasses import dataclass

import pytest

from crossfade.base.clock import SteadyClock
from crossfade.core.rollout.messages import Message, RolloutFacts
from crossfade.core.rollout.notifications import Occasion
from crossfade.sandbox import certificates
from crossfade.testing.fake_secrets import FakeSecrets
from crossfade.testing.http_service import http_service

FACTS = RolloutFacts(
    "colors", 7, "errors rose <!channel> & more", 1_795_417_241.0, {"percent": 50, "revision": "r2"}
)


@pytest.fixture
async def service():
    async with http_service() as running:
        yield running


@pytest.fixture
def facts():
    return FACTS


@pytest.fixture
def message():
    return Message(
        "colors.000007/team/42",
        Occasion.ROLLED_BACK,
        "colors: *r2* was rolled back",
        FACTS.reason,
        FACTS,
    )


@pytest.fixture
def secrets(service):
    return FakeSecrets(
        url=f"{service.address}/services/T0/B0/XYZ",
        signing_key="k3y",
        token="t0k3n",
        password="p4ss",
    )


@dataclass
class Trust:
    """Both sides of TLS."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture
def trust(tmp_path):
    now = SteadyClock().now()
    authority = certificates.new_authority(now)
    certificates.write_server(authority, "test", tmp_path, now)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    return Trust(server, ssl.create_default_context(cadata=authority.pem))
