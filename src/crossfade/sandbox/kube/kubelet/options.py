"""What a kubelet can be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.base.clock import Clock, SteadyClock
from crossfade.sandbox.kube.kubelet.images import StandsFor, only_host


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletOptions:
    """Settings of one kubelet; the defaults suit a sandbox cloud."""

    markers: Mapping[str, str] = field(default_factory=dict)
    """Environment of every process it starts, by which others find them."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of the Node."""
    address: str = "127.0.0.1"
    """Address of the Node and of all its Pods, which use the network of the host."""
    first_back_off_seconds: float = 1.0
    """Pause before the second restart of a container; it doubles (a real kubelet: 10)."""
    most_back_off_seconds: float = 300.0
    endpoint_lead_seconds: float = 0.2
    """Time that gateways get to stop sending to a leaving Pod before it is told to end."""
    bubblewrap: bool | None = None
    """Whether containers get namespaces of their own; None: where bubblewrap works."""
    lease_seconds: int = 40
    """How long others may trust the Node without a sign of life; it gives four in that time."""
    stands_for: StandsFor = only_host
    """Images that the tools of the host stand for."""
    clock: Clock = field(default_factory=SteadyClock)
