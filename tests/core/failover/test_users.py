"""Where the users of an application go: by mode, by what is carried, and by who may have any."""

from dataclasses import replace

import pytest

from crossfade.base.ids import Epoch
from crossfade.core.application import Failover, Placement
from crossfade.core.failover.evidence import Condition
from crossfade.core.failover.failback import Failback, Phase
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.failover.standing import Presence, Standing
from crossfade.core.failover.users import Candidate, Load, Users, next_users
from crossfade.core.failover.wish import ClusterWish
from crossfade.core.release.report import Address, Report, RevisionReport
from crossfade.core.release.wanted import Wanted
from crossfade.core.traffic.destinations import Mode
from crossfade.core.traffic.split import Split
from crossfade.testing.builders import APP, BLUE, application

NOW = 1000.0
WANTED = Wanted(Epoch(2), Epoch(1), 0.0, Split({BLUE.id: 100.0}), (BLUE.id,))


def candidate(name, *, pods=3, epoch=2, standing=Standing.SERVING, drained=None, room=None):
    seen = Report(
        APP,
        name,
        NOW,
        Epoch(epoch),
        {BLUE.id: 100.0},
        True,
        {BLUE.id: RevisionReport(True, True, pods, pods)},
        address=Address("127.0.0.1", 80),
    )
    health = ClusterHealth(name, Condition.HEALTHY, Presence(name, standing))
    return Candidate(WANTED, seen, health, ClusterWish(name, drained), room)


def shares(users):
    return {name: users.share(name) for name in users.reasons}


def placed(**more):
    return replace(application(), placement=Placement(**more))


def test_nobody_is_limited_by_a_capacity_that_nobody_has_told():
    users = next_users(application(), Users(APP), [candidate("aws"), candidate("gcp")], 500, NOW)

    assert shares(users) == {"aws": 5000, "gcp": 5000}
    assert not users.limited


def test_no_cluster_gets_more_than_its_ready_pods_carry_and_the_rest_is_told():
    spec = placed(pod_capacity=100)
    users = next_users(spec, Users(APP), [candidate("aws", pods=1), candidate("gcp")], 500, NOW)

    assert shares(users) == {"aws": 2000, "gcp": 6000}
    assert (users.shed, users.missing, users.limited) == (2000, 100, True)


def test_what_other_applications_need_of_a_cluster_is_not_given_again():
    found = [candidate("aws", room=100), candidate("gcp", room=900)]
    users = next_users(application(), Users(APP), found, 500, NOW)

    assert shares(users) == {"aws": 2000, "gcp": 8000}


def test_a_hub_that_has_just_begun_to_count_does_not_take_its_first_second_for_all_there_is():
    found = [candidate("aws", room=150), candidate("gcp", room=150)]
    users = next_users(application(), Users(APP), found, 229, NOW, Load(recent=400))

    assert shares(users) == {"aws": 3750, "gcp": 3750}
    assert users.shed == 2500


def test_a_hub_that_has_counted_nobody_yet_overloads_no_cluster():
    """Its first reports may tell of no requests, while the store knows of those before."""
    found = [candidate("aws", room=150), candidate("gcp", room=150)]
    users = next_users(application(), Users(APP), found, None, NOW, Load(recent=400))

    assert users.shed == 2500


def test_when_all_look_down_what_was_turned_away_is_not_let_in():
    found = [candidate("aws", room=120), candidate("gcp", room=120)]
    dark = [
        replace(each, health=replace(each.health, condition=Condition.DATA_PLANE_DOWN))
        for each in found
    ]
    users = next_users(application(), Users(APP), dark, 300, NOW)

    assert shares(users) == {"aws": 4000, "gcp": 4000}
    assert users.shed == 2000


def test_those_who_are_left_are_not_sent_more_than_they_carry_while_a_dead_one_is_still_planned():
    """Edges share out the users of a dead cluster as the plan says of the others."""
    dead, leaving, good = (candidate(name, room=120) for name in ("aws", "gcp", "onprem"))
    dead = replace(dead, health=replace(dead.health, condition=Condition.BOTH_DOWN))
    leaving = replace(leaving, wish=ClusterWish("gcp", 1.0))
    before = Users(APP, {"gcp": {BLUE.id: 3333}, "onprem": {BLUE.id: 3333}})
    users = next_users(application(), before, [dead, leaving, good], 300, NOW)
    served = 300 * (10_000 - users.shed) / 10_000
    there = users.share("gcp") + users.share("onprem")

    assert users.share("onprem") > users.share("gcp") > 0
    assert served * users.share("onprem") / there <= 120


def test_a_demand_that_nobody_counts_limits_nobody():
    spec = placed(pod_capacity=1)
    users = next_users(spec, Users(APP), [candidate("aws")], None, NOW)

    assert (shares(users), users.shed) == ({"aws": 10_000}, 0)


def test_a_passive_cluster_serves_only_when_the_first_one_is_away():
    spec = placed(mode=Mode.ACTIVE_PASSIVE, orders={"gcp": 1})
    both = [candidate("aws"), candidate("gcp")]
    assert shares(next_users(spec, Users(APP), both, None, NOW)) == {"aws": 10_000, "gcp": 0}

    lost = [candidate("aws", standing=Standing.OUT), candidate("gcp")]
    assert shares(next_users(spec, Users(APP), lost, None, NOW)) == {"aws": 0, "gcp": 10_000}


def test_users_overflow_when_the_first_cluster_is_full():
    spec = placed(mode=Mode.OVERFLOW, orders={"gcp": 1}, pod_capacity=100)
    users = next_users(spec, Users(APP), [candidate("aws"), candidate("gcp")], 300, NOW)

    assert shares(users) == {"aws": 8000, "gcp": 2000}


@pytest.mark.parametrize(
    "away", [{"epoch": 1}, {"standing": Standing.OUT}, {"standing": Standing.RECOVERING}]
)
def test_who_is_stale_or_out_gets_nobody(away):
    users = next_users(
        application(), Users(APP), [candidate("aws", **away), candidate("gcp")], None, NOW
    )

    assert shares(users) == {"aws": 0, "gcp": 10_000}


def test_a_cluster_that_was_out_begins_with_a_hundredth():
    lost = [candidate("aws", standing=Standing.OUT), candidate("gcp"), candidate("onprem")]
    before = next_users(application(), Users(APP), lost, None, NOW)
    assert before.returns["aws"].phase is Phase.WAITING

    every = [candidate("aws"), candidate("gcp"), candidate("onprem")]
    after = next_users(application(), before, every, None, NOW + 1)
    assert after.share("aws") == 33


def test_users_who_come_back_all_at_once_are_known_to_be_on_their_way_for_one_step():
    spec = replace(application(), failover=Failover(failback=Failback.NEVER, step_seconds=60.0))
    lost = [candidate("aws", standing=Standing.OUT), candidate("gcp")]
    users = next_users(spec, Users(APP), lost, None, NOW)
    well = [candidate("aws"), candidate("gcp")]
    well[0] = replace(well[0], wish=replace(well[0].wish, restored_at=NOW + 5))
    told = []
    for at in (NOW + 10, NOW + 69, NOW + 70):
        users = next_users(spec, users, well, None, at)
        assert users.share("aws") == 5000
        told.append("aws" in users.returns)

    assert told == [True, True, False]


def test_the_only_cluster_that_is_left_gets_all_users_back_at_once():
    before = next_users(
        application(),
        Users(APP),
        [candidate("aws", standing=Standing.OUT), candidate("gcp")],
        None,
        NOW,
    )
    found = [candidate("aws"), candidate("gcp", standing=Standing.OUT)]

    assert next_users(application(), before, found, None, NOW + 1).share("aws") == 10_000


def test_users_of_a_drained_cluster_stay_while_nobody_else_can_carry_them():
    spec = placed(pod_capacity=100)
    before = next_users(spec, Users(APP), [candidate("aws"), candidate("gcp")], 500, NOW)
    found = [candidate("aws", drained=NOW), candidate("gcp")]
    after = next_users(spec, before, found, 500, NOW + 1)

    assert shares(after) == {"aws": 4000, "gcp": 6000}


def test_when_nobody_is_left_everything_stays_as_it_was():
    before = next_users(application(), Users(APP), [candidate("aws"), candidate("gcp")], None, NOW)
    gone = [candidate(name, epoch=1) for name in ("aws", "gcp")]
    after = next_users(application(), before, gone, None, NOW + 1)

    assert after.frozen
    assert after.parts == before.parts
