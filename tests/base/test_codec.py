"""What is stored comes back as it was, also in later versions of Crossfade."""

from dataclasses import dataclass, field
from enum import StrEnum

import pytest

from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import InputError
from crossfade.base.ids import RevisionId
from crossfade.core.rollout.record import Kept, Record
from crossfade.core.rollout.state import Outcome, Phase, Rollout, State
from crossfade.testing.builders import BLUE, YELLOW, application, rollout


class Colour(StrEnum):
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    colour: Colour
    parts: tuple[Part, ...] = ()
    shares: dict[RevisionId, int] = field(default_factory=dict)


def test_values_come_back_as_they_were():
    value = Whole(Colour.BLUE, (Part("a"), Part("b", 0.5)), {RevisionId("r1"): 10})

    assert from_json(Whole, to_json(value)) == value


def test_it_is_plain_json():
    value = Whole(Colour.BLUE, (Part("a"),), {RevisionId("r1"): 10})

    assert to_json(value) == {
        "colour": "blue",
        "parts": [{"name": "a", "share": None}],
        "shares": {"r1": 10},
    }


@pytest.mark.parametrize(
    "value",
    [
        Record(application(), active=BLUE, kept=(Kept(YELLOW, 5.0),), history=(BLUE, YELLOW)),
        rollout(state=State(Phase.ENDED, outcome=Outcome.ROLLED_BACK, pending=("aws",))),
    ],
    ids=["record", "rollout"],
)
def test_everything_that_a_hub_remembers_comes_back(value):
    assert from_json(type(value), to_json(value)) == value


def test_what_an_older_crossfade_wrote_can_be_read():
    """Fields that were added since have their defaults."""
    assert from_json(Whole, {"colour": "blue"}) == Whole(Colour.BLUE)
    body = to_json(rollout())
    del body["swap"], body["state"]
    assert from_json(Rollout, body).state == State()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "colour"),
        ({"colour": "pink"}, "colour"),
        ({"colour": "blue", "parts": [{"name": 1}]}, "parts.0.name"),
    ],
)
def test_what_cannot_be_read_says_where_and_what_to_do(body, where):
    with pytest.raises(InputError, match="stored Whole cannot be read") as raised:
        from_json(Whole, body)
    assert raised.value.facts == {"field": where}
    assert "upgrade" in raised.value.hint
