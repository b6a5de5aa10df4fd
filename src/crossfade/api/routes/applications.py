"""Applications."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query

from crossfade.api.access import Signed, on_application, refuse
from crossfade.api.once import Key, once
from crossfade.api.pages import After, Limit, Page, page
from crossfade.api.services import Services, Use
from crossfade.base.errors import InputError, NotAllowed
from crossfade.base.ids import ApplicationName
from crossfade.core.access.roles import Action
from crossfade.core.application import Application, Source
from crossfade.core.rollout.record import Record
from crossfade.engine.accounts import Caller
from crossfade.engine.application_changes import ApplicationChange, application_change
from crossfade.engine.notified import Notified, notified
from crossfade.ports.documents import Documents

router = APIRouter(prefix="/applications", tags=["applications"])

Reader = Annotated[Caller, Depends(on_application(Action.READ))]
File = Annotated[
    str,
    Body(
        media_type="application/yaml",
        description="An application file, as for `crossfade apply -f`.",
        examples=["apiVersion: crossfade.dev/v1alpha1\nkind: Application\n..."],
    ),
]
Force = Annotated[
    bool,
    Query(description="Also when what runs would not survive the losses of `placement.survive`."),
]


@dataclass(frozen=True, slots=True)
class Summary:
    """An application of the list."""

    name: str
    namespace: str
    revision: str | None
    """The stable one; null before the first is."""
    rollout: int
    """Number of the newest rollout, 0 before the first."""
    serves: bool


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of an application of the file."""

    name: str
    change: str
    """`created`, `configured` or `unchanged`."""


@router.get("")
async def list_applications(
    caller: Signed, services: Use, after: After = "", limit: Limit = 100
) -> Page[Summary]:
    """Return the applications that the caller may see, by name."""
    records = (await services.lists()).records
    found = [_summary(each.value) for each in await records.applications()]
    seen = [each for each in found if caller.identity.sees(each.name)]
    return page(seen, lambda each: each.name, after, limit)


@router.get("/{name}")
async def get_application(name: str, caller: Reader, services: Use) -> Record:
    """Return everything that is remembered of an application."""
    return await services.queries.record(ApplicationName(name))


@router.post("")
async def apply(
    file: File, caller: Signed, services: Use, key: Key = "", force: Force = False
) -> list[Applied]:
    """Make or change the applications of a file; when anything is wrong with it, none."""
    applications = services.read_applications(file)
    for each in applications:
        await _require_may_apply(services, caller, each)
    results = []
    for each in applications:
        change = "unchanged"

        async def act(documents: Documents, wanted: Application = each) -> None:
            nonlocal change
            change = await services.acts(documents).commands.apply(wanted, force=force)

        request = ["apply", each.name, file, force]
        await once(services, caller, f"{key}/{each.name}" if key else "", request, act)
        results.append(Applied(each.name, change))
    return results


@router.post("/preview")
async def preview(
    file: File, caller: Signed, services: Use, force: Force = False
) -> list[ApplicationChange]:
    """Return what applying the file would change; it is refused as the file would be."""
    applications = services.read_applications(file)
    for each in applications:
        await _require_may_apply(services, caller, each)
    commands = services.acts(services.documents).commands
    return [
        await application_change(commands, each, services.written, force=force)
        for each in applications
    ]


@router.get("/{name}/notifications")
async def list_notifications(name: str, caller: Reader, services: Use) -> tuple[Notified, ...]:
    """Return who is told of the application's rollouts, when last, and what does not arrive."""
    record = await services.queries.record(ApplicationName(name))
    return await notified((await services.lists()).records.documents, record.spec)


async def _require_may_apply(services: Services, caller: Caller, wanted: Application) -> None:
    """Raise unless the caller may apply it; a host of somebody else's is told without its name."""
    identity = caller.identity
    if not identity.may(Action.APPLY, wanted.name):
        await refuse(services, caller, Action.APPLY, wanted.name)
    folders = [each for each in _sources(wanted) if _is_folder(each)]
    if folders and not identity.may(Action.FLEET):
        raise NotAllowed(
            "a chart that is a folder of the hub's machine is named by admins only",
            hint="give the chart's address (`oci://...`, or `repo` and its name)",
            chart=folders[0].chart,
        )
    for each in folders:
        if not PurePosixPath(each.chart).is_absolute():
            hint = "over HTTP there is no folder to begin at: give an absolute path, or `oci://...`"
            raise InputError(f"the chart `{each.chart}` is no absolute path", hint=hint)
    host = wanted.route.host.lower() if wanted.route else None
    for stored in await services.queries.records.applications():
        other = stored.value.spec
        taken = other.route is not None and other.route.host.lower() == host
        if taken and other.name != wanted.name and not identity.sees(other.name):
            raise InputError(f"the host `{host}` is taken", hint="give it a host of its own")


def _sources(application: Application) -> list[Source]:
    return [application.source, *(each.source for each in application.shared)]


def _is_folder(source: Source) -> bool:
    return source.repo is None and not source.chart.startswith("oci://")


def _summary(record: Record) -> Summary:
    return Summary(
        record.spec.name,
        record.spec.namespace,
        record.active.id if record.active else None,
        record.rollout,
        record.serves,
    )
