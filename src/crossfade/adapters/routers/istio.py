"""
The split of users by a VirtualService of Istio.

Istio does not say in the object whether its gateways serve it.  So they are asked: a rule answers
with the route's epoch, and the route is in force once they answer so several times in a row.
"""

import json

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.adapters.routers import virtual_service, written
from crossfade.adapters.routers.addresses import given_endpoint, service_endpoint
from crossfade.adapters.routers.question import ask
from crossfade.base.errors import Conflict, CrossfadeError, NotFound, Unavailable
from crossfade.base.ids import ApplicationName, Epoch, RevisionId
from crossfade.core.release.kinds import APPLICATION_LABEL, mapping, mappings
from crossfade.ports.router import GatewayEndpoint, RouteStatus, WantedRoute

API_VERSION = "networking.istio.io/v1"
MANAGED_BY = "app.kubernetes.io/managed-by"
ASKED = "crossfade.dev/asked"
"""Host and gateway by which the route is asked for."""
QUESTIONS = 3
"""Answers in a row that must be right: there may be several gateways behind one address."""


class IstioRouter:
    """
    The TrafficRouter port.

    It makes a VirtualService named like the application, or works in the one of that namespace
    that is labelled with the application's name: there it changes its own rules only.
    """

    def __init__(self, api: KubeApi) -> None:
        self._api = api

    async def read(self, application: ApplicationName, namespace: str) -> RouteStatus:
        """Return the route in the cluster and whether it is in force; see the port for errors."""
        held = await self._find(application, namespace)
        epoch = None if held is None else written.epoch_of(held)
        if held is None or epoch is None:
            return RouteStatus(Epoch(0), in_force=False)
        percents, reached = _revisions(held)
        if not _as_written(held):
            return RouteStatus(Epoch(0), False, percents, written.CHANGED_BY_HAND, reached)
        trouble = _trouble(held) or await self._unconfirmed(held, application, epoch)
        return RouteStatus(epoch, not trouble, percents, trouble, reached)

    async def write(self, wanted: WantedRoute) -> None:
        """Ask for the route; see the port for errors."""
        ours = virtual_service.rules(wanted)
        for last in (False, False, True):
            held = await self._find(wanted.application, wanted.namespace)
            if held is not None and self._is_so(held, wanted, ours):
                return
            try:
                await self._send(wanted, ours, held)
            except Conflict:  # somebody has written in between: look again
                if last:
                    raise
            else:
                return

    async def remove(self, application: ApplicationName, namespace: str) -> None:
        """Take the route away; of a VirtualService of others only our rules."""
        for last in (False, False, True):
            held = await self._find(application, namespace)
            if held is None or (written.epoch_of(held) is None and not _made_here(held)):
                return
            try:
                await self._take_out(held, _path(namespace, held["metadata"]["name"]))
            except Conflict:  # somebody has written in between: look again
                if last:
                    raise
            else:
                return

    async def _take_out(self, held: Object, path: str) -> None:
        if _made_here(held):
            await self._api.delete(path)
            return
        version = {"resourceVersion": held["metadata"]["resourceVersion"]}
        marks = dict.fromkeys((written.EPOCH, written.BACKENDS, written.SPEC, ASKED))
        http = virtual_service.merged([], _http(held))
        patch = {"metadata": {"annotations": marks, **version}, "spec": {"http": http}}
        await self._api.merge(path, patch)

    async def endpoint(self, gateway: str) -> GatewayEndpoint:
        """Return the address of Istio's Gateway `namespace/name`; see the port for errors."""
        namespace, _, name = gateway.partition("/")
        path = f"/apis/{API_VERSION}/namespaces/{namespace}/gateways/{name}"
        found = await self._api.find(path)
        facts = {"cluster": self._api.cluster.name, "gateway": gateway}
        if found is None:
            raise NotFound(
                "there is no such Gateway of Istio",
                hint="set route.gateway to `namespace/name` of a Gateway in every cluster",
                **facts,
            )
        if (given := given_endpoint(found)) is not None:
            return given
        spec = mapping(found.get("spec"))
        servers = mappings(spec.get("servers"))
        ports = [mapping(each.get("port")) for each in servers]
        plain = [int(each["number"]) for each in ports if each.get("protocol") in ("HTTP", "HTTP2")]
        services, _ = await self._api.list("/api/v1/services")
        for service in services:
            selector = mapping(mapping(service.get("spec")).get("selector"))
            if plain and selector and mapping(spec.get("selector")).items() <= selector.items():
                address = service_endpoint(service, plain[0])
                if address is not None:
                    return address
        raise NotFound(
            "the Gateway has no address yet",
            hint="its Service of type LoadBalancer gets one, or annotate the Gateway with "
            "`crossfade.dev/address: HOST:PORT`",
            **facts,
        )

    async def _find(self, application: ApplicationName, namespace: str) -> Object | None:
        """Return the application's VirtualService; one under its name may be somebody else's."""
        labels = f"{APPLICATION_LABEL}={application}"
        try:
            found, _ = await self._api.list(_path(namespace), labels)
        except NotFound as error:
            raise Unavailable(
                "the cluster has no VirtualServices",
                hint="install Istio there, or choose another router",
                cluster=self._api.cluster.name,
            ) from error
        return found[0] if found else await self._api.find(_path(namespace, application))

    def _is_so(self, held: Object, wanted: WantedRoute, ours: list[Object]) -> bool:
        """Say whether nothing is to be written.  Raises Conflict when it must not be."""
        name, epoch = held["metadata"]["name"], written.epoch_of(held)
        labels = mapping(held["metadata"].get("labels"))
        if labels.get(APPLICATION_LABEL) != wanted.application:
            raise Conflict(
                f"the VirtualService {name} was not made by Crossfade",
                hint=f"delete it, or let Crossfade add its rules: `kubectl label virtualservice "
                f"{name} -n {wanted.namespace} {APPLICATION_LABEL}={wanted.application}`",
                cluster=self._api.cluster.name,
            )
        if epoch is None:
            return False
        written.refuse_if_newer(epoch, wanted, self._api.cluster.name)
        marks = mapping(held["metadata"].get("annotations"))
        same = all(marks.get(key) == value for key, value in _marks(wanted, ours).items())
        return same and _as_written(held)

    async def _send(self, wanted: WantedRoute, ours: list[Object], held: Object | None) -> None:
        marks = _marks(wanted, ours)
        if held is not None:
            version = held["metadata"]["resourceVersion"]
            spec: Object = {"http": virtual_service.merged(ours, _http(held))}
            if _made_here(held):
                spec |= {"hosts": [wanted.host], "gateways": [wanted.gateway]}
            patch = {"metadata": {"annotations": marks, "resourceVersion": version}, "spec": spec}
            await self._api.merge(_path(wanted.namespace, held["metadata"]["name"]), patch)
            return
        labels = {APPLICATION_LABEL: wanted.application, MANAGED_BY: "crossfade"}
        body = {
            "apiVersion": API_VERSION,
            "kind": "VirtualService",
            "metadata": {
                "name": wanted.application,
                "namespace": wanted.namespace,
                "labels": labels,
                "annotations": marks,
            },
            "spec": {"hosts": [wanted.host], "gateways": [wanted.gateway], "http": ours},
        }
        await self._api.create(_path(wanted.namespace), body)

    async def _unconfirmed(self, held: Object, application: ApplicationName, epoch: Epoch) -> str:
        """Return why the gateways are not known to serve the epoch, "" once they all say so."""
        asked = mapping(held["metadata"].get("annotations")).get(ASKED)
        host, _, gateway = str(asked).partition(" ")
        try:
            endpoint = await self.endpoint(gateway)
            for _ in range(QUESTIONS):
                headers = {"host": host, virtual_service.QUESTION: "epoch"}
                if await ask(endpoint, headers) != virtual_service.answer(application, epoch):
                    return "the gateway does not serve the newest route yet"
        except CrossfadeError as error:
            return f"nobody confirms the route: {error}"
        return ""


def _path(namespace: str, name: str = "") -> str:
    collection = f"/apis/{API_VERSION}/namespaces/{namespace}/virtualservices"
    return f"{collection}/{name}" if name else collection


def _marks(wanted: WantedRoute, ours: list[Object]) -> dict[str, str]:
    marks = written.annotations(wanted, {"http": ours})
    return {**marks, ASKED: f"{wanted.host} {wanted.gateway}"}


def _http(held: Object) -> list[Object]:
    return list(mappings(mapping(held.get("spec")).get("http")))


def _made_here(held: Object) -> bool:
    return mapping(held["metadata"].get("labels")).get(MANAGED_BY) == "crossfade"


def _as_written(held: Object) -> bool:
    """Say whether our rules are as they were written; those of others may change."""
    text = mapping(held["metadata"].get("annotations")).get(written.SPEC)
    ours = [each for each in _http(held) if virtual_service.is_ours(each)]
    try:
        return written.contains({"http": ours}, json.loads(text or "null"))
    except ValueError:
        return False


def _revisions(held: Object) -> tuple[dict[RevisionId, float], frozenset[RevisionId]]:
    """Return the share of each revision that the rules name, and all that they lead to."""
    revisions = written.revisions_of(held)
    weights: dict[str, int] = {}
    reached: set[str] = set()
    for rule in _http(held):
        if rule.get("name") == f"{virtual_service.PREFIX}probe":
            continue
        reached.add(str(mapping(rule.get("mirror")).get("host")))
        for each in mappings(rule.get("route")):
            host, weight = str(mapping(each.get("destination")).get("host")), each.get("weight")
            if weight != 0:
                reached.add(host)
            if rule.get("name") == virtual_service.SHARES:
                weights[host] = int(weight or 0)
    percents = written.shares(weights, revisions)
    return percents, frozenset(each for host, each in revisions.items() if host in reached)


def _trouble(held: Object) -> str:
    """Return what Istio itself says against the route, where it says anything."""
    if held["metadata"].get("deletionTimestamp"):
        return "the route is being deleted"
    for each in mappings(mapping(held.get("status")).get("conditions")):
        if each.get("type") == "Reconciled" and each.get("status") == "False":
            return f"Reconciled is False: {each.get('message')}"
    return ""
