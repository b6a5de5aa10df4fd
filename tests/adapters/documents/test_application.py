"""Application files: what people write, right and wrong."""

from dataclasses import fields
from pathlib import Path

import pytest

from crossfade.adapters.documents.application import parse
from crossfade.base.errors import InputError
from crossfade.base.secrets import SecretRef
from crossfade.core.analysis.kayenta import Direction
from crossfade.core.analysis.plan import OnTimeout
from crossfade.core.analysis.queries import PrometheusQuery, WebQuery
from crossfade.core.analysis.runs import ComparedMetric, Comparison, RunMetric, RunSpec
from crossfade.core.analysis.sources import PrometheusSource
from crossfade.core.analysis.spec import Analysis, ErrorThreshold, Judge
from crossfade.core.application import Application, Failover, Placement, Route, Shared, Source
from crossfade.core.dns.record import Algorithm, DnsSpec, Scheme, UpdateKey
from crossfade.core.failover.drill import Objective
from crossfade.core.failover.failback import Failback
from crossfade.core.release.data import DataForms
from crossfade.core.rollout.freeze import FreezeWindow
from crossfade.core.rollout.gates import Endpoint, Gate, Hook, HookPhase, Moment
from crossfade.core.rollout.notifications import Notification, SlackChannel
from crossfade.core.rollout.spec import (
    Analyse,
    Approval,
    Deadlines,
    Kind,
    Pause,
    Ramp,
    SetHeaderRoute,
    SetMirror,
    SetScale,
    SetWeight,
    Strategy,
    Unreachable,
    Wave,
)
from crossfade.core.traffic.destinations import Mode
from crossfade.core.traffic.priorities import Priority
from crossfade.core.traffic.split import HeaderMatch, MatchKind, Sticky

HERE = Path(__file__).parent
FULL = (HERE / "full.yaml").read_text()
SHORT = (HERE / "short.yaml").read_text()


ANSWERS = RunMetric(
    "answers",
    WebQuery("https://{{service}}.test{{args.path}}", path="{$.ok}"),
    success="result == true",
    interval_seconds=10.0,
    count=3,
    failure_limit=1,
)
LATENCY = Comparison(
    (
        ComparedMetric(
            "latency",
            PrometheusQuery("p99{revision='{{revision}}'}"),
            PrometheusQuery("p99{revision='{{stable}}'}"),
            direction=Direction.INCREASE,
        ),
    ),
    lifetime_seconds=3600.0,
    interval_seconds=600.0,
)
TESTERS = (
    HeaderMatch("x-tester", "yes"),
    HeaderMatch("beta", "a", MatchKind.PREFIX, cookie=True),
)
STEPS = (
    SetScale(50),
    SetHeaderRoute("testers", TESTERS),
    SetMirror(20),
    SetWeight(10),
    Pause(90.0),
    Analyse(None, 300.0),
    Analyse("smoke"),
    SetHeaderRoute("testers"),
    SetScale(None),
    SetWeight(50),
    Approval("looks good"),
    Ramp(80),
    Pause(None),
)


def problems(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse(text, "crossfade.yaml")
    assert caught.value.hint
    return caught.value.what


def test_every_key_arrives_where_the_core_looks_for_it():
    assert parse(FULL, "crossfade.yaml") == (
        Application(
            name="colors",
            namespace="shop",
            source=Source(
                "oci://registry.example.com/charts/colors",
                None,
                "1.10",
                {
                    "replicaCount": 3,
                    "on": "yes",
                    "nothing": None,
                    "list": [1, 2.5, "x"],
                    "when": "2026-01-01",
                    "8080": {},
                },
            ),
            route=Route(
                "colors.example.com",
                "colors-web",
                8080,
                "infra/private",
                "/healthz",
                0.25,
                retry_non_idempotent=True,
                sticky=True,
                priorities=(Priority("paying", (HeaderMatch("x-plan", "gold"),)),),
            ),
            dns=DnsSpec(
                "10.0.0.53",
                "example.com",
                UpdateKey("crossfade", SecretRef("dns-key"), Algorithm.SHA512),
                port=5353,
                ttl_seconds=60,
                edges={"edge-1": "203.0.113.10", "edge-2": "2001:db8::2"},
                probe_port=8080,
                probe_scheme=Scheme.HTTPS,
                probe_verify=False,
            ),
            placement=Placement(
                {"tier": "prod", "example.com/zone": ""},
                Mode.OVERFLOW,
                {"gcp": 1},
                70,
                True,
                50,
                7,
                demand=400,
            ),
            data=DataForms("orders-v2", ("orders-v1", "orders-v3")),
            failover=Failover(False, Failback.MANUAL, 300.0, 10.0, Objective(30.0, 1.0)),
            strategy=Strategy(
                STEPS,
                waves=(
                    Wave(("onprem",), pause_seconds=300.0),
                    Wave(match_labels={"cheap": "yes"}),
                ),
                max_skew=1,
                max_versions=3,
                quorum=2,
                unreachable=Unreachable.SKIP,
                keep_old_seconds=3600.0,
                keep_limit=1,
                revision_window=2,
                deadlines=Deadlines(90.0, 120.0, 3600.0),
                drain_seconds=0.0,
                sticky=Sticky("seen", 600.0),
                freeze=(FreezeWindow("weekend", "0 18 * * fri", 62 * 3600.0),),
                gates=(Gate("board", Endpoint("https://board.example.com/")),),
                hooks=(
                    Hook("purge", Moment.AFTER, HookPhase.ENDED, Endpoint(SecretRef("purge-url"))),
                ),
                survive=1,
            ),
            analysis=Analysis(
                Judge(
                    ("errors",),
                    100,
                    0.02,
                    0.1,
                    1.2,
                    2,
                    window_seconds=10.0,
                    min_seconds=300.0,
                    max_seconds=3600.0,
                    on_timeout=OnTimeout.ROLL_BACK,
                    min_requests=20,
                ),
                ErrorThreshold(2.5, 10, 60.0),
                (
                    RunSpec("smoke", (ANSWERS,), arguments={"path": "/"}),
                    RunSpec("compared", comparison=LATENCY, background=True),
                ),
                PrometheusSource("https://prometheus.example.com"),
            ),
            shared=(
                Shared("colors-db", Source("oci://registry.example.com/charts/db", None, "3.1")),
            ),
            notifications=(Notification("team", SlackChannel(SecretRef("slack-url"))),),
            edge_weights={"gcp": 200, "aws": 0},
        ),
    )


def test_what_is_left_out_takes_the_defaults_of_the_core():
    (found,) = parse(SHORT, "crossfade.yaml")

    assert found == Application(
        "colors", Source("charts/colors"), Route("colors.example.com", "colors")
    )


def test_an_empty_list_of_metrics_turns_judging_off():
    (found,) = parse(SHORT + "  analysis: {metrics: []}\n", "crossfade.yaml")

    assert not found.analysis.judged


@pytest.mark.parametrize(
    ("dispersion", "errors", "latency"),
    [("3", 3.0, None), ("{errors: 4}", 4.0, 1.0), ("{latency: 1.5}", 1.0, 1.5)],
)
def test_dispersion_is_one_factor_or_one_for_errors_and_one_for_latency(
    dispersion, errors, latency
):
    (found,) = parse(f"{SHORT}  analysis: {{dispersion: {dispersion}}}\n", "crossfade.yaml")

    judge = found.analysis.judge
    assert judge is not None
    assert (judge.dispersion, judge.latency_dispersion) == (errors, latency)


@pytest.mark.parametrize(
    ("dispersion", "message"),
    [("0.5", "or `{errors: 4}` with one for errors"), ("{errors: 11}", "a number from 1 to 10")],
)
def test_a_dispersion_that_cannot_be_is_refused_with_what_is_allowed(dispersion, message):
    assert message in problems(f"{SHORT}  analysis: {{dispersion: {dispersion}}}\n")


def test_blue_green_is_a_preview_a_switch_and_what_surrounds_it():
    text = """  rollout:
    blueGreen:
      preview: [{header: x-preview, exact: "1"}]
      before: [{analysis: {duration: 1m}}]
      autoPromote: false
      after: [{pause: {duration: 30s}}]
"""
    (found,) = parse(SHORT + text, "crossfade.yaml")

    assert found.strategy.kind is Kind.BLUE_GREEN
    assert found.strategy.steps == (
        SetScale(100),
        SetHeaderRoute("preview", (HeaderMatch("x-preview", "1"),)),
        Analyse(None, 60.0),
        Pause(None),
        SetWeight(100),
        SetHeaderRoute("preview"),
        Pause(30.0),
    )


def test_an_a_b_test_sends_who_matches_until_it_is_over():
    text = "  rollout: {abTest: {match: [{cookie: group, exact: b}], duration: 1h}}\n"
    (found,) = parse(SHORT + text, "crossfade.yaml")
    match = (HeaderMatch("group", "b", cookie=True),)

    assert found.strategy.steps == (
        SetScale(100),
        SetHeaderRoute("ab-test", match),
        Pause(3600.0),
        SetHeaderRoute("ab-test"),
    )


@pytest.mark.parametrize(
    ("rollout", "steps"),
    [
        ("canary: {ramp: risk-budget}", (Ramp(),)),
        ("canary: {ramp: {maxWeight: 20}}", (Ramp(20),)),
        ("keepOld: forever", ()),
    ],
)
def test_every_strategy_becomes_steps(rollout, steps):
    (found,) = parse(f"{SHORT}  rollout: {{{rollout}}}\n", "crossfade.yaml")

    assert found.strategy.steps == steps


WORKER = "".join(line for line in SHORT.splitlines(True) if "route:" not in line)


@pytest.mark.parametrize(
    ("rolling", "steps", "in_place"),
    [
        ("{}", (25, 50, 75), False),
        ("{steps: [10], inPlace: true}", (10,), True),
    ],
)
def test_what_has_no_users_is_rolled_by_its_pods_and_not_judged(rolling, steps, in_place):
    (found,) = parse(f"{WORKER}  rollout: {{rolling: {rolling}}}\n", "crossfade.yaml")

    assert found.route is None
    assert found.strategy.steps == tuple(SetWeight(each) for each in steps)
    assert found.strategy.in_place is in_place
    assert not found.analysis.judged


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("  rollout: {canary: {}}\n", "needs a route"),
        ("  analysis: {metrics: [errors]}\n", "there is no route"),
    ],
)
def test_what_needs_users_is_refused_without_a_route(rest, message):
    assert message in problems(WORKER + rest)


@pytest.mark.parametrize(
    ("rollout", "message"),
    [
        ("{rolling: {}}", "which is for what has no route"),
        ("{canary: {}, blueGreen: {}}", "cannot go with `canary`"),
        ("{canary: {steps: [{setWeight: 1, pause: {}}]}}", "a step has exactly one of"),
        ("{canary: {steps: [], ramp: risk-budget}}", "cannot go with `steps`"),
        ("{canary: {steps: [{analysis: {run: x}}]}}", "waits for the analysis run `x`"),
        ("{canary: {ramp: risky}}", "allowed: risk-budget, or"),
        ("{canary: {ramp: {maxWeight: 0}}}", "a number from 0.2 to 100"),
        ("{keepOld: never}", "a duration such as 10m, or forever"),
        ("{waves: [{clusters: 3}]}", "names of clusters, or"),
        ("{abTest: {match: [{header: a, cookie: b, exact: c}]}}", "exactly one of header, cookie"),
        ("{abTest: {match: [{header: a}]}}", "exactly one of exact, prefix, regex"),
    ],
)
def test_a_strategy_that_cannot_be_is_refused_with_what_is_allowed(rollout, message):
    assert message in problems(f"{SHORT}  rollout: {rollout}\n")


def test_a_file_may_hold_several_applications_and_empty_documents():
    other = SHORT.replace("name: colors", "name: shapes")
    found = parse(f"---\n{SHORT}---\n---\n{other}...\n", "crossfade.yaml")

    assert [application.name for application in found] == ["colors", "shapes"]


def test_two_applications_of_one_name_are_refused():
    assert problems(f"{SHORT}---\n{SHORT}") == (
        "crossfade.yaml:10:18: metadata.name: the application in line 3 has this name already"
    )


def test_anchors_and_aliases_are_fine():
    text = SHORT.replace("charts/colors", "charts/colors, values: {a: &x {b: 1}, c: *x}")

    assert parse(text, "f")[0].source.values == {"a": {"b": 1}, "c": {"b": 1}}


def test_all_problems_are_told_at_once_in_the_order_of_the_file():
    text = FULL.replace("port: 8080", "port: 0").replace("kind: Application", "kind: X")
    text = text.replace("setWeight: 50", "setWeight: fifty").replace("gcp: 200", "gcp: &a *b")
    text = text.replace("gcp: &a *b", "gcp: !secret 1")
    lines = problems(text).splitlines()

    assert lines[0] == "crossfade.yaml has 4 problems:"
    assert [line.split(": ")[1] for line in lines[1:]] == [
        "kind",
        "spec.route.port",
        "spec.placement.weights.gcp",
        "spec.rollout.canary.steps[9].setWeight",
    ]


def test_no_key_of_the_core_is_out_of_reach_of_a_file():
    (found,) = parse(FULL, "crossfade.yaml")
    (short,) = parse(SHORT, "crossfade.yaml")

    for part in (Application, Source, Route, Placement, Failover, Strategy):
        full, default = (_first(part, application) for application in (found, short))
        same = [f.name for f in fields(part) if getattr(full, f.name) == getattr(default, f.name)]
        elsewhere = {"standby_percent", "minimum_percent"}  # keys of other modes
        assert set(same) <= {"name", "host", "repo", "router", "kind", "in_place"} | elsewhere


def _first(part: type, application: Application) -> object:
    inside = (application, *(getattr(application, f.name) for f in fields(Application)))
    return next(value for value in inside if isinstance(value, part))
