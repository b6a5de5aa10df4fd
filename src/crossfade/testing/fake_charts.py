"""Charts in memory, for tests of the engine that should not wait for helm."""

import gzip
import json

from crossfade.base.errors import InputError
from crossfade.core.application import Source, Values
from crossfade.ports.charts import PackedChart
from crossfade.testing.fake_releases import PODS
from crossfade.testing.objects import deployment, service


class FakeCharts:
    """The Charts port: every chart is one Deployment and one Service, named as the release."""

    def __init__(self, *charts: str) -> None:
        """`charts` are the only ones that there are, by `Source.chart`."""
        self.charts = charts

    async def pack(self, source: Source) -> PackedChart:
        """Return the chart's archive; see the port."""
        if source.chart not in self.charts:
            raise InputError("there is no chart", hint="check spec.source", chart=source.chart)
        name = f"{source.chart.rpartition('/')[2]}-{source.version or '0.1.0'}"
        content = json.dumps({"name": name}).encode()
        return PackedChart(name=name, data=gzip.compress(content, mtime=0))

    async def render(
        self, chart: bytes, release: str, namespace: str, values: Values
    ) -> tuple[dict[str, object], ...]:
        """Return the objects; a value `fail` is the message that rendering fails with."""
        try:
            json.loads(gzip.decompress(chart))
        except (OSError, ValueError) as error:
            raise InputError("this is no chart", hint="pack it first") from error
        if values.get("fail"):
            raise InputError(str(values["fail"]), hint="mend the template", file="x.yaml", line=1)
        pods = deployment(release)
        pods["spec"]["replicas"] = values.get("replicaCount", PODS)
        return (pods, service(release))
