"""What a deployment would do, as people are told of it: no content of objects, as of secrets."""

from dataclasses import dataclass

from crossfade.base.ids import ApplicationName, ClusterName, RevisionId
from crossfade.core.application import Application, Values
from crossfade.core.failover.capacity import refuse_unless_survives
from crossfade.core.rollout.skew import Misfit, refuse_misfits
from crossfade.engine.admission import Admitted
from crossfade.engine.deployments import Deployments, Preview
from crossfade.engine.forecast import Forecast, require_accepted


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """A deployment before it is made, and what the clusters of the first wave say to it."""

    revision: RevisionId
    chart: str
    replaces: RevisionId | None
    """The stable revision; None for the first deployment."""
    clusters: tuple[ClusterName, ...]
    waves: tuple[tuple[ClusterName, ...], ...]
    """The clusters of each wave; one more at the end for those that are in none."""
    remarks: tuple[str, ...]
    admitted: Admitted
    misfits: tuple[Misfit, ...]
    objects: tuple[str, ...]
    """What would be installed, as `Deployment/colors`."""
    removed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    forecast: Forecast
    spec: Application

    def refuse(self, *, force: bool) -> None:
        """Raise what the deployment would."""
        refuse_unless_survives(self.admitted.admission, force=force)
        refuse_misfits(self.revision, self.misfits, force=force)
        require_accepted(self.forecast.checked, bool(self.spec.shared))


async def deploy_plan(
    deployments: Deployments, name: ApplicationName, changes: Values
) -> DeployPlan:
    """Return what a deployment would do; asks the clusters of the first wave, changes nothing."""
    preview = await deployments.preview(name, changes)
    forecast = await deployments.forecast(preview)
    spec = (await deployments.records.application(name)).value.spec
    return _told(preview, forecast, spec)


def _told(preview: Preview, forecast: Forecast, spec: Application) -> DeployPlan:
    prepared = preview.prepared
    return DeployPlan(
        preview.revision.id,
        preview.revision.chart,
        preview.replaces,
        preview.clusters,
        preview.waves,
        preview.remarks,
        preview.admitted,
        preview.misfits,
        tuple(f"{each.get('kind')}/{_name(each.get('metadata'))}" for each in prepared.objects),
        prepared.removed,
        prepared.renamed,
        prepared.notes,
        forecast,
        spec,
    )


def _name(metadata: object) -> str:
    return str(metadata.get("name")) if isinstance(metadata, dict) else "?"
