"""The environment of a container's process."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.sandbox.kube.client import KubeClient, Object
from crossfade.sandbox.kube.kubelet import references
from crossfade.sandbox.kube.kubelet.references import ConfigError

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)")
_NAME = re.compile(r"[A-Za-z_.-][A-Za-z0-9_.-]*\Z")


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What the kubelet knows of a Pod that its manifest does not say."""

    address: str
    ports: Mapping[int, int]
    """Container port to port of the host."""
    capacity: Mapping[str, str]


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Return text with `$(NAME)` replaced; unknown names stay, and `$$` is a plain `$`."""

    def replaced(match: re.Match[str]) -> str:
        name = match.group(1)
        return "$" if name is None else variables.get(name, match.group(0))

    return _REFERENCE.sub(replaced, text)


def base_environment(pod: Object, container: Object, facts: PodFacts) -> dict[str, str]:
    """Return what every process gets: a little of the host, its ports and its address."""
    env = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    env["HOSTNAME"] = pod["spec"].get("hostname") or pod["metadata"]["name"]
    env["HOST"] = facts.address
    for index, port in enumerate(container.get("ports") or ()):
        picked = str(facts.ports.get(port["containerPort"], port["containerPort"]))
        if index == 0:
            env["PORT"] = picked
        env[f"PORT_{port['containerPort']}"] = picked
        if port.get("name"):
            env["PORT_" + port["name"].upper().replace("-", "_")] = picked
    return env


async def environment(
    client: KubeClient, pod: Object, container: Object, facts: PodFacts
) -> dict[str, str]:
    """
    Return the whole environment of a container.

    Raises ConfigError when a ConfigMap, Secret, key or field that it needs does not exist.
    """
    env = base_environment(pod, container, facts)
    for source in container.get("envFrom") or ():
        env.update(await _all_of(client, pod["metadata"]["namespace"], source))
    for entry in container.get("env") or ():
        name = entry["name"]
        if "valueFrom" in entry and not entry.get("value"):
            value = await _value_from(client, pod, container, entry["valueFrom"], facts)
        else:
            value = expand(entry.get("value") or "", env)
        if value is None:
            continue
        if name == "PORT" and value.isdigit():
            # Programs that are told their containerPort this way must get the real one.
            value = str(facts.ports.get(int(value), value))
        env[name] = value
    return env


async def _all_of(client: KubeClient, namespace: str, source: Object) -> dict[str, str]:
    prefix = source.get("prefix") or ""
    if "configMapRef" in source:
        reference, what = source["configMapRef"], "configmap"
        contents = await references.config_map(client, namespace, reference["name"])
    else:
        reference, what = source["secretRef"], "secret"
        contents = await references.secret(client, namespace, reference["name"])
    if contents is None:
        if reference.get("optional"):
            return {}
        raise ConfigError(f'{what} "{reference["name"]}" not found')
    names = {prefix + key: value for key, value in contents.items()}
    return {name: _text(value) for name, value in names.items() if _NAME.match(name)}


async def _value_from(
    client: KubeClient, pod: Object, container: Object, source: Object, facts: PodFacts
) -> str | None:
    """Return the value; None when the source is optional and missing."""
    if "fieldRef" in source:
        return references.pod_field(pod, source["fieldRef"]["fieldPath"], facts.address)
    if "resourceFieldRef" in source:
        wanted = source["resourceFieldRef"]
        return references.resource_field(pod, container, wanted, facts.capacity)
    namespace = pod["metadata"]["namespace"]
    if "configMapKeyRef" in source:
        reference, what, title = source["configMapKeyRef"], "configmap", "ConfigMap"
        contents = await references.config_map(client, namespace, reference["name"])
    elif "secretKeyRef" in source:
        reference, what, title = source["secretKeyRef"], "secret", "Secret"
        contents = await references.secret(client, namespace, reference["name"])
    else:
        raise ConfigError(f"unsupported valueFrom: {', '.join(source) or 'nothing given'}")
    key = reference["key"]
    if contents is not None and key in contents:
        return _text(contents[key])
    if reference.get("optional"):
        return None
    if contents is None:
        raise ConfigError(f'{what} "{reference["name"]}" not found')
    raise ConfigError(f"couldn't find key {key} in {title} {namespace}/{reference['name']}")


def _text(value: bytes) -> str:
    text = value.decode("utf-8", "surrogateescape")
    if "\0" in text:
        raise ConfigError("a value with a NUL byte cannot be an environment variable")
    return text
