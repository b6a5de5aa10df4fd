"""Sources of metrics and queries in files."""

import pytest

from crossfade.adapters.documents.problems import Problems
from crossfade.adapters.documents.sources_shape import QUERY, SOURCE, query, source
from crossfade.adapters.documents.tree import read_tree
from crossfade.base.secrets import SecretRef
from crossfade.core.analysis.queries import (
    CloudWatchQuery,
    DatadogQuery,
    JobQuery,
    PrometheusQuery,
    WebQuery,
)
from crossfade.core.analysis.sources import (
    Basic,
    Bearer,
    CloudWatchSource,
    DatadogSource,
    Header,
    PrometheusSource,
)

A, B, C = SecretRef("a"), SecretRef("b"), SecretRef("c")


def read(shape, text):
    problems = Problems("file")
    (tree,) = read_tree(text, problems)
    return shape.read(tree, "x", problems), [
        f"{each.path}: {each.message}" for each in problems.found
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "prometheus: {address: 'http://prometheus:9090'}",
            PrometheusSource("http://prometheus:9090"),
        ),
        (
            "prometheus: {address: 'https://mimir/prometheus', bearer: {secret: a}, headers: {X-Scope-OrgID: team}, caFile: /etc/ca.pem, timeout: 3s}",
            PrometheusSource(
                "https://mimir/prometheus", Bearer(A), {"X-Scope-OrgID": "team"}, "/etc/ca.pem", 3.0
            ),
        ),
        (
            "prometheus: {address: 'http://p', basic: {user: me, password: {secret: a}}}",
            PrometheusSource("http://p", Basic("me", A)),
        ),
        (
            "prometheus: {address: 'http://p', header: {name: X-Key, value: {secret: a}}}",
            PrometheusSource("http://p", Header("X-Key", A)),
        ),
        ("datadog: {apiKey: {secret: a}, applicationKey: {secret: b}}", DatadogSource(A, B)),
        (
            "datadog: {apiKey: {secret: a}, applicationKey: {secret: b}, address: 'https://api.datadoghq.eu'}",
            DatadogSource(A, B, "https://api.datadoghq.eu"),
        ),
        (
            "cloudwatch: {region: eu-west-1, accessKeyId: {secret: a}, secretAccessKey: {secret: b}, sessionToken: {secret: c}}",
            CloudWatchSource("eu-west-1", A, B, C),
        ),
    ],
)
def test_sources_of_every_kind_are_taken(text, expected):
    found, problems = read(SOURCE, text)
    assert problems == []
    assert source(found) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prometheus: 'up{v=\"{{revision}}\"}'", PrometheusQuery('up{v="{{revision}}"}')),
        (
            "datadog: {query: 'avg:x{*}', interval: 1m}",
            DatadogQuery("avg:x{*}", interval_seconds=60.0),
        ),
        (
            "datadog: {queries: {a: x, b: y}, formula: a / b, aggregator: sum}",
            DatadogQuery(queries={"a": "x", "b": "y"}, formula="a / b", aggregator="sum"),
        ),
        (
            "cloudwatch: {queries: [{Id: a, Expression: SUM}]}",
            CloudWatchQuery(({"Id": "a", "Expression": "SUM"},)),
        ),
        (
            "web: {url: 'https://x/{{revision}}', method: POST, headers: {A: {secret: a}}, body: {r: 1}, jsonPath: $.ok, timeout: 2s}",
            WebQuery("https://x/{{revision}}", "POST", {"A": A}, {"r": 1}, "$.ok", 2.0),
        ),
        (
            "job: {cluster: '{{cluster}}', spec: {template: {}}, timeout: 1m}",
            JobQuery("smoke", {"template": {}}, "{{cluster}}", timeout_seconds=60.0),
        ),
    ],
)
def test_queries_of_every_kind_are_taken(text, expected):
    found, problems = read(QUERY, text)
    assert problems == []
    assert query(found, "smoke") == expected


@pytest.mark.parametrize(
    ("shape", "text", "message"),
    [
        (SOURCE, "{}", "exactly one of prometheus, datadog, cloudwatch"),
        (SOURCE, "prometheus: {}", "x.prometheus.address: is missing"),
        (SOURCE, "prometheus: {address: 'https://me:p4ss@p'}", "x.prometheus.address: "),
        (
            SOURCE,
            "prometheus: {address: 'http://p', bearer: {secret: a}, basic: {user: a, password: {secret: b}}}",
            "at most one of bearer, basic, header",
        ),
        (SOURCE, "prometheus: {address: 'http://p', bearer: t0k3n}", "x.prometheus.bearer: "),
        (SOURCE, "datadog: {apiKey: {secret: a}}", "x.datadog.applicationKey: is missing"),
        (SOURCE, "promtheus: {}", 'did you mean "prometheus"'),
        (QUERY, "{}", "a query has exactly one of prometheus, datadog, cloudwatch, web, job"),
        (QUERY, "prometheus: 'up{{ .Name }}'", "x.prometheus: `{{ .Name }}` is no placeholder"),
        (QUERY, "datadog: {queries: {a: x, b: y}}", "x.datadog.formula: is missing, as `a / b`"),
        (QUERY, "datadog: {}", "exactly one of query, queries"),
        (QUERY, "web: {url: 'https://x', jsonPath: $..x}", "x.web.jsonPath: the JSON path"),
        (QUERY, "job: {cluster: a, spec: {template: {a: ['{{a b}}']}}}", "x.job: `{{a b}}`"),
    ],
)
def test_what_is_wrong_is_told_at_its_key(shape, text, message):
    _, problems = read(shape, text)
    assert any(message in each for each in problems), problems
