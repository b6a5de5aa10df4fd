"""`crossfade failover drill` and `drills`"""

from dataclasses import replace

import pytest

from crossfade.core.failover.drill import Course, Drill, Objective, Outcome, Phase
from crossfade.engine.drilling import Drilling
from crossfade.engine.records import Records, save_drill

HELD = Drill(
    1,
    "gcp",
    60.0,
    100.0,
    (Course("colors", Objective(30.0, 0.5), 300, 0, 6000, 3, 105.5),),
    phase=Phase.ENDED,
    began_at=104.0,
    opened_at=164.0,
    returned_at=165.0,
    outcome=Outcome.MET,
    reason="users were served by others in time",
)
BLUE = {"colour": "blue"}


@pytest.fixture
def serving(world, monkeypatch):
    """Blue serves everywhere, a hub is taken to run, and it ends each drill with this outcome."""
    world.deploy(**BLUE)
    world.run(lambda each: each.turn())

    async def runs(_):
        return "somebody"

    monkeypatch.setattr("crossfade.wiring.Session.hub", runs)
    monkeypatch.setattr("crossfade.cli.failover_drill.LOOK_SECONDS", 0.0)

    def ends_with(outcome, reason=""):
        async def drill(self, number):
            stored = (await self.records.drills())[-1]
            ended = replace(
                HELD,
                number=number,
                asked_at=stored.value.asked_at,
                courses=stored.value.courses,
                seconds=stored.value.seconds,
                dry_run=stored.value.dry_run,
                began_at=stored.value.asked_at,
                outcome=outcome,
                reason=reason,
            )
            await self.records.commit(save_drill(stored.version, ended))
            return ended

        monkeypatch.setattr(Drilling, "drill", drill)

    return ends_with


def test_nothing_is_done_without_a_hub_that_would_bring_users_back(crossfade, world):
    world.deploy(**BLUE)
    for more in ("--yes", "--dry-run"):
        refused = crossfade("failover", "drill", "gcp", more)
        assert refused.code == 6
        assert "no hub runs" in refused.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--for", "2s"), "--for 2s is out of bounds"),
        (("--for", "2h"), "--for 2h is out of bounds"),
        (("--for", "soon"), "--for is not a duration"),
        (("--recovery", "soon"), "--recovery is not a duration"),
        (("--error-budget", "much"), "--error-budget is not a percentage"),
        (("--error-budget", "101%"), "--error-budget is not a percentage"),
        (("--error-budget", "nan"), "--error-budget is not a percentage"),
    ],
)
def test_what_makes_no_sense_is_refused(crossfade, arguments, told):
    refused = crossfade("failover", "drill", "gcp", "--yes", *arguments)

    assert refused.code == 2
    assert told in refused.err


def test_scripts_must_say_yes_and_are_told_what_would_happen(crossfade, serving):
    refused = crossfade("failover", "drill", "gcp")

    assert refused.code == 2
    assert "33.33 % of colors to aws, onprem" in refused.err
    assert crossfade("failover", "drills").out == "no drill was held yet\n"


def test_an_unknown_cluster_is_told(crossfade, serving):
    assert crossfade("failover", "drill", "azure", "--yes").code == 3
    assert crossfade("failover", "drill", "azure", "--dry-run").code == 3


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.MET, 0),
        (Outcome.MEASURED, 0),
        (Outcome.POSSIBLE, 0),
        (Outcome.MISSED, 4),
        (Outcome.ABORTED, 4),
        (Outcome.REFUSED, 4),
    ],
)
def test_the_exit_code_says_whether_somebody_should_look_at_it(crossfade, serving, outcome, code):
    serving(outcome, "for a reason")
    done = crossfade("failover", "drill", "gcp", "--yes", "--for", "10s")

    assert done.code == code
    assert f"drill 1 of gcp: {outcome.value}: for a reason" in done.out


def test_options_take_the_place_of_what_is_declared(crossfade, serving):
    serving(Outcome.MET)
    done = crossfade(
        "failover",
        "drill",
        "gcp",
        "--yes",
        "--recovery",
        "5s",
        "--error-budget",
        "2%",
        "-o",
        "json",
    )

    assert done.data["courses"][0]["objective"] == {
        "recovery_seconds": 5.0,
        "error_budget_percent": 2.0,
    }


def test_drills_are_listed_with_what_was_measured(crossfade, world):
    async def keep(made):
        await Records(made.store).commit(save_drill(0, HELD))

    world.run(keep)
    listed = crossfade("failover", "drills").out.splitlines()[1].split()
    assert listed[0:1] + listed[3:9] == ["1", "gcp", "60.0", "s", "met", "1.5", "s"]

    (data,) = crossfade("failover", "drills", "-o", "json").data["drills"]
    course = data["courses"][0]
    assert (course["recovery_seconds"], course["met"]) == (1.5, True)
    assert course["requests_per_second"] == 100.0
