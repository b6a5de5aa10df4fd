"""
Strategic merge patches do what kubectl and helm mean by them.

The expected values are those of `kubectl patch --local --type=strategic` 1.32.
"""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.sandbox.kube import strategic_merge
from crossfade.sandbox.kube.client import ApiError
from crossfade.sandbox.kube.kinds import DEPLOYMENT, HTTP_ROUTE, SERVICE, Kind

WIDGET = Kind("example.com", "v1", "Widget", "widgets")


def containers(*items, **more):
    listed = {"containers": list(items)} if items else {}
    return {"spec": {"template": {"spec": listed | more}}}


def named(*names):
    return [{"name": name} for name in names]


P = {"name": "p", "image": "i", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
Q = {"name": "q", "image": "j"}


@pytest.mark.parametrize(
    ("target", "patch", "wanted"),
    [
        pytest.param(
            containers(P, Q),
            containers({"name": "q", "image": "new"}),
            containers(P, {"name": "q", "image": "new"}),
            id="a-container-is-found-by-its-name",
        ),
        pytest.param(
            containers(P, Q),
            containers({"name": "r", "image": "k"}),
            containers({"name": "r", "image": "k"}, P, Q),
            id="a-new-item-comes-first-without-an-order",
        ),
        pytest.param(
            containers(P, Q),
            containers(
                {"name": "r", "image": "k"}, **{"$setElementOrder/containers": named("p", "q", "r")}
            ),
            containers(P, Q, {"name": "r", "image": "k"}),
            id="an-order-puts-it-last",
        ),
        pytest.param(
            containers(P, Q),
            containers(**{"$setElementOrder/containers": named("q", "p")}),
            containers(Q, P),
            id="an-order-alone-turns-a-list-round",
        ),
        pytest.param(
            containers(P, Q),
            containers({"name": "p", "$patch": "delete"}),
            containers(Q),
            id="an-item-is-deleted",
        ),
        pytest.param(
            containers(P, Q),
            containers({"name": "r"}, {"$patch": "replace"}),
            containers({"name": "r"}),
            id="a-list-is-replaced",
        ),
        pytest.param(
            containers(P),
            containers({"name": "p", "env": [{"name": "A", "value": None}]}),
            containers(
                {"name": "p", "image": "i", "env": [{"name": "A"}, {"name": "B", "value": "2"}]}
            ),
            id="null-removes-a-field-deep-inside",
        ),
        pytest.param(
            {"metadata": {"labels": {"a": "1", "b": "2"}}},
            {"metadata": {"labels": {"a": None, "c": "3"}}},
            {"metadata": {"labels": {"b": "2", "c": "3"}}},
            id="labels-are-merged",
        ),
        pytest.param(
            {"metadata": {"labels": {"a": "1"}}},
            {"metadata": {"labels": {"$patch": "replace", "c": "3"}}},
            {"metadata": {"labels": {"c": "3"}}},
            id="labels-are-replaced",
        ),
        pytest.param(
            {"metadata": {"finalizers": ["a/x", "b/y"]}},
            {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/x"]}},
            {"metadata": {"finalizers": ["b/y"]}},
            id="a-finalizer-is-taken-away",
        ),
        pytest.param(
            {"metadata": {"finalizers": ["c/z"]}},
            {"metadata": {"finalizers": ["d/w", "c/z"]}},
            {"metadata": {"finalizers": ["d/w", "c/z"]}},
            id="finalizers-are-joined-in-the-order-of-the-patch",
        ),
        pytest.param(
            {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}},
            {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
            {"spec": {"strategy": {"type": "Recreate"}}},
            id="a-union-forgets-the-other-member",
        ),
        pytest.param(
            containers(P, volumes=[{"name": "v", "emptyDir": {}}]),
            {
                "spec": {
                    "template": {
                        "spec": {
                            "volumes": [
                                {
                                    "name": "v",
                                    "$retainKeys": ["name", "secret"],
                                    "secret": {"secretName": "k"},
                                }
                            ]
                        }
                    }
                }
            },
            containers(P, volumes=[{"name": "v", "secret": {"secretName": "k"}}]),
            id="a-volume-changes-its-source",
        ),
        pytest.param(
            {"spec": {}},
            containers({"name": "p", "$patch": "delete"}, {"name": "q", "args": ["x"]}),
            containers({"name": "q", "args": ["x"]}),
            id="what-is-new-comes-without-directives",
        ),
        pytest.param(
            {"spec": {"template": {"spec": {"tolerations": [{"key": "a"}]}}}},
            {"spec": {"template": {"spec": {"tolerations": [{"key": "b"}]}}}},
            {"spec": {"template": {"spec": {"tolerations": [{"key": "b"}]}}}},
            id="a-list-without-a-key-is-replaced",
        ),
    ],
)
def test_a_deployment_is_patched(target, patch, wanted):
    before = copy.deepcopy((target, patch))
    assert strategic_merge.apply(DEPLOYMENT, target, patch) == wanted
    assert (target, patch) == before, "the arguments were changed"


def test_ports_of_a_service_are_found_by_their_number():
    target = {"spec": {"ports": [{"port": 80, "name": "http"}, {"port": 443}]}}
    patch = {"spec": {"ports": [{"port": 443, "name": "https"}]}}
    merged = strategic_merge.apply(SERVICE, target, patch)
    assert merged["spec"]["ports"] == [
        {"port": 80, "name": "http"},
        {"port": 443, "name": "https"},
    ]


def test_a_kind_without_merge_keys_has_its_lists_replaced():
    target = {"spec": {"parts": [{"name": "a"}], "size": 1}}
    patch = {"spec": {"parts": [{"name": "b"}]}}
    assert strategic_merge.apply(WIDGET, target, patch) == {
        "spec": {"parts": [{"name": "b"}], "size": 1}
    }
    route = {"spec": {"rules": [{"backendRefs": [{"name": "a"}, {"name": "b"}]}]}}
    one = {"spec": {"rules": [{"backendRefs": [{"name": "b"}]}]}}
    assert strategic_merge.apply(HTTP_ROUTE, route, one) == one


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param(containers({"image": "x"}), id="no-key"),
        pytest.param(containers("p"), id="no-object"),
        pytest.param({"metadata": {"$patch": "turn"}}, id="unknown-directive"),
        pytest.param({"metadata": {"$deleteFromPrimitiveList/finalizers": "a/x"}}, id="not-a-list"),
        pytest.param({"spec": {"$retainKeys": "a"}}, id="retain-not-a-list"),
    ],
)
def test_a_patch_that_makes_no_sense_is_a_bad_request(patch):
    target = {"metadata": {"finalizers": ["a/x"]}} | containers(P)
    with pytest.raises(ApiError) as caught:
        strategic_merge.apply(DEPLOYMENT, target, patch)
    assert caught.value.code == 400


NAMES = st.lists(st.sampled_from("abcde"), unique=True)


@given(NAMES, NAMES, st.permutations("abcde"))
def test_merged_items_stand_in_the_wanted_order_and_none_is_lost(have, add, order):
    target = containers(*({"name": name, "image": "old"} for name in have))
    patch = containers(
        *({"name": name, "image": "new"} for name in add),
        **{"$setElementOrder/containers": named(*order)},
    )
    merged = strategic_merge.apply(DEPLOYMENT, target, patch)
    found = [item["name"] for item in merged["spec"]["template"]["spec"].get("containers", ())]
    assert found == [name for name in order if name in {*have, *add}]


WORDS = [
    *("spec", "template", "containers", "name", "env", "metadata", "labels", "$patch"),
    *("$retainKeys", "$setElementOrder/containers", "$deleteFromPrimitiveList/env"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(["spec", "metadata"]), JSON), JSON)
def test_any_patch_is_applied_or_refused(target, patch):
    try:
        strategic_merge.apply(DEPLOYMENT, target, {"spec": patch})
    except ApiError as error:
        if error.code != 400:
            raise
