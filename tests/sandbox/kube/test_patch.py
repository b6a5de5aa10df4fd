"""Patches of JSON values."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.sandbox.kube.client import ApiError
from crossfade.sandbox.kube.patch import json_patch, merge_patch

scalars = st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from("abc"), documents, max_size=3)
paths = st.lists(st.sampled_from(["a", "b", "0", "1", "-", "~0"]), max_size=3).map(
    lambda steps: "".join(f"/{step}" for step in steps)
)
operations = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "test", "copy", "move"]),
        "path": paths,
        "from": paths,
        "value": documents,
    }
)


@given(objects, objects)
def test_a_merge_patch_twice_is_a_merge_patch_once(target, patch):
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once


@given(objects, objects)
def test_a_merge_patch_does_not_touch_what_it_patches(target, patch):
    before = json.dumps(target)
    merge_patch(target, patch)
    assert json.dumps(target) == before


@given(objects, st.lists(operations, max_size=4))
def test_a_json_patch_is_done_or_refused_and_never_half(target, patch):
    before = json.dumps(target)
    code = 0
    try:
        json_patch(target, patch)
    except ApiError as error:
        code = error.code
    assert code in (0, 400, 422)
    assert json.dumps(target) == before


@given(objects, st.sampled_from("abc"), documents)
def test_what_was_added_is_there_and_can_be_removed(target, key, value):
    added = json_patch(target, [{"op": "add", "path": f"/{key}", "value": value}])
    assert added[key] == value
    removed = json_patch(added, [{"op": "remove", "path": f"/{key}"}])
    assert removed == {name: item for name, item in target.items() if name != key}


@pytest.mark.parametrize(
    "patch",
    [
        {},
        [{}],
        [{"op": "add", "path": "a", "value": 1}],
        [{"op": "jump", "path": "/a"}],
        [{"op": "add", "path": "/a"}],
        [{"op": "remove", "path": ""}],
        [{"op": "add", "path": "/list/7", "value": 1}],
        [{"op": "move", "path": "/a", "from": "/none"}],
    ],
)
def test_patches_that_make_no_sense_are_refused(patch):
    with pytest.raises(ApiError):
        json_patch({"list": []}, patch)
