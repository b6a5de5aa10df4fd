"""What a load says of who answered: no table of what nobody knows, and no success with nobody there."""

from crossfade.cli.load_view import summary
from crossfade.sandbox.load_figures import Figures, Source


def figures(*answers):
    found = Figures()
    for at, (status, source) in enumerate(answers):
        found.answer(float(at), 0.01, status, source)
    return found


def test_a_load_on_a_host_that_no_application_has_says_so():
    text = summary(figures((404, Source()), (404, Source())))

    assert "answers by HTTP status: 404: 2" in text
    assert "--host names the host of an application" in text


def test_answers_that_name_nobody_are_told_instead_of_counted_as_unknown():
    text = summary(figures((200, Source()), (200, Source())))

    assert "`version` and `cloud` of JSON answers" in text
    assert "unknown" not in text


def test_answers_that_name_their_version_are_counted_by_it():
    text = summary(figures((200, Source("blue", "aws")), (404, Source())))

    assert "blue" in text
    assert "--host" not in text
