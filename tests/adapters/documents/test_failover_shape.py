"""What an application file says of failover is kept, and what makes no sense is told by line."""

import pytest

from crossfade.adapters.documents.application import parse
from crossfade.base.errors import InputError
from crossfade.core.application import Failover, Placement
from crossfade.core.failover.drill import Objective
from crossfade.core.failover.failback import Failback
from crossfade.core.traffic.destinations import Mode

HEAD = """\
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {name: colors}
spec:
  source: {chart: "oci://charts.example.com/colors", version: 1.0.0}
  route: {host: colors.localhost, service: colors}
"""


def read(more):
    (application,) = parse(HEAD + more, "crossfade.yaml")
    return application


def test_what_is_not_said_is_as_documented():
    assert read("").failover == Failover(True, Failback.RAMP, 60.0, 60.0)
    assert read("").placement == Placement()


def test_every_key_is_kept():
    got = read(
        "  placement: {mode: overflow, orders: {onprem: 0, gcp: 1}, full: 70, exclusive: true,"
        " podCapacity: 50, priority: 7}\n"
        "  failover: {auto: false, failback: manual, recover: 5m, step: 10s,"
        " objective: {recovery: 30s, errorBudget: 0.25%}}\n"
    )

    assert got.failover == Failover(False, Failback.MANUAL, 300.0, 10.0, Objective(30.0, 0.25))
    assert got.placement == Placement({}, Mode.OVERFLOW, {"onprem": 0, "gcp": 1}, 70, True, 50, 7)


def test_how_large_standbys_are_is_kept():
    got = read(
        "  placement: {mode: pilot-light, orders: {gcp: 1}, podCapacity: 50, standby: 10,"
        " minimum: 30}\n"
    )

    assert got.placement == Placement(
        mode=Mode.PILOT_LIGHT,
        orders={"gcp": 1},
        pod_capacity=50,
        standby_percent=10,
        minimum_percent=30,
    )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("  placement: {orders: {gcp: 1}}\n", "is for a `mode` with orders"),
        ("  placement: {mode: active-passive, full: 70}\n", "`mode: overflow` only"),
        ("  placement: {mode: cold}\n", "allowed: active-active, active-passive, warm-standby"),
        ("  placement: {mode: warm-standby, podCapacity: 5}\n", "`orders` must name a standby"),
        ("  placement: {mode: warm-standby, orders: {gcp: 1}}\n", "`podCapacity` must say"),
        ("  placement: {standby: 10}\n", "is for `mode: warm-standby`"),
        (
            "  placement: {mode: warm-standby, orders: {gcp: 1}, podCapacity: 5, minimum: 9}\n",
            "`mode: pilot-light` only",
        ),
        ("  failover: {failback: always}\n", "allowed: ramp, manual, never"),
        ("  failover: {objective: 30s}\n", "a mapping with the keys recovery, errorBudget"),
        ("  failover: {objective: {errorBudget: 0.1}}\n", "put it in quotes"),
        ("  failover: {objective: {errorBudget: 101%}}\n", "a percentage such as 0.1%"),
    ],
)
def test_what_makes_no_sense_is_refused(more, told):
    with pytest.raises(InputError) as refused:
        read(more)

    assert told in f"{refused.value} {refused.value.hint}"
