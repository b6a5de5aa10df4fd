"""Standbys grow before users come, hold while anybody needs them, and go back to rest after it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.base.ids import Epoch
from crossfade.core.application import Placement
from crossfade.core.failover.evidence import Condition
from crossfade.core.failover.health import ClusterHealth
from crossfade.core.failover.standby import Standby, at_rest, grown, size_of, sized, told, unsized
from crossfade.core.failover.standing import Presence, Standing
from crossfade.core.failover.users import Candidate, Users, next_users
from crossfade.core.failover.wish import ClusterWish
from crossfade.core.release.report import Report, RevisionReport
from crossfade.core.release.wanted import Wanted
from crossfade.core.traffic.destinations import PARTS, Mode
from crossfade.core.traffic.split import Split
from crossfade.testing.builders import APP, BLUE, YELLOW, application

NOW, OWN, POD = 1000.0, 8, 100
WANTED = Wanted(
    Epoch(2), Epoch(1), 0.0, Split({BLUE.id: 90.0, YELLOW.id: 10.0}), (BLUE.id, YELLOW.id),
    {YELLOW.id: 50},
)  # fmt: skip
WARM = Placement(mode=Mode.WARM_STANDBY, orders={"gcp": 1}, pod_capacity=POD)
PILOT = replace(WARM, mode=Mode.PILOT_LIGHT)


class World:
    """A cluster that serves and a standby whose pods get ready one each second."""

    def __init__(self, placement=WARM, demand=600):
        self.spec = replace(application(), placement=placement)
        self.users, self.now, self.demand = Users(APP), NOW, demand
        self.lost, self.drained = False, None
        self.ready = dict(self.asked())
        self.history = []

    def asked(self):
        """What the standby is asked to run, by revision."""
        size = size_of(self.spec.placement, "gcp", self.users.standbys)
        wanted = sized(WANTED, size)
        return {each: -(-OWN * wanted.pods(each) // 100) for each in WANTED.revisions}

    def candidate(self, name):
        pods = self.ready if name == "gcp" else {BLUE.id: OWN, YELLOW.id: OWN // 2}
        running = {
            each: RevisionReport(True, True, count, count, chart_pods=OWN)
            for each, count in pods.items()
        }
        shares = {BLUE.id: 90.0, YELLOW.id: 10.0}
        seen = Report(APP, name, self.now, Epoch(2), shares, True, running)
        stands = Standing.OUT if name == "aws" and self.lost else Standing.SERVING
        health = ClusterHealth(name, Condition.HEALTHY, Presence(name, stands))
        wish = ClusterWish(name, self.drained if name == "aws" else None)
        return Candidate(WANTED, seen, health, wish)

    def second(self):
        self.now += 1.0
        for each, count in self.asked().items():
            self.ready[each] += (count > self.ready[each]) - (count < self.ready[each])
        found = [self.candidate("aws"), self.candidate("gcp")]
        self.users = next_users(self.spec, self.users, found, self.demand, self.now)
        gcp = self.users.share("gcp")
        if self.demand:
            room = sum(self.ready.values()) * POD
            assert gcp * self.demand <= room * PARTS, "more than its ready pods carry"
        self.history.append((gcp, size_of(self.spec.placement, "gcp", self.users.standbys)))

    def seconds(self, count):
        for _ in range(count):
            self.second()


def test_clusters_of_an_order_above_0_are_standbys_in_the_modes_that_have_any():
    assert (at_rest(WARM, "gcp"), at_rest(WARM, "aws")) == (25, 100)
    assert at_rest(replace(WARM, mode=Mode.ACTIVE_PASSIVE), "gcp") == 100


def test_canaries_are_sized_with_the_others_and_keep_at_least_a_pod():
    assert dict(sized(WANTED, 30).scale) == {BLUE.id: 30, YELLOW.id: 15}
    assert sized(WANTED, 100) is WANTED
    assert sized(WANTED, 1).pods(YELLOW.id) == 1


def test_a_rollout_does_not_wait_for_pods_that_a_standby_runs_only_when_needed():
    assert unsized(50, running=13, rest=25) == 50
    assert unsized(50, running=12, rest=25) == 12
    assert unsized(50, running=50, rest=100) == 50


def test_a_standby_at_rest_runs_small_and_has_nobody():
    world = World()
    world.seconds(5)

    assert set(world.history) == {(0, 25)}


def test_after_a_loss_users_come_at_once_as_far_as_pods_are_ready_and_then_with_each_pod():
    world = World()
    world.second()
    world.lost = True
    world.seconds(20)
    shares = [share for share, _ in world.history]

    assert shares[1] == PARTS * 400 // 600  # what it carried at rest: 4 pods
    assert shares == sorted(shares)
    assert len(set(shares)) > 2
    assert (shares[-1], world.users.shed) == (PARTS, 0)


def test_it_grows_as_far_as_it_is_needed_and_not_further():
    world = World(demand=300)
    world.second()
    world.lost = True
    world.seconds(20)
    assert world.history[-1] == (PARTS, 25)

    world.demand = 700
    world.seconds(20)
    assert world.history[-1][0] == PARTS
    assert 50 <= world.history[-1][1] < 100


def test_a_pilot_light_gets_nobody_before_it_has_grown_to_its_minimum():
    world = World(PILOT)
    world.second()
    world.lost = True
    world.seconds(20)
    first = next(index for index, (share, _) in enumerate(world.history) if share)

    minimum = (OWN + OWN // 2) * POD // 2
    assert world.history[first][0] >= PARTS * minimum // 600 - 1
    assert world.history[first - 1][1] >= 50
    assert world.history[-1][0] == PARTS


def test_users_of_a_drained_cluster_stay_until_the_standby_has_grown():
    world = World()
    world.second()
    world.drained = NOW
    for _ in range(20):
        world.second()
        assert world.users.shed == 0
    assert world.history[1][0] == PARTS * 400 // 600
    assert world.history[-1][0] == PARTS


def test_it_goes_back_to_rest_some_time_after_the_last_user_has_left():
    world = World()
    world.spec = replace(world.spec, failover=replace(world.spec.failover, step_seconds=10.0))
    world.second()
    world.lost = True
    world.seconds(10)
    size = world.history[-1][1]
    world.lost = False
    # Nothing judges here, so a person lets users back at once.
    world.users = replace(world.users, returns={})
    world.seconds(9)
    assert world.history[-1] == (0, size)

    world.seconds(3)
    assert world.history[-1] == (0, 25)


@pytest.mark.parametrize("placement", [WARM, PILOT], ids=["warm", "pilot"])
def test_while_nobody_counts_users_a_standby_grows_to_its_full_size(placement):
    world = World(placement, demand=None)
    world.second()
    world.lost = True
    world.seconds(20)

    assert world.history[-1] == (PARTS, 100)


def test_when_everything_looks_lost_a_standby_keeps_its_size():
    world = World()
    world.second()
    world.lost = True
    world.seconds(20)
    size = world.users.standbys["gcp"]
    found = [replace(world.candidate("gcp"), health=world.candidate("aws").health)]
    users = next_users(world.spec, world.users, found, 600, world.now + 100)

    assert users.frozen
    assert users.standbys == {"gcp": size}


@given(
    st.lists(st.tuples(st.integers(0, 140), st.floats(0.1, 30)), max_size=30), st.integers(1, 100)
)
def test_a_standby_never_shrinks_below_what_is_needed_nor_before_its_time(steps, rest):
    known, now, needed_at = None, 0.0, float("-inf")
    for needed, seconds in steps:
        now += seconds
        before = known.percent if known else rest
        needed_at = now if needed else needed_at
        known = grown(known, rest, needed, now, 60.0)
        percent = known.percent if known else rest
        assert rest <= percent <= 100
        assert percent >= min(needed, 100)
        assert percent >= before or now - needed_at >= 60.0


def test_people_read_of_each_change_of_size():
    small, large = {"gcp": Standby(40)}, {"gcp": Standby(80)}

    assert told({}, small, 25) == ("gcp grows from 25 % to 40 % of its pods",)
    assert told(large, {}, 25) == ("gcp goes back to 25 % of its pods: nobody needs more",)
    assert told(small, {"gcp": Standby(40, 7.0)}, 25) == ()
