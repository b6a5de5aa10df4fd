"""Deployments for programs that may ask twice, as they may die between asking and noting it."""

from crossfade.base.ids import ApplicationName
from crossfade.core.application import Values
from crossfade.core.rollout.state import Outcome, Rollout
from crossfade.engine.deployments import AlreadyThere, Deployments

_TAKEN_BACK = (Outcome.ROLLED_BACK, Outcome.SUPERSEDED)


async def deploy_once(
    deployments: Deployments,
    name: ApplicationName,
    changes: Values,
    key: str,
    *,
    force: bool = False,
) -> Rollout:
    """
    Return the rollout that was asked for with this key; one is started unless there is.

    When the revision serves already, or is on its way, this is the rollout that brought it.
    Raises as `Deployments.deploy`.
    """
    for each in await _newest_first(deployments, name):
        if each.once == key:
            return each
    try:
        return await deployments.deploy(name, changes, key, force=force)
    except AlreadyThere as error:
        for each in await _newest_first(deployments, name):
            same = each.canary.id == error.facts["revision"]
            if same and each.state.outcome not in _TAKEN_BACK:
                return each
        raise


async def _newest_first(deployments: Deployments, name: ApplicationName) -> list[Rollout]:
    found = [each.value for each in await deployments.records.rollouts()]
    return [each for each in reversed(found) if each.application == name]
