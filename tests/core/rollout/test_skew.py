"""Users may be sent to any cluster: what serves there reads what the others have written."""

from dataclasses import replace
from itertools import combinations
from random import Random

import pytest

from crossfade.base.errors import UnsafePlan
from crossfade.base.ids import RevisionId
from crossfade.core.release.data import DataForms, quarrel
from crossfade.core.release.report import Report, RevisionReport
from crossfade.core.release.wanted import Rolled, Wanted
from crossfade.core.rollout.record import Kept, Record, advance, with_wanted
from crossfade.core.rollout.skew import Place, apart, misfits, refuse_misfits
from crossfade.core.rollout.state import (
    ClusterPhase,
    Decision,
    Outcome,
    Phase,
    Progress,
    State,
)
from crossfade.core.traffic.split import HeaderRoute, Mirror, Split
from crossfade.testing.builders import APP, BLUE, CLUSTERS, RED, YELLOW, application, rollout

AWS, GCP, _ = CLUSTERS
WALKS = 300
FORMS = (
    DataForms("a"),
    DataForms("a", ("b",)),
    DataForms("b", ("a",)),
    DataForms("b"),
    DataForms("c", ("a", "b")),
)
OLD, NEW = replace(BLUE, data=FORMS[0]), replace(YELLOW, data=FORMS[3])
OTHER = replace(RED, data=FORMS[3])
KNOWN = {each.id: each for each in (OLD, NEW, OTHER)}


def report(cluster=AWS, **changes):
    return replace(Report(APP, cluster, 1.0), **changes)


def found(record, *places, new=NEW, known=KNOWN):
    return misfits(record, new, places, known, 10.0)


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(split=Split({OLD.id: 100.0})),
        Wanted(split=Split({OTHER.id: 100.0}, headers=(HeaderRoute("h", (), OLD.id),))),
        Wanted(split=Split({OTHER.id: 100.0}, mirror=Mirror(OLD.id))),
        Wanted(rolled=Rolled(OLD.id, 50)),
        Wanted(revisions=(OLD.id,)),
    ],
)
def test_whatever_is_to_get_requests_or_work_counts(wanted):
    (one,) = found(Record(application(), wanted={AWS: wanted}), Place(AWS, True))

    assert (one.revision, one.serves, one.away) == (OLD.id, (AWS,), ())


def test_what_only_runs_without_users_stands_against_nothing():
    split = Split({OTHER.id: 100.0})
    idle = Wanted(split=split, revisions=(OTHER.id, OLD.id))
    seen = report(in_force=True, shares=split.shares, revisions={OLD.id: RevisionReport(True)})

    assert not found(Record(application(), wanted={AWS: idle}), Place(AWS, True, seen))


@pytest.mark.parametrize(
    ("reachable", "in_force", "epoch"), [(False, True, 0), (True, False, 0), (True, True, 1)]
)
def test_what_a_cluster_may_have_given_users_since_the_last_look_counts(reachable, in_force, epoch):
    seen = report(in_force=in_force, epoch=epoch, revisions={OLD.id: RevisionReport(True)})
    (one,) = found(Record(application()), Place(AWS, reachable, seen))

    assert one.revision == OLD.id
    assert bool(one.away) is not reachable


def test_a_cluster_that_was_lost_long_ago_still_holds_the_version_that_it_ran():
    record = Record(application(), active=OTHER)
    lost = report(GCP, shares={OLD.id: 100.0})
    (one,) = stands = found(record, Place(AWS, True), Place(GCP, False, lost))

    assert one.summary == (
        "blue does not read `b` and writes `a`, which the other does not read,"
        " and may still serve on gcp, which cannot be reached"
    )
    with pytest.raises(UnsafePlan, match=r"yellow does not get along .* gcp") as refused:
        refuse_misfits(NEW.id, stands)
    assert "until they are back" in refused.value.hint
    refuse_misfits(NEW.id, stands, force=True)


def test_a_version_that_is_kept_for_undo_counts_until_its_time_is_over():
    record = Record(application(), active=OTHER, kept=(Kept(OLD, 11.0),))
    (one,) = stands = found(record, Place(AWS, True))

    assert (one.kept, one.serves) == ((AWS,), ())
    with pytest.raises(UnsafePlan) as refused:
        refuse_misfits(NEW.id, stands)
    assert "keepOld" in refused.value.hint
    assert not found(replace(record, kept=(Kept(OLD, 10.0),)), Place(AWS, True))


def test_what_nobody_remembers_is_not_taken_to_get_along():
    record = Record(application(), wanted={AWS: Wanted(split=Split({OLD.id: 100.0}))})
    (one,) = found(record, Place(AWS, True), known={})

    assert "remembered no more" in one.why


def test_many_versions_are_counted_and_the_hint_says_what_to_bring_out_first():
    wanted = Wanted(revisions=tuple(RevisionId(f"r{number}") for number in range(5)))
    stands = found(Record(application(), wanted={AWS: wanted}), Place(AWS, True), known={})
    with pytest.raises(UnsafePlan, match="; and 2 more") as refused:
        refuse_misfits(NEW.id, stands)

    assert "reads both forms" in refused.value.hint


def test_without_declared_data_nothing_is_refused():
    record = Record(application(), active=OLD)

    assert not found(record, Place(AWS, True), new=YELLOW)
    assert found(record, Place(AWS, True))


def test_a_rollout_that_was_forced_says_that_its_revisions_do_not_get_along():
    moving = replace(rollout(), stable=OLD, canary=NEW)

    (told,) = apart(moving)
    assert told.startswith("blue does not read `b`")
    assert not apart(replace(moving, canary=OLD))
    assert not apart(replace(moving, stable=None))


def limited(record, limit=2):
    spec = record.spec
    strategy = replace(spec.strategy, max_versions=limit)
    return replace(record, spec=replace(spec, strategy=strategy))


def test_a_third_version_waits_for_a_lost_cluster_that_still_gives_users_the_first():
    record = limited(Record(application(), active=RED))
    serving = Place(AWS, True, report(in_force=True, shares={RED.id: 100.0}))
    lost = Place(GCP, False, report(GCP, shares={BLUE.id: 100.0}))
    (one,) = stands = found(record, serving, lost, new=YELLOW, known={})

    assert (one.revision, one.away, one.serves) == (BLUE.id, (GCP,), ())
    assert not found(limited(record, 3), serving, lost, new=YELLOW, known={})
    assert not found(record, serving, lost, new=BLUE, known={}), "it has users already"
    with pytest.raises(
        UnsafePlan, match=r"one of 3 that would have users .*gcp, which cannot be reached"
    ):
        refuse_misfits(YELLOW.id, stands)


def test_a_version_that_only_runs_for_undo_is_none_that_has_users():
    kept = (Kept(BLUE, until=99.0),)
    record = limited(Record(application(), active=RED, kept=kept))

    assert not found(record, Place(AWS, True), new=YELLOW, known={})


class Fleet:
    """Deployments, steps and losses in any order; clusters act, and are seen, whenever they can."""

    def __init__(self):
        self.now, self.made = 0.0, 0
        self.record, self.rollout = Record(application()), None
        self.known, self.away = {}, set()
        self.reports = {}
        self.serving = dict.fromkeys(CLUSTERS, frozenset())

    def deploy(self, forms):
        self.made += 1
        self._start(replace(BLUE, id=RevisionId(f"r{self.made}"), data=forms))

    def bring_out(self, forms):
        """A rollout without surprises, on all clusters that can be reached, long after the last."""
        self.now += 4000.0
        self.deploy(forms)
        for cluster in CLUSTERS:
            self.step(cluster, 100.0)
            self.look(cluster)
            self.write_route(cluster)
            self.look(cluster)
        self.end(Outcome.SUCCEEDED)
        for cluster in CLUSTERS:
            self.look(cluster)

    def lose_on_the_way(self, cluster, forms):
        """A cluster gives users to a new revision, is seen no more, and the rollout is aborted."""
        self.deploy(forms)
        self.step(cluster, 30.0)
        self.look(cluster)
        self.write_route(cluster)
        self.away |= {cluster}
        self.end(Outcome.ROLLED_BACK)

    def undo(self):
        if self.record.kept and self.rollout is None:
            self._start(self.record.kept[0].revision)

    def _start(self, new):
        places = [Place(c, c not in self.away, self.reports.get(c)) for c in CLUSTERS]
        if misfits(self.record, new, places, self.known, self.now):
            return
        self.known[new.id] = new
        self.rollout = replace(rollout(), canary=new, stable=self.record.active)
        self._want()

    def _want(self):
        self.record = with_wanted(self.record, self.rollout, CLUSTERS, self.now)

    def step(self, cluster, percent):
        if self.rollout is not None:
            percent = percent if self.record.active else 100.0
            moved = Progress(ClusterPhase.STEPPING, percent=percent)
            state = self.rollout.state
            state = replace(state, clusters={**state.clusters, cluster: moved})
            self.rollout = replace(self.rollout, state=state)
            self._want()

    def end(self, outcome):
        if self.rollout is not None and (self.record.active or outcome is Outcome.SUCCEEDED):
            state = State(Phase.ENDED, outcome=outcome, clusters=self.rollout.state.clusters)
            decision = Decision(state, "")
            self.record, _ = advance(self.record, self.rollout, decision, CLUSTERS, self.now)
            self.rollout = None

    def look(self, cluster):
        """The cluster installs what is wanted, and is seen; its route changes only afterwards."""
        if cluster not in self.away:
            wanted = self.record.at(cluster)
            shares = wanted.split.shares
            self.reports[cluster] = Report(
                APP,
                cluster,
                self.now,
                epoch=wanted.epoch,
                in_force=self.serving[cluster] == frozenset(shares),
                shares=dict.fromkeys(self.serving[cluster], 50.0),
                revisions={each: RevisionReport(True) for each in wanted.revisions},
            )

    def write_route(self, cluster):
        seen, wanted = self.reports.get(cluster), self.record.at(cluster).split.shares
        if seen and cluster not in self.away and wanted.keys() <= seen.revisions.keys():
            self.serving[cluster] = frozenset(wanted)

    def lose_or_return(self, cluster):
        self.away ^= {cluster}

    def wait(self):
        self.now += 400.0

    @property
    def apart(self):
        """Whether any two of the revisions that have users do not get along."""
        there = [self.known[each].data for each in frozenset().union(*self.serving.values())]
        return any(quarrel(one, other) for one, other in combinations(there, 2))

    def anything(self, dice):
        """Let one thing happen that may happen."""
        forms, cluster = dice.choice(FORMS), dice.choice(CLUSTERS)
        happens = (
            lambda: self.bring_out(forms),
            lambda: self.deploy(forms),
            lambda: self.lose_on_the_way(cluster, forms),
            self.undo,
            lambda: self.step(cluster, dice.choice((0.0, 30.0, 100.0))),
            lambda: self.end(dice.choice((Outcome.SUCCEEDED, Outcome.ROLLED_BACK))),
            lambda: self.look(cluster),
            lambda: self.write_route(cluster),
            lambda: self.lose_or_return(cluster),
            self.wait,
        )
        dice.choice(happens)()


def test_whatever_happens_all_that_have_users_get_along_so_that_a_failover_may_send_them_anywhere():
    for seed in range(WALKS):
        fleet, dice = Fleet(), Random(seed)  # noqa: S311 - the same walks each time
        for happened in range(60):
            fleet.anything(dice)
            assert not fleet.apart, f"walk {seed} after {happened + 1} events: {fleet.serving}"
