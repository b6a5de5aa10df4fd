"""Any JSON over HTTP."""

import pytest

from crossfade.adapters.metrics.web import WebMeasurements
from crossfade.base.errors import Denied, InputError, Unavailable
from crossfade.base.secrets import SecretRef
from crossfade.core.analysis.queries import WebQuery
from crossfade.core.analysis.sources import WebSource
from crossfade.ports.measurements import Measured
from crossfade.testing.http_service import Reply


@pytest.fixture
async def web(secrets):
    made = WebMeasurements(WebSource(), secrets)
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("path", "measured"),
    [
        ("", Measured({"data": {"ok": True, "nil": None, "n": [1, 2]}})),
        ("{$.data.ok}", Measured(True)),
        ("$.data.n[1]", Measured(2)),
        ("$.data.nil", Measured(None, known=False)),
        ("$.data.other", Measured(None, known=False)),
    ],
)
async def test_the_value_is_what_is_at_the_path(service, web, path, measured):
    service.say(Reply(200, {"data": {"ok": True, "nil": None, "n": [1, 2]}}))
    assert await web.measure(WebQuery(service.address, path=path), 0.0) == measured


async def test_method_headers_and_body_are_those_of_the_query(service, web):
    service.say(Reply(201, "1"))
    headers = {"X-A": "b", "Authorization": SecretRef("token")}
    query = WebQuery(f"{service.address}/x", "PUT", headers, {"revision": "r1"})
    assert (await web.measure(query, 0.0)).value == 1
    asked = service.asked[0]
    assert (asked.method, asked.path, asked.json()) == ("PUT", "/x", {"revision": "r1"})
    assert asked.headers["authorization"] == "t0k3n"
    assert asked.headers["content-type"] == "application/json"


async def test_a_body_of_text_is_sent_as_it_is(service, web):
    service.say(Reply(200, "1"))
    await web.measure(WebQuery(service.address, "POST", {"Content-Type": "text/plain"}, "a=b"), 0.0)
    assert service.asked[0].body == b"a=b"
    assert service.asked[0].headers["content-type"] == "text/plain"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(500, "t0k3n"), Unavailable),
        (Reply(401, "t0k3n"), Denied),
        (Reply(302, "", {"location": "/login"}), InputError),
        (Reply(200, "no json: t0k3n"), Unavailable),
    ],
)
async def test_anything_but_json_and_success_is_an_error_without_the_secret(
    service, web, reply, error
):
    service.say(reply)
    query = WebQuery(service.address, headers={"Authorization": SecretRef("token")})
    with pytest.raises(error) as raised:
        await web.measure(query, 0.0)
    assert "t0k3n" not in str(raised.value)


async def test_the_time_that_the_query_allows_is_the_deadline(service, web):
    service.say(Reply(seconds=20))
    with pytest.raises(Unavailable, match=r"no answer in 0\.1 s"):
        await web.measure(WebQuery(service.address, timeout_seconds=0.1), 0.0)
