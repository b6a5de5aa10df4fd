"""What a person wants of a cluster, saved until it is taken back."""

from dataclasses import dataclass

from crossfade.base.ids import ClusterName


@dataclass(frozen=True, slots=True)
class ClusterWish:
    """One cluster; without any wish there is none saved."""

    cluster: ClusterName
    drained_since: float | None = None
    """Since when its users are to be elsewhere, None when they are not."""
    restored_at: float = 0.0
    """When a person last said that users may come back."""

    @property
    def drained(self) -> bool:
        """Whether its users are to be elsewhere."""
        return self.drained_since is not None
