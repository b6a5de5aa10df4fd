"""The keys of an application file: what each may be, and what it is for."""

from crossfade.adapters.documents.analysis_shape import ANALYSIS
from crossfade.adapters.documents.dns_shape import DNS, check_dns
from crossfade.adapters.documents.failover_shape import (
    FAILOVER,
    PLACEMENT_OF_USERS,
    check_placement,
)
from crossfade.adapters.documents.notifications_shape import NOTIFICATIONS
from crossfade.adapters.documents.priorities_shape import PRIORITIES, check_priorities
from crossfade.adapters.documents.rollout_shape import LABELS, ROLLOUT
from crossfade.adapters.documents.shapes import (
    Choice,
    Duration,
    Field,
    Flag,
    ListOf,
    MapOf,
    Number,
    Places,
    Read,
    Record,
    Text,
    Tree,
    listed,
    part,
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
            Choice(("gateway-api", "istio", "nginx", "replicas")),
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
            "Time for one try at one cluster before another one is tried; a connection has half.",
            default="500ms",
        ),
        "retryNonIdempotent": Field(
            Flag(),
            "Whether edges may try a POST or PATCH again that a cluster may have worked on.",
            default="false",
        ),
        "sticky": Field(
            Flag(),
            "Whether users stay, by a cookie, with the cluster that answered them first, until it "
            "fails or gets no more users.",
            default="false",
        ),
        "priorities": Field(
            PRIORITIES,
            "Classes of requests. When capacity is short, the last one is turned away first; a "
            "class without conditions has what no other takes.",
            default="none: all requests are alike",
        ),
    },
    check=check_priorities,
)

PLACEMENT = Record(
    {
        "clusters": Field(
            Record(
                {
                    "matchLabels": Field(
                        LABELS,
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
        "survive": Field(
            Number(0, 100),
            "Clouds whose users the others must be able to take over: sizes the pods of a new "
            "revision, and with `podCapacity` a deployment that would not survive is refused.",
            default="0",
        ),
        **PLACEMENT_OF_USERS,
    },
    check=check_placement,
)


SHARED = Record(
    {
        "name": Field(_label(53), "Of its Helm release.", required=True),
        "source": Field(SOURCE, "Its chart.", required=True),
    }
)


_FORM = Text(
    "a name of letters, digits, dots, dashes and underscores, such as orders-v2",
    r"[A-Za-z0-9][-._A-Za-z0-9]*",
    63,
)
DATA = Record(
    {
        "writes": Field(_FORM, "Form of the data that this version writes.", required=True),
        "reads": Field(
            ListOf(_FORM, "a list of names, as `[orders-v1, orders-v2]`"),
            "Forms that it reads, besides the one that it writes.",
            default="only what it writes",
        ),
    }
)


def _check_route(routed: bool, rollout: Read, analysis: Read, places: Places) -> None:
    """Check that the strategy suits what has users, or has none."""
    entries = places.record.value
    if not routed and isinstance(entries, dict) and "route" in entries:
        return  # it is wrong by itself
    if routed and "rolling" in rollout:
        places.wrong("rollout", "has `rolling`, which is for what has no route: use `canary`")
    others = [each for each in ("canary", "blueGreen", "abTest", "stickiness") if each in rollout]
    if not routed and others:
        places.wrong("rollout", f"has `{others[0]}`, which needs a route; use `rolling` without")
    if not routed and ("thresholds" in analysis or analysis.get("metrics")):
        places.wrong("analysis", "has metrics of users, but there is no route; `runs` are fine")


def _check_spec(spec: Read, places: Places) -> None:
    """Check that steps name analysis runs that there are."""
    rollout, analysis = part(spec, "rollout"), part(spec, "analysis")
    _check_route("route" in spec, rollout, analysis, places)
    check_dns(spec, places)
    known = [str(each.get("name")) for each in listed(analysis, "runs")]
    steps = [
        *listed(part(rollout, "canary"), "steps"),
        *listed(part(rollout, "blueGreen"), "before"),
        *listed(part(rollout, "blueGreen"), "after"),
    ]
    for step in steps:
        run = part(step, "analysis").get("run")
        if run is not None and run not in known:
            there = ", ".join(known) or "none"
            places.wrong("rollout", f"waits for the analysis run `{run}`; analysis.runs: {there}")


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
                    "route": Field(
                        ROUTE,
                        "How users reach it.",
                        default="none: a worker; see `rollout.rolling`",
                    ),
                    "shared": Field(
                        ListOf(SHARED, "a list, as `- {name: db, source: {chart: charts/db}}`"),
                        "Charts that are there once, upgraded in place before a revision.",
                        default="none",
                    ),
                    "dns": Field(
                        DNS,
                        "Where its host is published in DNS.",
                        default="none: somebody else does",
                    ),
                    "data": Field(
                        DATA,
                        "What this version writes and reads. One that does not get along with "
                        "all that any cluster could still serve is refused.",
                        default="none: it gets along with every version",
                    ),
                    "placement": Field(PLACEMENT, "Where it runs."),
                    "failover": Field(FAILOVER, "How users leave a cluster, and come back."),
                    "rollout": Field(ROLLOUT, "How a new revision is brought out."),
                    "notifications": Field(NOTIFICATIONS, "Who is told what of its rollouts."),
                    "analysis": Field(ANALYSIS, "How a new revision is judged."),
                },
                check=_check_spec,
            ),
            "What is wanted.",
            required=True,
        ),
    }
)
