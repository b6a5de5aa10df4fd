"""No request that fits the description of the API, or nearly fits it, breaks the server."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from crossfade.core.access.roles import Grant, Role

FEW = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.filterwarnings("ignore")  # of the client that it brings along
async def test_no_request_breaks_the_server(api):
    headers = await api.token(Grant(Role.ADMIN))
    app = api.client._transport.app
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    asked = []
    for each in schema.get_all_operations():

        @FEW
        @given(case=each.ok().as_strategy())
        def ask(case):
            answer = case.call(headers=headers)
            asked.append(answer.status_code)
            assert answer.status_code < 500, f"{case.method} {case.formatted_path}: {answer.text}"

        ask()

    assert len(asked) > 100
