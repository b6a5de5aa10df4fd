"""What whoever wrote a file may not expect is told, and nothing else."""

import pytest

from crossfade.core.analysis.spec import Analysis
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.rollout.remarks import fits_no_wave, remarks
from crossfade.core.rollout.spec import (
    Analyse,
    Pause,
    Ramp,
    SetHeaderRoute,
    SetMirror,
    SetWeight,
    Strategy,
    Wave,
)
from crossfade.core.traffic.split import HeaderMatch

FLEET = [
    Cluster("aws", context="", kubeconfig="", labels={"tier": "prod"}),
    Cluster("gcp", context="", kubeconfig="", labels={"tier": "edge"}),
]
TESTERS = SetHeaderRoute("testers", (HeaderMatch("x-test", "yes"),))
CLOSED = SetHeaderRoute("testers")


def told(*steps, waves=(), analysis=None, fleet=FLEET):
    return remarks(Strategy(steps, waves=waves), analysis or Analysis(), fleet)


def test_a_wave_that_no_cluster_is_in_is_named_with_what_it_asks_for():
    waves = (
        Wave(("onprem",), {"tier": "lab"}),
        Wave(("aws",)),
        Wave(match_labels={"tier": "edge"}),
    )

    (remark,) = told(waves=waves)
    assert remark.startswith("wave 1 (onprem or labels tier=lab) has none of the application's")


def test_a_wave_whose_clusters_an_earlier_one_has_is_empty_too():
    (remark,) = told(waves=(Wave(("aws", "gcp")), Wave(("gcp",))))

    assert remark.startswith("wave 2 (gcp)")


def test_nothing_is_said_of_waves_that_have_clusters_or_while_the_fleet_has_none():
    assert told(waves=(Wave(("aws",)),)) == ()
    assert told(waves=(Wave(("aws",)),), fleet=[]) == ()


@pytest.mark.parametrize(
    ("waves", "fleet", "fits_none"),
    [
        ((), FLEET, False),
        ((Wave(("aws",)),), FLEET, False),
        ((Wave(("aws",)), Wave(("onprem",))), FLEET, False),
        ((Wave(("asw",)), Wave(match_labels={"tier": "lab"})), FLEET, True),
        ((Wave(("aws",)),), [], False),
    ],
)
def test_waves_that_are_all_empty_are_told_from_some_that_are(waves, fleet, fits_none):
    assert fits_no_wave(Strategy(waves=waves), fleet) is fits_none


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ((TESTERS, Analyse(seconds=60.0)), "step 2 analyses at 0 % of users: only requests that match the header route testers"),
        ((Analyse(), SetWeight(10)), "step 1 analyses at 0 % of users: no request reaches"),
        ((TESTERS, CLOSED, Analyse()), "step 3 analyses at 0 % of users: no request reaches"),
        ((SetWeight(10), SetWeight(0), Analyse()), "step 3 analyses at 0 %"),
    ],
)  # fmt: skip
def test_a_verdict_that_waits_for_requests_that_may_never_come_is_pointed_out(steps, says):
    (remark,) = told(*steps)

    assert remark.startswith(says)


@pytest.mark.parametrize(
    "steps",
    [
        (SetWeight(10), Analyse()),
        (TESTERS, Pause(), SetWeight(10), Analyse()),
        (TESTERS, Analyse("smoke")),
        (SetMirror(50), Analyse()),
        (Ramp(30.0), Analyse()),
    ],
)
def test_nothing_is_said_where_requests_reach_the_new_revision_or_others_decide(steps):
    assert told(*steps) == ()


def test_where_nothing_judges_no_verdict_is_waited_for():
    assert told(TESTERS, Analyse(), analysis=Analysis(judge=None)) == ()
