"""Names that must not be mixed up, as types of their own."""

from typing import NewType

ClusterName = NewType("ClusterName", str)
"""A cluster of the fleet, as in `crossfade fleet add NAME`."""

ApplicationName = NewType("ApplicationName", str)
"""An application, as in `metadata.name` of its file."""

RevisionId = NewType("RevisionId", str)
"""One immutable version of an application: `r` and seven hexadecimal digits of its digest."""

Epoch = NewType("Epoch", int)
"""Counts the changes of an application's wanted traffic; the higher epoch wins."""

NO_EPOCH = Epoch(0)
"""Before the first change: no cluster has a route."""
