"""What helm prints, as errors that say what to do."""

import pytest

from crossfade.adapters.helm.errors import translate
from crossfade.base.errors import Conflict, Denied, InputError, Unavailable

SAID = [
    (
        "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
        Conflict,
        "another Helm operation",
    ),
    (
        'Error: INSTALLATION FAILED: Kubernetes cluster unreachable: Get "https://x/version": '
        "dial tcp 127.0.0.1:1: connect: connection refused",
        Unavailable,
        "does not answer",
    ),
    (
        'Error: INSTALLATION FAILED: Kubernetes cluster unreachable: context "b" does not exist',
        Unavailable,
        "kubeconfig",
    ),
    (
        "Error: Kubernetes cluster unreachable: stat /x: no such file or directory",
        Unavailable,
        "kubeconfig",
    ),
    (
        "Error: Kubernetes cluster unreachable: the server has asked for the client to provide "
        "credentials: Unauthorized",
        Denied,
        "credentials",
    ),
    (
        'Error: UPGRADE FAILED: secrets is forbidden: User "u" cannot create resource "secrets"',
        Denied,
        "forbids",
    ),
    (
        'Error: UPGRADE FAILED: pods "a" is forbidden: exceeded quota: small, requested: cpu=1',
        InputError,
        "quota",
    ),
    ("Error: INSTALLATION FAILED: context deadline exceeded", Unavailable, "does not answer"),
    ("Error: failed pre-install: timed out waiting for the condition", Unavailable, "hook"),
    (
        "Error: An error occurred while checking for chart dependencies. You may need to run "
        "`helm dependency build` to fetch missing dependencies: found in Chart.yaml, but "
        "missing in charts/ directory: redis",
        InputError,
        "dependencies",
    ),
    ('Error: path "/x" not found', InputError, "no chart"),
    (
        "Error: file '/x.tgz' does not appear to be a gzipped archive; got 'text/plain'",
        InputError,
        "no chart",
    ),
    (
        'Error: failed to do request: Head "http://r/v2/x": connect: connection refused',
        Unavailable,
        "registry",
    ),
    (
        'Error: looks like "http://r/x" is not a valid chart repository or cannot be reached',
        Unavailable,
        "registry",
    ),
    (
        'Error: chart "x" version "9" not found in https://r repository',
        InputError,
        "no such chart or version",
    ),
    (
        'Error: unable to build kubernetes objects from release manifest: resource mapping not '
        'found for name: "x": no matches for kind "ServiceMonitor" in version "m.coreos.com/v1"',
        InputError,
        "does not know a kind",
    ),
    (
        'Error: UPGRADE FAILED: Deployment.apps "x" is invalid: spec.replicas: must be positive',
        InputError,
        "refuses an object",
    ),
    ("Error: something new", InputError, "helm failed: something new"),
    ("", InputError, "said nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("stderr", "error", "what"), SAID)
def test_each_failure_has_its_class_and_a_hint(stderr, error, what):
    got = translate(stderr, "aws")
    assert type(got) is error
    assert what in got.what
    assert got.hint
    assert got.facts["cluster"] == "aws"


@pytest.mark.parametrize(
    ("stderr", "file", "line"),
    [
        (
            'Error: template: colors/templates/bad.yaml:7:10: executing "x" at <.Values.a.b>: nil '
            "pointer evaluating interface {}.b\n\nUse --debug flag to render out invalid YAML",
            "templates/bad.yaml",
            7,
        ),
        ("Error: parse error at (colors/templates/bad.yaml:3): missing value for if",
         "templates/bad.yaml", 3),
        (
            "Error: YAML parse error on colors/templates/bad.yaml: error converting YAML to JSON: "
            "yaml: line 2: mapping values are not allowed in this context",
            "templates/bad.yaml",
            2,
        ),
        ("Error: execution error at (colors/charts/db/templates/x.tpl:1:3): password is needed",
         "charts/db/templates/x.tpl", 1),
    ],
)  # fmt: skip
def test_a_template_that_fails_is_named_with_its_line(stderr, file, line):
    got = translate(stderr, None)
    assert got.facts == {"file": file, "line": line}
    assert "does not render" in got.what
    assert "--debug" not in got.what


def test_values_that_do_not_fit_are_told_without_preamble():
    stderr = (
        "Error: values don't meet the specifications of the schema(s) in the following chart(s):\n"
        "colors:\n- colour: Does not match pattern\n"
    )
    got = translate(stderr, None)
    assert (
        got.what
        == "the values do not fit the chart's schema: colors:\n- colour: Does not match pattern"
    )


def test_warnings_are_no_part_of_the_message():
    stderr = (
        'WARNING: file is group-readable\nW1123 04:00:00 1 x.go:1] old\nError: path "x" not found'
    )
    assert "WARNING" not in translate(stderr, None).what
    assert "old" not in translate(stderr, None).what


def test_what_our_post_renderer_refuses_keeps_its_own_words_and_hint():
    stderr = (
        "Error: INSTALLATION FAILED: error while running post render on files: error while running "
        "command python. error output:\ncrossfade: Namespace/x exists once (problems=1)\n"
        "crossfade-hint: take it out\n: exit status 1"
    )
    got = translate(stderr, "aws")
    assert (got.what, got.hint) == ("Namespace/x exists once (problems=1)", "take it out")
