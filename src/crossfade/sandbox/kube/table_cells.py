"""The cells of each kind that has columns of its own, by column name."""

from collections.abc import Callable
from typing import TypeAlias

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.values import Json

Age: TypeAlias = Callable[[str | None], str]
Cells: TypeAlias = Callable[[Object, Age], dict[str, Json]]


def _spec(obj: Object) -> Object:
    spec: Object = obj.get("spec") or {}
    return spec


def _status(obj: Object) -> Object:
    status: Object = obj.get("status") or {}
    return status


def _condition(obj: Object, type_: str) -> Object:
    for condition in _status(obj).get("conditions") or ():
        if condition.get("type") == type_:
            found: Object = condition
            return found
    return {}


def _template(obj: Object) -> dict[str, Json]:
    pod = ((_spec(obj).get("template") or {}).get("spec")) or {}
    containers = pod.get("containers") or ()
    return {
        "Containers": ",".join(str(one.get("name", "")) for one in containers),
        "Images": ",".join(str(one.get("image", "")) for one in containers),
        "Selector": _selector(_spec(obj).get("selector")),
    }


def _selector(selector: Object | None) -> str:
    if not selector:
        return "<none>"
    labels = selector.get("matchLabels", selector)
    if not isinstance(labels, dict):
        return "<none>"
    exact = [f"{key}={value}" for key, value in sorted(labels.items()) if isinstance(value, str)]
    return ",".join(exact) or "<none>"


def pod_state(pod: Object) -> str:
    """Return what ails a pod, or its phase: the STATUS column."""
    status = _status(pod)
    reason = status.get("reason") or status.get("phase") or "Unknown"
    for number, container in enumerate(status.get("initContainerStatuses") or ()):
        state = container.get("state") or {}
        ended = state.get("terminated")
        if ended and ended.get("exitCode") == 0:
            continue
        total = len(_spec(pod).get("initContainers") or ())
        why = (ended or state.get("waiting") or {}).get("reason", "")
        told = why and why != "PodInitializing"
        reason = f"Init:{why}" if told else f"Init:{number}/{total}"
        break
    else:
        reason = _containers_state(pod, reason)
    if "deletionTimestamp" in pod["metadata"]:
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return str(reason)


def _containers_state(pod: Object, reason: str) -> str:
    running = False
    for container in reversed(_status(pod).get("containerStatuses") or ()):
        state = container.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif ended.get("reason"):
            reason = ended["reason"]
        elif ended:
            code, signal = ended.get("exitCode"), ended.get("signal")
            reason = f"Signal:{signal}" if signal else f"ExitCode:{code}"
        elif container.get("ready") and state.get("running"):
            running = True
    if reason == "Completed" and running:
        return "Running" if _condition(pod, "Ready").get("status") == "True" else "NotReady"
    return reason


def _pod(pod: Object, age: Age) -> dict[str, Json]:
    status, spec = _status(pod), _spec(pod)
    found = status.get("containerStatuses") or ()
    everyone = [*(status.get("initContainerStatuses") or ()), *found]
    ready = sum(bool(one.get("ready")) for one in found)
    restarts = sum(int(one.get("restartCount", 0)) for one in everyone)
    ends = [
        (one.get("lastState") or {}).get("terminated", {}).get("finishedAt") for one in everyone
    ]
    last = max((end for end in ends if end), default=None)
    return {
        "Ready": f"{ready}/{len(spec.get('containers') or ())}",
        "Status": pod_state(pod),
        "Restarts": f"{restarts} ({age(last)} ago)" if restarts and last else str(restarts),
        "IP": status.get("podIP") or "<none>",
        "Node": spec.get("nodeName") or "<none>",
        "Nominated Node": status.get("nominatedNodeName") or "<none>",
        "Readiness Gates": "<none>",
    }


def _deployment(obj: Object, _: Age) -> dict[str, Json]:
    status = _status(obj)
    return {
        "Ready": f"{status.get('readyReplicas', 0)}/{_spec(obj).get('replicas', 1)}",
        "Up-to-date": status.get("updatedReplicas", 0),
        "Available": status.get("availableReplicas", 0),
    } | _template(obj)


def _replica_set(obj: Object, _: Age) -> dict[str, Json]:
    status = _status(obj)
    return {
        "Desired": _spec(obj).get("replicas", 1),
        "Current": status.get("replicas", 0),
        "Ready": status.get("readyReplicas", 0),
    } | _template(obj)


def _stateful_set(obj: Object, _: Age) -> dict[str, Json]:
    ready = f"{_status(obj).get('readyReplicas', 0)}/{_spec(obj).get('replicas', 1)}"
    return {"Ready": ready} | _template(obj)


def _daemon_set(obj: Object, _: Age) -> dict[str, Json]:
    status = _status(obj)
    pod = ((_spec(obj).get("template") or {}).get("spec")) or {}
    return {
        "Desired": status.get("desiredNumberScheduled", 0),
        "Current": status.get("currentNumberScheduled", 0),
        "Ready": status.get("numberReady", 0),
        "Up-to-date": status.get("updatedNumberScheduled", 0),
        "Available": status.get("numberAvailable", 0),
        "Node Selector": _selector(pod.get("nodeSelector")),
    } | _template(obj)


def _service(obj: Object, _: Age) -> dict[str, Json]:
    spec = _spec(obj)
    type_ = spec.get("type", "ClusterIP")
    balancer = (_status(obj).get("loadBalancer") or {}).get("ingress") or ()
    outside = [str(one.get("ip") or one.get("hostname")) for one in balancer]
    outside += [str(address) for address in spec.get("externalIPs") or ()]
    if type_ == "ExternalName":
        outside = [str(spec.get("externalName", ""))]
    ports = [
        f"{port.get('port')}" + (f":{port['nodePort']}" if port.get("nodePort") else "")
        + f"/{port.get('protocol', 'TCP')}"
        for port in spec.get("ports") or ()
    ]  # fmt: skip
    nothing = "<pending>" if type_ == "LoadBalancer" else "<none>"
    return {
        "Type": type_,
        "Cluster-IP": spec.get("clusterIP") or "<none>",
        "External-IP": ",".join(outside) or nothing,
        "Port(s)": ",".join(ports) or "<none>",
        "Selector": _selector(spec.get("selector")),
    }


def _node(obj: Object, _: Age) -> dict[str, Json]:
    ready = _condition(obj, "Ready").get("status")
    state = {"True": "Ready", "False": "NotReady"}.get(str(ready), "Unknown")
    if _spec(obj).get("unschedulable"):
        state += ",SchedulingDisabled"
    prefix = "node-role.kubernetes.io/"
    labels = obj["metadata"].get("labels") or {}
    roles = sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix))
    addresses = {one["type"]: one["address"] for one in _status(obj).get("addresses") or ()}
    info = _status(obj).get("nodeInfo") or {}
    return {
        "Status": state,
        "Roles": ",".join(roles) or "<none>",
        "Version": info.get("kubeletVersion", ""),
        "Internal-IP": addresses.get("InternalIP", "<none>"),
        "External-IP": addresses.get("ExternalIP", "<none>"),
        "OS-Image": info.get("osImage") or "<unknown>",
        "Kernel-Version": info.get("kernelVersion") or "<unknown>",
        "Container-Runtime": info.get("containerRuntimeVersion") or "<unknown>",
    }


def _job(obj: Object, age: Age) -> dict[str, Json]:
    status, spec = _status(obj), _spec(obj)
    state = "Running"
    for type_ in ("Complete", "Failed", "Suspended"):
        if _condition(obj, type_).get("status") == "True":
            state = type_
    done = spec.get("completions")
    wanted = str(done) if done is not None else f"1 of {spec.get('parallelism', 1)}"
    return {
        "Status": "Terminating" if "deletionTimestamp" in obj["metadata"] else state,
        "Completions": f"{status.get('succeeded', 0)}/{wanted}",
        "Duration": _job_duration(status, age),
    } | _template(obj)


def _job_duration(status: Object, age: Age) -> str:
    start, end = status.get("startTime"), status.get("completionTime")
    if not start:
        return ""
    if not end:
        return age(start)
    from crossfade.sandbox.kube.table import duration
    from crossfade.sandbox.kube.values import seconds

    return duration(seconds(end) - seconds(start))


def _cron_job(obj: Object, age: Age) -> dict[str, Json]:
    spec, status = _spec(obj), _status(obj)
    last = status.get("lastScheduleTime")
    return {
        "Schedule": spec.get("schedule", ""),
        "Timezone": spec.get("timeZone") or "<none>",
        "Suspend": str(bool(spec.get("suspend"))),
        "Active": len(status.get("active") or ()),
        "Last Schedule": age(last) if last else "<none>",
    }


def _event(obj: Object, age: Age) -> dict[str, Json]:
    last = obj.get("lastTimestamp") or obj.get("eventTime") or obj.get("firstTimestamp")
    about = obj.get("involvedObject") or {}
    seen = age(last)
    if obj.get("count", 1) > 1:
        seen += f" (x{obj['count']} over {age(obj.get('firstTimestamp'))})"
    return {
        "Last Seen": seen,
        "Type": obj.get("type", ""),
        "Reason": obj.get("reason", ""),
        "Object": f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}",
        "Message": str(obj.get("message", "")).strip(),
    }


def _slice(obj: Object, _: Age) -> dict[str, Json]:
    ports = [str(port.get("port") or "*") for port in obj.get("ports") or ()]
    found = [str(one) for end in obj.get("endpoints") or () for one in end.get("addresses") or ()]
    return {
        "AddressType": obj.get("addressType", ""),
        "Ports": ",".join(ports) or "<unset>",
        "Endpoints": _some(found),
    }


def _some(found: list[str]) -> str:
    if len(found) > 3:
        return ",".join(found[:3]) + f" + {len(found) - 3} more..."
    return ",".join(found) or "<none>"


def _endpoints(obj: Object, _: Age) -> dict[str, Json]:
    found = [
        f"{address.get('ip')}:{port.get('port')}"
        for subset in obj.get("subsets") or ()
        for port in subset.get("ports") or ()
        for address in subset.get("addresses") or ()
    ]
    return {"Endpoints": _some(found)}


def _ingress(obj: Object, _: Age) -> dict[str, Json]:
    spec = _spec(obj)
    hosts = [str(rule["host"]) for rule in spec.get("rules") or () if rule.get("host")]
    balancer = (_status(obj).get("loadBalancer") or {}).get("ingress") or ()
    return {
        "Class": spec.get("ingressClassName") or "<none>",
        "Hosts": _some(hosts) if hosts else "*",
        "Address": ",".join(str(one.get("ip") or one.get("hostname")) for one in balancer),
        "Ports": "80, 443" if spec.get("tls") else "80",
    }


def _budget(obj: Object, _: Age) -> dict[str, Json]:
    spec = _spec(obj)
    return {
        "Min Available": str(spec.get("minAvailable", "N/A")),
        "Max Unavailable": str(spec.get("maxUnavailable", "N/A")),
        "Allowed Disruptions": _status(obj).get("disruptionsAllowed", 0),
    }


def _autoscaler(obj: Object, _: Age) -> dict[str, Json]:
    spec, status = _spec(obj), _status(obj)
    about = spec.get("scaleTargetRef") or {}
    targets = []
    for metric in spec.get("metrics") or ():
        resource = metric.get("resource") or {}
        target = (resource.get("target") or {}).get("averageUtilization")
        targets.append(f"{resource.get('name', '?')}: <unknown>/{target}%")
    return {
        "Reference": f"{about.get('kind', '')}/{about.get('name', '')}",
        "Targets": ", ".join(targets) or "<unknown>",
        "MinPods": str(spec.get("minReplicas", "<unset>")),
        "MaxPods": str(spec.get("maxReplicas", "")),
        "Replicas": status.get("currentReplicas", 0),
    }


def _gateway(obj: Object, _: Age) -> dict[str, Json]:
    addresses = _status(obj).get("addresses") or ()
    return {
        "Class": _spec(obj).get("gatewayClassName", ""),
        "Address": addresses[0].get("value", "") if addresses else "",
        "Programmed": _condition(obj, "Programmed").get("status", ""),
    }


CELLS: dict[str, Cells] = {
    "pods": _pod,
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "services": _service,
    "nodes": _node,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
    "namespaces": lambda obj, _: {"Status": _status(obj).get("phase", "")},
    "configmaps": lambda obj, _: {
        "Data": len(obj.get("data") or ()) + len(obj.get("binaryData") or ())
    },
    "secrets": lambda obj, _: {
        "Type": obj.get("type", "Opaque"),
        "Data": len(obj.get("data") or ()),
    },
    "serviceaccounts": lambda obj, _: {"Secrets": len(obj.get("secrets") or ())},
    "events": _event,
    "endpoints": _endpoints,
    "endpointslices.discovery.k8s.io": _slice,
    "ingresses.networking.k8s.io": _ingress,
    "leases.coordination.k8s.io": lambda obj, _: {"Holder": _spec(obj).get("holderIdentity", "")},
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "poddisruptionbudgets.policy": _budget,
    "customresourcedefinitions.apiextensions.k8s.io": lambda obj, _: {
        "Created At": obj["metadata"].get("creationTimestamp", "")
    },
    "httproutes.gateway.networking.k8s.io": lambda obj, _: {
        "Hostnames": str(_spec(obj).get("hostnames") or "").replace("'", '"')
    },
    "gateways.gateway.networking.k8s.io": _gateway,
    "gatewayclasses.gateway.networking.k8s.io": lambda obj, _: {
        "Controller": _spec(obj).get("controllerName", ""),
        "Accepted": _condition(obj, "Accepted").get("status", ""),
    },
}
