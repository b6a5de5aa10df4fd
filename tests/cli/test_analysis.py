"""`crossfade analysis`"""

import json

import pytest

PLAN = "metrics: [{name: errors}]\n"


def windows(count, x_c=1, clusters=("aws", "gcp"), metric="errors"):
    return "".join(
        json.dumps(
            {"id": n, "cluster": name, "n_c": 150, "n_s": 1350, "events": {metric: [x_c, 13]}}
        )
        + "\n"
        for n in range(1, count + 1)
        for name in clusters
    )


@pytest.fixture
def judge(crossfade, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(record, *options, plan=PLAN):
        (tmp_path / "plan.yaml").write_text(plan)
        (tmp_path / "windows.jsonl").write_text(record)
        files = ("--plan", "plan.yaml", "--windows", "windows.jsonl")
        return crossfade("analysis", "judge", *files, *options)

    return run


@pytest.mark.parametrize(("x_c", "action"), [(1, "promote"), (8, "rollback")])
def test_the_last_verdict_is_printed_with_what_it_rests_on(judge, x_c, action):
    data = judge(windows(60, x_c), "-o", "json").data

    assert (data["action"], data["tick"], data["at_s"]) == (action, 60, 900.0)
    assert set(data) == {
        *("tick", "at_s", "action", "weight", "e", "p", "ratio", "blame", "scope"),
        *("incidents", "needed", "harm", "silent", "proven", "reason"),
    }


def test_all_verdicts_are_printed_on_demand(judge):
    data = judge(windows(20, 4), "--all", "-o", "json").data

    assert [each["tick"] for each in data] == list(range(1, 21))
    assert data[0]["action"] != data[-1]["action"] == "rollback"


def test_people_read_a_sentence_and_the_figures(judge):
    ran = judge(windows(60, 8))

    assert ran.code == 0
    assert ran.out.startswith("tick 60: rollback\n  errors is worse on the canary on ")
    assert "  errors: canary to stable " in ran.out


def test_a_slip_in_a_metrics_name_does_not_leave_the_canary_unjudged(judge):
    ran = judge(windows(5, metric="eror"))

    assert ran.code == 2
    assert "no window has events of errors" in ran.err
    assert "the windows have eror" in ran.err


def test_metrics_that_the_plan_leaves_out_are_pointed_out(judge):
    record = windows(5) + windows(6, metric="slow").splitlines()[-1] + "\n"
    ran = judge(record)

    assert ran.code == 0
    assert "not judged, as the plan does not name them: slow" in ran.err


@pytest.mark.parametrize(
    ("record", "plan", "says"),
    [
        ("{oops\n", PLAN, "windows.jsonl:1:2: is not valid JSON"),
        (windows(2), "metrics: 5\n", "plan.yaml:1:10: metrics: 5 is not allowed"),
        (windows(2), f"{PLAN}clusters: [gcp]\n", "cluster aws is not in the plan"),
        (
            "\n".join(reversed(windows(2, clusters=("gcp",)).splitlines())),
            PLAN,
            "window 1 of gcp comes after window 2",
        ),
    ],
)
def test_bad_input_is_refused_with_its_place_and_a_hint(judge, record, plan, says):
    ran = judge(record, plan=plan)

    assert ran.code == 2
    assert says in ran.err
    assert "hint: " in ran.err
    assert ran.out == ""


@pytest.fixture
def backtest(crossfade, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(record, spec, *options):
        (tmp_path / "spec.yaml").write_text(spec)
        (tmp_path / "windows.jsonl").write_text(record)
        return crossfade("analysis", "backtest", "spec.yaml", "--record", "windows.jsonl", *options)

    return run


def test_a_replay_says_how_the_rollout_would_have_gone_and_what_that_takes_for_granted(backtest):
    data = backtest(windows(60, 8), PLAN, "-o", "json").data

    assert data["action"] == "rollback"
    assert data["after_s"] < 300
    assert data["harm"] < 30
    assert data["changes"][0]["weight"] == pytest.approx(150 / (200 * 60))
    assert len(data["assumptions"]) == 4


def test_a_replay_for_people_has_the_shares_and_the_assumptions(backtest):
    steps = "steps: [{setWeight: 5}, {pause: {duration: 2m}}, {setWeight: 50}]\n"
    ran = backtest(windows(60), PLAN + steps)

    assert ran.out.startswith("promote after 10.0 min: proven good")
    assert "120 s  50.0%  step 2" in ran.out
    assert "This takes for granted that\n- " in ran.out
    assert "scaled up to 5.0 times" in ran.out


def test_steps_that_a_record_cannot_replay_are_pointed_out_not_skipped_in_silence(
    backtest, monkeypatch
):
    from crossfade.adapters.documents import backtest_spec

    read = backtest_spec.read_spec

    def with_approval(*arguments):
        spec = read(*arguments)
        return backtest_spec.Spec(spec.plan, spec.levels, ("approval",))

    monkeypatch.setattr(backtest_spec, "read_spec", with_approval)

    assert "passed at once, as a record has none: approval" in backtest(windows(5), PLAN).err


def test_a_spec_with_a_mistake_is_refused(backtest):
    ran = backtest(windows(5), f"{PLAN}steps: [{{setWeight: 500}}]\n")

    assert ran.code == 2
    assert "steps[0].setWeight: 500 is not allowed" in ran.err
