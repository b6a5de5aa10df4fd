"""What metrics ask, filled in for one revision."""

import pytest

from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import InputError
from crossfade.base.secrets import SecretRef
from crossfade.core.analysis.queries import (
    CloudWatchQuery,
    DatadogQuery,
    JobQuery,
    PrometheusQuery,
    WebQuery,
    fields_of,
    filled,
)

FIELDS = fields_of({"revision": "r1", "cluster": "aws"}, {"env": "prod"})
TOKEN = SecretRef("token")

QUERIES = [
    (PrometheusQuery('up{v="{{revision}}"}'), PrometheusQuery('up{v="r1"}')),
    (
        DatadogQuery("avg:x{v:{{revision}}}", {"a": "sum:y{e:{{args.env}}}"}, "a*2"),
        DatadogQuery("avg:x{v:r1}", {"a": "sum:y{e:prod}"}, "a*2"),
    ),
    (
        CloudWatchQuery(({"Id": "a", "Expression": "SUM({{revision}})"},)),
        CloudWatchQuery(({"Id": "a", "Expression": "SUM(r1)"},)),
    ),
    (
        WebQuery(
            "https://x/{{revision}}",
            headers={"A": "{{args.env}}", "B": TOKEN},
            body={"r": "{{revision}}"},
        ),
        WebQuery("https://x/r1", headers={"A": "prod", "B": TOKEN}, body={"r": "r1"}),
    ),
    (
        JobQuery("smoke-{{revision}}", {"template": {"env": ["{{args.env}}"]}}, "{{cluster}}"),
        JobQuery("smoke-r1", {"template": {"env": ["prod"]}}, "aws"),
    ),
]


@pytest.mark.parametrize(("query", "expected"), QUERIES, ids=lambda each: type(each).__name__)
def test_every_text_of_a_query_is_filled_in(query, expected):
    assert filled(query, FIELDS) == expected


@pytest.mark.parametrize("query", [each[0] for each in QUERIES], ids=lambda q: type(q).__name__)
def test_a_query_survives_the_store(query):
    assert from_json(type(query), to_json(query)) == query


def test_a_query_with_a_value_that_nobody_gave_is_refused_and_never_sent():
    with pytest.raises(InputError, match=r"args\.path"):
        filled(PrometheusQuery("{{args.path}}"), FIELDS)
