"""What an API server refuses, as errors that say what to do."""

import json

import pytest

from crossfade.adapters.kubernetes.answers import refusal, silence
from crossfade.base.errors import Conflict, Denied, InputError, NotFound, Unavailable


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        (400, "bad", InputError),
        (401, "Unauthorized", Denied),
        (403, "pods is forbidden: User x cannot list", Denied),
        (403, 'pods "a" is forbidden: exceeded quota: small', InputError),
        (404, "not found", NotFound),
        (409, "the object has been modified", Conflict),
        (410, "too old resource version", Conflict),
        (422, "spec.replicas: Invalid value", InputError),
        (429, "too many requests", Unavailable),
        (500, "etcd", Unavailable),
        (503, "starting", Unavailable),
    ],
)
def test_each_refusal_has_its_class_the_servers_words_and_a_hint(code, message, error):
    body = json.dumps({"kind": "Status", "message": message})
    got = refusal(code, body, "aws")
    assert type(got) is error
    assert got.facts["cluster"] == "aws"
    assert got.hint
    if code != 401:
        assert message in got.what


@pytest.mark.parametrize("body", ["", "<html>Bad Gateway</html>", "[]", "null"])
def test_an_answer_of_something_else_than_kubernetes_is_no_crash(body):
    assert refusal(502, body, "aws").hint


def test_a_certificate_that_does_not_fit_has_a_hint_of_its_own():
    got = silence(OSError("certificate verify failed: expired"), "aws", 1)
    assert "certificate" in got.hint


def test_a_deadline_is_told_in_seconds():
    assert "no answer in 2.5 s" in silence(TimeoutError(), "aws", 2.5).what
