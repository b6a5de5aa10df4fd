"""What `sandbox status` finds."""

import pytest

from crossfade.base.errors import NotFound
from crossfade.sandbox import control
from crossfade.sandbox.survey import survey


def test_every_cloud_is_shown_with_what_answers_and_what_it_takes(sandbox):
    found = survey(sandbox.directory)
    assert [one.name for one in found.clouds] == ["aws", "gcp"]
    for one in found.clouds:
        assert (one.state, one.api_answers, one.gateway_answers) == ("running", True, True)
        assert (one.pods, one.ready_pods) == (0, 0)
        assert one.processes == 2
        assert one.memory_mib > 10
    assert found.supervisor == "running"
    assert found.resident_mib > found.memory_mib > 50


def test_a_dead_cloud_is_shown_as_dead(sandbox):
    control.act(sandbox.directory, "kill", "gcp")
    try:
        dead = survey(sandbox.directory).clouds[1]
        assert (dead.state, dead.api_answers, dead.gateway_answers) == ("dead", False, False)
        assert (dead.pods, dead.processes) == (None, 0)
    finally:
        control.act(sandbox.directory, "restore", "gcp")


def test_without_a_sandbox_there_is_nothing_to_show(tmp_path):
    with pytest.raises(NotFound):
        survey(tmp_path)
