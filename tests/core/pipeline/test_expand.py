"""`scale` and `matrix`"""

from crossfade.core.pipeline.expand import expanded
from crossfade.core.pipeline.findings import Findings
from crossfade.core.pipeline.tree import Mark, grown, plain


def steps(**keys):
    found = Findings()
    root = grown({"version": "1.0", "steps": keys}, Mark(1, 1))
    return plain(expanded(root, found))["steps"], [each.message for each in found.errors]


def test_children_of_scale_add_their_keys_to_those_of_the_parent():
    got, errors = steps(
        s={
            "image": "x",
            "stage": "one",
            "when": {"branch": {"only": ["main"]}},
            "environment": ["Y=0"],
            "arguments": {"n": {"p": 1}},
            "scale": {
                "a": {"environment": ["X=1"]},
                "b": {"image": "y", "arguments": {"n": {"q": 2}}},
                "c": None,
            },
        }
    )

    assert errors == []
    assert got["s"] == {
        "stage": "one",
        "when": {"branch": {"only": ["main"]}},
        "type": "parallel",
        "steps": {
            "a": {"image": "x", "environment": ["Y=0", "X=1"], "n": {"p": 1}},
            "b": {"image": "y", "environment": ["Y=0"], "n": {"p": 1, "q": 2}},
            "c": {"image": "x", "environment": ["Y=0"], "n": {"p": 1}},
        },
    }


def test_a_matrix_is_every_combination():
    got, errors = steps(t={"matrix": {"image": ["i1", "i2"], "environment": [["A=1"], "A=2"]}})

    children = got["t"]["steps"]
    assert errors == []
    assert [(c["image"], c["environment"]) for c in children.values()] == [
        ("i1", ["A=1"]),
        ("i1", ["A=2"]),
        ("i2", ["A=1"]),
        ("i2", ["A=2"]),
    ]
    assert list(children) == ["t_0", "t_1", "t_2", "t_3"]
    assert children["t_0"]["title"] == "t: i1, A=1"


def test_two_scaled_steps_may_use_the_same_keys():
    got, _ = steps(a={"image": "x", "scale": {"one": {}}}, b={"image": "x", "scale": {"one": {}}})

    assert list(got["a"]["steps"]) == ["one"]
    assert list(got["b"]["steps"]) == ["b_one"]


def test_scaled_steps_of_a_group_become_groups_too():
    got, _ = steps(g={"type": "parallel", "steps": {"s": {"image": "x", "scale": {"a": {}}}}})

    assert got["g"]["steps"]["s"]["steps"] == {"a": {"image": "x"}}


def test_what_cannot_be_expanded_is_told():
    assert steps(s={"scale": []})[1]
    assert steps(s={"matrix": {"image": "x"}})[1]
    assert steps(s={"scale": {"a": 1}})[1]
    assert steps(s={"scale": {"a": {}}, "matrix": {"image": ["x"]}})[1]
    assert "more than 256 steps" in steps(s={"matrix": {k: list("abcde") for k in "wxyz"}})[1][0]
