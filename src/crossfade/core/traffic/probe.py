"""How probes of edges are told from users' requests."""

PROBE_HEADER = "x-crossfade-probe"
"""
Set on every probe.  Each cluster's route sends these to the revision with most users: so a new
revision that is bad never makes its cluster look dead, and probes are not counted as its users.
"""
PROBE_VALUE = "edge"
