"""Probes are told from users by a header of their own."""

from crossfade.core.traffic.probe import PROBE_HEADER


def test_the_header_is_lower_case_as_http_2_wants_it():
    assert PROBE_HEADER.lower() == PROBE_HEADER
