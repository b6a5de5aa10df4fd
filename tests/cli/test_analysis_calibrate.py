"""`crossfade analysis calibrate`"""

import json

import pytest

PLAN = "metrics: [{name: errors}]\n"


def healthy(rollouts, x_c=1, ticks=2):
    """Records of so many rollouts, one after the other."""
    window = {"cluster": "gcp", "n_c": 150, "n_s": 1350, "events": {"errors": [x_c, 13]}}
    return "".join(
        json.dumps({"id": n, **window}) + "\n" for _ in range(rollouts) for n in range(1, ticks + 1)
    )


def of_pods(ticks, bad_pod=0):
    """A record of four pods of stable, one of which may be worse than the others."""
    window = {"cluster": "gcp", "n": 400}
    return "".join(
        json.dumps(
            {"id": n, "pod": f"p{pod}", **window, "events": {"errors": bad_pod if not pod else 4}}
        )
        + "\n"
        for n in range(1, ticks + 1)
        for pod in range(4)
    )


@pytest.fixture
def calibrate(crossfade, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(record, *options, plan=PLAN):
        (tmp_path / "plan.yaml").write_text(plan)
        (tmp_path / "windows.jsonl").write_text(record)
        files = ("--plan", "plan.yaml", "--windows", "windows.jsonl")
        return crossfade("analysis", "calibrate", *files, *options)

    return run


def test_a_service_whose_arms_do_not_differ_is_judged_without_a_factor(calibrate):
    ran = calibrate(healthy(299), "-o", "json")

    assert ran.data == {
        "phi": 1.0,
        "metrics": ["errors"],
        "replays": 299,
        "crossings": {"1.0": 0},
        "risk": pytest.approx(0.00997, abs=1e-5),
        "trusted": True,
        "needed": 299,
    }
    assert ran.err == ""


def test_too_few_replays_say_how_many_it_takes(calibrate):
    ran = calibrate(healthy(20), "-o", "json")

    assert ran.code == 0
    assert (ran.data["trusted"], ran.data["needed"]) == (False, 299)
    assert "20 replays are too few to rely on 1: it takes 299" in ran.err


def test_nobody_is_told_that_a_factor_helps_where_none_does(calibrate):
    ran = calibrate(healthy(100, x_c=30, ticks=12), "-o", "json")

    assert (ran.data["trusted"], ran.data["needed"]) == (False, 0)
    assert (
        "no factor up to 4 is enough: with 1, 100 of 100 good canaries are still rolled back"
        in ran.err
    )


def test_a_long_record_is_cut_into_replays_of_the_length_of_a_rollout(calibrate):
    assert calibrate(healthy(1, ticks=12), "--minutes", "1", "-o", "json").data["replays"] == 3


def test_pods_of_stable_are_dealt_to_both_sides_anew_for_each_replay(calibrate):
    even = calibrate(of_pods(40, 4), "--pods", "--minutes", "2.5", "-o", "json").data
    uneven = calibrate(of_pods(40, 60), "--pods", "--minutes", "2.5", "-o", "json").data

    assert (even["replays"], even["crossings"]["1.0"]) == (4, 0)
    assert 0 < uneven["crossings"]["1.0"] < 4  # else all replays were dealt alike


def test_people_read_the_factor_and_what_each_one_would_have_done(calibrate):
    ran = calibrate(healthy(299))

    assert ran.out.startswith(
        "dispersion 1 of errors: at most 1.00% of good canaries are rolled back, with 95 % confidence\n"
    )
    assert "0 of 299" in ran.out


@pytest.mark.parametrize(
    ("record", "options", "told"),
    [
        (healthy(1), ("--pods",), 'windows.jsonl:1: unknown key "n_c"; allowed: id, cluster, pod'),
        (of_pods(1), (), 'windows.jsonl:1: unknown key "pod"'),
        (of_pods(1).splitlines()[0], ("--pods",), "there is one pod only"),
        (of_pods(1, 401), ("--pods",), "events.errors: 401 of 400 requests"),
        (healthy(1).replace("errors", "eror"), (), "no window has events of errors"),
    ],
)
def test_a_record_that_cannot_be_used_is_refused_with_what_is_wrong(
    calibrate, record, options, told
):
    ran = calibrate(record, *options)

    assert ran.code == 2
    assert told in ran.err
    assert "hint: " in ran.err
