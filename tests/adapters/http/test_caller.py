"""Requests to services of others."""

import logging
import ssl
import time
import traceback

import pytest

from crossfade.adapters.http.caller import Answer, Call, HttpCaller, refused
from crossfade.base.clock import SteadyClock
from crossfade.base.errors import Denied, InputError, Unavailable
from crossfade.base.secrets import Secret
from crossfade.sandbox import certificates
from crossfade.testing.http_service import Reply, http_service


@pytest.fixture
async def service():
    async with http_service() as running:
        yield running


@pytest.fixture
async def caller():
    made = HttpCaller(seconds=2.0)
    yield made
    await made.close()


async def test_a_request_arrives_as_it_was_meant(service, caller):
    service.say(Reply(201, {"a": 1}))
    call = Call(f"{service.address}/x", "POST", {"q": "a b&c"}, {"X-A": "1"}, b"body")
    answer = await caller.send(call)
    assert (answer.status, answer.json()) == (201, {"a": 1})
    asked = service.asked[0]
    assert (asked.method, asked.path, asked.query) == ("POST", "/x", {"q": "a b&c"})
    assert (asked.headers["x-a"], asked.body) == ("1", b"body")


async def test_a_service_that_hangs_costs_the_deadline_and_no_more(service, caller):
    service.say(Reply(seconds=30))
    start = time.monotonic()
    with pytest.raises(Unavailable, match=r"no answer in 0\.2 s"):
        await caller.send(Call(service.address), seconds=0.2)
    assert time.monotonic() - start < 2


async def test_nobody_at_the_address_is_unavailable(caller):
    with pytest.raises(Unavailable) as raised:
        await caller.send(Call("http://127.0.0.1:1/x"))
    assert raised.value.facts["address"] == "http://127.0.0.1:1/x"


@pytest.mark.parametrize(
    "url", ["prometheus:9090", "ftp://x/", "", "http://", "http://a b/", "http://x:99999/"]
)
async def test_an_address_that_is_none_is_refused_with_an_example(caller, url):
    with pytest.raises((InputError, Unavailable)) as raised:
        await caller.send(Call(url))
    assert raised.value.hint


async def test_a_header_that_would_smuggle_another_one_is_no_crash(service, caller):
    with pytest.raises((InputError, Unavailable)):
        await caller.send(Call(service.address, headers={"X": "a\r\nEvil: 1"}))
    assert service.asked == []


async def test_an_answer_without_end_is_not_read_to_the_end(service, caller, monkeypatch):
    monkeypatch.setattr("crossfade.adapters.http.caller.LARGEST_BYTES", 1000)
    service.say(Reply(body="x" * 5000))
    with pytest.raises(Unavailable, match="longer than"):
        await caller.send(Call(service.address))


async def test_a_redirect_is_not_followed_to_a_place_nobody_named(service, caller):
    service.say(Reply(302, headers={"location": f"{service.address}/elsewhere"}))
    answer = await caller.send(Call(service.address))
    assert answer.status == 302
    assert len(service.asked) == 1


async def test_secrets_are_in_no_error_no_log_and_no_traceback(service, caller, caplog):
    caplog.set_level(logging.DEBUG)
    secret = Secret("t0k3n")
    call = Call(
        f"{service.address}/hook/t0k3n?key=t0k3n", secrets=(secret,), headers={"A": "t0k3n"}
    )
    await caller.send(call)
    service.say(Reply(seconds=5))
    with pytest.raises(Unavailable) as raised:
        await caller.send(call, seconds=0.1)
    text = "".join(traceback.format_exception(raised.value)) + raised.value.hint
    assert "t0k3n" not in text
    assert raised.value.__cause__ is None
    assert not [each for each in caplog.records if "t0k3n" in each.getMessage()]
    assert raised.value.facts["address"].endswith("/hook/***")


@pytest.mark.parametrize(
    ("status", "error", "hint"),
    [
        (400, InputError, "mend"),
        (401, Denied, "credentials"),
        (403, Denied, "credentials"),
        (404, Unavailable, "asked again"),
        (422, InputError, "mend"),
        (301, InputError, "redirects"),
        (429, Unavailable, "asked again"),
        (500, Unavailable, "asked again"),
    ],
)
def test_refusals_are_told_apart_with_the_words_of_the_service(status, error, hint):
    call = Call("http://x/y", secrets=(Secret("t0k3n"),))
    made = refused(call, Answer(status, "bad t0k3n here", {}), "Prometheus")
    assert type(made) is error
    assert made.what == f"Prometheus answers {status}: bad *** here"
    assert hint in made.hint


async def test_an_authority_of_ones_own_can_be_trusted(tmp_path):
    now = SteadyClock().now()
    authority = certificates.new_authority(now)
    certificates.write_server(authority, "test", tmp_path, now)
    (tmp_path / "ca.pem").write_text(authority.pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    async with http_service(context) as service:
        trusting = HttpCaller(2.0, str(tmp_path / "ca.pem"))
        wary = HttpCaller(2.0)
        assert (await trusting.send(Call(service.address))).status == 200
        with pytest.raises(Unavailable, match=r"(?i)certificate"):
            await wary.send(Call(service.address))
        await trusting.close()
        await wary.close()


async def test_a_missing_file_of_authorities_is_named(tmp_path):
    with pytest.raises(InputError, match="authorities") as raised:
        await HttpCaller(2.0, str(tmp_path / "none.pem")).send(Call("https://127.0.0.1:1"))
    assert raised.value.facts["file"].endswith("none.pem")
