"""A kubeconfig of the fleet for steps of pipelines: one context for each cluster, by its name."""

import base64
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from crossfade.adapters.helm.manifest_text import read
from crossfade.base.errors import InputError
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.pipeline.clusters import Kubeconfig

Part: TypeAlias = dict[str, Any]

NONE_CHOSEN = "choose-a-cluster"
"""The current context where there are several: what forgets to choose fails, and reads why."""
_FILES = ("certificate-authority", "client-certificate", "client-key")
_SECRETS = ("token", "password", "client-key-data")


class FleetKubeconfig:
    """Reads kubeconfig files, each again only when it has changed."""

    def __init__(self, weaker: Path | None = None) -> None:
        """`weaker` has, by the names of the clusters, the contexts that steps get instead."""
        self._weaker = weaker
        self._read: dict[str, tuple[tuple[int, ...], Part]] = {}

    def of(self, clusters: Iterable[Cluster]) -> Kubeconfig:
        """Return the kubeconfig of these clusters, without those that cannot be read."""
        parts: dict[str, tuple[Part, Part, Part]] = {}
        left_out = []
        for each in clusters:
            try:
                parts[each.name] = self._parts(each)
            except (OSError, ValueError) as error:
                left_out.append(f"{each.name}: {error}")
        if not parts:
            return Kubeconfig(left_out=tuple(left_out))
        secrets = [user[key] for _, user, _ in parts.values() for key in _SECRETS if user.get(key)]
        return Kubeconfig(_text(parts), tuple(dict.fromkeys(secrets)), tuple(left_out))

    def _parts(self, cluster: Cluster) -> tuple[Part, Part, Part]:
        """Return cluster, user and context of the file.  Raises OSError, ValueError."""
        path, name = cluster.kubeconfig, cluster.context
        if self._weaker is not None:
            path, name = str(self._weaker), cluster.name
        config = self._config(path)
        context = _named(config, "contexts", "context", name, path)
        server = _named(config, "clusters", "cluster", str(context.get("cluster")), path)
        user = _named(config, "users", "user", str(context.get("user")), path)
        folder = Path(path).parent
        return _whole(server, folder), _whole(user, folder), context

    def _config(self, path: str) -> Part:
        found = os.stat(path)
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            known = self._read[path] = (stamp, _parsed(path))
        return known[1]


def _parsed(path: str) -> Part:
    try:
        documents = read(Path(path).read_text())
    except InputError as error:
        raise ValueError(f"{path} is no YAML") from error
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise ValueError(f"{path} is no kubeconfig")
    return documents[0]


def _named(config: Part, listed: str, key: str, name: str, path: str) -> Part:
    for each in config.get(listed) or ():
        if isinstance(each, dict) and each.get("name") == name and isinstance(each.get(key), dict):
            return dict(each[key])
    raise ValueError(f"{path} has no {key} `{name}`")


def _whole(part: Part, folder: Path) -> Part:
    """Return the part with the content of the files that it names: a step may not see these."""
    whole = dict(part)
    for key in _FILES:
        if (file := whole.pop(key, None)) is not None:
            data = (folder / str(file)).read_bytes()
            whole[f"{key}-data"] = base64.b64encode(data).decode()
    if (file := whole.pop("tokenFile", None)) is not None:
        whole["token"] = (folder / str(file)).read_text().strip()
    return whole


def _text(parts: dict[str, tuple[Part, Part, Part]]) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": next(iter(parts)) if len(parts) == 1 else NONE_CHOSEN,
        "clusters": [{"name": name, "cluster": each[0]} for name, each in parts.items()],
        "users": [{"name": name, "user": each[1]} for name, each in parts.items()],
        "contexts": [
            {"name": name, "context": {**each[2], "cluster": name, "user": name}}
            for name, each in parts.items()
        ],
    }
    return json.dumps(config, indent=1) + "\n"
