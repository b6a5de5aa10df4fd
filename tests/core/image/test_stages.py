"""Of several stages only those are built that the target needs."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.image.dockerfile import parse
from crossfade.core.image.stages import stages, unused

TEXT = """ARG BASE=host
FROM ${BASE} AS deps
RUN deps
FROM deps AS tests
RUN tests
FROM scratch AS App
COPY --from=deps /a /a
FROM scratch
COPY --from=1 /x /x
"""


def built(target="", **arguments):
    return [each.name for each in stages(parse(TEXT), arguments, target).needed]


def test_only_what_the_target_needs_is_built():
    assert built("app") == ["deps", "app"]
    assert built("APP") == ["deps", "app"]
    assert built() == ["deps", "tests", ""]
    assert built("0") == ["deps"]


def test_a_build_argument_chooses_the_base():
    assert stages(parse(TEXT), {"BASE": "scratch"}, "deps").target.base == "scratch"


def test_a_stage_is_no_stage_of_itself_or_of_those_before():
    found = stages(parse("FROM a AS a\nFROM b AS b\n"), {}, "a")
    assert found.earlier(found.target, "a") is None


def test_of_two_stages_with_one_name_the_last_one_before_is_meant():
    found = stages(parse("FROM a AS x\nFROM b AS x\nFROM x AS y\n"), {})
    below = found.earlier(found.target, "x")
    assert below is not None
    assert below.base == "b"


def test_build_arguments_that_nothing_asks_for_are_told_but_proxies():
    assert unused(parse(TEXT), {"BASE": "", "X": "", "http_proxy": ""}) == ("X",)


@pytest.mark.parametrize(
    ("text", "target", "what"),
    [
        (TEXT, "ap", 'no stage ap; did you mean "app"'),
        ("FROM a b\n", "", "cannot be read"),
        ("ARG X\nFROM $X\n", "", "names no image"),
        ("FROM --pull a\n", "", "no flag --pull"),
        ("FROM ${A\n", "", "FROM cannot be read"),
        ("ARG 1=2\nFROM a\n", "", "ARG names no variable"),
    ],
)
def test_what_cannot_be_built_is_refused(text, target, what):
    with pytest.raises(InputError, match=what) as caught:
        stages(parse(text), {}, target)
    assert caught.value.hint
