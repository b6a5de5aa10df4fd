"""How messages quote and guess."""

from crossfade.base.words import did_you_mean, nearest, shown


def test_a_slip_is_guessed_whatever_its_dashes():
    assert nearest("fail-fats", ["fail_fast", "title"]) == "fail_fast"
    assert did_you_mean("tilte", ["title"]) == '; did you mean "title"?'
    assert did_you_mean("zzz", ["title"]) == ""
    assert nearest("image", ["stage"], alike=0.8) is None


def test_guessing_among_very_many_words_takes_no_time():
    assert nearest("x" * 10_000, (f"step-{number}" for number in range(10**6))) is None


def test_a_long_value_is_cut():
    assert shown("a") == '"a"'
    assert len(shown("a" * 1000)) == 60
    assert shown({"a": object}).startswith('{"a": "<class')
