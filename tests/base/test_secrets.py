"""A secret does not get into what people or programs can read."""

import copy
import json
import pickle

import pytest

from crossfade.base.codec import to_json
from crossfade.base.secrets import Secret, SecretRef, masked

TOKEN = Secret("s3/cr+t ü")


def test_printing_or_formatting_a_secret_shows_stars():
    assert f"{TOKEN} {TOKEN!r} {TOKEN!s} {TOKEN:>5} {[TOKEN]} {{'a': {TOKEN}}}".count("s3/") == 0
    assert str(TOKEN) == "***"


def test_the_value_is_there_for_who_asks_for_it():
    assert TOKEN.reveal() == "s3/cr+t ü"
    assert Secret("s3/cr+t ü") == TOKEN
    assert hash(Secret("s3/cr+t ü")) == hash(TOKEN)
    assert Secret("other") != TOKEN


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy, json.dumps, to_json])
def test_a_secret_cannot_be_written_into_the_store_by_mistake(write):
    with pytest.raises(Exception, match=r".") as raised:
        write(TOKEN)
    assert "s3/" not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "the token s3/cr+t ü is wrong",
        "GET /x?token=s3%2Fcr%2Bt%20%C3%BC",
        "GET /x?token=s3%2Fcr%2Bt+%C3%BC",
        '{"token": "s3/cr+t \\u00fc"}',
        "Basic czMvY3IrdCDDvA==",
    ],
)
def test_what_a_server_says_back_is_masked_in_every_form(text):
    shown = masked(text, [TOKEN])
    assert "***" in shown
    for form in ("s3/cr", "s3%2F", "czMv"):
        assert form not in shown


def test_a_secret_that_is_part_of_a_longer_one_does_not_uncover_it():
    assert masked("abcdef", [Secret("abc"), Secret("abcdef")]) == "***"


def test_an_empty_secret_masks_nothing():
    assert masked("text", [Secret("")]) == "text"


def test_a_reference_says_where_the_secret_is():
    assert str(SecretRef("slack-url")) == "slack-url"
    assert str(SecretRef("slack", "url", "infra", "aws")) == "aws/infra/slack/url"
