"""Copies of worlds go their own ways, and share what never changes."""

from dataclasses import dataclass, field

from crossfade.core.release.report import Address
from crossfade.testing.histories import begin
from crossfade.testing.snapshots import copied


@dataclass(slots=True)
class Thing:
    many: list = field(default_factory=list)
    other: "Thing | None" = None


@dataclass(frozen=True, slots=True)
class Holder:
    told: dict = field(default_factory=dict)


def test_what_happens_in_a_copy_does_not_happen_in_the_world():
    world = begin()
    before = world.clusters["aws"].shares("colors")
    copy = copied(world)
    copy.clusters["aws"].served.clear()
    copy.clock.advance(10.0)
    copy.in_force.clear()

    assert world.clusters["aws"].shares("colors") == before
    assert world.clock.now() != copy.clock.now()
    assert world.in_force


def test_a_copy_is_whole_within_itself():
    copy = copied(begin())
    cluster = copy.clusters["gcp"]

    assert copy.connections.clusters["gcp"] is cluster
    assert cluster.releases.cluster is cluster


def test_rings_are_copied_as_rings():
    one, two = Thing([1]), Thing([2])
    one.other, two.other = two, one
    copy = copied(one)

    assert copy.other.other is copy
    assert copy is not one
    assert copy.many == [1]


def test_values_are_shared_and_what_only_looks_like_one_is_not():
    address, holder = Address("aws.test", 80), Holder({"a": 1.0})
    same, other = copied((address, holder))
    other.told["b"] = 2.0

    assert same is address
    assert holder.told == {"a": 1.0}
