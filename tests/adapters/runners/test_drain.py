"""What is known of the output of a run that has ended."""

import os

import pytest

from crossfade.adapters.runners.drain import FULL, KILLED, OUTPUT, drains, start_drain, trouble


@pytest.fixture
def drained(tmp_path):
    """The folder of a run that has printed a line, all of which was kept."""
    (tmp_path / OUTPUT).touch()
    pid, write_end = start_drain(tmp_path, 1024)
    os.write(write_end, b"a line\n")
    os.close(write_end)
    os.waitpid(pid, 0)
    return tmp_path


def test_what_was_kept_is_whole(drained):
    assert (drained / OUTPUT).read_text() == "a line\n"
    assert (drains(drained), trouble(drained)) == (False, "")


def test_a_disk_that_was_full_is_told_from_a_drain_that_was_killed(drained):
    (drained / "drained").unlink()
    assert trouble(drained) == KILLED

    (drained / "whole").unlink()
    assert trouble(drained) == FULL


def test_a_run_that_an_older_version_began_has_not_failed_for_a_full_disk(tmp_path):
    """Or each build that is under way while the hub is upgraded would be lost."""
    (tmp_path / OUTPUT).write_text("a line\n")

    assert (drains(tmp_path), trouble(tmp_path)) == (False, "")
