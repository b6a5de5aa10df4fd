"""The split of users by a Gateway API HTTPRoute, one an application."""

from collections.abc import Iterator

from crossfade.adapters.kubernetes.client import KubeApi, Object
from crossfade.adapters.routers import written
from crossfade.adapters.routers.addresses import METRICS_URL
from crossfade.adapters.routers.http_route import API_VERSION, render
from crossfade.base.errors import Conflict, CrossfadeError, InputError, NotFound, Unavailable
from crossfade.base.ids import ApplicationName, Epoch, RevisionId
from crossfade.core.release.kinds import mapping, mappings
from crossfade.ports.router import GatewayEndpoint, RouteStatus, WantedRoute


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
                self._refuse_if_not_ours(held, wanted)
                if written.same(held, body):
                    return
            try:
                await self._send(wanted, body, held)
            except (InputError, Unavailable) as error:
                if (clearer := _no_percent(error, wanted)) is not None:
                    raise clearer from error
                raise
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

    def _refuse_if_not_ours(self, held: Object, wanted: WantedRoute) -> None:
        epoch, cluster = written.epoch_of(held), self._api.cluster.name
        if epoch is None:
            raise written.not_ours("HTTPRoute", wanted, wanted.application, cluster)
        written.refuse_if_newer(epoch, wanted, cluster)

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


def _no_percent(error: CrossfadeError, wanted: WantedRoute) -> InputError | None:
    """Return what a refusal means where the cluster's HTTPRoutes have no percentage of copies."""
    found = written.mirrored(wanted)
    if found is None or found[1] == 100 or "percent" not in error.what:
        return None
    return InputError(
        "the cluster's Gateway API cannot copy a part of the requests",
        hint="use its version 1.3 or newer there, or a mirror with percent 100",
        percent=found[1],
        **error.facts,
    )


def status_of(route: Object) -> RouteStatus:
    """Return what the HTTPRoute says of itself."""
    percents, reached = _revisions(route)
    if not written.as_written(route):
        # Not the route of that epoch any more; so it is asked for again.
        return RouteStatus(Epoch(0), False, percents, written.CHANGED_BY_HAND, reached)
    trouble = _trouble(route)
    epoch = written.epoch_of(route) or Epoch(0)
    return RouteStatus(epoch, not trouble, percents, trouble, reached)


def _path(namespace: str, name: str = "") -> str:
    collection = f"/apis/{API_VERSION}/namespaces/{namespace}/httproutes"
    return f"{collection}/{name}" if name else collection


def _revisions(route: Object) -> tuple[dict[RevisionId, float], frozenset[RevisionId]]:
    """Return the share of each revision that the route names, and all that it leads to."""
    revisions = written.revisions_of(route)
    rules = list(mappings(mapping(route.get("spec")).get("rules")))
    weights: dict[str, int] = {}
    for backend in [each for rule in rules[-1:] for each in mappings(rule.get("backendRefs"))]:
        weights[str(backend.get("name"))] = int(backend.get("weight", 1))
    reached = {name for rule in rules[1:] for name in _services(rule)}  # the first is for probes
    percents = written.shares(weights, revisions)
    return percents, frozenset(each for name, each in revisions.items() if name in reached)


def _services(rule: Object) -> Iterator[str]:
    """Yield the Services that requests of the rule, or copies of them, are sent to."""
    for backend in mappings(rule.get("backendRefs")):
        if backend.get("weight", 1):
            yield str(backend.get("name"))
    for each in mappings(rule.get("filters")):
        mirror = mapping(mapping(each.get("requestMirror")).get("backendRef"))
        yield str(mirror.get("name"))


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
