"""Charts that revisions share, brought up to date in a cluster before a revision is installed."""

from dataclasses import dataclass

from crossfade.core.release.shared import SharedRelease
from crossfade.core.rollout.record import Record
from crossfade.ports.blobs import Blobs
from crossfade.ports.releases import Releases


@dataclass(frozen=True, slots=True)
class SharedCharts:
    """Safe to repeat: what is current already is left alone."""

    blobs: Blobs

    async def bring_up(self, record: Record, releases: Releases) -> str:
        """
        Upgrade the first shared chart that is not current; return what is waited for, "" if all do.

        Raises InputError when the chart or the cluster refuses it, Unavailable.
        """
        wanted = [
            SharedRelease(each.name, record.spec.namespace, each.chart_digest, each.values)
            for each in record.shared
        ]
        if not wanted:
            return ""
        for release, status in zip(wanted, await releases.shared_status(wanted), strict=True):
            if not status.current:
                chart = await self.blobs.fetch(release.chart_digest)
                await releases.upgrade_shared(
                    SharedRelease(
                        release.name, release.namespace, release.chart_digest, release.values, chart
                    )
                )
                return f"upgrading the shared chart {release.name}"
            if not status.ready:
                return f"the shared chart {release.name}: {status.trouble or 'is starting'}"
        return ""
