"""The control loops of a sandbox cloud: what kube-controller-manager and kube-scheduler are."""

from crossfade.sandbox.kube.controllers.run import run_controllers

__all__ = ["run_controllers"]
