"""Who owns what after any history of applies and writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.sandbox.kube.api import open_api
from crossfade.sandbox.kube.client import ApiError
from crossfade.sandbox.kube.kinds import DEPLOYMENT
from crossfade.sandbox.kube.ownership import managers
from crossfade.sandbox.kube.ownership.apply import Wish, applied, merge
from crossfade.sandbox.kube.ownership.difference import compare
from crossfade.sandbox.kube.ownership.managers import APPLY, Manager
from crossfade.sandbox.kube.ownership.paths import from_fields, paths_in, to_fields
from crossfade.sandbox.kube.ownership.shapes import shape_of

SHAPE = shape_of(open_api().registry.of(DEPLOYMENT))
names, texts = st.sampled_from(["a", "b", "c"]), st.sampled_from(["1", "2"])
ports = st.lists(
    st.fixed_dictionaries(
        {"containerPort": st.integers(1, 3)},
        optional={"protocol": st.sampled_from(["TCP", "UDP"]), "name": texts},
    ),
    max_size=3,
    unique_by=lambda port: (port["containerPort"], port.get("protocol", "TCP")),
)
environment = st.lists(
    st.fixed_dictionaries({"name": names}, optional={"value": texts}),
    max_size=3,
    unique_by=lambda one: one["name"],
)
containers = st.lists(
    st.fixed_dictionaries(
        {"name": names}, optional={"image": texts, "env": environment, "ports": ports}
    ),
    max_size=3,
    unique_by=lambda container: container["name"],
)
configs = st.builds(
    lambda labels, replicas, containers: {
        "metadata": {"labels": labels} if labels else {},
        "spec": ({"replicas": replicas} if replicas else {})
        | {"template": {"spec": {"containers": containers}}},
    },
    st.dictionaries(names, texts, max_size=2),
    st.integers(0, 2),
    containers,
)


def _wish(who: str, config: dict, *, force: bool = True) -> Wish:
    paths = managers.ownable(paths_in(config, SHAPE), "", has_status=True)
    return Wish(Manager(who, APPLY, "apps/v1"), config, paths, force, "now")


@given(configs)
def test_paths_are_written_and_read_without_loss(config):
    paths = managers.ownable(paths_in(config, SHAPE), "", has_status=True)
    assert from_fields(to_fields(paths)) == paths


@given(configs, configs)
def test_what_is_applied_is_there(live, config):
    merged = merge(live, config, SHAPE)
    assert merge(merged, config, SHAPE) == merged
    assert not compare(merged, merge(merged, config, SHAPE), SHAPE).changed
    wanted = _wish("one", config).paths - _emptied(config)
    assert wanted <= paths_in(merged, SHAPE)


def _emptied(config: dict) -> frozenset:
    """Paths of empty lists, which are not there any more once somebody has an item in them."""
    paths = paths_in(config, SHAPE)
    return frozenset(path for path in paths if path[-1] in ("f:containers", "f:env", "f:ports"))


@given(configs, configs)
def test_an_apply_twice_is_an_apply_once(first, second):
    obj, account = applied({"metadata": {}}, {}, _wish("one", first), SHAPE)
    once = applied(obj, account, _wish("two", second), SHAPE)
    assert applied(*once, _wish("two", second), SHAPE) == once


@given(configs, configs, configs)
def test_force_leaves_each_value_with_somebody(first, second, third):
    obj, account = {"metadata": {}}, {}
    for who, config in (("one", first), ("two", second), ("one", third)):
        obj, account = applied(obj, account, _wish(who, config), SHAPE)
    owned = frozenset().union(*(holding.paths for holding in account.values()))
    assert _wish("one", third).paths <= owned
    plain = {path for path in paths_in(obj, SHAPE) if path[-1] not in ("f:spec", "f:template")}
    unowned = managers.ownable(plain, "", has_status=True) - owned
    assert not {path for path in unowned if path[-1].startswith("f:") and path not in _emptied(obj)}


@given(configs, configs)
def test_nobody_takes_a_value_without_force(first, second):
    obj, account = applied({"metadata": {}}, {}, _wish("one", first), SHAPE)
    try:
        merged, _ = applied(obj, account, _wish("two", second, force=False), SHAPE)
    except ApiError as error:
        merged = obj
        assert error.details["causes"]  # noqa: PT017
    theirs = account[Manager("one", APPLY, "apps/v1")].paths if account else frozenset()
    assert not compare(obj, merged, SHAPE).changed & theirs


@given(configs, configs)
def test_whoever_applies_nothing_leaves_only_what_others_apply(first, second):
    obj, account = applied({"metadata": {}}, {}, _wish("one", first), SHAPE)
    obj, account = applied(obj, account, _wish("two", second), SHAPE)
    obj, account = applied(obj, account, _wish("one", {"metadata": {}}), SHAPE)
    assert {manager.name for manager in account} <= {"two"}
    kept = managers.ownable(paths_in(obj, SHAPE), "", has_status=True)
    theirs = _wish("two", second).paths
    assert {path for path in kept - theirs if path[-1][:2] == "k:"} == set()


def test_a_conflict_names_owner_place_and_time():
    live = {"metadata": {}, "spec": {"replicas": 1}}
    hand = Manager("hand", managers.UPDATE, "apps/v1", "scale")
    account = {hand: managers.Holding(paths_in(live, SHAPE), "2026-01-01T00:00:00Z")}
    wish = _wish("one", {"metadata": {}, "spec": {"replicas": 2}}, force=False)
    with pytest.raises(ApiError) as caught:
        applied(live, account, wish, SHAPE)
    assert caught.value.message == (
        'Apply failed with 1 conflict: conflict with "hand" with subresource "scale" '
        "using apps/v1 at 2026-01-01T00:00:00Z: .spec.replicas"
    )
