"""
The split of users by Ingresses of ingress-nginx.

Neither the objects nor the controller say what NGINX serves.  The route counts as in force when the
controller has given the Ingress an address, and it has stood as it is for `settle_seconds`.
"""

import asyncio
import json

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.adapters.routers import canary_ingress, written
from crossfade.adapters.routers.addresses import endpoint_of_service
from crossfade.adapters.routers.canary_ingress import (
    NOTE,
    Ingresses,
    canary_name,
    render,
    service_of,
)
from crossfade.base.errors import Conflict
from crossfade.base.ids import ApplicationName, Epoch, RevisionId
from crossfade.core.release.kinds import mapping, mappings
from crossfade.ports.router import GatewayEndpoint, RouteStatus, WantedRoute

HTTP_PORT = 80


class NginxRouter:
    """The TrafficRouter port; `route.gateway` is `namespace/name` of the controller's Service."""

    def __init__(
        self, api: KubeApi, ingress_class: str = "nginx", settle_seconds: float = 5.0
    ) -> None:
        self._api = api
        self._class, self._settle_seconds = ingress_class, settle_seconds
        self._since: dict[str, tuple[str, float]] = {}
        """By path of the main Ingress: its versions as first seen, and when."""

    async def read(self, application: ApplicationName, namespace: str) -> RouteStatus:
        """Return the route in the cluster and whether it is in force; see the port for errors."""
        main = await self._api.find(_path(namespace, application))
        canary = await self._api.find(_path(namespace, canary_name(application)))
        epoch = None if main is None else written.epoch_of(main)
        if main is None or epoch is None:
            return RouteStatus(Epoch(0), in_force=False)
        percents, reached = _revisions(main, canary)
        if not _as_written(main, canary):
            return RouteStatus(Epoch(0), False, percents, written.CHANGED_BY_HAND, reached)
        trouble = self._unsettled(main, canary)
        return RouteStatus(epoch, not trouble, percents, trouble, reached)

    async def write(self, wanted: WantedRoute) -> None:
        """Ask for the route; see the port for errors."""
        names = (wanted.application, canary_name(wanted.application))
        for last in (False, False, True):
            main, canary = [await self._api.find(_path(wanted.namespace, name)) for name in names]
            for held in (main, canary):
                self._refuse_if_not_ours(held, wanted)
            ingresses = render(wanted, self._class, "" if main is None else service_of(main))
            try:
                await self._send(ingresses, main, canary)
            except Conflict:  # often the controller, which has written the address
                if last:
                    raise
            else:
                return

    async def remove(self, application: ApplicationName, namespace: str) -> None:
        """Take the route away; see the port for errors."""
        for name in (canary_name(application), application):
            await self._api.delete(_path(namespace, name))

    async def endpoint(self, gateway: str) -> GatewayEndpoint:
        """Return the address of the controller's Service; see the port for errors."""
        return await endpoint_of_service(
            self._api, gateway, "the Service of ingress-nginx", HTTP_PORT
        )

    def _refuse_if_not_ours(self, held: Object | None, wanted: WantedRoute) -> None:
        if held is None:
            return
        epoch, cluster = written.epoch_of(held), self._api.cluster.name
        if epoch is None:
            raise written.not_ours("Ingress", wanted, held["metadata"]["name"], cluster)
        written.refuse_if_newer(epoch, wanted, cluster)

    async def _send(self, ingresses: Ingresses, main: Object | None, canary: Object | None) -> None:
        """Write the main one first: a canary that is too small hurts nobody for a moment."""
        await self._put(ingresses.main, main)
        if ingresses.canary is not None:
            await self._put(ingresses.canary, canary)
        elif canary is not None:
            metadata = canary["metadata"]
            await self._api.delete(_path(metadata["namespace"], metadata["name"]))

    async def _put(self, body: Object, held: Object | None) -> None:
        metadata = body["metadata"]
        if held is None:
            await self._api.create(_path(metadata["namespace"]), body)
        elif not written.same(held, body) or _notes(held) != _notes(body):
            version = {"resourceVersion": held["metadata"]["resourceVersion"]}
            path = _path(metadata["namespace"], metadata["name"])
            await self._api.apply(path, {**body, "metadata": {**metadata, **version}})

    def _unsettled(self, main: Object, canary: Object | None) -> str:
        """Return why NGINX is not known to serve the Ingresses as they stand, "" when it is."""
        if any(each["metadata"].get("deletionTimestamp") for each in (main, canary) if each):
            return "the route is being deleted"
        balancer = mapping(mapping(main.get("status")).get("loadBalancer"))
        if not mappings(balancer.get("ingress")):
            return "no controller has taken the Ingress up yet"
        path = _path(main["metadata"]["namespace"], main["metadata"]["name"])
        stands = json.dumps([[each["spec"], _notes(each)] for each in (main, canary) if each])
        now = asyncio.get_running_loop().time()
        before, since = self._since.get(path, ("", now))
        if before != stands:
            self._since[path] = (stands, since := now)
        left = self._settle_seconds - (now - since)
        return f"NGINX is given {left:.1f} s more to follow" if left > 0 else ""


def _path(namespace: str, name: str = "") -> str:
    collection = f"/apis/{canary_ingress.API_VERSION}/namespaces/{namespace}/ingresses"
    return f"{collection}/{name}" if name else collection


def _notes(ingress: Object) -> dict[str, str]:
    annotations = mapping(ingress["metadata"].get("annotations"))
    return {name: value for name, value in annotations.items() if name.startswith(NOTE)}


def _as_written(main: Object, canary: Object | None) -> bool:
    """Say whether both are as they were written together: one alone is half a change."""
    text = mapping(main["metadata"].get("annotations")).get(written.SPEC)
    now = {"main": main.get("spec"), "canary": None}
    if canary is not None:
        now["canary"] = {**mapping(canary.get("spec")), "notes": _notes(canary)}
    try:
        return written.contains(now, json.loads(text or "null"))
    except ValueError:
        return False


def _revisions(
    main: Object, canary: Object | None
) -> tuple[dict[RevisionId, float], frozenset[RevisionId]]:
    """Return the share of each revision that has an Ingress, and all that users are led to."""
    revisions = written.revisions_of(main)
    notes = {} if canary is None else _notes(canary)
    weight = int(notes.get(f"{NOTE}canary-weight", 0))
    total = max(int(notes.get(f"{NOTE}canary-weight-total", 100)), 1)
    weights = {service_of(main): total - weight}
    if canary is not None:
        weights[service_of(canary)] = weight
    led = any(f"{NOTE}canary-by-{each}" in notes for each in ("header", "cookie"))
    reached = [each for each, share in weights.items() if share > 0 or led]
    percents = dict.fromkeys(revisions.values(), 0.0) | written.shares(weights, revisions)
    return percents, frozenset(revisions[each] for each in reached if each in revisions)
