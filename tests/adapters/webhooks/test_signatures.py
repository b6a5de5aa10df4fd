"""Only who knows the secret makes builds."""

import hashlib
import hmac

import pytest

from crossfade.adapters.webhooks.signatures import genuine
from crossfade.base.secrets import Secret

BODY, SECRET = b'{"a": 1}', Secret("s3cret")
SIGNED = hmac.new(b"s3cret", BODY, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    "headers",
    [
        {"x-hub-signature-256": f"sha256={SIGNED}"},
        {"x-hub-signature": f"sha256={SIGNED}"},
        {"x-gitea-signature": SIGNED},
        {"x-gitlab-token": "s3cret"},
        {"authorization": "Bearer s3cret"},
        {"x-crossfade-token": "s3cret"},
    ],
    ids=lambda each: next(iter(each)),
)
def test_a_request_that_proves_itself_is_taken(headers):
    assert genuine(headers, BODY, SECRET)
    assert not genuine(headers, BODY, Secret("another"))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature-256": ""},
        {"x-hub-signature-256": "sha256="},
        {"x-hub-signature-256": f"sha256={SIGNED[:-1]}0"},
        {"x-hub-signature": "sha1=0123"},
        {"x-hub-signature-256": "sha256=é"},
        {"x-gitlab-token": "wrong"},
        {"authorization": "Basic s3cret"},
        # Who signs wrongly is not asked for anything else.
        {"x-hub-signature-256": "sha256=0", "x-gitlab-token": "s3cret"},
    ],
)
def test_any_other_request_is_not(headers):
    assert not genuine(headers, BODY, SECRET)


def test_a_body_that_was_changed_is_not_taken():
    assert not genuine({"x-hub-signature-256": f"sha256={SIGNED}"}, b'{"a": 2}', SECRET)


def test_without_a_secret_nobody_gets_in():
    empty = hmac.new(b"", BODY, hashlib.sha256).hexdigest()

    assert not genuine({"x-hub-signature-256": f"sha256={empty}"}, BODY, Secret(""))
    assert not genuine({"x-gitlab-token": ""}, BODY, Secret(""))
