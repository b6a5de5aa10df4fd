"""Rollouts: what they are at, why, and the commands that steer them."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from crossfade.api.access import Signed, on_application
from crossfade.api.once import Key, once
from crossfade.api.pages import After, Limit, Page, page
from crossfade.api.services import Acts, Use
from crossfade.base.errors import NotFound
from crossfade.base.ids import ApplicationName, RevisionId
from crossfade.base.json_value import Json
from crossfade.core.access.roles import Action
from crossfade.core.rollout.commands import Command
from crossfade.core.rollout.state import Rollout
from crossfade.engine.accounts import Caller
from crossfade.engine.analysis_view import (
    AnalysisReport,
    Point,
    analysis_points,
    analysis_report,
)
from crossfade.engine.deploy_plan import DeployPlan, deploy_plan
from crossfade.engine.deploying_once import deploy_once
from crossfade.engine.history import Story
from crossfade.engine.queries import RolloutView
from crossfade.ports.documents import Documents

router = APIRouter(tags=["rollouts"])

Reader = Annotated[Caller, Depends(on_application(Action.READ))]
Releaser = Annotated[Caller, Depends(on_application(Action.RELEASE))]
Number = Annotated[int, Path(ge=1, le=999_999, description="Number of the rollout.")]
_HIGHEST = 999_999


class Values(BaseModel):
    """What a revision is made of."""

    model_config = ConfigDict(extra="forbid")
    values: dict[str, Json] = Field(
        default={},
        description="Helm values on top of those of the application.",
        examples=[{"image": {"tag": "2.0"}}],
    )


class Deployment(Values):
    """A new revision."""

    force: bool = Field(
        default=False,
        description="Also when it would not survive the losses of `placement.survive`, or does not"
        " get along with a revision that could still serve.",
    )


class Steer(StrEnum):
    """The commands on a rollout."""

    PAUSE = "pause"
    RESUME = "resume"
    PROMOTE = "promote"
    PROMOTE_FULL = "promote-full"
    SKIP = "skip"
    APPROVE = "approve"
    ABORT = "abort"
    RETRY = "retry"
    RESTART = "restart"
    UNDO = "undo"


class Wish(BaseModel):
    """What goes with a command."""

    model_config = ConfigDict(extra="forbid")
    why: str = Field(default="", max_length=1000, description="Kept in the history.")
    to: str | None = Field(
        default=None, max_length=100, description="For `undo`: go back to this revision."
    )
    force: bool = Field(
        default=False,
        description="For `undo`: also when what could still serve does not get along with it.",
    )


@router.get("/rollouts")
async def list_newest(
    caller: Signed, services: Use, after: After = "", limit: Limit = 100
) -> Page[Rollout]:
    """Return the newest rollout of each application that the caller may see."""
    records = (await services.lists()).records
    every = [each.value for each in await records.applications()]
    seen = [each for each in every if each.rollout and caller.identity.sees(each.spec.name)]
    some = page(seen, lambda each: each.spec.name, after, limit)
    found = await records.rollouts_of(some.items)
    return Page(items=[each.value for each in found], next=some.next)


@router.get("/applications/{name}/rollouts")
async def list_rollouts(
    name: str, caller: Reader, services: Use, after: After = "", limit: Limit = 100
) -> Page[Rollout]:
    """Return the rollouts of an application, newest first."""
    found = await services.queries.rollouts(ApplicationName(name))
    return page(found, lambda each: f"{_HIGHEST - each.number:06d}", after, limit)


@router.get("/applications/{name}/rollouts/{number}")
async def get_rollout(name: str, number: Number, caller: Reader, services: Use) -> RolloutView:
    """Return a rollout with its clusters and what the judge knows."""
    try:
        return await services.queries.rollout(ApplicationName(name), number)
    except NotFound as error:
        raise _no_rollout(name, number) from error


@router.get("/applications/{name}/rollouts/{number}/history")
async def get_history(
    name: str,
    number: Number,
    caller: Reader,
    services: Use,
    replay: Annotated[bool, Query(description="Make each decision again, and compare.")] = False,
) -> Story:
    """Return every decision, verdict and command with what it rests on."""
    try:
        return await services.history.story(ApplicationName(name), number, again=replay)
    except NotFound as error:
        raise _no_rollout(name, number) from error


@router.get("/applications/{name}/rollouts/{number}/analysis")
async def get_analysis(
    name: str, number: Number, caller: Reader, services: Use
) -> AnalysisReport | None:
    """Return what the judge knows: both revisions, bands, harm; null before it has begun."""
    await get_rollout(name, number, caller, services)
    return await analysis_report(services.queries.records, ApplicationName(name), number)


@router.get("/applications/{name}/rollouts/{number}/analysis/points")
async def list_points(
    name: str,
    number: Number,
    caller: Reader,
    services: Use,
    after: Annotated[int, Query(ge=0, le=2**53, description="Number of the last point.")] = 0,
    limit: Limit = 500,
) -> Page[Point]:
    """Return the verdicts so far, for charts, oldest first."""
    await get_rollout(name, number, caller, services)
    records = services.queries.records
    found = await analysis_points(records, ApplicationName(name), number, after, limit)
    return Page(items=list(found), next=str(found[-1].number) if len(found) == limit else None)


@router.post("/applications/{name}/rollouts/plan")
async def plan(name: str, wanted: Values, caller: Releaser, services: Use) -> DeployPlan:
    """Return what a deployment would do, and what clusters say to it; nothing is changed."""
    deployments = services.acts(services.accounts.acting(caller)).deployments
    return await deploy_plan(deployments, ApplicationName(name), wanted.values)


@router.post("/applications/{name}/rollouts", status_code=201)
async def deploy(
    name: str, wanted: Deployment, caller: Releaser, services: Use, key: Key = ""
) -> Rollout:
    """Bring out a new revision; nothing is changed when a cluster would refuse it."""
    deployments = services.acts(services.accounts.acting(caller)).deployments
    application = ApplicationName(name)
    if key:
        mine = f"{caller.identity.name}/{key}"
        return await deploy_once(deployments, application, wanted.values, mine, force=wanted.force)
    return await deployments.deploy(application, wanted.values, force=wanted.force)


@router.post("/applications/{name}/rollout/{command}")
async def steer(
    name: str, command: Steer, wish: Wish, caller: Releaser, services: Use, key: Key = ""
) -> RolloutView:
    """Steer the newest rollout; return it as it is then."""
    application = ApplicationName(name)

    async def act(documents: Documents) -> None:
        await _steer(services.acts(documents), application, command, wish)

    request = [name, command.value, wish.model_dump()]
    await once(services, caller, key, request, act)
    return await services.queries.rollout(application)


async def _steer(acts: Acts, name: ApplicationName, command: Steer, wish: Wish) -> None:
    match command:
        case Steer.RETRY:
            await acts.deployments.retry(name)
        case Steer.RESTART:
            await acts.deployments.restart(name)
        case Steer.UNDO:
            to = RevisionId(wish.to) if wish.to else None
            await acts.deployments.undo(name, to, force=wish.force)
        case Steer.PROMOTE_FULL:
            await acts.commands.change(name, Command.PROMOTE_FULL, wish.why)
        case _:
            await acts.commands.change(name, Command(command.value), wish.why)


def _no_rollout(name: str, number: int) -> NotFound:
    return NotFound(
        f"there is no rollout {number} of `{name}`",
        hint=f"`GET /api/v1/applications/{name}/rollouts` lists them",
    )
