"""The record is read by programs, and says yes only if every claim held."""

import json

import pytest

from crossfade.sandbox.demo.record import Act, Moment, Record
from crossfade.sandbox.load_figures import Figures, Source


@pytest.fixture
def record():
    figures = Figures()
    figures.requests = 4
    for at, version in ((0.5, "blue"), (1.5, "blue"), (2.5, "yellow")):
        figures.answer(at, 0.001, 200, Source(version, "aws"))
    figures.no_answer(2.6, 1.0, "nobody answers")
    made = Record(figures, load_began=10.0)
    made.acts = [Act(1, "one", 10.0, 12.0), Act(2, "two", 12.0, 13.0)]
    made.acts[0].moments.append(Moment(10.123, "it begins"))
    made.acts[0].measured["seconds"] = 1.23456
    made.acts[0].claim("it holds", True, "3 of 3")
    return made


def test_it_is_good_only_if_every_claim_held_and_it_came_to_its_end(record):
    assert record.ok
    record.trouble = "the hub died"
    assert not record.ok
    record.trouble = ""
    record.acts[1].claim("it breaks", False, "0 of 3")
    assert not record.ok


def test_it_is_plain_json_with_the_figures_of_each_act(record):
    data = json.loads(json.dumps(record.as_json()))

    assert set(data) == {"ok", "trouble", "load", "acts"}
    assert (data["load"]["requests"], data["load"]["failed"]) == (4, 1)
    assert "series" not in data["load"]
    one, two = data["acts"]
    assert set(one) == {
        "act", "title", "began", "seconds", "requests", "failed", "versions", "clouds", "series",
        "measured", "moments", "claims",
    }  # fmt: skip
    assert (one["requests"], one["failed"], one["versions"]) == (2, 0, {"blue": 1.0})
    assert (two["requests"], two["failed"], two["versions"]) == (2, 1, {"yellow": 1.0})
    assert one["measured"] == {"seconds": 1.235}
    assert one["moments"] == [{"at": 10.12, "what": "it begins"}]
    assert one["claims"] == [{"claim": "it holds", "held": True, "measured": "3 of 3"}]


def test_each_second_belongs_to_one_act(record):
    one, two = record.as_json()["acts"]

    assert [step["at"] for step in one["series"]] == [10.0, 11.0]
    assert [step["at"] for step in two["series"]] == [12.0]
