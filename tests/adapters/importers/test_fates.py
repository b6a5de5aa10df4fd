"""No field of what is imported gets lost in silence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.adapters.importers.argo_fields import ROLLOUT, TEMPLATE
from crossfade.adapters.importers.fates import UNKNOWN, Fate, changed, kept, sorted_out, unsupported
from crossfade.adapters.importers.flagger_fields import ALERT_PROVIDER, CANARY, METRIC_TEMPLATE

HERE = Path(__file__).parent
KINDS = {
    "rollout": ROLLOUT,
    "analysis_template": TEMPLATE,
    "canary": CANARY,
    "metric_template": METRIC_TEMPLATE,
    "alert_provider": ALERT_PROVIDER,
}
"""Fields of the published custom resources, one path a line in NAME_fields.txt, and our rules."""
FIELDS = [
    (kind, path) for kind in KINDS for path in (HERE / f"{kind}_fields.txt").read_text().split()
]


def object_with(path):
    """Return a spec that has just this field."""
    value = "something"
    for key in reversed(path.split(".")[1:]):
        value = {key[:-2]: [value]} if key.endswith("[]") else {key: value}
    return value


@pytest.mark.parametrize(("kind", "path"), FIELDS)
def test_every_field_that_can_be_written_has_a_fate(kind, path):
    entries = list(sorted_out("it", object_with(path), KINDS[kind], {}))

    assert len(entries) == 1
    assert entries[0].reason != UNKNOWN.reason, f"{path} of a {kind} is not known"


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_is_for_a_field_that_can_be_written(kind):
    paths = [path for each, path in FIELDS if each == kind]
    old = ("spec.canaryAnalysis.",)  # the name that `analysis` had before
    unused = [
        rule
        for rule in KINDS[kind]
        if not rule.startswith(old) and not any(f"{path}.".replace("[]", "").startswith(f"{rule}.".replace("[]", "")) for path in paths)
    ]  # fmt: skip

    assert unused == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_kept_has_a_reason(kind):
    assert [
        path for path, note in KINDS[kind].items() if note.fate is not Fate.KEPT and not note.reason
    ] == []


RULES = {"spec.a": kept(), "spec.b.c": changed("otherwise"), "spec.d[].e": unsupported("not")}


def fates(value, notes=None):
    return {entry.path: entry.fate for entry in sorted_out("it", value, RULES, notes or {})}


def test_a_rule_is_for_all_that_is_below():
    assert fates({"a": {"x": [1, 2]}}) == {"spec.a": Fate.KEPT}


def test_items_of_lists_are_told_by_their_place():
    found = fates({"d": [{"e": 1}, {"e": 2}]})

    assert found == {"spec.d[0].e": Fate.UNSUPPORTED, "spec.d[1].e": Fate.UNSUPPORTED}


@pytest.mark.parametrize(
    ("value", "path"),
    [({"z": 1}, "spec.z"), ({"b": {"z": 1}}, "spec.b.z"), ({"b": 5}, "spec.b"), ({"d": {"e": 1}}, "spec.d")],
)  # fmt: skip
def test_what_is_not_known_is_not_supported(value, path):
    (entry,) = sorted_out("it", value, RULES, {})

    assert (entry.path, entry.fate, entry.reason) == (path, Fate.UNSUPPORTED, UNKNOWN.reason)


def test_a_note_on_one_field_wins_over_the_rule():
    found = fates({"d": [{"e": 1}, {"e": 2}]}, {"spec.d[1].e": kept()})

    assert found == {"spec.d[0].e": Fate.UNSUPPORTED, "spec.d[1].e": Fate.KEPT}


def test_notes_below_a_rule_leave_the_rule_to_the_others():
    found = fates({"a": {"x": 1, "y": [2]}}, {"spec.a.y[0]": unsupported("not this")})

    assert found == {"spec.a.x": Fate.KEPT, "spec.a.y[0]": Fate.UNSUPPORTED}


trees = st.recursive(
    st.integers(),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from("abcdez"), inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def leaves(value, path="spec"):
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, f"{path}.{key}")]
    if isinstance(value, list):
        return [leaf for i, item in enumerate(value) for leaf in leaves(item, f"{path}[{i}]")]
    return [path]


@given(trees)
def test_every_leaf_is_below_exactly_one_entry(value):
    paths = list(fates(value))

    for leaf in leaves(value):
        above = [
            path for path in paths if leaf == path or leaf.startswith((f"{path}.", f"{path}["))
        ]
        assert len(above) == 1, leaf
