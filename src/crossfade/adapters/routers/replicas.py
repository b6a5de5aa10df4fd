"""
The split of users by numbers of pods: one Service over the pods of all revisions that have a share.

There is no router in the way, so each pod gets as many users as the next, and a share is what the
numbers of pods make of it.  Who sizes revisions decides; here it is only made sure that no revision
gets users without a share, and that a new one does not get more than it was given.
"""

import json
from collections import Counter
from collections.abc import Mapping

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.adapters.routers import written
from crossfade.adapters.routers.addresses import endpoint_of_service
from crossfade.base.errors import Conflict, InputError, Unavailable
from crossfade.base.ids import ApplicationName, Epoch, RevisionId
from crossfade.core.release.kinds import APPLICATION_LABEL, REVISION_LABEL, mapping, mappings
from crossfade.ports.router import GatewayEndpoint, RouteBackend, RouteStatus, WantedRoute

SHARES = "crossfade.dev/shares"
"""Percent of each revision, as asked for."""


class ReplicasRouter:
    """The TrafficRouter port; the Service is named as the application."""

    def __init__(self, api: KubeApi) -> None:
        self._api = api

    async def read(self, application: ApplicationName, namespace: str) -> RouteStatus:
        """Return the split that the ready pods make, and whether it is the one asked for."""
        held = await self._api.find(_path(namespace, application))
        epoch = None if held is None else written.epoch_of(held)
        if held is None or epoch is None:
            return RouteStatus(Epoch(0), in_force=False)
        serving = await self._serving(application, namespace)
        percents = {
            revision: round(100 * serving[revision] / max(serving.total(), 1), 2)
            for revision in written.revisions_of(held).values()
        }
        reached = frozenset(serving)
        if not written.as_written(held):
            return RouteStatus(Epoch(0), False, percents, written.CHANGED_BY_HAND, reached)
        trouble = _trouble(_asked(held), serving)
        return RouteStatus(epoch, not trouble, percents, trouble, reached)

    async def write(self, wanted: WantedRoute) -> None:
        """Ask for the route; see the port for errors.  InputError when pods cannot make it."""
        if wanted.headers or wanted.sticky is not None or written.mirrored(wanted) is not None:
            raise InputError(
                "numbers of pods cannot tell one request from another",
                hint="leave out header routes, mirrors and stickiness, or use another route.router",
                application=wanted.application,
            )
        path = _path(wanted.namespace, wanted.application)
        for last in (False, False, True):
            held = await self._api.find(path)
            body = await self._body(wanted)
            if held is not None:
                epoch, cluster = written.epoch_of(held), self._api.cluster.name
                if epoch is None:
                    raise written.not_ours("Service", wanted, wanted.application, cluster)
                written.refuse_if_newer(epoch, wanted, cluster)
                version = {"resourceVersion": held["metadata"]["resourceVersion"]}
                body["metadata"] |= version
            try:
                if held is None:
                    await self._api.create(_path(wanted.namespace), body)
                elif not written.same(held, body):
                    await self._api.apply(path, body)
            except Conflict:
                if last:
                    raise
            else:
                return

    async def remove(self, application: ApplicationName, namespace: str) -> None:
        """Take the route away; see the port for errors."""
        held = await self._api.find(_path(namespace, application))
        if held is not None and written.epoch_of(held) is not None:
            await self._api.delete(_path(namespace, application))

    async def endpoint(self, gateway: str) -> GatewayEndpoint:
        """Return the address of the Service `namespace/name`; see the port for errors."""
        what = "a Service that leads to the application's"
        return await endpoint_of_service(self._api, gateway, what)

    async def _body(self, wanted: WantedRoute) -> Object:
        """Return the Service.  Raises InputError, Unavailable."""
        used = [each for each in wanted.backends if each.percent > 0]
        services = [await self._service(wanted, each) for each in used]
        selectors = [mapping(mapping(each.get("spec")).get("selector")) for each in services]
        selector = {APPLICATION_LABEL: str(wanted.application)}
        selector |= {
            key: value
            for key, value in selectors[0].items()
            if all(each.get(key) == value for each in selectors)
        }
        if len(used) == 1:
            selector[REVISION_LABEL] = str(used[0].revision)
        else:
            selector.pop(REVISION_LABEL, None)
            await self._check_pods(wanted, used, selector)
        kept = ("name", "port", "protocol", "targetPort", "appProtocol")
        ports = [
            {key: each[key] for key in kept if key in each}
            for each in mappings(mapping(services[0].get("spec")).get("ports"))
        ]
        spec = {"selector": selector, "ports": ports}
        shares = {each.revision: each.percent for each in used}
        marks = {**written.annotations(wanted, spec), SHARES: json.dumps(shares, sort_keys=True)}
        metadata = {
            "name": wanted.application,
            "namespace": wanted.namespace,
            "labels": {APPLICATION_LABEL: wanted.application},
            "annotations": marks,
        }
        return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}

    async def _service(self, wanted: WantedRoute, backend: RouteBackend) -> Object:
        found = await self._api.find(_path(wanted.namespace, backend.service))
        if found is None:
            raise Unavailable(
                f"the revision's Service {backend.service} is not there yet",
                hint="Crossfade tries again by itself",
                cluster=self._api.cluster.name,
            )
        return found

    async def _check_pods(
        self, wanted: WantedRoute, used: list[RouteBackend], selector: Mapping[str, str]
    ) -> None:
        """Raise unless the pods that the Service would lead to make the split, or a safer one."""
        labels = ",".join(f"{key}={value}" for key, value in selector.items())
        pods = _by_revision(await self._pods(wanted.namespace, labels))
        asked = {each.revision: each.percent for each in used}
        if others := sorted(pods.keys() - asked.keys()):
            raise Unavailable(
                f"pods of {', '.join(others)} still run, and would get users without a share",
                hint="set keepOld to 0, so that old revisions are gone before users are split",
                cluster=self._api.cluster.name,
            )
        if trouble := _too_many(asked, pods):
            raise InputError(
                trouble,
                hint="run more pods, use larger steps, or set route.router to gateway-api",
                cluster=self._api.cluster.name,
            )

    async def _pods(self, namespace: str, labels: str) -> list[Object]:
        found, _ = await self._api.list(f"/api/v1/namespaces/{namespace}/pods", labels)
        return found

    async def _serving(self, application: ApplicationName, namespace: str) -> "Counter[RevisionId]":
        """Return how many pods of each revision the Service really leads to."""
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        slices, _ = await self._api.list(path, f"kubernetes.io/service-name={application}")
        ready = {
            str(mapping(each.get("targetRef")).get("name"))
            for one in slices
            for each in mappings(one.get("endpoints"))
            if mapping(each.get("conditions")).get("ready") is not False
        }
        pods = await self._pods(namespace, f"{APPLICATION_LABEL}={application}")
        return _by_revision([each for each in pods if each["metadata"]["name"] in ready])


def _path(namespace: str, name: str = "") -> str:
    collection = f"/api/v1/namespaces/{namespace}/services"
    return f"{collection}/{name}" if name else collection


def _by_revision(pods: list[Object]) -> "Counter[RevisionId]":
    labels = [mapping(each["metadata"].get("labels")) for each in pods]
    return Counter(RevisionId(str(each.get(REVISION_LABEL))) for each in labels)


def _asked(held: Object) -> dict[RevisionId, float]:
    text = mapping(held["metadata"].get("annotations")).get(SHARES)
    return {RevisionId(name): float(share) for name, share in json.loads(text or "{}").items()}


def _too_many(asked: Mapping[RevisionId, float], pods: Mapping[RevisionId, int]) -> str:
    """Return which revision would get more than asked, by more than half a pod; "" if none."""
    total = sum(pods.values())
    proven = max(asked, key=lambda each: asked[each], default=None)
    for revision, share in asked.items():
        count = pods.get(revision, 0)
        if revision != proven and count > total * share / 100 + 0.5:
            return (
                f"{count} of {total} pods would give {revision} {100 * count / total:.0f} % of the "
                f"users, and {share:g} % are asked for"
            )
    return ""


def _trouble(asked: Mapping[RevisionId, float], serving: Mapping[RevisionId, int]) -> str:
    """Return why the pods that serve do not make the split, "" when they do."""
    if others := sorted(serving.keys() - asked.keys()):
        return f"pods of {', '.join(others)} still get users"
    for revision in asked:
        if serving.get(revision, 0) == 0:
            return f"no pod of {revision} gets users yet"
    return _too_many(asked, serving)
