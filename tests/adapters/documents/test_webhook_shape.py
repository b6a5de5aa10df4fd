"""Secrets, addresses and webhooks in files."""

import pytest

from crossfade.adapters.documents.problems import Problems
from crossfade.adapters.documents.tree import read_tree
from crossfade.adapters.documents.webhook_shape import SECRET, WEBHOOK, endpoint, secret
from crossfade.base.secrets import SecretRef
from crossfade.core.rollout.gates import Endpoint


def read(shape, text):
    problems = Problems("file")
    (tree,) = read_tree(text, problems)
    return shape.read(tree, "x", problems), [
        f"{each.path}: {each.message}" for each in problems.found
    ]


def test_a_short_webhook_is_only_an_address():
    found, problems = read(WEBHOOK, "url: https://board.example.com/api")
    assert problems == []
    assert endpoint(found) == Endpoint("https://board.example.com/api")


def test_every_key_of_a_webhook_is_taken():
    found, problems = read(
        WEBHOOK,
        """
url: {secret: hook-url}
headers: {X-Team: a, Authorization: {secretRef: {cluster: aws, namespace: infra, name: board, key: token}}}
signingKey: {secret: hook.key}
timeout: 3s
attempts: 5
""",
    )
    assert problems == []
    assert endpoint(found) == Endpoint(
        SecretRef("hook-url"),
        {"X-Team": "a", "Authorization": SecretRef("board", "token", "infra", "aws")},
        SecretRef("hook.key"),
        3.0,
        5,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("url: ftp://x", "x.url: "),
        ("url: https://me:p4ss@x", "without user and password"),
        ("url: {secret: ../x}", "x.url.secret: "),
        (
            "{url: https://x, signingKey: {secret: a, secretRef: {cluster: a, namespace: b, name: c, key: d}}}",
            "exactly one of secret, secretRef",
        ),
        ("url: {}", "x.url: a mapping is not allowed; allowed: an address"),
        ("{url: https://x, signingKey: {}}", "a reference to a secret has exactly one"),
        ("{}", "x.url: is missing"),
        ("{url: https://x, signingKey: plain}", "x.signingKey: "),
        ("{url: https://x, headers: {'a b': c}}", "x.headers: "),
        ("{url: https://x, timeout: 0}", "x.timeout: "),
        ("{url: https://x, attempts: 0}", "x.attempts: "),
        ("{url: https://x, atempts: 2}", 'did you mean "attempts"'),
    ],
)
def test_what_is_wrong_is_told_at_its_key(text, message):
    _, problems = read(WEBHOOK, text)
    assert any(message in each for each in problems), problems


def test_a_secret_in_the_file_itself_is_refused():
    assert read(SECRET, "p4ss")[1]
    found, _ = read(SECRET, "{secret: a}")
    assert secret(found) == SecretRef("a")
