"""Files of a build over HTTP, in pages, and by commands that put the pages together again."""

import json

import pytest

from crossfade.base.codec import to_json
from crossfade.core.access.roles import Grant, Role
from crossfade.core.pipeline.junit import Case, Outcome
from crossfade.core.pipeline.keeping import Artifact, Kept
from crossfade.remote.pipelines import RemoteKept

VIEWER = Grant(Role.VIEWER)


def files(step, count):
    return tuple(Artifact(f"{step}/{number}", f"{number:064x}", 10) for number in range(count))


def cases(count):
    return tuple(Case("suite", str(number), Outcome.PASSED) for number in range(count))


KEPT = (
    Kept("1", "unit", artifacts=files("unit", 5), cases=cases(7), notes=("one left out",)),
    Kept("1", "lint"),
    Kept("1", "unit", number=2, cases=cases(3)),
    Kept("1", "ship", generation=1, artifacts=files("ship", 3), forgotten="it is 30 days old"),
)


@pytest.fixture
async def api(api):
    await api.build()
    folder = api.services.building.files._folder / "1" / "kept"
    folder.mkdir(parents=True)
    for number, each in enumerate(KEPT):
        (folder / f"{number}.json").write_text(json.dumps(to_json(each)))
    return api


class Client:
    """As `crossfade login` asks, with pages of this size."""

    def __init__(self, api, size):
        self.api, self.size = api, size

    async def all(self, path, of):
        from crossfade.base.codec import from_json

        found, after = [], "0"
        while after is not None:
            query = {"limit": self.size, "after": after}
            path = path.removeprefix("/api/v1")
            answer = (await self.api.ask("GET", path, VIEWER, params=query)).json()
            assert "items" in answer, answer
            found += [from_json(of, each) for each in answer["items"]]
            after = answer["next"]
        return tuple(found)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 11, 500])
async def test_commands_have_everything_however_small_the_pages_are(api, size):
    assert await RemoteKept(Client(api, size)).kept("1") == KEPT


async def test_no_page_has_more_files_than_were_asked_for(api):
    page = (await api.ask("GET", "/builds/1/files?limit=4", VIEWER)).json()
    rest = (await api.ask("GET", f"/builds/1/files?after={page['next']}", VIEWER)).json()

    assert [len(each["artifacts"]) for each in page["items"]] == [4]
    assert [len(each["artifacts"]) for each in rest["items"]] == [1, 0, 0, 3]
    first = page["items"][0]
    assert (first["files"], first["bytes"], first["tests"]) == (5, 50, 7)
    assert rest["next"] is None


async def test_results_of_tests_come_in_pages_over_all_runs(api):
    page = (await api.ask("GET", "/builds/1/tests/cases?after=6&limit=2", VIEWER)).json()

    assert [(each["number"], each["case"]["name"]) for each in page["items"]] == [
        (1, "6"),
        (2, "0"),
    ]
    assert page["next"] == "8"


async def test_a_file_that_was_not_kept_is_not_there(api):
    answer = await api.ask("GET", f"/builds/1/files/{64 * 'f'}", VIEWER)

    assert answer.status_code == 404
    assert "GET /api/v1/builds/1/files" in answer.json()["hint"]
