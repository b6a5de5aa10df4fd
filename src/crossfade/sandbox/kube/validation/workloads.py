"""Rules for what makes pods: Deployments and their like, Jobs, CronJobs, autoscalers."""

from collections.abc import Sequence

from crossfade.sandbox.kube.validation import pods, texts
from crossfade.sandbox.kube.validation.texts import (
    Problems,
    Values,
    forbidden,
    invalid,
    mapping,
    objects,
    one_of,
    required,
    shown,
)
from crossfade.sandbox.kube.values import Json

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def selector(path: str, value: Json) -> Problems:
    """Yield the problems of a label selector."""
    values = mapping(value)
    yield from texts.labels(f"{path}.matchLabels", values.get("matchLabels"))
    for index, one in enumerate(objects(values.get("matchExpressions"))):
        where = f"{path}.matchExpressions[{index}]"
        if not one.get("key"):
            yield required(f"{where}.key")
        operator = one.get("operator")
        if operator not in _OPERATORS:
            yield invalid(f"{where}.operator", operator, "not a valid selector operator")
        elif operator in ("In", "NotIn") and not one.get("values"):
            why = "must be specified when `operator` is 'In' or 'NotIn'"
            yield required(f"{where}.values", why)


def _selects(value: Json, labels: Values) -> bool:
    """Tell whether a selector matches labels."""
    values = mapping(value)
    for key, text in mapping(values.get("matchLabels")).items():
        if labels.get(key) != text:
            return False
    for one in objects(values.get("matchExpressions")):
        key, wanted = str(one.get("key")), one.get("values") or []
        here = labels.get(key)
        match one.get("operator"):
            case "In" if here not in wanted:
                return False
            case "NotIn" if here is not None and here in wanted:
                return False
            case "Exists" if key not in labels:
                return False
            case "DoesNotExist" if key in labels:
                return False
    return True


def _selected_template(spec: Values) -> Problems:
    """Yield the problems of a selector and of the pod template that it must match."""
    wanted = spec.get("selector")
    if wanted is None:
        yield required("spec.selector")
    elif not mapping(wanted):
        why = "empty selector is invalid for deployment"
        yield invalid("spec.selector", {}, why)
    else:
        yield from selector("spec.selector", wanted)
    body = mapping(spec.get("template"))
    labels = mapping(mapping(body.get("metadata")).get("labels"))
    if mapping(wanted) and not _selects(wanted, labels):
        field = "spec.template.metadata.labels"
        yield invalid(field, labels, "`selector` does not match template `labels`")
    yield from pods.template("spec.template", _with_claims(spec, body))
    policy = mapping(body.get("spec")).get("restartPolicy")
    if policy not in (None, "Always"):
        field = "spec.template.spec.restartPolicy"
        yield field, f'Unsupported value: {shown(policy)}: supported values: "Always"'


def _with_claims(spec: Values, template: Values) -> Values:
    """Return the template with the volumes that a StatefulSet's claim templates will be."""
    claims = [
        {"name": mapping(claim.get("metadata")).get("name")}
        for claim in objects(spec.get("volumeClaimTemplates"))
    ]
    if not claims:
        return template
    inner = mapping(template.get("spec"))
    names = {claim["name"] for claim in claims}
    own = [volume for volume in objects(inner.get("volumes")) if volume.get("name") not in names]
    return {**template, "spec": {**inner, "volumes": [*own, *claims]}}


def deployment(spec: Values) -> Problems:
    """Yield the problems of a Deployment's spec."""
    yield from texts.at_least("spec.replicas", spec.get("replicas"), 0)
    yield from _selected_template(spec)
    strategy = mapping(spec.get("strategy"))
    yield from one_of("spec.strategy.type", strategy.get("type"), ("Recreate", "RollingUpdate"))
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate" and rolling is not None:
        why = "may not be specified when strategy `type` is 'Recreate'"
        yield forbidden("spec.strategy.rollingUpdate", why)
    elif rolling is not None:
        yield from _rolling("spec.strategy.rollingUpdate", mapping(rolling))
    ready, deadline = spec.get("minReadySeconds", 0), spec.get("progressDeadlineSeconds")
    yield from texts.at_least("spec.minReadySeconds", ready, 0)
    yield from texts.at_least("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"), 0)
    if isinstance(deadline, int) and isinstance(ready, int) and deadline <= ready:
        why = "must be greater than minReadySeconds"
        yield invalid("spec.progressDeadlineSeconds", deadline, why)


def _rolling(path: str, values: Values) -> Problems:
    less, more = values.get("maxUnavailable"), values.get("maxSurge")
    for name, value in (("maxUnavailable", less), ("maxSurge", more)):
        if isinstance(value, str) and not (value.endswith("%") and value[:-1].isdigit()):
            why = "a valid percent string must be a numeric string followed by an ending '%'"
            yield invalid(f"{path}.{name}", value, why)
        yield from texts.at_least(f"{path}.{name}", value, 0)
    if less in (0, "0%") and more in (0, "0%"):
        why = "may not be 0 when `maxSurge` is 0"
        yield invalid(f"{path}.maxUnavailable", less, why)


def replicas(spec: Values) -> Problems:
    """Yield the problems of the spec of a ReplicaSet or DaemonSet."""
    yield from texts.at_least("spec.replicas", spec.get("replicas"), 0)
    yield from _selected_template(spec)


def stateful_set(spec: Values) -> Problems:
    """Yield the problems of a StatefulSet's spec."""
    yield from replicas(spec)
    policies = ("OrderedReady", "Parallel")
    yield from one_of("spec.podManagementPolicy", spec.get("podManagementPolicy"), policies)


def job(spec: Values, path: str = "spec") -> Problems:
    """Yield the problems of a Job's spec."""
    for name in ("parallelism", "completions", "backoffLimit", "ttlSecondsAfterFinished"):
        yield from texts.at_least(f"{path}.{name}", spec.get(name), 0)
    modes = ("Indexed", "NonIndexed")
    yield from one_of(f"{path}.completionMode", spec.get("completionMode"), modes)
    if spec.get("completionMode") == "Indexed" and spec.get("completions") is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")
    body = mapping(spec.get("template"))
    yield from pods.template(f"{path}.template", body)
    yield from _job_restart(f"{path}.template.spec.restartPolicy", mapping(body.get("spec")))


def _job_restart(field: str, pod: Values) -> Problems:
    allowed: Sequence[str] = ("OnFailure", "Never")
    if pod.get("restartPolicy") in ("Always", None, ""):
        yield required(field, 'valid values: "OnFailure", "Never"')
    elif pod["restartPolicy"] not in allowed:
        yield from one_of(field, pod["restartPolicy"], allowed)


def cron_job(spec: Values) -> Problems:
    """Yield the problems of a CronJob's spec."""
    schedule = spec.get("schedule")
    if not schedule:
        yield required("spec.schedule")
    elif isinstance(schedule, str) and not schedule.startswith("@") and len(schedule.split()) != 5:
        why = f"expected exactly 5 fields, found {len(schedule.split())}: [{schedule}]"
        yield invalid("spec.schedule", schedule, why)
    policies = ("Allow", "Forbid", "Replace")
    yield from one_of("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), policies)
    inner = mapping(mapping(spec.get("jobTemplate")).get("spec"))
    yield from job(inner, "spec.jobTemplate.spec")


def autoscaler(spec: Values) -> Problems:
    """Yield the problems of a HorizontalPodAutoscaler's spec."""
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    yield from texts.at_least("spec.minReplicas", least, 1)
    if not isinstance(most, int) or most < 1:
        yield invalid("spec.maxReplicas", most, "must be greater than 0")
    elif isinstance(least, int) and most < least:
        why = "must be greater than or equal to `minReplicas`"
        yield invalid("spec.maxReplicas", most, why)
    target = mapping(spec.get("scaleTargetRef"))
    for name in ("kind", "name"):
        if not target.get(name):
            yield required(f"spec.scaleTargetRef.{name}")


def disruption_budget(spec: Values) -> Problems:
    """Yield the problems of a PodDisruptionBudget's spec."""
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        why = "minAvailable and maxUnavailable cannot be both set"
        yield invalid("spec", "", why)
    yield from selector("spec.selector", spec.get("selector"))


def pod(spec: Values) -> Problems:
    """Yield the problems of a Pod's spec."""
    yield from pods.spec("spec", spec)
