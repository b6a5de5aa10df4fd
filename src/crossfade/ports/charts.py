"""Charts, read and rendered without any cluster."""

from dataclasses import dataclass
from typing import Protocol

from crossfade.core.application import Source, Values


@dataclass(frozen=True, slots=True)
class PackedChart:
    """A chart as one archive: the same content always gives the same bytes."""

    name: str
    """Name and version, for people: `colors-1.2.0`."""
    data: bytes


class Charts(Protocol):
    """Every implementation passes tests/contract/test_charts.py."""

    async def pack(self, source: Source) -> PackedChart:
        """
        Return the chart's archive.

        Raises InputError when it is missing or is no chart, Unavailable when a registry is silent.
        """
        ...

    async def render(
        self, chart: bytes, release: str, namespace: str, values: Values
    ) -> tuple[dict[str, object], ...]:
        """
        Return the Kubernetes objects as Helm renders them, before our post-renderer.

        Raises InputError with Helm's message and the template's file and line.
        """
        ...
