"""The split of users by a Gateway API HTTPRoute, one an application."""

import json
from typing import Any

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.base.errors import Conflict, NotFound, Unavailable
from crossfade.base.ids import ApplicationName, Epoch, RevisionId
from crossfade.core.release.kinds import APPLICATION_LABEL, mapping, mappings
from crossfade.core.traffic.probe import PROBE_HEADER, PROBE_VALUE
from crossfade.ports.router import GatewayEndpoint, RouteStatus, WantedRoute

API_VERSION = "gateway.networking.k8s.io/v1"
EPOCH = "crossfade.dev/epoch"
BACKENDS = "crossfade.dev/backends"
METRICS_URL = "crossfade.dev/metrics-url"


class GatewayApiRouter:
    """The TrafficRouter port."""

    def __init__(self, api: KubeApi) -> None:
        self._api = api

    async def read(self, application: ApplicationName, namespace: str) -> RouteStatus:
        """Return the route in the cluster and whether it is in force; see the port for errors."""
        route = await self._api.find(_path(namespace, application))
        return status_of(route) if route is not None else RouteStatus(Epoch(0), in_force=False)

    async def write(self, wanted: WantedRoute) -> None:
        """Ask for the route; see the port for errors."""
        path = _path(wanted.namespace, wanted.application)
        body = render(wanted)
        for last in (False, False, True):
            held = await self._api.find(path)
            if held is not None:
                _refuse_if_not_ours(held, wanted, self._api.cluster.name)
                if _same(held, body):
                    return
            try:
                await self._send(wanted, body, held)
            except Conflict:  # often the Gateway's controller, which has written the status
                if last:
                    raise
            else:
                return

    async def remove(self, application: ApplicationName, namespace: str) -> None:
        """Take the route away; see the port for errors."""
        await self._api.delete(_path(namespace, application))

    async def endpoint(self, gateway: str) -> GatewayEndpoint:
        """Return the address of the Gateway `namespace/name`; see the port for errors."""
        namespace, _, name = gateway.partition("/")
        found = await self._api.find(f"/apis/{API_VERSION}/namespaces/{namespace}/gateways/{name}")
        facts = {"cluster": self._api.cluster.name, "gateway": gateway}
        if found is None:
            raise NotFound(
                "there is no such Gateway",
                hint="set route.gateway to `namespace/name` of a Gateway in every cluster",
                **facts,
            )
        addresses = mappings(mapping(found.get("status")).get("addresses"))
        listener = _listener(found)
        if not addresses or listener is None:
            raise NotFound(
                "the Gateway has no address yet",
                hint="see `kubectl describe gateway`: its controller gives it one",
                **facts,
            )
        annotations = mapping(found["metadata"].get("annotations"))
        return GatewayEndpoint(
            host=str(addresses[0].get("value")),
            port=int(listener["port"]),
            metrics_url=annotations.get(METRICS_URL),
        )

    async def _send(self, wanted: WantedRoute, body: Object, held: Object | None) -> None:
        """Write the route over the one that was read, over nobody's newer one."""
        if held is not None:
            version = {"resourceVersion": held["metadata"]["resourceVersion"]}
            body = {**body, "metadata": {**body["metadata"], **version}}
            await self._api.apply(_path(wanted.namespace, wanted.application), body)
            return
        try:
            await self._api.create(_path(wanted.namespace), body)
        except NotFound as error:
            raise Unavailable(
                f"the route cannot be made: {error.what}",
                hint="does the namespace exist, and is the Gateway API installed in the cluster?",
                cluster=self._api.cluster.name,
            ) from error


def render(wanted: WantedRoute) -> Object:
    """Return the HTTPRoute.  Weights are proportions; these are percentages, for people to read."""
    namespace, _, gateway = wanted.gateway.partition("/")
    backends = [
        {"name": each.service, "port": wanted.port, "weight": each.percent}
        for each in wanted.backends
    ]
    services = {each.revision: each.service for each in wanted.backends}
    everything = {"type": "PathPrefix", "value": "/"}
    probe = {"type": "Exact", "name": PROBE_HEADER, "value": PROBE_VALUE}
    # The first of equals is the stable revision.
    proven = max(wanted.backends, key=lambda each: each.percent)
    probed = {"name": proven.service, "port": wanted.port, "weight": 100}
    return {
        "apiVersion": API_VERSION,
        "kind": "HTTPRoute",
        "metadata": {
            "name": wanted.application,
            "namespace": wanted.namespace,
            "labels": {APPLICATION_LABEL: wanted.application},
            "annotations": {
                EPOCH: str(wanted.epoch),
                BACKENDS: json.dumps(services, sort_keys=True),
            },
        },
        "spec": {
            "parentRefs": [{"namespace": namespace, "name": gateway}],
            "hostnames": [wanted.host],
            "rules": [
                {"matches": [{"path": everything, "headers": [probe]}], "backendRefs": [probed]},
                {"matches": [{"path": everything}], "backendRefs": backends},
            ],
        },
    }


def status_of(route: Object) -> RouteStatus:
    """Return what the HTTPRoute says of itself."""
    trouble = _trouble(route)
    return RouteStatus(
        epoch=_epoch(route) or Epoch(0),
        in_force=not trouble,
        percents=_percents(route),
        trouble=trouble,
    )


def _path(namespace: str, name: str = "") -> str:
    collection = f"/apis/{API_VERSION}/namespaces/{namespace}/httproutes"
    return f"{collection}/{name}" if name else collection


def _epoch(route: Object) -> Epoch | None:
    """Return the epoch that the route carries, None when Crossfade has not written it."""
    text = mapping(route["metadata"].get("annotations")).get(EPOCH)
    return Epoch(int(text)) if isinstance(text, str) and text.isdecimal() else None


def _refuse_if_not_ours(held: Object, wanted: WantedRoute, cluster: str) -> None:
    epoch = _epoch(held)
    if epoch is None:
        raise Conflict(
            f"the HTTPRoute {wanted.application} was not made by Crossfade",
            hint=f"delete it, or hand it over: `kubectl annotate httproute {wanted.application} "
            f"-n {wanted.namespace} {EPOCH}=0`",
            cluster=cluster,
        )
    if epoch > wanted.epoch:
        raise Conflict(
            f"the cluster holds a newer route, of epoch {epoch}",
            hint="another hub has taken over: read its plan again",
            cluster=cluster,
            epoch=wanted.epoch,
        )


def _same(held: Object, body: Object) -> bool:
    """Return whether the route is as wanted already, but for defaults that the server filled in."""
    metadata = mapping(held["metadata"].get("annotations"))
    wanted = body["metadata"]["annotations"]
    return all(metadata.get(key) == value for key, value in wanted.items()) and _contains(
        held.get("spec"), body["spec"]
    )


def _contains(held: Any, wanted: Any) -> bool:  # noqa: ANN401 - any JSON value
    if isinstance(wanted, dict):
        return isinstance(held, dict) and all(
            _contains(held.get(key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(held, list)
            and len(held) == len(wanted)
            and all(map(_contains, held, wanted))
        )
    return bool(held == wanted)


def _percents(route: Object) -> dict[RevisionId, int]:
    """Return the share of each revision in the route, as far as it names revisions."""
    annotations = mapping(route["metadata"].get("annotations"))
    try:
        services = mapping(json.loads(annotations.get(BACKENDS) or "{}"))
    except ValueError:
        services = {}
    weights: dict[str, int] = {}
    users = list(mappings(mapping(route.get("spec")).get("rules")))[-1:]  # the other is for probes
    for rule in users:
        for backend in mappings(rule.get("backendRefs")):
            weights[str(backend.get("name"))] = int(backend.get("weight", 1))
    total = sum(weights.values())
    if total == 0:
        return {}
    return {
        RevisionId(revision): round(100 * weights[service] / total)
        for revision, service in services.items()
        if service in weights
    }


def _trouble(route: Object) -> str:
    """Return why the route is not in force for each Gateway that it names, "" when it is."""
    if route["metadata"].get("deletionTimestamp"):
        return "the route is being deleted"
    entries = mappings(mapping(route.get("status")).get("parents"))
    for parent in mappings(mapping(route.get("spec")).get("parentRefs")):
        ours = [each for each in entries if _is_about(each, parent, route)]
        if not ours:
            return f"the Gateway {parent.get('name')} has not taken the route up yet"
        for entry in ours:
            if trouble := _condition_trouble(entry, route["metadata"].get("generation")):
                return trouble
    return ""


def _is_about(entry: Object, parent: Object, route: Object) -> bool:
    reference = mapping(entry.get("parentRef"))
    home = route["metadata"].get("namespace")
    return reference.get("name") == parent.get("name") and reference.get(
        "namespace", home
    ) == parent.get("namespace", home)


def _condition_trouble(entry: Object, generation: int | None) -> str:
    """Return what keeps one Gateway's controller from serving this very generation."""
    conditions = {str(each.get("type")): each for each in mappings(entry.get("conditions"))}
    if "Accepted" not in conditions:
        return "the Gateway has not accepted the route yet"
    for name in ("Accepted", "ResolvedRefs", "Programmed"):
        condition = conditions.get(name)
        if condition is None:
            continue  # not every controller sets every condition
        if condition.get("observedGeneration") != generation:
            return "the Gateway has not seen the newest route yet"
        if condition.get("status") != "True":
            why = ": ".join(
                str(condition[key]) for key in ("reason", "message") if condition.get(key)
            )
            return f"{name} is {condition.get('status')}: {why}"
    return ""


def _listener(gateway: Object) -> Object | None:
    """Return the listener for users: the first one for HTTP, else the first one."""
    listeners = mappings(mapping(gateway.get("spec")).get("listeners"))
    plain = [each for each in listeners if each.get("protocol") == "HTTP"]
    return next(iter([*plain, *listeners]), None)
