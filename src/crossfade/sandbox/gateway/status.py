"""What the gateway writes into the status of Gateway API objects.  Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from crossfade.sandbox.gateway.attachment import Condition, listener_problem
from crossfade.sandbox.gateway.config import Verdict
from crossfade.sandbox.gateway.world import CONTROLLER, Key, World, key_of
from crossfade.sandbox.kube.client import Object

HTTP_ROUTE_KIND = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}


def route_status(route: Object, verdict: Verdict, trouble: str, now: str) -> Object:
    """
    Return `status` of an HTTPRoute; parents of other controllers stay as they are.

    `trouble` is why the gateway does not serve the route as it stands, empty when it does.
    """
    before = (route.get("status") or {}).get("parents") or []
    parents = [one for one in before if one.get("controllerName") != CONTROLLER]
    generation = route["metadata"].get("generation", 1)
    for one in verdict.attachments:
        programmed = _programmed(one.accepted, trouble)
        accepted = one.accepted
        if trouble and accepted.true:
            accepted = Condition("Accepted", False, "UnsupportedValue", trouble)
        old = next(
            (
                known.get("conditions") or []
                for known in before
                if known.get("controllerName") == CONTROLLER and known["parentRef"] == one.parent
            ),
            [],
        )
        wanted = (accepted, verdict.resolved, programmed)
        parents.append(
            {
                "parentRef": one.parent,
                "controllerName": CONTROLLER,
                "conditions": conditions(wanted, old, generation, now),
            }
        )
    return {"parents": parents}


def _programmed(accepted: Condition, trouble: str) -> Condition:
    if trouble:
        return Condition("Programmed", False, "Invalid", trouble)
    if not accepted.true:
        return Condition("Programmed", False, "Invalid", accepted.message)
    return Condition("Programmed", True, "Programmed", "the gateway serves this route")


def gateway_status(world: World, gateway: Object, attached: Mapping[Any, int], now: str) -> Object:
    """
    Return `status` of a Gateway.

    `attached` is the number of routes by namespace, Gateway and listener.
    """
    before = gateway.get("status") or {}
    generation = gateway["metadata"].get("generation", 1)
    namespace, name = key_of(gateway)
    listeners, good = [], 0
    for listener in gateway["spec"].get("listeners") or []:
        problem = listener_problem(world, listener)
        good += problem is None
        old = next(
            (
                one.get("conditions") or []
                for one in before.get("listeners") or []
                if one["name"] == listener["name"]
            ),
            [],
        )
        served = problem is None
        wanted = (
            problem or Condition("Accepted", True, "Accepted"),
            Condition("ResolvedRefs", True, "ResolvedRefs"),
            Condition("Programmed", served, "Programmed" if served else "Invalid"),
        )
        listeners.append(
            {
                "name": listener["name"],
                "supportedKinds": [HTTP_ROUTE_KIND],
                "attachedRoutes": attached.get((namespace, name, listener["name"]), 0),
                "conditions": conditions(wanted, old, generation, now),
            }
        )
    why = "" if good else f"the sandbox serves HTTP on port {world.port} only"
    wanted = (
        Condition("Accepted", bool(good), "Accepted" if good else "ListenersNotValid", why),
        Condition("Programmed", bool(good), "Programmed" if good else "Invalid", why),
        Condition("ResolvedRefs", True, "ResolvedRefs"),
    )
    return {
        "addresses": [{"type": "IPAddress", "value": "127.0.0.1"}] if good else [],
        "listeners": listeners,
        "conditions": conditions(wanted, before.get("conditions") or [], generation, now),
    }


def virtual_status(service: Object, trouble: str, now: str) -> Object:
    """Return `status` of a VirtualService, in the words of Istio."""
    before = service.get("status") or {}
    generation = service["metadata"].get("generation", 1)
    served = Condition(
        "Reconciled", not trouble, "Invalid" if trouble else "Reconciled", trouble or "served"
    )
    found = conditions((served,), before.get("conditions") or [], generation, now)
    return {**before, "conditions": found, "observedGeneration": generation}


def class_status(thing: Object, now: str) -> Object:
    """Return `status` of our GatewayClass."""
    before = (thing.get("status") or {}).get("conditions") or []
    accepted = (Condition("Accepted", True, "Accepted", "served by the sandbox"),)
    generation = thing["metadata"].get("generation", 1)
    return {"conditions": conditions(accepted, before, generation, now)}


def conditions(
    wanted: Iterable[Condition], before: list[Object], generation: int, now: str
) -> list[Object]:
    """Return the conditions as JSON; `lastTransitionTime` moves only when the status does."""
    known = {one["type"]: one for one in before}
    found = []
    for one in wanted:
        status = "True" if one.true else "False"
        old = known.get(one.type)
        same = old is not None and old.get("status") == status
        found.append(
            {
                "type": one.type,
                "status": status,
                "reason": one.reason,
                "message": one.message,
                "observedGeneration": generation,
                "lastTransitionTime": old["lastTransitionTime"] if old and same else now,
            }
        )
    return found


def attached_routes(verdicts: Mapping[Key, Verdict]) -> dict[tuple[str, str, str], int]:
    """Return how many routes hang on each listener (namespace, Gateway, listener)."""
    counts: dict[tuple[str, str, str], int] = {}
    for verdict in verdicts.values():
        for listener in {one for parent in verdict.attachments for one in parent.listeners}:
            counts[listener] = counts.get(listener, 0) + 1
    return counts
