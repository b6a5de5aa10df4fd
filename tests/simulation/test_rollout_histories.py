"""Whatever happens to clusters and hub on the way, users are safe, and the end is the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.base.ids import Epoch
from crossfade.core.analysis.judgement import Verdict
from crossfade.core.rollout.record import with_wanted
from crossfade.core.rollout.spec import Deadlines, Pause, SetWeight, Strategy, Unreachable
from crossfade.core.rollout.state import Outcome, Phase
from crossfade.testing.builders import BLUE, CLUSTERS, YELLOW, record, rollout
from crossfade.testing.simulation import PODS, ModelCluster, World

STEPS = (SetWeight(10), Pause(3.0), SetWeight(50))


def mostly(value, *others):
    return st.sampled_from([value] * 9 + list(others))


EVENTS = st.lists(
    st.tuples(
        mostly("turn", "lose", "back", "back", "crash", "repeat"),
        st.integers(0, 2),
        mostly(Verdict.PASS, Verdict.UNKNOWN, Verdict.FAIL),
        st.sampled_from([0.1, 0.5, 2.0]),
    ),
    min_size=20,
    max_size=120,
)


def new_world(unreachable=Unreachable.HOLD):
    """Blue serves everywhere; yellow is about to come."""
    strategy = Strategy(
        STEPS, unreachable=unreachable, keep_old_seconds=0.0, deadlines=Deadlines(1e9)
    )
    remembered = with_wanted(record(active=BLUE), None, CLUSTERS, 0.0)
    clusters = [
        ModelCluster(
            name,
            pods={BLUE.id: PODS},
            held=Epoch(1),
            route={BLUE.id: 100},
            served_epoch=Epoch(1),
            served={BLUE.id: 100},
            share=100,
        )
        for name in CLUSTERS
    ]
    coming = rollout(strategy=strategy)
    remembered = with_wanted(remembered, coming, CLUSTERS, 1.0)
    world = World(remembered, coming, clusters)
    for cluster in clusters:
        cluster.look(world.now)
    world.plan()
    return world


def turn(world, crash=False, repeat=False):
    """One turn of every loop, in the order in which the engine may run them."""
    world.decide()
    for cluster in world.clusters:
        world.converge(cluster, times=2 if repeat else 1, lost=crash)
        world.start_pod(cluster)
    for cluster in world.clusters:
        cluster.take_route()
        if cluster.up:
            cluster.look(world.now)
    world.plan()


def check(world, highest):
    """What must hold after every event: exposure, last copy, nobody sent to a stale cluster."""
    exposure = world.exposure(YELLOW.id)
    assert exposure <= highest + 1e-9, f"{exposure} % meet yellow, {highest} % were agreed"
    serving = [each for each in world.clusters if each.share > 0]
    assert serving, "the edges were left without any cluster"
    for cluster in serving:
        if cluster.up:
            wanted = world.record.at(cluster.name)
            recent = world.now - wanted.since < 5.0
            frozen = not any(
                c.up and c.served_epoch == world.record.at(c.name).epoch for c in world.clusters
            )
            assert cluster.served_epoch == wanted.epoch or recent or frozen, (
                f"{cluster.name} is stale and has users"
            )


@settings(max_examples=80, deadline=None)
@given(EVENTS, st.sampled_from(list(Unreachable)))
def test_no_history_exposes_more_users_than_agreed(history, unreachable):
    world = new_world(unreachable)
    for event, which, verdict, seconds in history:
        cluster = world.clusters[which]
        world.verdict = verdict
        world.now += seconds
        if event == "lose":
            world.lose(cluster)
            world.plan()
        elif event == "back":
            world.bring_back(cluster)
            world.plan()
        # What clusters may still hold of the step before counts as agreed until they follow.
        agreed = max(
            [world.rollout.state.percent if world.rollout.active else 0]
            + [each.served.get(YELLOW.id, 0) for each in world.clusters]
        )
        turn(world, crash=event == "crash", repeat=event == "repeat")
        if world.rollout.state.outcome is Outcome.SUCCEEDED:
            agreed = 100
        check(world, max(agreed, world.rollout.state.percent))


@settings(max_examples=60, deadline=None)
@given(EVENTS)
def test_silence_alone_neither_promotes_nor_rolls_back(history):
    world = new_world()
    for event, which, _, seconds in history:
        world.verdict = Verdict.UNKNOWN
        world.now += seconds
        if event == "lose":
            world.lose(world.clusters[which])
        elif event == "back":
            world.bring_back(world.clusters[which])
        turn(world, crash=event == "crash", repeat=event == "repeat")

        assert world.rollout.state.percent <= 10
        assert world.rollout.state.phase in {Phase.INSTALLING, Phase.PROGRESSING}


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.sampled_from([Verdict.PASS, Verdict.FAIL]))
def test_every_history_ends_the_same_once_it_is_calm(history, verdict):
    world = new_world()
    for event, which, _, seconds in history:
        world.now += seconds
        world.verdict = verdict
        if event == "lose":
            world.lose(world.clusters[which])
        elif event == "back":
            world.bring_back(world.clusters[which])
        turn(world, crash=event == "crash", repeat=event == "repeat")
    for cluster in world.clusters:
        world.bring_back(cluster)
    for _ in range(80):
        world.now += 0.5
        turn(world)

    good = verdict is Verdict.PASS
    winner, loser = (YELLOW, BLUE) if good else (BLUE, YELLOW)
    wanted = Outcome.SUCCEEDED if good else Outcome.ROLLED_BACK
    assert world.rollout.state.outcome is wanted, world.rollout.state.reason
    for cluster in world.clusters:
        assert cluster.served == {winner.id: 100}
        assert cluster.pods == {winner.id: PODS}, f"{loser.id} is still there"
        assert cluster.share == 100


@settings(max_examples=60, deadline=None)
@given(EVENTS)
def test_a_revision_is_removed_only_after_the_data_plane_has_confirmed_zero(history):
    world = new_world()
    zero_since = {}
    for event, which, verdict, seconds in history:
        world.now += seconds
        world.verdict = verdict
        if event == "lose":
            world.lose(world.clusters[which])
        elif event == "back":
            world.bring_back(world.clusters[which])
        done = len(world.removed)
        turn(world, crash=event == "crash", repeat=event == "repeat")
        for name, revision in world.removed[done:]:
            since = zero_since.get((name, revision))
            assert since is not None, f"{revision} was removed from {name} while it had users"
            assert world.now - since >= 5.0, "it was not drained"
        for cluster in world.clusters:
            for revision in (BLUE.id, YELLOW.id):
                key = (cluster.name, revision)
                if cluster.served.get(revision, 0) > 0:
                    zero_since.pop(key, None)
                else:
                    zero_since.setdefault(key, world.now)
