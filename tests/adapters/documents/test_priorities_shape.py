"""Classes of requests in an application file: kept as written, and refused where they make none."""

import pytest

from crossfade.adapters.documents.application import parse
from crossfade.base.errors import InputError
from crossfade.core.traffic.priorities import Priority
from crossfade.core.traffic.split import HeaderMatch, MatchKind

HEAD = """\
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {name: colors}
spec:
  source: {chart: "oci://charts.example.com/colors", version: 1.0.0}
  route:
    host: colors.localhost
    service: colors
    priorities:
"""


def read(*entries):
    text = HEAD + "".join(f"      - {entry}\n" for entry in entries)
    (application,) = parse(text, "crossfade.yaml")
    return application.route.priorities


def test_every_key_is_kept_in_the_order_of_the_file():
    assert read(
        "{name: paying, match: [{header: x-plan, exact: gold}, {cookie: member, prefix: 'y'}]}",
        "{name: rest}",
        "{name: exports, path: /exports}",
    ) == (
        Priority(
            "paying",
            (
                HeaderMatch("x-plan", "gold"),
                HeaderMatch("member", "y", MatchKind.PREFIX, cookie=True),
            ),
        ),
        Priority("rest"),
        Priority("exports", path="/exports"),
    )


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (["{name: a}", "{name: b}"], "two classes that ask nothing, a and b"),
        (["{name: a, path: /x}", "{name: a}"], "has `a` twice"),
        (["{name: others, path: /x}"], "`others` is the class that asks nothing"),
        (["{name: everybody, path: /x}"], "`everybody` is what users without classes"),
        (["{name: a, path: '/x?y=1'}"], "has a query"),
        (["{name: a, match: [{header: x, regex: '(?=a)'}]}"], "gateways do not have"),
        (["{name: a, match: [{header: x}]}"], "exact"),
        ([f"{{name: a{i}, path: /{i}}}" for i in range(9)], "8 are the most"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_what_cannot_be_meant_is_refused_with_its_place(entries, words):
    with pytest.raises(InputError) as refused:
        read(*entries)
    said = f"{refused.value.what} {refused.value.facts}"
    assert words in said
    assert "crossfade.yaml:" in said
