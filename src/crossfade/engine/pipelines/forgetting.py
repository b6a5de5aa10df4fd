"""Forgets what steps have kept, but nothing that a build under way may need."""

from crossfade.core.pipeline.forgetting import Forgotten, InUse, Limits
from crossfade.engine.pipelines.records import Builds
from crossfade.ports.step_files import StepFiles


async def in_use(builds: Builds) -> InUse:
    """Return which builds have not ended, and which is the newest of each pipeline."""
    known = await builds.all()
    under_way = [each for each in known if not (await builds.state(each.id)).value.ended]
    newest = {each.pipeline: each.id for each in known}  # the last one is the newest
    return InUse(
        frozenset(each.id for each in under_way),
        min((each.at for each in under_way), default=None),
        frozenset(newest.values()),
    )


async def forget(
    builds: Builds, files: StepFiles, limits: Limits, now: float, *, dry_run: bool = False
) -> tuple[Forgotten, ...]:
    """
    Forget what is over the limits, and return it.

    Raises Unavailable when store or disk do not answer, InputError for a damaged list.
    """
    return await files.forget(limits, await in_use(builds), now, dry_run=dry_run)
