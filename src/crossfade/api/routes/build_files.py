"""What the steps of a build have left: files, and every result of a test."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse

from crossfade.api.elsewhere import require_here
from crossfade.api.pages import Limit, Page
from crossfade.api.routes.builds import Reader, Run, read_build
from crossfade.api.services import Use
from crossfade.base.errors import NotFound
from crossfade.core.pipeline.junit import Case
from crossfade.core.pipeline.keeping import Artifact, Kept

router = APIRouter(prefix="/builds", tags=["builds"])

Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the file.")]
Cursor = Annotated[int, Query(ge=0, le=2**53, description="`next` of the page before.")]


@dataclass(frozen=True, slots=True)
class StepFiles:
    """What one run of a step has kept, or a part of it where a page ends within."""

    step: str
    generation: int
    number: int
    """Which run of the step it was."""
    artifacts: tuple[Artifact, ...]
    files: int
    """So many there are, with those of other pages."""
    bytes: int
    """Of all of them."""
    tests: int
    notes: tuple[str, ...]
    forgotten: str
    """Why its files are gone, "" when they are not."""


@dataclass(frozen=True, slots=True)
class StepCase:
    """One result of a test."""

    step: str
    generation: int
    number: int
    """Which run of the step it was."""
    case: Case


@router.get("/{run}/files")
async def list_files(
    run: Run, caller: Reader, services: Use, after: Cursor = 0, limit: Limit = 500
) -> Page[StepFiles]:
    """Return what the steps have kept, the oldest first, so many files at most."""
    build, _ = await read_build(services, run)
    kept = await services.building.files.kept(build.id)
    await require_here(services, "files, if any were kept,", found=bool(kept))
    found = _parts(kept, after, after + limit)
    total = sum(_rows(each) for each in kept)
    return Page(items=found, next=str(after + limit) if after + limit < total else None)


@router.get("/{run}/tests/cases")
async def list_cases(
    run: Run, caller: Reader, services: Use, after: Cursor = 0, limit: Limit = 500
) -> Page[StepCase]:
    """Return every result of a test, in the order of the reports."""
    build, _ = await read_build(services, run)
    kept = await services.building.files.kept(build.id)
    await require_here(services, "results of tests, if there are any,", found=bool(kept))
    found: list[StepCase] = []
    passed = 0
    for each in kept:
        some = each.cases[max(0, after - passed) : max(0, after + limit - passed)]
        found += [StepCase(each.step, each.generation, each.number, case) for case in some]
        passed += len(each.cases)
    return Page(items=found, next=str(after + limit) if after + limit < passed else None)


@router.get(
    "/{run}/files/{digest}",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
async def get_file(run: Run, digest: Digest, caller: Reader, services: Use) -> StreamingResponse:
    """Return the content of a file that a step of the build has kept."""
    build, _ = await read_build(services, run)
    every = await services.building.files.kept(build.id)
    await require_here(services, "files, if any were kept,", found=bool(every))
    for kept in every:
        for each in kept.artifacts:
            if each.digest == digest:
                pieces = services.building.files.pieces(each)
                first = await anext(pieces, b"")  # from here on nothing else can be answered
                length = {"Content-Length": str(each.size)}
                whole = _joined(first, pieces)
                return StreamingResponse(whole, 200, length, "application/octet-stream")
    hint = f"`GET /api/v1/builds/{run}/files` lists its files"
    raise NotFound(f"build {run} has kept no such file", hint=hint)


def _rows(kept: Kept) -> int:
    """Return for how many files it counts: one without any is told, too."""
    return max(1, len(kept.artifacts))


def _parts(kept: Sequence[Kept], first: int, end: int) -> list[StepFiles]:
    """Return what stands in the rows from `first` to `end`."""
    found, passed = [], 0
    for each in kept:
        if passed < end and passed + _rows(each) > first:
            some = each.artifacts[max(0, first - passed) : end - passed]
            found.append(_part(each, some))
        passed += _rows(each)
    return found


def _part(kept: Kept, artifacts: tuple[Artifact, ...]) -> StepFiles:
    return StepFiles(
        kept.step,
        kept.generation,
        kept.number,
        artifacts,
        len(kept.artifacts),
        sum(each.size for each in kept.artifacts),
        len(kept.cases),
        kept.notes,
        kept.forgotten,
    )


async def _joined(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for each in others:
        yield each
