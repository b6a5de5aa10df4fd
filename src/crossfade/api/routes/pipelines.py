"""Pipelines that are registered here, and builds that the hub runs when somebody asks for them."""

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from crossfade.api.access import everywhere, refuse
from crossfade.api.once import Key, once
from crossfade.api.services import Services, Use
from crossfade.base.errors import InputError
from crossfade.core.access.roles import ANY, Action
from crossfade.core.pipeline.runtime import RunnerKind, Runtime
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.engine.accounts import Caller
from crossfade.engine.pipelines.files import PipelineFile, Registering
from crossfade.engine.pipelines.forgetting import Gone
from crossfade.engine.pipelines.records import Build
from crossfade.engine.pipelines.starting import Start
from crossfade.engine.pipelines.views import BuildRow, RegisteredRow, registered_rows, row
from crossfade.ports.documents import Documents

router = APIRouter(tags=["builds"])

Reader = Annotated[Caller, Depends(everywhere(Action.READ))]
Builder = Annotated[Caller, Depends(everywhere(Action.BUILD))]
Registrar = Annotated[Caller, Depends(everywhere(Action.REGISTER))]
Name = Annotated[str, Path(max_length=300, examples=["shop/build"])]
_ADDRESSES = ("https://", "http://")
_FILE = "kind: pipeline\nmetadata: {name: shop/build}\nspec:\n  steps: ..."


class File(BaseModel):
    """A pipeline file, and what it is read with."""

    model_config = ConfigDict(extra="forbid")
    label: str = Field(default="the request", max_length=1000, description="In its errors.")
    text: str = Field(max_length=1024 * 1024, examples=[_FILE])
    definitions: str = Field(
        default="",
        max_length=4096,
        description="Address, or absolute path on the hub's machine, of definitions of its steps.",
    )
    host_images: list[Annotated[str, Field(max_length=300)]] = Field(
        default=[],
        max_length=100,
        description="Images whose steps run with the tools of the hub's machine.",
    )


class Files(BaseModel):
    """Files that are registered together."""

    model_config = ConfigDict(extra="forbid")
    files: list[File] = Field(min_length=1, max_length=100)


class Value(BaseModel):
    """The value of a variable."""

    model_config = ConfigDict(extra="forbid")
    value: SecretStr = Field(max_length=100_000)
    secret: bool = Field(default=False, description="It is masked in logs, and never answered.")


Variables = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=300)], Value],
    Field(max_length=1000, examples=[{"CF_BRANCH": {"value": "main"}}]),
]


Names = Annotated[list[Annotated[str, Field(max_length=300)]], Field(max_length=1000)]


class Wanted(BaseModel):
    """A build of a registered pipeline."""

    model_config = ConfigDict(extra="forbid")
    pipeline: str = Field(min_length=1, max_length=300, examples=["shop/build"])
    variables: Variables = {}
    trigger: str = Field(default="", max_length=300, description="One of its triggers, by hand.")
    branch: str = Field(default="", max_length=300)
    parent: str = Field(
        default="", pattern=r"^([1-9][0-9]{0,8})?$", description="The build that asks for it."
    )
    once: str = Field(
        default="", max_length=300, description="There is one build of a key, however often asked."
    )
    template: str = Field(
        default="",
        max_length=1024 * 1024,
        description="A file with steps in place of the pipeline's own; it takes what running a"
        " file takes.",
    )
    only: Names = Field(default=[], description="Names of the steps that are meant; []: all.")
    skip: Names = Field(default=[], description="Names of steps that are left out.")
    reset_volume: bool = Field(default=False, description="It begins in an empty workspace.")
    contexts: Names = Field(
        default=[],
        description="Shared configurations whose variables it has beside those of the pipeline; it"
        " takes what running a file takes.",
    )


class FileRun(BaseModel):
    """A build of a file that is not registered."""

    model_config = ConfigDict(extra="forbid")
    file: File
    name: str = Field(
        default="pipeline", min_length=1, max_length=300, description="When the file has no name."
    )
    variables: Variables = {}
    runner: RunnerKind | None = Field(
        default=None, description="What its steps run in; null: what the file or the hub says."
    )
    clusters: list[Annotated[str, Field(max_length=63)]] = Field(
        default=[], max_length=100, description="For pods: where they run, the best first."
    )
    contexts: Names = Field(default=[], description="Shared configurations whose variables it has.")


@router.get("/pipelines")
async def list_pipelines(caller: Reader, services: Use) -> tuple[RegisteredRow, ...]:
    """Return the registered pipelines, with what makes builds of them."""
    return await registered_rows(services.building.builds)


@router.post("/pipelines")
async def register(wanted: Files, caller: Registrar, services: Use) -> tuple[Registering, ...]:
    """Register pipelines, or change registered ones; nothing is changed unless all are accepted."""
    files = [_file(each) for each in wanted.files]
    return await services.acts(services.accounts.acting(caller)).files.register(files)


@router.delete("/pipelines/{name:path}", status_code=204)
async def unregister(name: Name, caller: Registrar, services: Use) -> None:
    """Forget a registered pipeline; its builds stay and go on."""
    files = services.acts(services.accounts.acting(caller)).files
    await files.registry.unregister(name)


@router.post("/builds", status_code=201)
async def start(wanted: Wanted, caller: Builder, services: Use, key: Key = "") -> BuildRow:
    """Start a build of a registered pipeline; the hub runs it."""
    # Apart from keys of crons, webhooks and steps: else one could have theirs taken before them.
    once_of = f"asked/{wanted.once}" if wanted.once else _once(caller, key)
    given = _variables(wanted.variables, caller)
    if (wanted.template or wanted.contexts) and not caller.identity.may(Action.REGISTER):
        await refuse(services, caller, Action.REGISTER, ANY)
    order = Start(
        wanted.pipeline,
        given,
        wanted.trigger,
        wanted.branch,
        wanted.parent,
        once_of,
        template=wanted.template,
        only=tuple(wanted.only),
        skip=tuple(wanted.skip),
        contexts=tuple(wanted.contexts),
        reset_volume=wanted.reset_volume,
    )
    # To leave an approval out is to answer it.
    if not caller.identity.may(Action.RELEASE):
        registry = services.acts(services.documents).files.registry
        if await registry.lacks_approvals(order):
            await refuse(services, caller, Action.RELEASE, ANY)
    build: Build | None = None

    async def act(documents: Documents) -> None:
        nonlocal build
        build = await services.acts(documents).files.registry.start(order)

    await once(services, caller, key, ["start", _told(wanted)], act)
    return await _row(services, build, once_of)


class Prune(BaseModel):
    """What is to be forgotten of what builds have left."""

    model_config = ConfigDict(extra="forbid")
    days: float | None = Field(
        default=None, ge=0, le=36500, description="What is older; null: as the hub's settings say."
    )
    gib: float | None = Field(
        default=None, ge=0, le=1e9, description="So much stays; null: as the hub's settings say."
    )
    dry_run: bool = Field(default=False, description="Say what would be forgotten, and leave it.")


@router.post("/builds/prune")
async def prune(wanted: Prune, caller: Registrar, services: Use) -> tuple[Gone, ...]:
    """Forget old artifacts, caches and workspaces of builds, and of too many the oldest."""
    pruning = services.acts(services.accounts.acting(caller)).pruning
    return await pruning.forget(wanted.days, wanted.gib, dry_run=wanted.dry_run)


@router.post("/builds/file", status_code=201)
async def run_file(wanted: FileRun, caller: Registrar, services: Use, key: Key = "") -> BuildRow:
    """Have the hub run a file as it is, without registering it."""
    if wanted.clusters and wanted.runner is not RunnerKind.POD:
        raise InputError("`clusters` are for pods", hint="give the runner `pod`")
    runtime = Runtime(wanted.runner, tuple(wanted.clusters))
    once_of = _once(caller, key)
    order = Build("0", wanted.name, "", 0.0, hub=True, once=once_of, runtime=runtime)
    order = replace(order, contexts=tuple(wanted.contexts))
    file, given = _file(wanted.file), _variables(wanted.variables, caller)
    build: Build | None = None

    async def act(documents: Documents) -> None:
        nonlocal build
        build, _ = await services.acts(documents).files.create(file, order, given)

    await once(services, caller, key, ["run", _told(wanted)], act)
    return await _row(services, build, order.once)


def _once(caller: Caller, key: str) -> str:
    return f"request/{caller.identity.name}/{key}" if key else ""


def _told(wanted: BaseModel) -> str:
    """Return the request as text, values of variables too: only its digest is kept."""
    shown = {
        name: [each.value.get_secret_value(), each.secret]
        for name, each in getattr(wanted, "variables", {}).items()
    }
    return f"{wanted.model_dump_json(exclude={'variables'})} {shown}"


async def _row(services: Services, build: Build | None, key: str) -> BuildRow:
    builds = services.building.builds
    if build is None:  # it was asked for before
        build = next(each for each in reversed(await builds.all()) if each.once == key)
    state = (await builds.state(build.id)).value
    return row(build, state, running=services.building.runs(build.id))


def _file(wanted: File) -> PipelineFile:
    place = wanted.definitions
    if place and not place.startswith(_ADDRESSES) and not PurePosixPath(place).is_absolute():
        hint = "over HTTP there is no folder to begin at: give an absolute path, or an address"
        raise InputError(f"the definitions `{place}` are at no absolute path", hint=hint)
    return PipelineFile(wanted.label, wanted.text, place, tuple(wanted.host_images))


def _variables(given: dict[str, Value], caller: Caller) -> dict[str, Variable]:
    who = Variable("CF_BUILD_INITIATOR", caller.identity.name, Source.RUN)
    found = {
        name: Variable(name, each.value.get_secret_value(), Source.RUN, each.secret)
        for name, each in given.items()
    }
    return found | {who.name: who}  # nobody is somebody else
