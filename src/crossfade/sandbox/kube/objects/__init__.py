"""What controllers, scheduler and kubelet all have to know of Kubernetes objects."""
