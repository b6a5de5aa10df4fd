"""Builds over HTTP: how they stand, what their steps print, and the commands on them."""

import json

import pytest

from crossfade.api import log_streams
from crossfade.api.log_streams import Wanted, log_stream
from crossfade.base.errors import NotSignedIn
from crossfade.core.access.roles import Grant, Role
from crossfade.core.pipeline.state import Status
from crossfade.engine.audit import AuditLog

ADMIN = Grant(Role.ADMIN)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(log_streams, "LOOK_SECONDS", 0.001)


async def say(api, command, **body):
    return await api.ask("POST", f"/builds/1/{command}", ADMIN, json=body)


async def same():
    return None


def lines_of(events):
    found = [each for each in events if "event: lines" in each]
    bodies = [json.loads(each.split("data: ")[1]) for each in found]
    return [(line["number"], line["text"]) for body in bodies for line in body["lines"]]


async def test_builds_are_listed_newest_first_in_pages(api):
    for _ in range(12):
        await api.build()
    first = (await api.ask("GET", "/builds?limit=5", ADMIN)).json()
    rest = (await api.ask("GET", f"/builds?limit=50&after={first['next']}", ADMIN)).json()

    assert [each["run"] for each in first["items"]] == ["12", "11", "10", "9", "8"]
    assert [each["run"] for each in rest["items"]] == [str(n) for n in range(7, 0, -1)]
    assert rest["next"] is None
    assert (await api.ask("GET", "/builds?pipeline=other", ADMIN)).json()["items"] == []


async def test_a_build_is_a_graph_of_its_steps(api):
    await api.waiting()
    build = (await api.ask("GET", "/builds/1", ADMIN)).json()
    steps = {each["key"]: each for each in build["steps"]}

    assert build["build"]["result"] == "pending-approval"
    assert build["build"]["waiting"] == ["go"]
    assert build["stages"] == ["test", "ship"]
    assert list(steps) == ["unit", "go", "ship"]
    assert (steps["unit"]["title"], steps["unit"]["result"]) == ("Unit tests", "success")
    assert [each["after"] for each in steps.values()] == [[], ["unit"], ["go"]]
    assert (steps["ship"]["result"], steps["ship"]["since"]) == ("pending", None)


async def test_a_build_whose_file_no_longer_reads_is_still_shown(api):
    build = await api.waiting()
    builds = api.services.building.builds
    stored = await builds.build(build.id)
    body = (await api.world.store.get("build", "1")).body | {"text": "a: ["}
    from crossfade.ports.documents import Save

    await api.world.store.commit((Save("build", "1", stored.version, body),))
    found = (await api.ask("GET", "/builds/1", ADMIN)).json()

    assert [each["key"] for each in found["steps"]] == ["unit", "go"]
    assert found["trouble"]
    assert (await say(api, "restart")).status_code == 422


async def test_an_approval_is_answered_by_who_asks(api):
    build = await api.waiting()
    answer = await say(api, "approve")
    state = await api.turn(build)
    entry = [each async for each in AuditLog(api.world.store).entries()][-1]

    assert answer.status_code == 200, answer.text
    assert state.units["go"].reason == "approved by admin"
    assert entry.deed.what == ("build/1: go: approved by admin",)
    assert (await say(api, "approve")).json()["code"] == "conflict"


async def test_a_denied_build_ends_and_begins_again_where_it_failed(api):
    build = await api.waiting()
    await say(api, "deny", step="go")
    assert (await say(api, "restart")).status_code == 409  # it has not ended
    state = await api.turn(build)
    assert state.ended
    again = (await say(api, "restart")).json()

    assert again["generation"] == 1
    assert [each["result"] for each in again["steps"]] == ["success", "pending-approval", "pending"]
    log = (await api.ask("GET", "/builds/1/log?step=unit", ADMIN)).json()
    assert len(log["items"]) == 3, "the log of a step that is kept is gone"


async def test_a_build_is_ended_with_who_did_it(api):
    build = await api.waiting()
    await say(api, "terminate", why="wrong branch")
    state = await api.turn(build)

    assert state.terminated == "ended by admin: wrong branch"
    assert (await say(api, "terminate")).status_code == 409


async def test_a_command_that_is_sent_twice_is_carried_out_once(api):
    await api.waiting()
    key = {"Idempotency-Key": "k"}
    for _ in range(2):
        answer = await api.ask("POST", "/builds/1/terminate", ADMIN, json={}, headers=key)
        assert answer.status_code == 200
    events = await api.world.store.events("build/1")

    assert [each.reason for each in events] == ["asked for: shop", "ended by admin"]


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/builds/7", "there is no build `7`"),
        ("/builds/7/log?step=unit", "there is no build `7`"),
        ("/builds/1/log?step=unti", "build 1 has no step `unti`"),
        ("/builds/1/log?step=", "no step is named"),
        ("/builds/1/why?step=x", "build 1 has no step `x`"),
    ],
)
async def test_what_is_not_there_is_said_with_what_is(api, path, detail):
    await api.build()
    answer = await api.ask("GET", path, ADMIN)

    assert answer.status_code in (404, 422)
    assert answer.json()["detail"] == detail
    assert answer.json()["hint"]


async def test_lines_of_a_log_come_in_pages(api):
    await api.waiting()
    first = (await api.ask("GET", "/builds/1/log?step=unit&limit=2", ADMIN)).json()
    path = f"/builds/1/log?step=unit&after={first['next']}"
    rest = (await api.ask("GET", path, ADMIN)).json()

    assert [each["text"] for each in first["items"]] == ["one", "two"]
    assert [(each["number"], each["text"]) for each in rest["items"]] == [(3, "three")]
    assert rest["next"] is None
    assert (await api.ask("GET", "/builds/1/log?step=ship", ADMIN)).json()["items"] == []


async def test_it_is_said_why_a_step_has_not_begun(api):
    await api.waiting()
    found = (await api.ask("GET", "/builds/1/why?step=ship", ADMIN)).json()

    assert found["why"] == ["ship: pending", "its turn comes after go"]


async def test_a_stream_has_every_line_once_wherever_its_reader_was_cut_off(api):
    build = await api.build()
    await api.turn(build)
    api.printed(build, "unit", "1\n2\n3")
    reader = log_stream(api.services, same, Wanted("1", "unit", 0))
    first = lines_of([await anext(reader) for _ in range(2)])
    await reader.aclose()
    api.printed(build, "unit", "\n4\nlast")
    await api.turn(build, Status.SUCCEEDED)
    await say(api, "terminate")
    await api.turn(build)
    await api.services.feed.look()
    events = [part async for part in log_stream(api.services, same, Wanted("1", "unit", 2))]

    assert first == [(1, "1"), (2, "2")]
    assert lines_of(events) == [(3, "3"), (4, "4"), (5, "last")]
    assert events[-1] == 'event: end\ndata: {"result": "terminated"}\n\n'
    assert api.services.feed.watchers == 0


async def test_a_stream_goes_on_as_the_build_does(api):
    build = await api.build()
    await api.turn(build)
    reader = log_stream(api.services, same, Wanted("1", "unit", 0))
    await anext(reader)
    for number in range(3):
        api.printed(build, "unit", f"{number}\n")
        assert lines_of([await anext(reader)]) == [(number + 1, str(number))]
    await reader.aclose()


async def test_a_stream_ends_when_its_reader_no_longer_counts(api, monkeypatch):
    monkeypatch.setattr(log_streams, "SILENCE_SECONDS", 0.002)
    build = await api.build()
    await api.turn(build)

    async def over():
        raise NotSignedIn("over", hint="sign in")

    wanted = Wanted("1", "unit", 0)
    assert len([part async for part in log_stream(api.services, over, wanted)]) == 1


async def test_a_log_can_be_followed_over_http(api):
    build = await api.waiting()
    await say(api, "deny")
    await api.turn(build)
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "2"}
    answer = await api.ask("GET", "/builds/1/log?step=unit", ADMIN, headers=headers)

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert lines_of(answer.text.split("\n\n")) == [(3, "three")]
