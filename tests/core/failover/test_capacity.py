"""A plan is refused when the fleet would not survive the loss it promises to survive."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.base.errors import UnsafePlan
from crossfade.core.failover.capacity import (
    Crowded,
    Need,
    Room,
    Shortfall,
    admit,
    refuse_unless_survives,
)

ROOMS = (
    Room("aws-1", "aws/eu", 500),
    Room("aws-2", "aws/eu", 500),
    Room("gcp", "gcp/eu", 800),
    Room("home", "onprem", 400),
)


def need(demand, survive=1, **reserved):
    return Need(
        "colors",
        demand,
        {name.replace("_", "-"): units for name, units in reserved.items()},
        survive,
    )


def test_clusters_of_one_cloud_are_lost_together():
    assert admit(ROOMS, [need(400, aws_1=300, aws_2=300, gcp=400)]).survives
    admission = admit(ROOMS, [need(401, aws_1=300, aws_2=300, gcp=400)])

    assert admission.shortfalls == (Shortfall("colors", ("aws/eu",), 401, 400, 1, ("gcp",)),)
    assert (
        admission.shortfalls[0].summary == "colors without aws/eu lacks 1 of 401: 1 pod more in gcp"
    )


@pytest.mark.parametrize(("survive", "fits"), [(0, True), (1, True), (2, False), (3, False)])
def test_more_losses_need_more(survive, fits):
    asked = need(400, survive, aws_1=400, gcp=400, home=300)

    assert admit(ROOMS, [asked]).survives is fits


def test_capacity_in_clusters_that_are_gone_does_not_count():
    assert not admit(ROOMS, [need(100, 0, former=900)]).survives


def test_what_is_reserved_twice_proves_nothing():
    admission = admit(
        ROOMS, [need(100, home=300, gcp=300), Need("shapes", 10, {"home": 200, "gcp": 10})]
    )

    assert admission.crowded == (Crowded("home", 500, 400),)
    assert admission.crowded[0].summary == "home has 500 reserved and carries 400"


def test_refusal_says_what_is_missing_and_how_to_go_on():
    admission = admit(ROOMS, [Need(f"app-{n}", 100, {"gcp": 100}) for n in range(5)])

    with pytest.raises(
        UnsafePlan, match="app-0 without gcp/eu lacks 100 of 100: it runs in no other cloud; app-1"
    ) as caught:
        refuse_unless_survives(admission)
    assert "and 2 more" in str(caught.value)
    assert "--force" in caught.value.hint
    refuse_unless_survives(admission, force=True)
    refuse_unless_survives(admit(ROOMS, []))


@settings(deadline=None)
@given(
    st.integers(0, 1500),
    st.integers(0, 3),
    st.fixed_dictionaries({room.cluster: st.integers(0, room.capacity) for room in ROOMS}),
)
def test_what_is_admitted_survives_every_loss_of_as_many_clouds(demand, survive, reserved):
    admission = admit(ROOMS, [Need("colors", demand, reserved, survive)])

    clouds = sorted({room.cloud for room in ROOMS})
    left = [
        sum(reserved[room.cluster] for room in ROOMS if room.cloud not in lost)
        for lost in itertools.combinations(clouds, survive)
    ]
    assert admission.survives is all(carried >= demand for carried in left)
