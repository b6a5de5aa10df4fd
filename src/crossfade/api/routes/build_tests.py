"""Test results of a build."""

from dataclasses import dataclass

from fastapi import APIRouter

from crossfade.api.elsewhere import require_here
from crossfade.api.routes.builds import Reader, Run, read_build
from crossfade.api.services import Use
from crossfade.core.pipeline.junit import Case, Outcome
from crossfade.core.pipeline.keeping import Kept

router = APIRouter(prefix="/builds", tags=["builds"])

MOST = 500
"""Tests that are told one by one; the others are counted."""
_ORDER = (Outcome.FAILED, Outcome.ERROR, Outcome.SKIPPED, Outcome.PASSED)


@dataclass(frozen=True, slots=True)
class StepTests:
    """The tests of one run of a step."""

    step: str
    number: int
    """Which run of the step it was."""
    counts: dict[Outcome, int]
    cases: tuple[Case, ...]
    """Those that failed first."""
    more: int
    """So many tests are only counted."""


@router.get("/{run}/tests")
async def list_tests(run: Run, caller: Reader, services: Use) -> list[StepTests]:
    """Return the results of its tests, step by step; `crossfade pipeline tests` has all of them."""
    build, _ = await read_build(services, run)
    found = await services.building.files.kept(build.id)
    await require_here(services, "results of tests, if there are any,", found=bool(found))
    return [_tests(each) for each in found if each.cases]


def _tests(kept: Kept) -> StepTests:
    cases = sorted(kept.cases, key=lambda each: _ORDER.index(each.outcome))
    counts = {outcome: kept.count(outcome) for outcome in Outcome}
    shown = tuple(cases[:MOST])
    return StepTests(kept.step, kept.number, counts, shown, len(cases) - len(shown))
