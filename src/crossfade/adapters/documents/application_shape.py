"""The keys of an application file: what each may be, and what it is for."""

from crossfade.adapters.documents.shapes import (
    Choice,
    Duration,
    Field,
    ListOf,
    MapOf,
    Number,
    Places,
    Read,
    Record,
    Text,
    Tree,
)

API_VERSION = "crossfade.dev/v1alpha1"

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_ALLOWED = "lower-case letters, digits and dashes"


def _label(longest: int, first: str = "[a-z0-9]") -> Text:
    rule = f"{_LABEL_ALLOWED} (not first or last), at most {longest}"
    return Text(rule, rf"(?={first}){_LABEL}", longest)


def _check_source(source: Read, places: Places) -> None:
    chart, repo = str(source.get("chart", "")), source.get("repo")
    remote = chart.startswith("oci://") or repo is not None
    if "chart" in source and remote and "version" not in source:
        places.wrong("version", "is missing: a chart of a registry or repository needs one")
    if "chart" in source and not remote and "version" in source:
        places.wrong("version", "is only for charts of a registry or repository; leave it out")
    if chart.startswith("oci://") and repo is not None:
        places.wrong("repo", "cannot go with an oci:// chart; leave one of them out")
    if repo is not None and "/" in chart.removeprefix("oci://") and not chart.startswith("oci://"):
        places.wrong("chart", "must be the name of a chart in `repo`, not a path")


SOURCE = Record(
    {
        "chart": Field(
            Text("a folder, an oci:// address, or a chart's name in `repo`"),
            "Helm chart: a folder next to this file, an `oci://` address, or a name in `repo`.",
            required=True,
        ),
        "repo": Field(
            Text("an address that starts with https:// or http://", r"https?://\S+"),
            "Chart repository that `chart` is a name in.",
        ),
        "version": Field(
            Text("a chart version"), "Chart version; needed with `oci://` and `repo`."
        ),
        "values": Field(Tree(), "Helm values.", default="the chart's own"),
    },
    later={
        "manifests": "put the manifests into the templates of a Helm chart",
        "kustomize": "put the manifests into the templates of a Helm chart",
    },
    check=_check_source,
)

ROUTE = Record(
    {
        "host": Field(
            Text("a host name in lower case", rf"{_LABEL}(\.{_LABEL})*", 253),
            "Host name that users ask for.",
            required=True,
        ),
        "service": Field(
            _label(63),
            "The Service as the chart renders it with the application's name as release name.",
            required=True,
        ),
        "port": Field(Number(1, 65535), "Port of that Service.", default="80"),
        "router": Field(
            Choice(("gateway-api",), later=("istio", "nginx", "replicas")),
            "What splits users over revisions inside a cluster.",
            default="gateway-api",
        ),
        "gateway": Field(
            Text("namespace/name", rf"{_LABEL}/{_LABEL}(\.{_LABEL})*", 317),
            "Gateway that the HTTPRoute attaches to.",
            default="infra/public",
        ),
        "probe": Field(
            Record(
                {
                    "path": Field(
                        Text("a path that starts with /", r"/[!-~]*"),
                        "Path that edges ask for; any answer below 400 says that a cluster serves.",
                        default="/",
                    )
                }
            ),
            "How edges learn whether a cluster serves.",
        ),
        "perTryTimeout": Field(
            Duration(0.001, 300),
            "Time for one try at one cluster before another one is tried.",
            default="500ms",
        ),
    }
)

PLACEMENT = Record(
    {
        "clusters": Field(
            Record(
                {
                    "matchLabels": Field(
                        MapOf(
                            Text("a label key", r"[!-~]+", 317),
                            Text("a label value", r"([A-Za-z0-9]([-\w.]*[A-Za-z0-9])?)?", 63),
                        ),
                        "Labels that a cluster must carry, all of them.",
                        default="none: all clusters",
                    )
                },
                later={"names": "give clusters a label, and ask for it in matchLabels"},
            ),
            "Which clusters run the application.",
            default="all",
        ),
        "weights": Field(
            MapOf(_label(63), Number(0, 10_000)),
            "Shares of users per cluster, as proportions; a cluster not named weighs 100.",
        ),
    },
    later={
        "mode": "all clusters are active; leave it out",
        "survive": "users of a lost cluster go to the others; leave it out",
    },
)


def _check_step(step: Read, places: Places) -> None:
    entries = places.record.value
    if isinstance(entries, dict) and len(entries) != 1:
        places.problems.add(
            places.record.at, places.path, "a step is one of setWeight and pause: split it in two"
        )


_LATER_STEPS = "steps are setWeight and pause for now"

STEP = Record(
    {
        "setWeight": Field(Number(0, 100), "Percent of users for the new revision."),
        "pause": Field(
            Record(
                {
                    "duration": Field(
                        Duration(), "How long.", default="until `crossfade rollout promote`"
                    )
                }
            ),
            "Wait; `pause: {}` waits until somebody promotes.",
        ),
    },
    later=dict.fromkeys(
        (
            "analysis",
            "experiment",
            "setCanaryScale",
            "setHeaderRoute",
            "setMirrorRoute",
            "replicaProgressThreshold",
            "plugin",
        ),
        _LATER_STEPS,
    ),
    check=_check_step,
)

ROLLOUT = Record(
    {
        "unreachable": Field(
            Choice(("hold", "skip", "fail")),
            "What a rollout does while one of its clusters cannot be reached.",
            default="hold",
        ),
        "keepOld": Field(
            Duration(), "How long the old revision is kept for a hot swap.", default="10m"
        ),
        "readyTimeout": Field(
            Duration(1),
            "How long a new revision may take to become ready on a cluster before it has failed;"
            " pods that crash again and again have failed earlier.",
            default="5m",
        ),
        "drain": Field(
            Duration(),
            "Time between 0 % reported by the data plane and removal.",
            default="5s",
        ),
        "canary": Field(
            Record(
                {
                    "steps": Field(
                        ListOf(STEP, "a list of steps, as `- setWeight: 10`"),
                        "In order; all users follow after the last one.",
                        default="none: all users at once",
                    )
                },
                later={"ramp": "write `steps` with setWeight and pause"},
            ),
            "How users move to a new revision.",
        ),
    },
    later={
        "waves": "all clusters go in lockstep; leave it out",
        "maxSkew": "all clusters go in lockstep; leave it out",
        "blueGreen": "canary without steps moves all users at once",
        "quorum": "`unreachable` says what happens when clusters are silent",
    },
)


def _check_thresholds(analysis: Read, places: Places) -> None:
    thresholds = analysis.get("thresholds")
    if isinstance(thresholds, tuple) and len(thresholds) > 1:
        places.wrong("thresholds", "has more than one entry; one threshold for errors is allowed")


ANALYSIS = Record(
    {
        "thresholds": Field(
            ListOf(
                Record(
                    {
                        "metric": Field(
                            Choice(("errors",), later=("latency",)),
                            "What is measured: `errors`, the share of failed first tries.",
                            required=True,
                        ),
                        "maxPercent": Field(
                            Number(0, 100, whole=False),
                            "The new revision fails above it.",
                            default="5",
                        ),
                        "minRequests": Field(
                            Number(1, 1_000_000_000),
                            "Fewer requests give no verdict, neither good nor bad.",
                            default="50",
                        ),
                        "window": Field(
                            Duration(1, 86400), "How far back requests are counted.", default="30s"
                        ),
                    }
                ),
                "a list, as `- {metric: errors, maxPercent: 5}`",
            ),
            "Limits of the new revision; an empty list turns judging off.",
            default="one for errors, with the defaults below",
        )
    },
    later={
        "metrics": "write `thresholds: [{metric: errors}]`",
        "budget": "write `thresholds: [{metric: errors}]`",
    },
    check=_check_thresholds,
)

APPLICATION = Record(
    {
        "apiVersion": Field(Choice((API_VERSION,)), "Version of this format.", required=True),
        "kind": Field(Choice(("Application",)), "What the document is.", required=True),
        "metadata": Field(
            Record(
                {
                    "name": Field(
                        _label(40, first="[a-z]"),
                        "Name of the application; starts with a letter.",
                        required=True,
                    ),
                    "namespace": Field(
                        _label(63), "Kubernetes namespace that it runs in.", default="default"
                    ),
                }
            ),
            "Its name.",
            required=True,
        ),
        "spec": Field(
            Record(
                {
                    "source": Field(
                        SOURCE, "Where its Kubernetes objects come from.", required=True
                    ),
                    "route": Field(ROUTE, "How users reach it.", required=True),
                    "placement": Field(PLACEMENT, "Where it runs."),
                    "rollout": Field(ROLLOUT, "How a new revision is brought out."),
                    "analysis": Field(ANALYSIS, "How a new revision is judged."),
                },
                later={
                    "failover": "users leave a lost cluster by themselves; leave it out",
                    "shared": "install what must exist once with Helm, beforehand",
                },
            ),
            "What is wanted.",
            required=True,
        ),
    }
)
