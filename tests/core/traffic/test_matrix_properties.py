"""What holds for every traffic plan, whatever is asked and whatever is lost."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.traffic.destinations import (
    PARTS,
    Destination,
    Eligibility,
    Exposure,
    Goal,
    Mode,
    PriorityClass,
)
from crossfade.core.traffic.matrix import plan_traffic

OLD, NEW = "r-old", "r-new"
OUT, LEAVING = Eligibility.OUT, Eligibility.LEAVING


def both(name, weight):
    return Destination(name, {OLD: 90, NEW: 10}, weight)


def goal(*destinations, **more):
    return Goal(destinations, PARTS, exposure=Exposure(NEW, 1000), **more)


def shares(plan):
    return {cluster: sum(row.values()) for cluster, row in plan.parts.items()}


def capacities():
    return st.one_of(st.none(), st.integers(0, 2000))


@st.composite
def destinations(draw, name):
    percent = draw(st.sampled_from([0, 1, 5, 10, 10, 50, 100]))
    revisions = {r: p for r, p in ((OLD, 100 - percent), (NEW, percent)) if p}
    return Destination(
        name,
        revisions,
        weight=draw(st.integers(0, 100)),
        order=draw(st.integers(0, 2)),
        eligibility=draw(st.sampled_from([*[Eligibility.SERVES] * 4, OUT, LEAVING])),
        capacity=draw(capacities()),
        startable=draw(st.integers(0, 500)),
        minimum=draw(st.sampled_from([0, 0, 0, 300])),
        ramp_percent=draw(st.sampled_from([100, 100, 100, 0, 1, 5, 25])),
        revision_capacity=draw(st.dictionaries(st.sampled_from([OLD, NEW]), st.integers(0, 1000))),
    )


@st.composite
def goals(draw):
    names = "abcde"[: draw(st.integers(1, 5))]
    fleet = tuple(draw(destinations(name)) for name in names)
    first = draw(st.integers(0, PARTS))
    found = Goal(
        fleet,
        demand=draw(st.integers(1, 4000)),
        mode=draw(st.sampled_from(Mode)),
        exposure=draw(
            st.one_of(st.none(), st.builds(Exposure, st.just(NEW), st.integers(0, PARTS)))
        ),
        classes=(PriorityClass("gold", first), PriorityClass("rest", PARTS - first)),
        exclusive=draw(st.booleans()),
        full_percent=draw(st.sampled_from([0, 50, 80, 100])),
    )
    whole = [d for d in fleet if draw(st.booleans())]
    share = PARTS // max(1, len(whole))
    before = {d.cluster: {r: share * p // 100 for r, p in d.revisions.items()} for d in whole}
    return replace(found, before=before)


@settings(max_examples=100, deadline=None)
@given(goals())
def test_every_plan_is_whole_and_safe(asked):
    plan = plan_traffic(asked)

    if plan.frozen:
        assert plan.parts == asked.before
        return
    served = sum(shares(plan).values())
    assert served + sum(plan.shed.values()) == PARTS, "users were lost, or invented"
    for each in asked.destinations:
        row = plan.parts.get(each.cluster, {})
        assert all(part > 0 for part in row.values())
        assert set(row) <= set(each.revisions), "a revision that the cluster does not run"
        if each.eligibility is OUT:
            assert not row, "users of a cluster that is out"
        if each.capacity is not None:
            assert sum(row.values()) * asked.demand <= each.capacity * PARTS, "overloaded"
        for revision, carried in each.revision_capacity.items():
            assert row.get(revision, 0) * asked.demand <= carried * PARTS, "overloaded pods"
    if asked.exposure is not None:
        assert plan.exposure(NEW) <= asked.exposure.cap, "exposed"


@settings(max_examples=100, deadline=None)
@given(goals(), st.data())
def test_no_loss_of_clusters_raises_exposure_above_the_cap(asked, data):
    cap = plan_traffic(asked).exposure(NEW)
    lost = data.draw(st.sets(st.sampled_from([each.cluster for each in asked.destinations])))
    left = tuple(lose(each) if each.cluster in lost else each for each in asked.destinations)
    first = plan_traffic(asked)
    fields = {name: getattr(asked, name) for name in asked.__slots__}
    after = plan_traffic(
        Goal(
            **fields | {"destinations": left, "exposure": Exposure(NEW, cap), "before": first.parts}
        )
    )

    assert after.exposure(NEW) <= cap
    if shares(first):
        assert shares(after), "the last copy was taken out"


def lose(each):
    return replace(each, eligibility=OUT)


@settings(deadline=None)
@given(st.lists(st.integers(0, 100), min_size=2, max_size=6), st.data())
def test_users_of_clusters_that_stay_do_not_move(weights, data):
    fleet = [both(f"c{i}", weight) for i, weight in enumerate(weights)]
    before = plan_traffic(goal(*fleet))
    gone = data.draw(st.integers(0, len(fleet) - 1))
    after = plan_traffic(
        goal(*fleet[:gone], lose(fleet[gone]), *fleet[gone + 1 :], before=before.parts)
    )

    if not after.frozen:
        assert after.moved == before.share(fleet[gone].cluster)
