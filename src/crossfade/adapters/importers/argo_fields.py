"""What becomes of every field of Argo's Rollout and AnalysisTemplate."""

from crossfade.adapters.importers.fates import Note, changed, kept, unsupported

_CHART = changed("goes into the chart")
_ONE_ROUTE = changed("Crossfade writes the application's one route itself, to every revision")
_NO_METADATA = unsupported("revisions carry the labels crossfade.dev/application and /revision")
_NO_RUNS = unsupported("no analysis of a rollout in the files names this template")
_IN_THE_CHART = unsupported("write it into the pod template of the chart")
_SIDE_BY_SIDE = changed("the new revision grows beside the old one, which keeps all its pods")
_WORKLOAD = changed("the workload that it names goes into the chart")
_BY_TIME = changed("old revisions are kept by time, as `keepOld` says")
_GONE = changed("a revision that failed is removed once no user reaches it")
_ALL_PODS = changed("the new revision has all of its pods from the start")

_ROUTING = "spec.strategy.canary.trafficRouting"
_ROUTERS = (
    "alb.annotationPrefix", "alb.ingress", "alb.ingresses", "alb.rootService", "alb.servicePort",
    "ambassador", "apisix", "appMesh", "istio", "managedRoutes", "nginx", "plugins", "smi",
    "traefik",
)  # fmt: skip

_ANALYSES = (
    "spec.strategy.canary.analysis",
    "spec.strategy.canary.steps[].analysis",
    "spec.strategy.blueGreen.prePromotionAnalysis",
    "spec.strategy.blueGreen.postPromotionAnalysis",
)
_ANALYSIS = {
    "templates": kept("as a run of `analysis.runs`"),
    "args": kept("as `args` of the run"),
    "dryRun": kept("as `dryRun` of metrics"),
    "measurementRetention": changed("the last ten measurements of a metric are kept"),
    "analysisRunMetadata": unsupported("runs are no objects of a cluster"),
}

ROLLOUT: dict[str, Note] = {
    "spec.analysis": unsupported("the hub keeps the history of rollouts by itself"),
    "spec.minReadySeconds": _CHART,
    "spec.paused": unsupported("pause a rollout with `crossfade rollout pause`"),
    "spec.progressDeadlineAbort": changed("a revision that is not ready in time always goes back"),
    "spec.progressDeadlineSeconds": kept("as `readyTimeout`"),
    "spec.replicas": _CHART,
    "spec.restartAt": unsupported("restart pods with kubectl"),
    "spec.revisionHistoryLimit": _BY_TIME,
    "spec.rollbackWindow.revisions": kept("as `revisionWindow`"),
    "spec.selector": _CHART,
    "spec.template": _CHART,
    "spec.workloadRef.apiVersion": _WORKLOAD,
    "spec.workloadRef.kind": _WORKLOAD,
    "spec.workloadRef.name": _WORKLOAD,
    "spec.workloadRef.scaleDown": changed("the old workload is yours to remove"),
    "spec.strategy.canary.abortScaleDownDelaySeconds": _GONE,
    "spec.strategy.canary.antiAffinity": _IN_THE_CHART,
    "spec.strategy.canary.canaryMetadata": _NO_METADATA,
    "spec.strategy.canary.canaryService": changed("each revision has a Service of its own"),
    "spec.strategy.canary.dynamicStableScale": unsupported(
        "stable keeps all of its pods, so that going back needs none"
    ),
    "spec.strategy.canary.maxSurge": _SIDE_BY_SIDE,
    "spec.strategy.canary.maxUnavailable": _SIDE_BY_SIDE,
    "spec.strategy.canary.minPodsPerReplicaSet": _SIDE_BY_SIDE,
    "spec.strategy.canary.pingPong": changed("each revision has a Service of its own"),
    "spec.strategy.canary.replicaProgressThreshold": unsupported(
        "a step counts once all pods of the revision are ready"
    ),
    "spec.strategy.canary.scaleDownDelayRevisionLimit": kept("as `keepLimit`"),
    "spec.strategy.canary.scaleDownDelaySeconds": kept("as `keepOld`"),
    "spec.strategy.canary.stableMetadata": _NO_METADATA,
    "spec.strategy.canary.stableService": kept("as `route.service`"),
    "spec.strategy.canary.steps[].experiment": unsupported(
        "experiments are not supported; a small first step does the same with users"
    ),
    "spec.strategy.canary.steps[].pause": kept(),
    "spec.strategy.canary.steps[].plugin": unsupported("step plugins are not supported"),
    "spec.strategy.canary.steps[].setCanaryScale": kept("as `setScale`"),
    "spec.strategy.canary.steps[].setHeaderRoute": kept(),
    "spec.strategy.canary.steps[].setMirrorRoute": kept("as `setMirror`"),
    "spec.strategy.canary.steps[].setWeight": kept(),
    f"{_ROUTING}.alb.stickinessConfig": kept("as `stickiness`"),
    f"{_ROUTING}.maxTrafficWeight": changed("weights are in percent"),
    **{f"{_ROUTING}.{key}": _ONE_ROUTE for key in _ROUTERS},
    "spec.strategy.blueGreen.abortScaleDownDelaySeconds": _GONE,
    "spec.strategy.blueGreen.activeMetadata": _NO_METADATA,
    "spec.strategy.blueGreen.activeService": kept("as `route.service`"),
    "spec.strategy.blueGreen.antiAffinity": _IN_THE_CHART,
    "spec.strategy.blueGreen.autoPromotionEnabled": kept("as `autoPromote`"),
    "spec.strategy.blueGreen.autoPromotionSeconds": kept("as `autoPromote`"),
    "spec.strategy.blueGreen.maxUnavailable": _SIDE_BY_SIDE,
    "spec.strategy.blueGreen.previewMetadata": _NO_METADATA,
    "spec.strategy.blueGreen.previewReplicaCount": _ALL_PODS,
    "spec.strategy.blueGreen.previewService": changed(
        "the Service of the new revision shows it: its name has the revision in it"
    ),
    "spec.strategy.blueGreen.scaleDownDelayRevisionLimit": kept("as `keepLimit`"),
    "spec.strategy.blueGreen.scaleDownDelaySeconds": kept("as `keepOld`"),
    "spec.strategy.canary.analysis.startingStep": changed("it goes on from the first users on"),
    **{f"{place}.{key}": note for place in _ANALYSES for key, note in _ANALYSIS.items()},
}
"""Fields of a Rollout's spec."""

TEMPLATE: dict[str, Note] = {
    "spec.args": _NO_RUNS,
    "spec.dryRun": kept("as `dryRun` of metrics"),
    "spec.measurementRetention": changed("the last ten measurements of a metric are kept"),
    "spec.templates": unsupported("templates of templates: import those by themselves"),
    "spec.metrics": _NO_RUNS,
}
"""Fields of the spec of an AnalysisTemplate or ClusterAnalysisTemplate."""
