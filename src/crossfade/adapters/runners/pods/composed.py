"""
Services in the pod of a run: containers beside the step, ready before it begins.

They are init containers that go on (Kubernetes 1.29): they start in order, and end with the step.
All of a pod share a network; each service is found by its name, at an address of its own.
"""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from crossfade.adapters.runners.pods import manifests
from crossfade.adapters.runners.pods.hidden_words import probed, told
from crossfade.adapters.runners.pods.manifests import Run, words
from crossfade.core.pipeline.composition import Composition, Probe, Service

Object: TypeAlias = dict[str, Any]

READY, SETUP = "readiness", "setup"
_TRYING = """period=$1 seconds=$2 wanted=$3 most=$4; shift 4
good=0 bad=0
while :; do
  if out=$(timeout "$seconds" "$@" 2>&1); then good=$((good + 1)) bad=0
  else good=0 bad=$((bad + 1)); fi
  [ "$good" -lt "$wanted" ] || exit 0
  if [ "$bad" -ge "$most" ]; then
    printf '%s\\n' "$out"
    echo "the services are not ready: $bad tries failed"
    exit 1
  fi
  sleep "$period"
done
"""


@dataclass(frozen=True, slots=True)
class Companions:
    """What runs in the pod of a run beside the step, or in its place."""

    before: tuple[Object, ...] = ()
    """Services, then what waits for them."""
    mains: tuple[Object, ...] = ()
    """(): the step itself."""
    volumes: tuple[Object, ...] = ()
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By the Secret that has them."""
    aliases: tuple[Object, ...] = ()
    """Names of services, and their addresses."""
    services: tuple[str, ...] = ()
    """These names."""
    gates: tuple[str, ...] = ()
    """The containers of `before` that end before the step begins."""


def companions(run: Run, services: Sequence[Service], candidates: Sequence[Service]) -> Companions:
    """Return the containers of a composition."""
    composition = run.order.composition
    if composition is None:
        return Companions()
    everyone = [*services, *candidates]
    gates = list(_gates(run, composition))
    healthy = {name for each in everyone for name, wanted in each.after.items() if wanted}
    before = [_service(run, each, waited_for=each.name in healthy) for each in services]
    mains = [_candidate(run, each) for each in candidates]
    if run.order.serving is not None:
        mains = [_waiting(run)]
    named = {volume for each in everyone for volume, _ in each.volumes if _is_named(run, volume)}
    return Companions(
        (*before, *gates),
        tuple(mains),
        tuple({"name": _volume(each), "emptyDir": {}} for each in sorted(named)),
        _variables(run, composition, services, candidates),
        tuple(_alias(run, each) for each in everyone),
        tuple(name for each in everyone for name in (each.name, *each.aliases)),
        tuple(each["name"] for each in gates),
    )


def composed(pod: Object, beside: Companions, aliases: Sequence[Object]) -> Object:
    """Return the pod of a step with its companions, and with names of machines."""
    spec = {**pod["spec"], "volumes": [*pod["spec"]["volumes"], *beside.volumes]}
    if beside.before:
        spec["initContainers"] = list(beside.before)
    if beside.mains:
        spec["containers"] = list(beside.mains)
    if aliases:
        spec["hostAliases"] = list(aliases)
    return {**pod, "spec": spec}


def container_name(service: str) -> str:
    """Return a name that containers may have; no two services share one."""
    plain = re.sub(r"[^a-z0-9]+", "-", service.lower())[:40].strip("-")
    if plain == service and service not in (manifests.MAIN, READY, SETUP):
        return service
    return f"{plain or 'x'}-{hashlib.sha256(service.encode()).hexdigest()[:6]}"


def _variables(
    run: Run,
    composition: Composition,
    services: Sequence[Service],
    candidates: Sequence[Service],
) -> Mapping[str, Mapping[str, str]]:
    own = {_secret(run, each): {**each.environment, **_hidden(run, each)} for each in services}
    more = composition.variables
    return own | {
        _secret(run, each): {**more, **each.environment, **_hidden(run, each)}
        for each in candidates
    }


def _hidden(run: Run, service: Service) -> dict[str, str]:
    """Return the words of its commands that no pod may say."""
    secrets = run.order.secrets
    entry_point = told(service.entry_point, secrets, "E").variables
    probe = probed(service.health.argv, secrets).variables if service.health else {}
    return {**entry_point, **told(service.arguments, secrets, "A").variables, **probe}


def _secret(run: Run, service: Service) -> str:
    digest = hashlib.sha256(service.name.encode()).hexdigest()[:8]
    return f"{run.name}-{digest}"


def _service(run: Run, service: Service, *, waited_for: bool) -> Object:
    found: Object = {
        "name": container_name(service.name),
        "image": service.image,
        "restartPolicy": "Always",
        "envFrom": [{"secretRef": {"name": _secret(run, service)}}],
        "resources": {"requests": dict(run.options.requests)},
        "volumeMounts": [_mount(run, source, target) for source, target in service.volumes],
        **_command(run, service),
    }
    if waited_for and service.health is not None:
        found["startupProbe"] = _probe(run, service.health)
    return found


def _candidate(run: Run, service: Service) -> Object:
    found = manifests.container(run, container_name(service.name), service.image)
    found["envFrom"].append({"secretRef": {"name": _secret(run, service)}})
    found["volumeMounts"] += [_mount(run, source, target) for source, target in service.volumes]
    place = "/usr/local/bin/cf_export"  # what PATH an image has is not known
    own = {"name": "own", "mountPath": place, "subPath": "cf_export", "readOnly": True}
    found["volumeMounts"].append(own)
    return {**found, **_command(run, service)}


def _command(run: Run, service: Service) -> Object:
    found: Object = {}
    if service.entry_point:
        found["command"] = told(service.entry_point, run.order.secrets, "E").words
    if service.arguments:
        found["args"] = told(service.arguments, run.order.secrets, "A").words
    if service.directory:
        found["workingDir"] = service.directory
    return found


def _waiting(run: Run) -> Object:
    """Return the container that keeps services going which are a run of their own."""
    found = manifests.container(run, manifests.MAIN, run.options.files_image)
    found["command"] = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"]
    return found


def _gates(run: Run, composition: Composition) -> Iterator[Object]:
    if (ready := composition.ready) is not None:
        found = manifests.container(run, READY, ready.image)
        seconds = (f"{ready.period_seconds:g}", str(_whole(ready.timeout_seconds)))
        numbers = (*seconds, str(ready.successes), str(ready.failures))
        tried = told(ready.argv, run.order.secrets, manifests.READY).words
        found["command"] = [*words("sh", "-c", _TRYING, "probe", *numbers), *tried]
        yield found
    if (setup := composition.setup) is not None:
        found = manifests.container(run, SETUP, setup.image)
        found["command"] = told(setup.argv, run.order.secrets, manifests.SETUP).words
        yield found


def _probe(run: Run, probe: Probe) -> Object:
    period = _whole(probe.period_seconds)
    return {
        "exec": {"command": probed(probe.argv, run.order.secrets).words},
        "periodSeconds": period,
        "timeoutSeconds": _whole(probe.timeout_seconds),
        "failureThreshold": probe.failures + math.ceil(probe.grace_seconds / period),
    }


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))


def _alias(run: Run, service: Service) -> Object:
    digest = hashlib.sha256(f"{run.name}/{service.name}".encode()).digest()
    address = f"127.{64 + digest[0] % 64}.{digest[1]}.{1 + digest[2] % 254}"
    return {"ip": address, "hostnames": [service.name, *service.aliases]}


def _mount(run: Run, source: str, target: str) -> Object:
    if _is_named(run, source):
        return {"name": _volume(source), "mountPath": target}
    place = "" if not source.startswith("/") else manifests.below_volume(source)
    path = f"volume/{place}" if place else "volume"
    return {"name": "workspace", "mountPath": target, "subPath": path}


def _is_named(run: Run, source: str) -> bool:
    return not source.startswith("/") and source != run.order.environment.get("CF_VOLUME_NAME")


def _volume(source: str) -> str:
    return f"named-{hashlib.sha256(source.encode()).hexdigest()[:8]}"
