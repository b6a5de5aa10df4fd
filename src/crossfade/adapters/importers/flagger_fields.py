"""What becomes of every field of Flagger's Canary, MetricTemplate and AlertProvider."""

from crossfade.adapters.importers.fates import Note, changed, kept, unsupported

_CHART = changed("goes into the chart")
_ONE_ROUTE = changed("Crossfade writes the application's one route itself, to every revision")
_IN_THE_SERVICE = unsupported("write it into the Service of the chart")
_NOT_IN_ROUTES = unsupported("the application's route only splits users; put a proxy before it")
_READY = changed("a step counts once all pods of the revision are ready")
_NO_RUNS = unsupported("only Prometheus is asked, by queries whose placeholders are known")

_NOT_IN_COOKIES = unsupported("the cookie has a name and an age")
_OF_COOKIES = (
    "primaryCookieName", "domain", "httpOnly", "partitioned", "path", "sameSite", "secure",
)  # fmt: skip

_NO_ALERT = unsupported("alerts over Slack are taken over when their provider is in the files")
_NO_WEBHOOK = unsupported("only confirm-, pre-rollout, post-rollout and event have a like here")
_NO_PROVIDER = unsupported("alerts go to Slack, to webhooks or by mail: see `notifications`")

_ANALYSIS: dict[str, Note] = {
    "interval": kept("as the pause after each weight"),
    "iterations": kept("as one pause of so many intervals"),
    "threshold": changed("one bad verdict takes a revision back at once, checks are not counted"),
    "maxWeight": kept("the last weight of the steps"),
    "stepWeight": kept("as steps"),
    "stepWeights": kept("as steps"),
    "stepWeightPromotion": changed("the new revision becomes stable as it is: nothing moves back"),
    "mirror": kept("as `setMirror` before users come"),
    "mirrorWeight": kept("as `setMirror` before users come"),
    "primaryReadyThreshold": _READY,
    "canaryReadyThreshold": _READY,
    "match[].headers": kept("as routes by header"),
    "match[].queryParams": unsupported("users are matched by header or cookie"),
    "match[].sourceLabels": unsupported("users are matched by header or cookie"),
    "metrics[].name": _NO_RUNS,
    "metrics[].interval": unsupported("a threshold of errors has one window"),
    "metrics[].threshold": _NO_RUNS,
    "metrics[].thresholdRange": _NO_RUNS,
    "metrics[].query": _NO_RUNS,
    "metrics[].templateRef": _NO_RUNS,
    "metrics[].templateVariables": _NO_RUNS,
    **{f"alerts[].{key}": _NO_ALERT for key in ("name", "severity", "providerRef")},
    **{f"webhooks[].{key}": _NO_WEBHOOK for key in ("name", "type", "url", "timeout", "retries")},
    "webhooks[].muteAlert": unsupported("what is told is chosen by `on` of a notification"),
    "webhooks[].disableTLS": unsupported("certificates are always checked"),
    "webhooks[].metadata": unsupported("the body of a webhook has fields of ours only"),
    "sessionAffinity.cookieName": kept("as `stickiness`"),
    "sessionAffinity.maxAge": kept("as `stickiness`"),
    **{f"sessionAffinity.{key}": _NOT_IN_COOKIES for key in _OF_COOKIES},
}

_SERVICE: dict[str, Note] = {
    "name": kept("as `route.service`"),
    "port": kept("as `route.port`"),
    "portName": _IN_THE_SERVICE,
    "appProtocol": _IN_THE_SERVICE,
    "trafficDistribution": _IN_THE_SERVICE,
    "targetPort": _CHART,
    "portDiscovery": _IN_THE_SERVICE,
    "headless": _IN_THE_SERVICE,
    "timeout": _NOT_IN_ROUTES,
    "backendTimeout": _NOT_IN_ROUTES,
    "meshName": _ONE_ROUTE,
    "backends": _ONE_ROUTE,
    "hosts": kept("the first whole name as `route.host`"),
    "delegation": _ONE_ROUTE,
    "match": _NOT_IN_ROUTES,
    "retries.attempts": changed("edges try idempotent requests once more, at another cluster"),
    "retries.perTryTimeout": kept("as `route.perTryTimeout`"),
    "retries.retryOn": changed("edges try again when a cluster cannot be reached or answers 5xx"),
    "rewrite": _NOT_IN_ROUTES,
    "mirror": _NOT_IN_ROUTES,
    "headers": _NOT_IN_ROUTES,
    "gateways": _ONE_ROUTE,
    "gatewayRefs[]": kept("as `route.gateway`"),
    "corsPolicy": _NOT_IN_ROUTES,
    "trafficPolicy": _NOT_IN_ROUTES,
    "apex": _IN_THE_SERVICE,
    "primary": _IN_THE_SERVICE,
    "canary": _IN_THE_SERVICE,
    "unmanagedMetadata": changed("Crossfade only changes what it has made"),
}

CANARY: dict[str, Note] = {
    "spec.provider": _ONE_ROUTE,
    "spec.metricsServer": changed("requests are counted at the gateways"),
    "spec.progressDeadlineSeconds": kept("as `readyTimeout`"),
    "spec.targetRef": _CHART,
    "spec.autoscalerRef.apiVersion": _CHART,
    "spec.autoscalerRef.kind": _CHART,
    "spec.autoscalerRef.name": _CHART,
    "spec.autoscalerRef.primaryScalerQueries": unsupported("all revisions scale alike"),
    "spec.autoscalerRef.primaryScalerReplicas": unsupported("all revisions scale alike"),
    "spec.ingressRef": _ONE_ROUTE,
    "spec.routeRef": _ONE_ROUTE,
    "spec.upstreamRef": _ONE_ROUTE,
    "spec.skipAnalysis": kept("true is no judge at all"),
    "spec.revertOnDeletion": unsupported("the workload that Flagger took over is yours to remove"),
    "spec.suspend": unsupported("pause a rollout with `crossfade rollout pause`"),
    **{f"spec.service.{key}": note for key, note in _SERVICE.items()},
    **{f"spec.analysis.{key}": note for key, note in _ANALYSIS.items()},
    **{f"spec.canaryAnalysis.{key}": note for key, note in _ANALYSIS.items()},
}
"""Fields of a Canary's spec."""

METRIC_TEMPLATE: dict[str, Note] = {"spec.provider": _NO_RUNS, "spec.query": _NO_RUNS}
"""Fields of a MetricTemplate's spec."""

ALERT_PROVIDER: dict[str, Note] = {
    f"spec.{key}": _NO_PROVIDER
    for key in ("type", "channel", "username", "address", "proxy", "secretRef")
}
"""Fields of an AlertProvider's spec."""
