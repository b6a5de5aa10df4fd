"""A service on this machine that answers as sources of metrics do."""

import pytest

from crossfade.testing.fake_secrets import FakeSecrets
from crossfade.testing.http_service import http_service


@pytest.fixture
async def service():
    async with http_service() as running:
        yield running


@pytest.fixture
def secrets():
    return FakeSecrets(
        token="t0k3n",
        api_key="ap1k3y",
        application_key="4ppk3y",
        key_id="AKID",
        secret_key="s3cr3t",
        session="s3ss10n",
    )
