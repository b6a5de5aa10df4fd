"""Test results of a build over HTTP: those that failed first, and never too many of them."""

import json

from crossfade.api.routes import build_tests
from crossfade.base.codec import to_json
from crossfade.core.access.roles import Grant, Role
from crossfade.core.pipeline.junit import Case, Outcome
from crossfade.core.pipeline.keeping import Kept

VIEWER = Grant(Role.VIEWER)


def keep(api, *kept):
    folder = api.services.building.files._folder / "1" / "kept"
    folder.mkdir(parents=True)
    for number, each in enumerate(kept):
        (folder / f"{number}.json").write_text(json.dumps(to_json(each)))


def case(name, outcome):
    return Case("suite", name, outcome, 0.5, "it differs" if outcome is Outcome.FAILED else "")


async def results(api):
    answer = await api.ask("GET", "/builds/1/tests", VIEWER)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_tests_that_failed_come_first_and_runs_without_tests_are_left_out(api):
    await api.build()
    cases = (case("good", Outcome.PASSED), case("bad", Outcome.FAILED))
    keep(api, Kept("1", "unit", cases=cases), Kept("1", "lint"))

    (unit,) = await results(api)

    assert (unit["step"], unit["more"]) == ("unit", 0)
    assert unit["counts"] == {"passed": 1, "failed": 1, "error": 0, "skipped": 0}
    assert [each["name"] for each in unit["cases"]] == ["bad", "good"]


async def test_a_hundred_thousand_tests_do_not_fill_the_answer(api, monkeypatch):
    monkeypatch.setattr(build_tests, "MOST", 3)
    await api.build()
    many = tuple(case(str(number), Outcome.PASSED) for number in range(10))
    keep(api, Kept("1", "unit", cases=(*many, case("bad", Outcome.FAILED))))

    (unit,) = await results(api)

    assert unit["cases"][0]["name"] == "bad"
    assert (len(unit["cases"]), unit["more"]) == (3, 8)


async def test_a_build_without_reports_has_no_results(api):
    await api.build()

    assert await results(api) == []
