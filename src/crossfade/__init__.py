"""One release, every cloud: canary rollouts over several Kubernetes clusters."""
