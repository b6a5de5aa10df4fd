"""HTTP clients for clusters: address, TLS and credentials of a kubeconfig context."""

import ipaddress
import json
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crossfade.base.errors import Denied, Unavailable
from crossfade.core.fleet.cluster import Cluster

if TYPE_CHECKING:
    import httpx2
    from lightkube.config.kubeconfig import SingleConfig
    from lightkube.config.models import User

_SMALLEST = {
    "clusters": [{"name": "c", "cluster": {"server": "https://c"}}],
    "users": [{"name": "u", "user": {}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
}
_learning = threading.Lock()
_EXEC_V1 = "client.authentication.k8s.io/v1"


def connect(cluster: Cluster, seconds: float) -> "httpx2.AsyncClient":
    """
    Return an HTTP client for the cluster's API; reads files and takes a moment, asks nothing yet.

    `seconds` is the deadline of a whole request.
    Raises Unavailable when file or context are missing or wrong, Denied for credentials of a kind
    that cannot be used.
    """
    # Imported here, since it takes 0.25 s that commands which ask no cluster should not wait for.
    import httpx2
    from lightkube.config.client_adapter import AsyncClient, ConnectionParams
    from lightkube.core.exceptions import ConfigError

    chosen = _chosen(cluster)
    # A little less than the caller's own deadline: then the library closes the connection itself.
    timeout = httpx2.Timeout(seconds * 0.9)
    parameters = ConnectionParams(timeout=timeout, trust_env=not _is_local(chosen.cluster.server))
    try:
        return AsyncClient(chosen, parameters)
    except ConfigError as error:
        raise Denied(
            f"the credentials of context `{cluster.context}` cannot be used: {error}",
            hint="use a token, a client certificate, or a credential plugin (exec)",
            cluster=cluster.name,
        ) from error
    except (OSError, ValueError) as error:  # a certificate that is missing, or none
        raise Unavailable(
            f"a certificate or key of context `{cluster.context}` cannot be read: {error}",
            hint="check the files that the kubeconfig names",
            cluster=cluster.name,
            kubeconfig=cluster.kubeconfig,
        ) from error


def _chosen(cluster: Cluster) -> "SingleConfig":
    from lightkube.config.kubeconfig import KubeConfig
    from lightkube.config.models import User
    from lightkube.core.exceptions import ConfigError

    facts = {"cluster": cluster.name, "kubeconfig": cluster.kubeconfig}
    _learn_types()
    try:
        config = KubeConfig.from_file(cluster.kubeconfig)
    except (ConfigError, OSError) as error:
        raise Unavailable(
            "the kubeconfig file cannot be read", hint="check path and rights of the file", **facts
        ) from error
    except Exception as error:  # the library checks nothing, so anything can come out of it
        raise Unavailable(
            f"the kubeconfig file is no kubeconfig: {type(error).__name__}",
            hint="check it with `kubectl config view`",
            **facts,
        ) from error
    try:
        chosen = config.get(cluster.context)
    except (ConfigError, KeyError) as error:
        raise Unavailable(
            f"the kubeconfig has no whole context `{cluster.context}`",
            hint=f"it has: {', '.join(sorted(config.contexts)) or 'none'}",
            **facts,
        ) from error
    if chosen is None:
        raise AssertionError("a named context is returned or refused")
    user = _with_current_plugin(chosen.user or User())
    return chosen._replace(user=user)


def _learn_types() -> None:
    """
    Have the library look at the types of a kubeconfig, in one thread at a time.

    Its parser, msgspec, learns a type when it first meets it; a second thread that meets it
    meanwhile ends the whole process (seen with 0.22: segmentation fault).
    """
    from lightkube.config.kubeconfig import KubeConfig

    with _learning:
        KubeConfig.from_dict(_SMALLEST)


def _with_current_plugin(user: "User") -> "User":
    """Return the user with a credential plugin of API v1 as the library knows it: as v1beta1."""
    from lightkube.config.models import NameValue

    if user.exec is not None and user.exec.apiVersion == _EXEC_V1:
        # Plugins answer in the version that they are asked in; the token is in the same place.
        asked = {"apiVersion": _EXEC_V1, "kind": "ExecCredential", "spec": {"interactive": False}}
        variable = NameValue("KUBERNETES_EXEC_INFO", json.dumps(asked))
        user.exec.env = [*(user.exec.env or ()), variable]
        user.exec.apiVersion = "client.authentication.k8s.io/v1beta1"
    return user


def _is_local(server: str) -> bool:
    """Return whether the server is on this machine, where no proxy is asked, as in kubectl."""
    host = urlsplit(server).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
