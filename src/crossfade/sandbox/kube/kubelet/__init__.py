"""The kubelet of the sandbox: Pods as processes of this machine."""

from crossfade.sandbox.kube.kubelet.capacity import Capacity, host_capacity
from crossfade.sandbox.kube.kubelet.options import KubeletOptions
from crossfade.sandbox.kube.kubelet.service import Kubelet

__all__ = ["Capacity", "Kubelet", "KubeletOptions", "host_capacity"]
