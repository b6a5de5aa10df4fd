"""The real Envoy reads what we make, and says what is wrong with what it cannot read."""

import pytest

from crossfade.adapters.envoy.resources import Tuning
from crossfade.base.errors import InputError
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.ports.edge import EdgePlan, EdgeRoute, EdgeTarget
from crossfade.testing.edge_validation import validate_bootstrap, validate_plan


def route(probe_path: str = "/healthz", try_seconds: float = 0.5) -> EdgeRoute:
    targets = tuple(
        EdgeTarget(ClusterName(f"c{index}"), "aws/eu", "127.0.0.1", 17101 + index, index)
        for index in range(4)
    )
    return EdgeRoute(ApplicationName("colors"), "c.localhost", probe_path, try_seconds, targets)


@pytest.mark.parametrize(
    "tuning", [Tuning(), Tuning(retries=0), Tuning(ejection_seconds=0.1)], ids=repr
)
@pytest.mark.parametrize("try_seconds", [0.001, 0.5, 3600])
async def test_envoy_takes_what_a_plan_becomes(tuning, try_seconds):
    await validate_plan(EdgePlan(1, (route(try_seconds=try_seconds),)), tuning, 17000)


async def test_envoy_takes_a_plan_without_applications():
    await validate_plan(EdgePlan(1, ()), Tuning(), 17000)


async def test_a_refusal_has_envoy_s_own_words():
    with pytest.raises(InputError) as caught:
        await validate_plan(EdgePlan(1, (route("/a\nb"),)), Tuning(), 17000)

    assert "path" in str(caught.value.facts["words"]).lower()


async def test_a_field_that_envoy_does_not_know_is_refused():
    with pytest.raises(InputError) as caught:
        await validate_bootstrap({"colour": "blue"})

    assert "colour" in str(caught.value.facts["words"])
