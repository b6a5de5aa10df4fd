"""
The kubelet of the sandbox: Pods as processes of this machine.

Where it is less than a real one: there are no images but `host`; all Pods share the network of the
host, so each container port has a port of its own behind it (`$PORT`); memory limits are watched
and enforced, CPU limits are not; a command of a probe sees the files but not the processes of its
container; a gRPC probe is a TCP connection; mounted ConfigMaps are read when the Pod starts.
"""

from crossfade.sandbox.kube.kubelet.capacity import Capacity, host_capacity
from crossfade.sandbox.kube.kubelet.options import KubeletOptions
from crossfade.sandbox.kube.kubelet.service import Kubelet

__all__ = ["Capacity", "Kubelet", "KubeletOptions", "host_capacity"]
