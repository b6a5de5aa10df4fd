"""Which value a variable has, and how it gets into texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.pipeline.variables import (
    MASK,
    Scope,
    Source,
    Variable,
    as_flag,
    environment,
    escaped,
    export_command,
    exported,
    references,
    substituted,
    substituted_tree,
    tag_form,
)


def test_the_higher_source_wins_and_of_one_source_the_last():
    sources = [Source.RUN, Source.TRIGGER, Source.SHARED, Source.PIPELINE]
    scope = Scope().with_all(Variable("A", each.name, each) for each in sources)
    assert scope.texts == {"A": "RUN"}

    twice = [Variable("A", "first", Source.EXPORT), Variable("A", "last", Source.EXPORT)]
    assert scope.with_all(twice).texts == {"A": "last"}
    own = environment(["A=own", "B=x=y", "C="])
    assert scope.with_all([*own, *twice]).texts == {"A": "own", "B": "x=y", "C": ""}


def test_secrets_are_not_shown():
    scope = Scope().with_all([Variable("A", "s3cret", secret=True), Variable("B", "b")])

    assert scope.shown() == {"A": MASK, "B": "b"}
    assert scope.secrets == ("s3cret",)


def test_a_reference_without_a_value_stays_as_it_is():
    values = {"A": "1", "B": "${{A}}"}

    assert substituted("${{A}} ${{ A }} ${{NO}} ${A} {{A}}", values.get) == "1 1 ${{NO}} ${A} {{A}}"
    assert substituted("${{B}}", values.get) == "${{A}}"  # once: values hold no references


def test_one_reference_ends_where_the_first_braces_do():
    text = 'includes("${{HELM_VERSION}}", "${{") == true'

    assert references(text) == ("HELM_VERSION",)
    assert references("${{A\n}} ${{ my-step }}") == ("my-step",)


def test_values_cannot_change_the_structure_of_a_document():
    tree = {"commands": ["echo ${{M}}"], "${{M}}": [1, None, True]}
    message = 'say "hi"\n- rm: [x]'

    got = substituted_tree(tree, {"M": message}.get)

    assert got == {"commands": [f"echo {message}"], "${{M}}": [1, None, True]}


def test_what_a_step_has_exported_is_read_line_by_line():
    found = exported("A=1\nno line\nB=x=y\nA=2\n9=z\n =q\nC=\n")

    assert {each.name: each.value for each in found} == {"A": "2", "B": "x=y", "C": ""}
    assert {each.source for each in found} == {Source.EXPORT}


def test_flags_in_words():
    assert [as_flag(each, False) for each in (True, "Yes", "on", "1", 1)] == [True] * 5
    assert [as_flag(each, True) for each in (False, "No", "off", "0", 0)] == [False] * 5
    assert as_flag("${{X}}", True)
    assert not as_flag(None, False)


def test_other_forms_of_a_text():
    assert tag_form("feature/vb1 x") == "feature-vb1-x"
    assert escaped('say "hi" it\'s \\') == 'say \\"hi\\" it\\\'s \\\\'


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_no_text_whatever_raises(text, values):
    substituted(text, values.get)
    exported(text)


def test_cf_export_takes_values_names_and_a_mask():
    found = export_command(["A=1", "B", "--mask", "A=2=3"], {"B": "b"})

    assert {each.name: (each.value, each.secret) for each in found} == {
        "A": ("2=3", True),
        "B": ("b", True),
    }
    with pytest.raises(ValueError, match="'9x' is neither"):
        export_command(["9x"], {})
    assert exported("A=1\nB=2\n", masked={"B"})[1].secret
