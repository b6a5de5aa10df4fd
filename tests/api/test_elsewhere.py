"""A hub that stands by says who has what is not on its own disk."""

import pytest

from crossfade.core.access.roles import Grant, Role

VIEWER = Grant(Role.VIEWER)


@pytest.fixture
async def standing_by(api):
    """Another hub leads, and has run a build."""
    build = await api.build()
    await api.turn(build)
    api.services.figures.records = None
    return api


@pytest.mark.parametrize(
    "path", ["log?step=unit", "files", "tests", "tests/cases", f"files/{64 * 'a'}"]
)
async def test_who_leads_is_named_for_what_is_not_here(standing_by, path):
    answer = await standing_by.ask("GET", f"/builds/1/{path}", VIEWER)

    assert answer.status_code == 503
    assert "the hub that leads, me," in answer.json()["hint"]


async def test_a_stream_of_a_log_that_is_elsewhere_is_refused_in_place_of_silence(standing_by):
    headers = {"Accept": "text/event-stream"}
    answer = await standing_by.ask("GET", "/builds/1/log?step=unit", VIEWER, headers=headers)

    assert answer.status_code == 503


async def test_what_is_here_is_answered_whoever_leads(standing_by):
    build = (await standing_by.services.building.builds.build("1")).value
    standing_by.printed(build, "unit", "one\n")
    answer = await standing_by.ask("GET", "/builds/1/log?step=unit", VIEWER)

    assert [each["text"] for each in answer.json()["items"]] == ["one"]
    waiting = await standing_by.ask("GET", "/builds/1/log?step=ship", VIEWER)
    assert waiting.json()["items"] == [], "it has not begun, so there is nothing anywhere"


@pytest.mark.parametrize("path", ["/applications/colors/traffic", "/overview"])
async def test_a_picture_of_traffic_says_who_counts(api, path):
    assert (await api.ask("GET", path, VIEWER)).json()["counted_by"] == ""
    api.services.figures.records = None
    assert (await api.ask("GET", path, VIEWER)).json()["counted_by"] == "me"


async def test_what_a_hub_of_this_machine_has_not_printed_yet_is_waited_for(
    standing_by, monkeypatch
):
    monkeypatch.setattr("socket.gethostname", lambda: "me")
    answer = await standing_by.ask("GET", "/builds/1/log?step=unit", VIEWER)

    assert answer.json()["items"] == []
