"""The keys of `spec.rollout`: how a new revision is brought out."""

from crossfade.adapters.documents.gates_shape import FREEZE, GATES, HOOKS
from crossfade.adapters.documents.matches import MATCHES, TOKEN
from crossfade.adapters.documents.shapes import (
    Choice,
    Duration,
    Field,
    Flag,
    ListOf,
    MapOf,
    Number,
    OneKey,
    OneOf,
    Places,
    Read,
    Record,
    Text,
)

_NAME = Text(
    "lower-case letters, digits and dashes (not first or last), at most 63",
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?",
    63,
)
LABELS = MapOf(
    Text("a label key", r"[!-~]+", 317),
    Text("a label value", r"([A-Za-z0-9]([-\w.]*[A-Za-z0-9])?)?", 63),
)

_DURATION = Record({"duration": Field(Duration(), "How long.", required=True)})
_PAUSE = Record(
    {"duration": Field(Duration(), "How long.", default="until `crossfade rollout promote`")}
)
_SCALE = Record(
    {
        "percent": Field(Number(0, 100), "Percent of the chart's own pods."),
        "matchWeight": Field(Flag(), "Follow the share of users again."),
    },
    check=OneKey(("percent", "matchWeight"), "setScale"),
)
_HEADER_ROUTE = Record(
    {
        "name": Field(_NAME, "Name of the route.", required=True),
        "match": Field(
            MATCHES,
            "Requests that meet all of these go to the new revision.",
            default="none: takes the route of this name away",
        ),
    }
)
_ANALYSIS_STEP = Record(
    {
        "run": Field(
            _NAME, "Wait for this entry of `analysis.runs`.", default="the judge's own verdict"
        ),
        "duration": Field(
            Duration(1),
            "Be content when nothing was found against the new revision for so long.",
            default="until it is proven good",
        ),
    }
)
_APPROVAL = Record({"message": Field(Text("a text", longest=500), "What is to be approved.")})
_RAMP = Record(
    {
        "maxWeight": Field(
            Number(0.2, 100, whole=False),
            "Percent of users at which the new revision must be proven good.",
            default="50",
        )
    }
)

_STEPS: dict[str, Field] = {
    "setWeight": Field(Number(0, 100), "Percent of users for the new revision."),
    "pause": Field(_PAUSE, "Wait; `pause: {}` waits until somebody promotes."),
    "setScale": Field(_SCALE, "Run more or fewer pods of the new revision than its share needs."),
    "setHeaderRoute": Field(_HEADER_ROUTE, "Send some requests to it, whatever the shares are."),
    "setMirror": Field(Number(0, 100), "Percent of requests that are copied to it."),
    "analysis": Field(_ANALYSIS_STEP, "Wait for a verdict; `analysis: {}` for the judge's proof."),
    "approval": Field(_APPROVAL, "Wait until `crossfade rollout approve`."),
    "ramp": Field(_RAMP, "Raise the share as fast as the risk budget allows."),
}

STEP = Record(
    _STEPS,
    later={
        "experiment": "it is not part of a rollout here; mirror or an A/B strategy come near",
        "setCanaryScale": "write `setScale: {percent: ...}`",
        "setMirrorRoute": "write `setMirror: PERCENT`",
        "plugin": "there are no plugins; a gate or a hook can call your own service",
    },
    check=OneKey(tuple(_STEPS), "a step"),
)
_STEP_LIST = ListOf(STEP, "a list of steps, as `- setWeight: 10`")

WAVE = Record(
    {
        "clusters": Field(
            OneOf(
                (
                    ListOf(_NAME, "a list of clusters"),
                    Record({"matchLabels": Field(LABELS, "Labels, all of them.", required=True)}),
                ),
                "names of clusters, or `{matchLabels: {...}}`",
            ),
            "Which clusters go together.",
            required=True,
        ),
        "pause": Field(Duration(), "Wait before the next wave.", default="0s"),
    }
)


def _check_canary(canary: Read, places: Places) -> None:
    if "steps" in canary and "ramp" in canary:
        places.wrong("ramp", "cannot go with `steps`; a step `- ramp: {}` can be one of them")


CANARY = Record(
    {
        "steps": Field(
            _STEP_LIST,
            "In order, in each cluster; all its users follow after the last one.",
            default="none: all users at once",
        ),
        "ramp": Field(
            OneOf((Choice(("risk-budget",)), _RAMP), "risk-budget, or `{maxWeight: ...}`"),
            "Instead of steps: as fast as the risk budget allows.",
        ),
    },
    check=_check_canary,
)

BLUE_GREEN = Record(
    {
        "preview": Field(
            MATCHES, "Requests that meet all of these get the new revision before the switch."
        ),
        "before": Field(_STEP_LIST, "Steps before the switch: analysis, pause, approval."),
        "autoPromote": Field(
            OneOf((Flag(), _DURATION), "true, false, or `{duration: ...}`"),
            "Switch by itself, at once or after a while; false waits for `rollout promote`.",
            default="true",
        ),
        "after": Field(
            _STEP_LIST, "Steps after the switch; a bad verdict switches back.", default="none"
        ),
    }
)

A_B = Record(
    {
        "match": Field(
            MATCHES, "Requests that meet all of these get the new revision.", required=True
        ),
        "duration": Field(
            Duration(), "How long; then all users follow.", default="until somebody promotes"
        ),
    }
)

ROLLING = Record(
    {
        "steps": Field(
            ListOf(Number(1, 100), "a list of percentages, as [25, 50, 75]"),
            "Percent of pods of the new revision, in order; all follow.",
            default="25, 50, 75",
        ),
        "inPlace": Field(
            Flag(),
            "Replace pods in one release, StatefulSets by partition, instead of beside the old.",
            default="false",
        ),
    }
)

STRATEGIES = {"canary": CANARY, "blueGreen": BLUE_GREEN, "abTest": A_B, "rolling": ROLLING}


def _check_rollout(rollout: Read, places: Places) -> None:
    entries = places.record.value
    given = [each for each in STRATEGIES if isinstance(entries, dict) and each in entries]
    if len(given) > 1:
        places.wrong(given[1], f"cannot go with `{given[0]}`: an application has one strategy")


ROLLOUT = Record(
    {
        "canary": Field(CANARY, "Users move to a new revision a share at a time."),
        "blueGreen": Field(BLUE_GREEN, "All users of a cluster are switched at once."),
        "abTest": Field(A_B, "Users who carry a header or cookie meet the new revision."),
        "rolling": Field(ROLLING, "Pods are replaced a part at a time; for what has no users."),
        "waves": Field(
            ListOf(WAVE, "a list, as `- clusters: [onprem]`"),
            "Clusters in order; those of no wave go last, together.",
            default="all together",
        ),
        "maxSkew": Field(
            Number(0, 100), "Steps that clusters of a wave may be apart.", default="0"
        ),
        "maxVersions": Field(
            Number(2, 100),
            "Versions that may have users at once, on all clusters, lost ones too. A deploy that "
            "would make it more is refused.",
            default="no limit",
        ),
        "quorum": Field(
            Number(0, 10_000),
            "Clusters that must take part for users to rise.",
            default="0: as `unreachable` says",
        ),
        "unreachable": Field(
            Choice(("hold", "skip", "fail")),
            "What a rollout does while one of its clusters cannot be reached.",
            default="hold",
        ),
        "keepOld": Field(
            OneOf((Choice(("forever",)), Duration()), "a duration such as 10m, or forever"),
            "How long the old revision is kept for a hot swap; 0 removes it.",
            default="10m",
        ),
        "keepLimit": Field(Number(0, 10), "Old revisions that are kept at most.", default="3"),
        "revisionWindow": Field(
            Number(0, 9),
            "Going back to one of so many older revisions skips the steps.",
            default="0",
        ),
        "readyTimeout": Field(
            Duration(1),
            "How long a new revision may take to become ready on a cluster before it has failed;"
            " pods that crash again and again have failed earlier.",
            default="5m",
        ),
        "stepTimeout": Field(
            Duration(1), "How long a cluster may take to confirm a step.", default="none"
        ),
        "timeout": Field(
            Duration(1), "How long the whole rollout may take, pauses included.", default="none"
        ),
        "drain": Field(
            Duration(),
            "Time between 0 % reported by the data plane and removal.",
            default="5s",
        ),
        "stickiness": Field(
            Record(
                {
                    "cookie": Field(TOKEN, "Name of the cookie.", default="crossfade-revision"),
                    "ttl": Field(Duration(1), "How long it lasts.", default="1h"),
                }
            ),
            "Users keep the revision that they met first.",
            default="each request is split anew",
        ),
        "freeze": Field(FREEZE, "Times in which no users rise."),
        "gates": Field(GATES, "Services that must open the way."),
        "hooks": Field(HOOKS, "Services that are called before and after phases."),
    },
    check=_check_rollout,
)
