"""
What the server knows about the kinds: which there are, their fields, defaults and rules.

One door for the API server; the parts live in `builtin`, `fields` and their neighbours.
"""

from crossfade.sandbox.kube.builtin import builtin_kinds, verbs

__all__ = ["builtin_kinds", "verbs"]
