"""Volumes of a Pod as folders of the host, and how its containers see them."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfade.sandbox.kube.client import KubeClient, Object
from crossfade.sandbox.kube.kubelet import references
from crossfade.sandbox.kube.kubelet.bubblewrap import Bind
from crossfade.sandbox.kube.kubelet.environment import PodFacts, expand
from crossfade.sandbox.kube.kubelet.references import ConfigError

_READ_ONLY = ("configMap", "secret", "downwardAPI", "projected")
_TEMPORARY = "/tmp/"  # noqa: S108 - the one place where mount points may be made without namespaces


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the files of one volume come from."""

    client: KubeClient
    pod: Object
    facts: PodFacts

    @property
    def namespace(self) -> str:
        """Namespace of the Pod and of what it may refer to."""
        return str(self.pod["metadata"]["namespace"])


async def materialise(
    client: KubeClient, pod: Object, directory: Path, claims: Path, facts: PodFacts
) -> dict[str, Path]:
    """
    Return a path of the host for each volume, made and filled below `directory` or `claims`.

    Raises ConfigError for a volume that cannot be had (yet).
    """
    source = _Source(client, pod, facts)
    result = {}
    for volume in pod["spec"].get("volumes") or ():
        name = volume["name"]
        if "hostPath" in volume:
            result[name] = _host_path(volume["hostPath"])
            continue
        folder = directory / name
        if "persistentVolumeClaim" in volume:  # outlives the Pod
            claim = str(volume["persistentVolumeClaim"]["claimName"])
            folder = claims / str(source.namespace) / claim
        folder.mkdir(parents=True, exist_ok=True)
        if "emptyDir" not in volume and "persistentVolumeClaim" not in volume:
            _fill(folder, await _files(source, volume), _mode(volume))
        result[name] = folder
    return result


def _host_path(wanted: Mapping[str, Any]) -> Path:
    path, kind = Path(wanted["path"]), wanted.get("type") or ""
    if kind == "DirectoryOrCreate":
        path.mkdir(parents=True, exist_ok=True)
    elif kind == "FileOrCreate":
        path.touch(exist_ok=True)
    if not path.exists():
        raise ConfigError(f"hostPath type check failed: {path} is not there")
    if kind == "Directory" and not path.is_dir():
        raise ConfigError(f"hostPath type check failed: {path} is not a directory")
    return path


async def _files(source: _Source, volume: Mapping[str, Any]) -> dict[str, bytes]:
    """Return relative path to content."""
    if "configMap" in volume:
        return await _config_map(source, volume["configMap"])
    if "secret" in volume:
        return await _secret(source, volume["secret"])
    if "downwardAPI" in volume:
        return _downward(source, volume["downwardAPI"])
    if "projected" in volume:
        return await _projected(source, volume["projected"])
    kind = next((key for key in volume if key != "name"), "unknown")
    raise ConfigError(f"volumes of type {kind} are not available in the sandbox")


async def _config_map(source: _Source, wanted: Mapping[str, Any]) -> dict[str, bytes]:
    name = wanted.get("name", "")
    contents = await references.config_map(source.client, source.namespace, name)
    return _chosen(contents, wanted, f'configmap "{name}"')


async def _secret(source: _Source, wanted: Mapping[str, Any]) -> dict[str, bytes]:
    name = wanted.get("secretName") or wanted.get("name", "")
    contents = await references.secret(source.client, source.namespace, name)
    return _chosen(contents, wanted, f'secret "{name}"')


def _chosen(
    contents: dict[str, bytes] | None, wanted: Mapping[str, Any], what: str
) -> dict[str, bytes]:
    optional = bool(wanted.get("optional"))
    if contents is None:
        if optional:
            return {}
        raise ConfigError(f"{what} not found")
    items = wanted.get("items")
    if not items:
        return contents
    result = {}
    for item in items:
        if item["key"] in contents:
            result[item["path"]] = contents[item["key"]]
        elif not optional:
            raise ConfigError(f"{what} references non-existent key: {item['key']}")
    return result


def _downward(source: _Source, wanted: Mapping[str, Any]) -> dict[str, bytes]:
    result = {}
    for item in wanted.get("items") or ():
        if "fieldRef" in item:
            path = item["fieldRef"]["fieldPath"]
            text = references.pod_field(source.pod, path, source.facts.address)
        else:
            reference = item.get("resourceFieldRef") or {}
            text = references.resource_field(source.pod, {}, reference, source.facts.capacity)
        result[item["path"]] = text.encode()
    return result


async def _projected(source: _Source, wanted: Mapping[str, Any]) -> dict[str, bytes]:
    result: dict[str, bytes] = {}
    for part in wanted.get("sources") or ():
        if "serviceAccountToken" in part or "clusterTrustBundle" in part:
            continue  # nobody issues tokens for Pods here
        result |= await _files(source, part)
    return result


def _mode(volume: Mapping[str, Any]) -> int:
    for kind in _READ_ONLY:
        if kind in volume:
            return int((volume[kind] or {}).get("defaultMode") or 0o644)
    return 0o644


def _fill(folder: Path, files: Mapping[str, bytes], mode: int) -> None:
    for name, content in files.items():
        path = Path(os.path.normpath(folder / name))
        if not path.is_relative_to(folder):
            raise ConfigError(f"path {name} leads out of its volume")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(mode)


def binds(
    pod: Object, container: Object, volumes: Mapping[str, Path], environment: Mapping[str, str]
) -> tuple[Bind, ...]:
    """Return what the container mounts; raises ConfigError for a volume that is not declared."""
    kinds = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    result = []
    for mount in container.get("volumeMounts") or ():
        name = mount["name"]
        if name not in volumes:
            raise ConfigError(f'volume "{name}" of mount {mount["mountPath"]} is not declared')
        path = volumes[name]
        inside = mount.get("subPath") or expand(mount.get("subPathExpr") or "", environment)
        if inside:
            path = Path(os.path.normpath(path / inside))
            if not path.is_relative_to(volumes[name]):
                raise ConfigError(f"subPath {inside} leads out of its volume")
            if not path.exists():
                path.mkdir(parents=True)
        fixed = any(kind in kinds[name] for kind in _READ_ONLY)
        target = os.path.normpath(mount["mountPath"])
        result.append(Bind(path, target, fixed or bool(mount.get("readOnly"))))
    return tuple(result)


def link_without_namespaces(wanted: Iterable[Bind]) -> tuple[list[Path], list[str]]:
    """
    Make mounts visible to processes that see the host's own files.

    Returns the links made, for removal later, and the mount points that could not be made: only
    under `/tmp` may a Pod leave something on the host.
    """
    made, impossible = [], []
    for bind in wanted:
        target = Path(bind.target)
        if target == bind.source:
            continue
        free = bind.target.startswith(_TEMPORARY) and not os.path.lexists(target)
        if not free or not target.parent.is_dir():
            impossible.append(bind.target)
            continue
        target.symlink_to(bind.source)
        made.append(target)
    return made, impossible
