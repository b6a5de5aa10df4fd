"""What GitHub and GitLab learn of builds, by the rules of their APIs."""

from dataclasses import replace

import pytest

from crossfade.adapters.git_servers.statuses import GitServers
from crossfade.base.errors import Denied, InputError, NotFound, Unavailable
from crossfade.core.pipeline.commit_status import Commit, Mood, Report
from crossfade.testing.fake_git_server import TOKEN, FakeGitServer
from crossfade.testing.fake_secrets import FakeSecrets
from crossfade.testing.http_service import Reply, http_service

SHA = "a" * 40
RUNNING = Report(Mood.RUNNING, "build 1 runs")
DONE = Report(Mood.SUCCESS, "build 1 succeeded")


class Place:
    def __init__(self, service, server, statuses, secrets, kind):
        self.service, self.server, self.statuses = service, server, statuses
        self.secrets = secrets
        self.commit = Commit(kind, "acme/web", SHA, "shop/web", "here", 7, service.address)


@pytest.fixture(params=["github", "gitlab"])
async def place(request):
    server = FakeGitServer(request.param == "gitlab", {SHA}, {7})
    secrets = FakeSecrets(git_here=TOKEN)
    async with http_service() as service:
        service.answer = server.answer
        statuses = GitServers(secrets)
        yield Place(service, server, statuses, secrets, request.param)
        await statuses.close()


async def test_a_commit_says_how_its_build_stands(place):
    for mood in Mood:
        await place.statuses.report(place.commit, Report(mood, "a text"))

    said = [(commit, title) for commit, title, _ in place.server.statuses]
    assert set(said) == {(SHA, "shop/web")}
    assert place.server.statuses[-1][2] in ("error", "canceled")


async def test_a_status_may_be_repeated(place):
    await place.statuses.report(place.commit, RUNNING)
    await place.statuses.report(place.commit, RUNNING)
    await place.statuses.report(place.commit, DONE)

    assert place.server.statuses[-1][2] == "success"


async def test_a_pull_request_has_one_comment_of_a_subject_and_it_is_the_newest(place):
    place.server.comments |= dict.fromkeys(range(1, 151), "of somebody")
    await place.statuses.comment(place.commit, "shop/web", "first")
    await place.statuses.comment(place.commit, "shop/web", "second")
    await place.statuses.comment(place.commit, "shop/other", "third")

    ours = [text for text in place.server.comments.values() if "crossfade" in text]
    assert [text.split("\n")[0] for text in ours] == ["second", "third"]


async def test_what_asking_again_does_not_help_is_told_apart(place):
    unknown = replace(place.commit, revision="b" * 40)
    elsewhere = replace(place.commit, repository="acme/other")
    with pytest.raises((NotFound, InputError)):
        await place.statuses.report(unknown, RUNNING)
    with pytest.raises(NotFound):
        await place.statuses.report(elsewhere, RUNNING)
    with pytest.raises(NotFound):
        await place.statuses.comment(replace(place.commit, pull=9), "s", "text")
    place.secrets.values["git-here"] = "wrong"
    with pytest.raises(Denied) as raised:
        await place.statuses.report(place.commit, RUNNING)
    assert "wrong" not in str(raised.value)


async def test_without_a_token_nothing_is_sent(place):
    place.secrets.values.clear()

    with pytest.raises(NotFound):
        await place.statuses.report(place.commit, RUNNING)
    assert place.service.asked == []


async def test_a_server_that_is_in_trouble_may_be_asked_again(place):
    place.service.say(Reply(502, "no"))

    with pytest.raises(Unavailable):
        await place.statuses.report(place.commit, RUNNING)
    with pytest.raises(Unavailable):
        await place.statuses.comment(place.commit, "s", "text")


async def test_servers_that_nobody_knows_are_refused(place):
    with pytest.raises(InputError, match="bitbucket"):
        await place.statuses.report(replace(place.commit, provider="bitbucket"), RUNNING)
