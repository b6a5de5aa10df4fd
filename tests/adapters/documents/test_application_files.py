"""Application files on disk, and texts that nobody meant to write: each is answered in words."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crossfade.adapters.documents.application import parse, read_application, read_applications
from crossfade.base.errors import CrossfadeError, Denied, InputError, NotFound

HERE = Path(__file__).parent
FULL = (HERE / "full.yaml").read_text()
SHORT = (HERE / "short.yaml").read_text()


def test_a_chart_is_found_beside_the_file_wherever_the_user_stands(tmp_path, monkeypatch):
    (tmp_path / "app/charts/colors").mkdir(parents=True)
    (tmp_path / "app/charts/colors/Chart.yaml").write_text("name: colors\n")
    (tmp_path / "app/crossfade.yaml").write_text(SHORT)
    monkeypatch.chdir(tmp_path)

    assert read_application(Path("app/crossfade.yaml")).source.chart == str(
        tmp_path / "app/charts/colors"
    )


@pytest.mark.parametrize(
    ("made", "message"), [(False, "does not exist"), (True, "has no Chart.yaml")]
)
def test_a_chart_that_is_not_there_is_a_problem_of_the_file(tmp_path, made, message):
    file = tmp_path / "crossfade.yaml"
    file.write_text(SHORT.replace("kind: Application", "kind: X"))
    if made:
        (tmp_path / "charts/colors").mkdir(parents=True)

    with pytest.raises(InputError, match=f"(?s):2:7: kind.*:5:19: spec.source.chart: .*{message}"):
        read_applications(file)


def test_one_application_is_not_several(tmp_path):
    (tmp_path / "charts/colors").mkdir(parents=True)
    (tmp_path / "charts/colors/Chart.yaml").write_text("")
    file = tmp_path / "crossfade.yaml"
    file.write_text(SHORT + "---\n" + SHORT.replace("name: colors", "name: shapes"))

    with pytest.raises(InputError, match="has 2 applications"):
        read_application(file)
    assert len(read_applications(file)) == 2


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("crossfade.yml", NotFound, "there is no file"),
        ("no/such/folder.yaml", NotFound, "there is no file"),
        ("folder", InputError, "is a folder"),
        ("nul\0name", InputError, "cannot be read"),
        ("x" * 300, InputError, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, error, message):
    (tmp_path / "crossfade.yaml").write_text(SHORT)
    (tmp_path / "folder").mkdir()

    with pytest.raises(error, match=message) as caught:
        read_applications(tmp_path / name)
    if name == "crossfade.yml":
        assert caught.value.hint == 'did you mean "crossfade.yaml"?'


def test_a_file_without_the_right_to_read_is_denied(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(Denied, match="may not be read"):
        read_applications(tmp_path / "crossfade.yaml")


SYMBOLS = [
    "\t",
    "\n",
    " ",
    ":",
    "-",
    "{",
    "}",
    "[",
    "]",
    "&a",
    "*a",
    "!x",
    "!!int",
    "|",
    ">",
    "%",
    "@",
    "`",
    '"',
]
SYMBOLS += [
    "'",
    "#",
    "---",
    "...",
    "?",
    "<<",
    "0x",
    "~",
    "1e999",
    "\u2028",
    "\ufeff",
    "é",
    "\x85",
    "\x07",
    ",",
]


def answer(text: str) -> None:
    """Anything goes, except an error that is not ours, or one without words."""
    refused = None
    try:
        assert parse(text, "f.yaml")
    except CrossfadeError as error:
        refused = error
    assert refused is None or (refused.hint and refused.what.startswith("f.yaml"))


@given(st.text(max_size=200))
@example("&a [*a]")
@example("? ")
@example("!<tag:yaml.org,2002:int> x")
@example("!!bool maybe")
@example("%YAML 9.9\n---\na: 1")
@example("%TAG ! x\n%TAG ! y\n--- a")
@example("---\n%")
@example('"\\ud800"')
def test_no_text_whatever_makes_the_reader_fall_over(text):
    answer(text)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from([FULL, SHORT]),
    st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=4),
    st.randoms(),
)
def test_no_slip_of_the_keyboard_makes_the_reader_fall_over(text, symbols, where: random.Random):
    for symbol in symbols:
        at = where.randrange(len(text))
        text = text[:at] + symbol + text[at + where.randrange(3) :]
    answer(text)
