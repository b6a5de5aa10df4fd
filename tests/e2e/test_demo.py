"""The demo, as `make demo` runs it: real clouds, real traffic, a cloud that dies."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def performance(demo):
    """One run of the demo: its exit code, its record, and what it said."""
    return demo()


@pytest.mark.timeout(300)
def test_every_claim_of_the_demo_holds(performance):
    done, record, _ = performance
    broken = [c for act in record["acts"] for c in act["claims"] if not c["held"]]

    assert broken == []
    assert record["ok"], record["trouble"]
    assert done.returncode == 0, done.stderr[-2000:]
    assert [act["act"] for act in record["acts"]] == [1, 2, 3, 4, 5]


def test_no_user_lost_a_request_while_a_cloud_died(performance):
    _, record, _ = performance
    loss = record["acts"][2]

    assert loss["requests"] > 1000
    assert loss["failed"] == 0
    assert "gcp" in loss["clouds"]


def test_the_harm_of_a_bad_version_is_small_and_counted(performance):
    _, record, _ = performance
    bad = record["acts"][3]

    assert 0 < bad["measured"]["harmed_requests"] == bad["failed"] < 60


def test_the_record_shows_shares_over_time_and_the_time_of_each_event(performance):
    _, record, _ = performance
    for act in record["acts"]:
        assert act["moments"], act["title"]
        assert act["seconds"] > 0
    series = record["acts"][1]["series"]

    assert any("yellow" in step["versions"] for step in series)
    assert all({"versions", "clouds", "failed"} <= set(step) for step in series)


def test_nothing_is_left_behind(performance):
    _, _, home = performance
    left = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if str(home).encode() in environment and process.name != str(os.getpid()):
            left.append((process / "cmdline").read_bytes())

    assert left == []
    assert list(home.glob("crossfade-demo-*")) == []
