"""`crossfade traffic`"""

import io
import json

import pytest

PRIORITIES = json.dumps(
    [{"healthy": 25, "degraded": 0, "total": 100}] * 2 + [{"healthy": 20, "total": 100}]
)

FILE = """\
demand: 900
exposure: {revision: r-new, cap: 10}
clusters:
  - {name: aws, revisions: {r-old: 90, r-new: 10}, state: out}
  - {name: gcp, revisions: {r-old: 90, r-new: 10}, capacity: 500, startable: 100}
  - {name: spare, revisions: {r-old: 100}, capacity: 0, startable: 500}
"""


@pytest.mark.parametrize(
    ("panic", "want"),
    [
        ("0", {"healthy": [37, 35, 28], "degraded": [0, 0, 0], "panic": [False] * 3}),
        ("50", {"healthy": [34, 33, 33], "degraded": [0, 0, 0], "panic": [True] * 3}),
    ],
)
def test_spill_is_what_edges_do(crossfade, panic, want):
    ran = crossfade(
        "traffic", "spill", "--priorities", PRIORITIES, "--panic", panic, "--output", "json"
    )

    assert (ran.code, ran.data) == (0, want)


def test_spill_for_people(crossfade):
    ran = crossfade("traffic", "spill", "--priorities", '[{"healthy": 1, "total": 1}]')

    assert (
        ran.out == "PRIORITY  HEALTHY %  DEGRADED %  PANIC\n0         100        0           no\n"
    )


def test_priorities_that_cannot_be_read_are_refused_with_their_place(crossfade):
    ran = crossfade("traffic", "spill", "--priorities", '[{"healthy": 2, "total": 1}]')

    assert (ran.code, ran.out) == (2, "")
    assert "--priorities:1:26: [0].total: is 1, less than the 2" in ran.err


def test_plan_says_who_goes_where_who_is_shed_and_what_to_start(crossfade, tmp_path):
    (tmp_path / "traffic.yaml").write_text(FILE)

    ran = crossfade("traffic", "plan", "--file", str(tmp_path / "traffic.yaml"), "-o", "json")

    assert (ran.code, ran.err) == (0, "")
    assert ran.data == {
        "parts": {"gcp": {"r-old": 5000, "r-new": 555}},
        "clusters": {"aws": 0, "gcp": 5555, "spare": 0},
        "exposure": 555,
        "shed": {"everybody": 4445},
        "reserve": {"gcp": 100, "spare": 301},
        "missing": 0,
        "moved": 0,
        "frozen": False,
    }


def test_plan_for_people(crossfade, tmp_path):
    (tmp_path / "traffic.yaml").write_text(FILE.replace("startable: 500", "startable: 1"))

    ran = crossfade("traffic", "plan", "-f", str(tmp_path / "traffic.yaml"))

    assert ran.out == (
        "CLUSTER          REVISION  USERS    START FIRST\n"
        "gcp              r-new     5.55 %   100\n"
        "gcp              r-old     50.00 %  100\n"
        "spare            -         0.00 %   1\n"
        "shed: everybody  -         44.45 %  -\n"
    )
    assert "300 of capacity is missing" in ran.err


def test_a_plan_that_is_frozen_says_so(crossfade, monkeypatch):
    text = "clusters: [{name: aws, revisions: {r: 100}, state: out}]\nbefore: {aws: {r: 10000}}\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    ran = crossfade("traffic", "plan", "--file", "-", "-o", "json")

    assert ran.data["frozen"] is True
    assert ran.data["parts"] == {"aws": {"r": 10000}}
    assert "the plan before stays" in ran.err


def test_a_wrong_file_is_refused_whole(crossfade, tmp_path):
    path = tmp_path / "traffic.yaml"
    path.write_text("clusters: [{name: aws, revisions: {r: 99}}]\n")

    ran = crossfade("traffic", "plan", "--file", str(path))

    assert ran.code == 2
    assert f"{path}:1:35: clusters[0].revisions: must sum to 100" in ran.err
    assert crossfade("traffic", "plan", "--file", str(tmp_path / "none.yaml")).code == 3
