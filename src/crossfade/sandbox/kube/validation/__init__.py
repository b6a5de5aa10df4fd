"""
Rules that objects of built-in kinds must keep, with the messages of a real server.

Only rules that people meet: names, labels, selectors, containers, ports, schedules, routes.  All
functions here yield (field, message) pairs, cope with values of any type, and run on an object
that already has its defaults.
"""

from crossfade.sandbox.kube.validation.changes import validate_change
from crossfade.sandbox.kube.validation.kinds import validate

__all__ = ["validate", "validate_change"]
