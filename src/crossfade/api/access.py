"""Who asks, and whether they may: the rules that routes name as arguments."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from crossfade.api.services import Services, Use
from crossfade.base.errors import NotAllowed, NotFound, NotSignedIn
from crossfade.base.ids import ApplicationName, ClusterName
from crossfade.base.secrets import Secret
from crossfade.core.access.roles import ANY, DEEDS, NEEDS, Action
from crossfade.core.fleet.placement import placed
from crossfade.core.rollout.record import Record
from crossfade.engine.accounts import Caller

COOKIE = "crossfade_session"
CSRF_HEADER = "X-CSRF-Token"
_SAFE = ("GET", "HEAD", "OPTIONS")


async def who_asks(request: Request, services: Use) -> Caller:
    """Return who asks.  Raises NotSignedIn, and NotAllowed for a change another site may ask."""
    authorization = request.headers.get("Authorization", "")
    scheme, _, text = authorization.partition(" ")
    if authorization:
        if scheme.lower() != "bearer":
            raise NotSignedIn("only tokens are known", hint="send `Authorization: Bearer TOKEN`")
        return await services.accounts.by_token(Secret(text.strip()))
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        raise NotSignedIn(
            "nobody is signed in",
            hint="`POST /api/v1/session` signs in; programs send `Authorization: Bearer TOKEN`",
        )
    caller = await services.accounts.by_cookie(Secret(cookie))
    sent = request.headers.get(CSRF_HEADER, "")
    same = hmac.compare_digest(sent.encode(), (caller.csrf or "").encode())
    if request.method not in _SAFE and not same:
        raise NotAllowed(
            f"the header {CSRF_HEADER} is missing or wrong",
            hint="send what `GET /api/v1/session` says with every change",
        )
    return caller


Signed = Annotated[Caller, Depends(who_asks)]
"""Anybody who is signed in."""


def everywhere(action: Action) -> Callable[..., Awaitable[Caller]]:
    """Return what lets those through who may do this on all applications and clusters."""

    async def check(caller: Signed, services: Use) -> Caller:
        if not caller.identity.may(action):
            await refuse(services, caller, action, ANY)
        return caller

    return check


def on_application(action: Action) -> Callable[..., Awaitable[Caller]]:
    """
    Return what lets those through who may do this on the application of the path.

    One that somebody may not see is not there, for them; what runs on clusters that they may not
    touch is not theirs to change.
    """

    async def check(name: str, caller: Signed, services: Use) -> Caller:
        record = await visible(services, caller, name)
        if action is Action.READ:
            return caller
        clusters = await services.queries.records.clusters()
        mine = [each.value.name for each in clusters if placed(record.spec.placement, each.value)]
        if not caller.identity.may(action, name, mine):
            await refuse(services, caller, action, name)
        return caller

    return check


def on_cluster(action: Action) -> Callable[..., Awaitable[Caller]]:
    """
    Return what lets those through who may do this to the cluster of the path.

    It concerns every application there, so that rights on one of them are not enough.
    """

    async def check(cluster: str, caller: Signed, services: Use) -> Caller:
        known = await services.queries.records.find_cluster(ClusterName(cluster))
        if known is None or not caller.identity.sees_cluster(cluster):
            raise no_cluster(cluster)
        if action is not Action.READ and not caller.identity.may(action, ANY, (cluster,)):
            await refuse(services, caller, action, ANY, cluster)
        return caller

    return check


def no_cluster(name: str) -> NotFound:
    """Return that there is none, also for one that may not be seen."""
    return NotFound(
        f"there is no cluster `{name}`", hint="`GET /api/v1/fleet` lists those that you may see"
    )


async def visible(services: Services, caller: Caller, name: str) -> Record:
    """Return the application.  Raises NotFound, the same for one that may not be seen."""
    found = None
    if caller.identity.sees(name):
        found = await services.queries.records.find_application(ApplicationName(name))
    if found is None:
        raise NotFound(
            f"there is no application `{name}`",
            hint="`GET /api/v1/applications` lists those that you may see",
        )
    return found.value


def require_lasting(caller: Caller) -> None:
    """Raise NotAllowed for tokens, but for those that were made to change accounts."""
    if not caller.lasting:
        raise NotAllowed(
            "a token changes no accounts, as it would outlive itself by them",
            hint="sign in with a password: on the page, or by `crossfade login` as an admin",
        )


async def refuse(
    services: Services, caller: Caller, action: Action, application: str, cluster: str = ANY
) -> None:
    """Write down that somebody asked for what they may not do, and raise NotAllowed."""
    where = "all applications" if application == ANY else f"`{application}`"
    if cluster != ANY:
        where = f"`{cluster}` with {where}"
    await services.accounts.acting(caller).refused(f"{action} on {where}")
    raise NotAllowed(
        f"{caller.identity.name} has no role for this on {where}: {DEEDS[action]}",
        hint=f"this needs the role {NEEDS[action]} there; an admin gives it",
        action=action.value,
    )
