"""The keys of `spec.analysis`: how a new revision is judged."""

from crossfade.adapters.documents.runs_shape import RUNS
from crossfade.adapters.documents.shapes import (
    Choice,
    Duration,
    Field,
    ListOf,
    MapOf,
    Number,
    OneOf,
    Places,
    Read,
    Record,
    Text,
)
from crossfade.adapters.documents.sources_shape import SOURCE
from crossfade.core.analysis.plan import OnTimeout
from crossfade.core.analysis.presets import Preset

_METRICS = ("errors", "latency")
_FACTOR = Number(1, 10, whole=False)
_DISPERSION = Record(
    {
        "errors": Field(_FACTOR, "That of errors.", default="1"),
        "latency": Field(_FACTOR, "That of latency.", default="1"),
    }
)
_THRESHOLD = Record(
    {
        "metric": Field(
            Choice(("errors",)),
            "What is measured: `errors`, the share of failed first tries.",
            required=True,
        ),
        "maxPercent": Field(
            Number(0, 100, whole=False), "The new revision fails above it.", default="5"
        ),
        "minRequests": Field(
            Number(1, 1_000_000_000),
            "Fewer requests give no verdict, neither good nor bad.",
            default="50",
        ),
        "window": Field(Duration(1, 86400), "How far back requests are counted.", default="30s"),
    }
)


def _check(analysis: Read, places: Places) -> None:
    source = analysis.get("source")
    if "counters" in analysis and not (isinstance(source, dict) and "prometheus" in source):
        places.wrong("counters", "needs `source: {prometheus: {address: ...}}`")
    if "counters" in analysis and analysis.get("thresholds"):
        places.wrong("thresholds", "are for counters of gateways; use a run with a condition")
    thresholds = analysis.get("thresholds")
    if isinstance(thresholds, tuple) and len(thresholds) > 1:
        places.wrong("thresholds", "has more than one entry; one threshold for errors is allowed")
    shortest, longest = analysis.get("minDuration", 600.0), analysis.get("maxDuration", 10_800.0)
    if isinstance(shortest, float) and isinstance(longest, float) and shortest >= longest:
        places.wrong("maxDuration", "must be longer than minDuration")


ANALYSIS = Record(
    {
        "metrics": Field(
            ListOf(Choice(_METRICS), "a list of errors and latency"),
            "What the judge compares between the new revision and the stable one beside it; an"
            " empty list turns it off.",
            default="errors, latency",
        ),
        "budget": Field(
            Number(1, 1_000_000_000), "Requests that a rollout may harm at most.", default="300"
        ),
        "alpha": Field(
            Number(0.0001, 0.2, whole=False),
            "Chance that a revision as good as the stable one is ever taken back.",
            default="0.01",
        ),
        "beta": Field(
            Number(0.0001, 0.5, whole=False),
            "Chance that a clearly worse revision is proven good.",
            default="0.05",
        ),
        "tolerance": Field(
            Number(1, 1.24, whole=False), "Ratio of rates that is as good.", default="1.1"
        ),
        "dispersion": Field(
            OneOf(
                (_FACTOR, _DISPERSION),
                "a number from 1 to 10, or `{errors: 4}` with one for errors, one for latency",
            ),
            "Noise of single pods beyond chance: one factor, or one for errors and one for latency;"
            " `crossfade analysis calibrate` finds it.",
            default="1",
        ),
        "window": Field(
            Duration(1, 3600), "Requests are counted in windows of this length.", default="15s"
        ),
        "minRequests": Field(
            Number(1, 1_000_000_000),
            "Requests of the new revision at its present share before users rise further.",
            default="50",
        ),
        "minDuration": Field(
            Duration(), "How long it is watched before it is proven good.", default="10m"
        ),
        "maxDuration": Field(
            Duration(1), "After so long without an answer `onTimeout` decides.", default="3h"
        ),
        "onTimeout": Field(
            Choice(tuple(OnTimeout)),
            "What follows then; promote only when the risk is inside the budget.",
            default="pause",
        ),
        "source": Field(SOURCE, "Where the metrics of `runs` come from."),
        "counters": Field(
            Record(
                {
                    "preset": Field(
                        Choice(tuple(each.value for each in Preset)), "Whose.", required=True
                    ),
                    "labels": Field(
                        MapOf(Text("a label", r"[a-zA-Z_]\w*", 100), Text("a value", longest=500)),
                        "More labels of all series; `{{cluster}}` is the cluster's name.",
                    ),
                    "edges": Field(
                        ListOf(Duration(0.0001), "a list of durations, as [100ms, 1s]"),
                        "Latencies to count above; edges of the histogram's buckets.",
                        default="100ms, 250ms, 500ms, 1s",
                    ),
                }
            ),
            "Counters of requests in the Prometheus of `source`, for the judge.",
            default="those of the gateways",
        ),
        "runs": Field(RUNS, "Metrics of other systems; steps wait for them, or they go beside."),
        "thresholds": Field(
            ListOf(_THRESHOLD, "a list, as `- {metric: errors, maxPercent: 5}`"),
            "Limits that hold whatever the stable revision does.",
            default="none",
        ),
    },
    check=_check,
)
