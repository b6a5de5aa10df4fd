"""`crossfade analysis kayenta` and `threshold` answer in the words of Kayenta and Argo."""

import io
import json
import sys

import pytest


@pytest.fixture
def written(tmp_path):
    """Write JSON to a file and return its name."""

    def write(data):
        path = tmp_path / "given.json"
        path.write_text(json.dumps(data))
        return str(path)

    return write


HIGH = {"experiment": [20, 22, 21, 25, 30], "control": [1, 2.2, 1.1, 2.5, 3]}
GOOD = {"experiment": [1, 2, 3], "control": [3, 2, 1]}


def config(*metrics, **more):
    return {"metrics": [{"name": f"m{i}", "group": "g", **each} for i, each in enumerate(metrics)], **more}  # fmt: skip


def test_kayenta_answers_with_labels_groups_score_and_verdict(crossfade, written):
    ran = crossfade("analysis", "kayenta", "--config", written(config(GOOD, HIGH)), "-o", "json")

    assert ran.data == {
        "metrics": [
            {"name": "m0", "label": "Pass", "critical": False},
            {"name": "m1", "label": "High", "critical": False},
        ],
        "groups": {"g": 50.0},
        "score": 50.0,
        "verdict": "fail",
    }
    assert ran.code == 0


@pytest.mark.parametrize(
    ("thresholds", "verdict"),
    [({"pass": 50, "marginal": 20}, "pass"), ({"pass": 60, "marginal": 50}, "marginal"), ({"pass": 60, "marginal": 51}, "fail")],
)  # fmt: skip
def test_kayenta_takes_thresholds(crossfade, written, thresholds, verdict):
    given = written(config(GOOD, HIGH, thresholds=thresholds))

    assert (
        crossfade("analysis", "kayenta", "--config", given, "-o", "json").data["verdict"] == verdict
    )


def test_a_critical_metric_fails_all(crossfade, written):
    given = written(config(GOOD, {**HIGH, "critical": True}))
    data = crossfade("analysis", "kayenta", "--config", given, "-o", "json").data

    assert (data["metrics"][1]["critical"], data["score"]) == (True, 0.0)


def test_people_read_why(crossfade, written):
    ran = crossfade(
        "analysis", "kayenta", "--config", written(config(GOOD, {**HIGH, "critical": True}))
    )

    assert "m1 is high and critical" in ran.out
    assert ran.out.splitlines()[-1] == "fail with a score of 0: m1 is high and critical"


def test_a_wrong_config_is_refused_with_its_key(crossfade, written):
    ran = crossfade("analysis", "kayenta", "--config", written(config({**GOOD, "direction": "up"})))

    assert ran.code == 2
    assert 'metrics[0].direction: "up" is not allowed' in ran.err
    assert "hint:" in ran.err


@pytest.mark.parametrize(
    ("command", "option"), [("kayenta", "--config"), ("threshold", "--metric")]
)
def test_a_file_that_is_not_there_is_told(crossfade, command, option):
    ran = crossfade("analysis", command, option, "nowhere.json")

    assert ran.code == 3
    assert "there is no file nowhere.json" in ran.err


def metric(*measurements, **limits):
    return {"metric": {"name": "errors", **limits}, "measurements": list(measurements)}


F, S = {"phase": "Failed"}, {"phase": "Successful"}


@pytest.mark.parametrize(
    ("given", "phase"),
    [
        pytest.param(metric(), "Pending", id="nothing-measured"),
        pytest.param(metric(F, F, F, failureLimit=2, interval="60s"), "Failed", id="limit"),
        pytest.param(metric(F, F, F, failureLimit=3, interval="60s"), "Running", id="at-the-limit"),
        pytest.param(metric(S, S, failureLimit=-1, consecutiveSuccessLimit=2), "Successful", id="in-a-row"),
        pytest.param(metric({"value": [0.9]}, successCondition="result[0] >= 0.95"), "Failed", id="values"),
        pytest.param(metric({"value": 1}, successCondition="result > 2", failureCondition="result < 0"), "Inconclusive", id="unclear"),
        pytest.param(metric(*[{"value": "x"}] * 5, successCondition="result > 2"), "Error", id="errors"),
    ],
)  # fmt: skip
def test_threshold_answers_with_the_phase(crossfade, written, given, phase):
    ran = crossfade("analysis", "threshold", "--metric", written(given), "-o", "json")

    assert ran.data["phase"] == phase
    assert ran.code == 0


def test_threshold_tells_the_broken_limit_and_each_measurement(crossfade, written):
    given = written(metric({"value": 9}, {"value": "9"}, successCondition="result < 5"))
    data = crossfade("analysis", "threshold", "--metric", given, "-o", "json").data
    text = crossfade("analysis", "threshold", "--metric", given).out

    assert data["message"] == "failed (1) > failureLimit (0)"
    assert data["counts"]["error"] == 1
    assert [each["phase"] for each in data["measurements"]] == ["Failed", "Error"]
    assert text.startswith("Failed: failed (1) > failureLimit (0)\n  1. Failed\n  2. Error: could")


def test_threshold_can_tell_how_a_run_would_end_now(crossfade, written):
    given = written(metric(F, failureLimit=1, interval="60s"))

    assert crossfade("analysis", "threshold", "--metric", given).out.startswith("Running")
    ran = crossfade("analysis", "threshold", "--metric", given, "--terminating")
    assert ran.out.startswith("Successful")
    ended = written({**metric(F, failureLimit=1, interval="60s"), "terminating": True})
    assert crossfade("analysis", "threshold", "--metric", ended).out.startswith("Successful")


def test_what_argo_would_refuse_is_noted(crossfade, written):
    ran = crossfade("analysis", "threshold", "--metric", written(metric(S, S, count=2)))

    assert ran.err == "note: Argo refuses this metric: a count above 1 needs an interval\n"
    assert ran.out.startswith("Successful")


def test_files_may_come_from_standard_input(crossfade, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(metric(F)).encode())))

    assert crossfade("analysis", "threshold", "--metric", "-").out.startswith("Failed")
