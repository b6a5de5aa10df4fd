"""Each key of an application file, written wrongly."""

from pathlib import Path

import pytest

from crossfade.adapters.documents.application import parse
from crossfade.base.errors import InputError

HERE = Path(__file__).parent
FULL = (HERE / "full.yaml").read_text()
SHORT = (HERE / "short.yaml").read_text()


def changed(old: str, new: str, text: str = FULL) -> str:
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            changed("kind: Application", "kind: Rollout"),
            ':2:7: kind: "Rollout" is not allowed; allowed: Application',
        ),
        (changed("writes: orders-v2, ", ""), "spec.data.writes: is missing"),
        (
            changed("writes: orders-v2", "writes: orders v2"),
            'spec.data.writes: "orders v2" is not allowed; allowed: a name of letters',
        ),
        (changed("v1alpha1", "v1"), ':1:13: apiVersion: "crossfade.dev/v1" is not allowed'),
        (changed("name: colors,", ""), ":3:11: metadata.name: is missing"),
        (changed("name: colors", "name: Colors"), 'metadata.name: "Colors" is not allowed'),
        (changed("name: colors", "name: 1colors"), 'metadata.name: "1colors" is not allowed'),
        (changed("name: colors", f"name: {'c' * 41}"), "41 characters, 40 are allowed"),
        (
            changed("metadata: {name: colors, namespace: shop}", "metadata:"),
            "metadata: nothing is not allowed",
        ),
        (changed('    version: "1.10"\n', ""), ":6:5: spec.source.version: is missing"),
        (
            changed('"1.10"', "1.10"),
            ":7:14: spec.source.version: 1.1 is no text here; put it in quotes",
        ),
        (
            changed('    version: "1.10"', "    repo: https://charts.example.com\n    version: x"),
            "spec.source.repo: cannot go with",
        ),
        (
            changed("charts/colors", 'charts/colors, version: "1"', SHORT),
            "spec.source.version: is only for",
        ),
        (
            changed("charts/colors", 'a/b, version: "1", repo: "https://x"', SHORT),
            "spec.source.chart: must be the name",
        ),
        (
            changed("charts/colors", 'a, version: "1", repo: ftp://x', SHORT),
            'spec.source.repo: "ftp://x" is not allowed; allowed: an address',
        ),
        (
            changed("chart:", "manifests: x\n    chart:"),
            "spec.source.manifests: is not supported yet",
        ),
        (
            changed("{replicaCount", "[{replicaCount").replace("8080: {}}", "8080: {}}]"),
            "spec.source.values: a list is not allowed",
        ),
        (
            changed("port: 8080", "port: 0"),
            "spec.route.port: 0 is not allowed; allowed: a whole number from 1 to 65535",
        ),
        (changed("port: 8080", "port: true"), "spec.route.port: true is not allowed"),
        (changed("port: 8080", "port: 80.5"), "spec.route.port: 80.5 is not allowed"),
        (changed("port: 8080", "port: '80'"), 'spec.route.port: "80" is not allowed'),
        (
            changed("gateway-api", "traefik"),
            'spec.route.router: "traefik" is not allowed; allowed: gateway-api, istio, nginx, replicas',
        ),
        (changed("gateway-api", "gatewayapi"), 'did you mean "gateway-api"?'),
        (changed("infra/private", "private"), "allowed: namespace/name"),
        (
            changed("host: colors.example.com", "host: Colors.example.com"),
            "allowed: a host name in lower case",
        ),
        (changed("path: /healthz", "path: healthz"), "allowed: a path that starts with /"),
        (
            changed("perTryTimeout: 250ms", "perTryTimeout: 0"),
            "spec.route.perTryTimeout: 0 is not allowed",
        ),
        (changed("gcp: 200", "gcp: -1"), "spec.placement.weights.gcp: -1 is not allowed"),
        (changed("gcp: 200", "G: 1"), 'spec.placement.weights: "G" is not allowed'),
        (
            changed("tier: prod", "tier: 1"),
            "spec.placement.clusters.matchLabels.tier: 1 is no text here",
        ),
        (
            changed("mode: overflow", "mode: warm-stand-by"),
            "allowed: active-active, active-passive, warm-standby, pilot-light, overflow",
        ),
        (changed("survive: 1", "survive: -1"), "spec.placement.survive: -1 is not allowed"),
        (
            changed("unreachable: skip", "unreachable: hodl"),
            'allowed: hold, skip, fail; did you mean "hold"?',
        ),
        (
            changed("unreachable: skip", "unreachable: 1"),
            "spec.rollout.unreachable: 1 is not allowed; allowed: hold",
        ),
        (
            changed("keepOld: 1h", "keepOld: 1 hour"),
            'keepOld: "1 hour" is not allowed; allowed: a duration such as 10m, or forever',
        ),
        (
            changed("keepOld: 1h", "keep_old: 1h"),
            'did you mean "keepOld"?',
        ),
        (changed("maxSkew: 1", "maxSkew: -1"), "spec.rollout.maxSkew: -1 is not allowed"),
        (
            changed("    canary:\n", "    canary:\n      ramp: risk-budget\n"),
            "spec.rollout.canary.ramp: cannot go with `steps`",
        ),
        (
            changed("setWeight: 10", "setWeight: 101"),
            "steps[3].setWeight: 101 is not allowed; allowed: a whole number from 0 to 100",
        ),
        (
            changed("setWeight: 10", "setWeigth: 10"),
            'unknown key "setWeigth"; allowed: setWeight, pause,',
        ),
        (
            changed("setWeight: 10", "experiment: {}"),
            "spec.rollout.canary.steps[3].experiment: is not supported yet",
        ),
        (
            changed("setWeight: 10", "setWeight: 10\n          pause: {}"),
            "spec.rollout.canary.steps[3]: a step has exactly one of",
        ),
        (changed("- setWeight: 10", "- {}"), "steps[3]: a step has exactly one of"),
        (
            changed("pause: {}", "pause:"),
            "spec.rollout.canary.steps[12].pause: nothing is not allowed",
        ),
        (
            changed("1m30s", "30x"),
            'spec.rollout.canary.steps[4].pause.duration: "30x" is not allowed',
        ),
        (
            changed("metric: errors", "metric: latency"),
            '"latency" is not allowed; allowed: errors',
        ),
        (changed("metric: errors, ", ""), "spec.analysis.thresholds[0].metric: is missing"),
        (
            changed("window: 1m}", "window: 1m}, {metric: errors}"),
            "spec.analysis.thresholds: has more than one entry",
        ),
        (
            changed("budget: 100", "budget: 0"),
            "spec.analysis.budget: 0 is not allowed",
        ),
        (
            changed("maxDuration: 1h", "maxDuration: 1m"),
            "spec.analysis.maxDuration: must be longer than minDuration",
        ),
        (
            changed("{objective: {recovery: 30s, errorBudget: 1%}", "{objective: 30s"),
            "spec.failover.objective: ",
        ),
        (
            FULL + "status: {}\n",
            'status: unknown key "status"; allowed: apiVersion, kind, metadata, spec',
        ),
        (
            "just text",
            '1:1: "just text" is not allowed; allowed: a mapping with the keys apiVersion',
        ),
        ("- a", "a list is not allowed"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_what_is_allowed(text, message):
    with pytest.raises(InputError) as caught:
        parse(text, "crossfade.yaml")
    assert message in caught.value.what
    assert caught.value.hint
