"""How much a Node has to give."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capacity:
    """What Pods may ask for in sum, as Kubernetes quantities."""

    cpu: str = "8"
    memory: str = "16Gi"
    pods: int = 110

    def amounts(self) -> dict[str, str]:
        """Return `status.capacity` of the Node."""
        return {
            "cpu": self.cpu,
            "memory": self.memory,
            "pods": str(self.pods),
            "ephemeral-storage": "100Gi",
        }


def host_capacity() -> Capacity:
    """Return what this machine has."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return Capacity(str(os.cpu_count() or 1), f"{pages * size // 1024}Ki")
