"""No secret gets into a log, however it is written and wherever the output was cut."""

import base64
import json
import random
import string
import time
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.pipeline.masking import Mask, masked
from crossfade.testing import secret_logs

SECRET = 'pa"ss/wörd+&\\ 1'


def in_pieces(text: str, cuts: list[int], secrets: list[str]) -> str:
    mask = Mask(secrets)
    shown, last = "", 0
    for cut in sorted(cuts):
        shown += mask.feed(text[last:cut])
        last = max(last, cut)
    return shown + mask.feed(text[last:]) + mask.finish()


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(SECRET, id="as-it-is"),
        pytest.param(json.dumps(SECRET), id="in-JSON"),
        pytest.param(json.dumps(SECRET, ensure_ascii=False), id="in-JSON-with-all-letters"),
        pytest.param(json.dumps(json.dumps(SECRET)), id="in-JSON-in-JSON"),
        pytest.param(json.dumps(SECRET).replace("/", "\\/"), id="in-JSON-of-PHP"),
        pytest.param(json.dumps(SECRET).replace("&", "\\u0026"), id="in-JSON-of-Go"),
        pytest.param(quote(SECRET), id="in-an-address"),
        pytest.param(quote(SECRET, safe="").lower(), id="in-an-address-in-small-letters"),
        pytest.param(SECRET[:5] + "\n" + SECRET[5:], id="over-the-end-of-a-line"),
        pytest.param(SECRET[:5] + "\r\n" + SECRET[5:], id="over-the-end-of-a-line-of-Windows"),
        *(
            pytest.param(
                base64.b64encode(b"u" * shift + SECRET.encode() + b":z" * end).decode(),
                id=f"in-base64-after-{shift}-before-{end}",
            )
            for shift in range(4)
            for end in range(2)
        ),
        pytest.param(
            base64.urlsafe_b64encode(SECRET.encode()).decode(), id="in-base64-of-addresses"
        ),
    ],
)
def test_a_secret_is_masked_in_every_form_that_tools_print(written):
    shown = masked(f"before {written} after", [SECRET])

    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert "***" in shown
    for part in (
        SECRET[:4],
        "rd+",
        "%26",
        "\\u00f6",
        base64.b64encode(SECRET.encode()).decode()[4:9],
    ):
        assert part not in shown


def test_base64_that_a_tool_has_wrapped_is_masked_on_both_lines():
    secret = "a-rather-long-secret-of-more-than-sixty-characters-so-that-base64-wraps-it-for-sure"
    wrapped = base64.encodebytes(secret.encode()).decode()

    assert wrapped.count("\n") == 2
    assert masked(wrapped, [secret]).strip("=\n") == "***"


def test_each_line_of_a_key_is_masked_by_itself():
    key = "-----BEGIN KEY-----\nabcdefgh\nijklmnop\n-----END KEY-----\n"

    shown = masked(f"1: abcdefgh\n2: ijklmnop\n{key}", [key])

    assert "abcdefgh" not in shown
    assert "ijklmnop" not in shown


def test_a_secret_added_late_is_masked_from_then_on():
    mask = Mask()
    assert mask.feed("token ") == "token "

    mask.add(["tok-12345"])

    assert mask.feed("tok-12") == ""
    assert mask.feed("345\n") == "***\n"


def test_what_only_looks_like_the_beginning_of_a_secret_is_shown_as_soon_as_that_is_clear():
    mask = Mask(["secret-value"])

    assert mask.feed("a secret") == "a "
    assert mask.feed("ary\n") == "secretary\n"


def test_of_two_secrets_with_one_beginning_the_longer_one_is_masked_whole():
    assert in_pieces("x abcdef y", [5], ["abc", "abcdef"]) == "x *** y"


def test_a_text_of_two_characters_is_no_secret():
    assert masked("a=1, b=12", ["1", "12", ""]) == "a=1, b=12"


def test_text_without_secrets_is_not_changed():
    assert masked("hello\r\nworld\x1b[0m", ["secret"]) == "hello\r\nworld\x1b[0m"


secret_texts = st.text(alphabet='ab"\\/\n% +ö😀1', min_size=3, max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(secret_texts, min_size=1, max_size=3),
    st.lists(st.text(alphabet='ab"\\/\n% +ö1zc', max_size=8), min_size=1, max_size=5),
    st.randoms(use_true_random=False),
)
def test_how_the_output_is_cut_changes_nothing_and_no_secret_is_left(secrets, fillers, chance):
    text = "".join(filler + chance.choice(secrets) for filler in fillers)
    cuts = [chance.randrange(len(text) + 1) for _ in range(6)]

    whole = masked(text, secrets)

    assert in_pieces(text, cuts, secrets) == whole
    assert in_pieces(text, list(range(len(text))), secrets) == whole
    flat = whole.replace("\n", "").replace("\r", "")
    for secret in secrets:
        plain = secret.strip()
        if len(plain) >= 3 and "*" not in plain:
            assert plain not in flat or "\n" in plain


def test_many_fuzzed_lines_leak_nothing():
    chance = random.Random(7)  # noqa: S311 - not for secrets of anybody
    secrets = ["".join(chance.choices('abcdef0123456789/+"\\', k=16)) for _ in range(5)]
    forms = [lambda s: s, json.dumps, quote, lambda s: base64.b64encode(s.encode()).decode()]
    mask = Mask(secrets)
    shown = []
    for _ in range(2_000):
        noise = "".join(chance.choices("ghijklmn =:\n", k=chance.randrange(30)))
        text = noise + chance.choice(forms)(chance.choice(secrets)) + noise
        cut = chance.randrange(len(text) + 1)
        shown += [mask.feed(text[:cut]), mask.feed(text[cut:])]
    log = "".join([*shown, mask.finish()])

    assert log.count("***") >= 2_000
    for secret in secrets:
        assert not any(form(secret).strip('"=') in log for form in forms)


@pytest.mark.parametrize("seed", range(40))
def test_logs_of_fuzzed_forms_pieces_and_pauses_leak_nothing(seed):
    made = secret_logs.log(random.Random(seed))  # noqa: S311 - the same logs each time

    assert made.leaks == ()
    assert "***" in made.shown


def test_keys_of_several_clusters_do_not_slow_logs_down():
    chance = random.Random(1)  # noqa: S311 - not for secrets of anybody
    letters = string.ascii_letters
    keys = ["\n".join("".join(chance.choices(letters, k=64)) for _ in range(28)) for _ in range(3)]
    began = time.process_time()

    mask = Mask([*keys, *("".join(chance.choices(letters, k=900)) for _ in range(3))])
    for number in range(300):
        mask.feed(f"line {number} of a step that prints a lot, one at a time\n")

    assert time.process_time() - began < 2.0, "1.3 ms a line is far too much already"


def test_an_escape_that_is_cut_in_two_is_put_together_again():
    assert in_pieces('"t\\u00e9l\\u00e9"', [4, 6, 13], ["télé"]) == '"***"'
    assert in_pieces("t%C3%A9l%C3%A9", [2, 5, 6, 11], ["télé"]) == "***"
    assert in_pieces("\\ud83d\\ude00\\u0061bc", [4, 9], ["😀abc"]) == "***"


def test_an_escape_that_never_ends_is_shown_as_it_is():
    assert masked("a\\u00 b% c%4", ["secret"]) == "a\\u00 b% c%4"
    assert masked("c\\u00", ["secret"]) == "c\\u00"
    assert masked("%C3", ["secret"]) == "%C3"


def test_of_two_secrets_that_overlap_nothing_is_left():
    assert masked("abcdefgh", ["abcde", "defgh"]) == "***"
