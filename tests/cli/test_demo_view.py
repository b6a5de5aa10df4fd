"""The demo on a terminal, in a file and beside JSON."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from crossfade.cli import demo_view
from crossfade.cli.demo_view import LiveView, View, make_view, summary
from crossfade.cli.output import Format
from crossfade.sandbox.control import Progress
from crossfade.sandbox.demo.record import Act, Claim, Moment, Record
from crossfade.sandbox.load_figures import Figures, Source
from crossfade.sandbox.state import new_layout

ACT = Act(2, "yellow as a canary", 5.0)


@pytest.fixture
def record():
    figures = Figures()
    figures.requests = 12
    for number in range(10):
        figures.answer(number / 10, 0.010, 200, Source("blue", "aws"))
    figures.answer(1.0, 0.010, 500, Source("red", "gcp"))
    figures.no_answer(1.0, 1.0, "nobody answers")
    return Record(figures, acts=[ACT])


def test_news_are_one_line_each_with_their_time(capsys, tmp_path):
    view = View(Format.TEXT)
    view.opening(new_layout(tmp_path, ("aws", "gcp"), 17000))
    view.cloud_ready(Progress("aws", 0.81))
    view.opened(1.26)
    view.tell(ACT, Moment(5.0, ACT.title))
    view.tell(ACT, Moment(12.34, "gcp is killed"))
    view.tell(ACT, Claim("no request failed", True, "0 failed"))
    view.tell(ACT, Claim("nobody meets red", False, "3 did"))
    view.draw()
    printed = capsys.readouterr()

    assert printed.err == ""
    assert printed.out.splitlines() == [
        "starting 2 clouds: aws, gcp",
        "  aws is ready after 0.8 s",
        "  all clouds and the edge are ready after 1.3 s",
        "[  5.0 s] act 2: yellow as a canary",
        "[ 12.3 s]   gcp is killed",
        "          ok   no request failed (0 failed)",
        "          FAIL nobody meets red (3 did)",
    ]


def test_lines_leave_stdout_to_the_record_when_programs_read_it(capsys):
    make_view(Format.JSON).line("starting")
    printed = capsys.readouterr()

    assert (printed.out, printed.err) == ("", "starting\n")


def test_the_summary_tells_lost_requests_from_errors_of_versions(record):
    ACT.claims[:] = [Claim("a", True, ""), Claim("b", False, "")]
    record.trouble = "waited 5 s for the moon"

    assert summary(record) == [
        "12 requests, 1 lost; errors of versions reached 1 users; p99 10 ms",
        "1 of 2 claims held",
        "it could not go on: waited 5 s for the moon",
    ]


def test_a_terminal_gets_a_picture_and_a_file_does_not(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert isinstance(make_view(Format.TEXT), LiveView)
    assert not isinstance(make_view(Format.JSON), LiveView)
    monkeypatch.setattr("sys.stdout.isatty", lambda: False, raising=False)
    assert not isinstance(make_view(Format.TEXT), LiveView)


def test_the_picture_shows_who_answers_and_lines_stay_above_it(monkeypatch, record, capsys):
    monkeypatch.setenv("TERM", "xterm")  # on a dumb terminal rich draws no picture
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr("rich.live.get_console", lambda: console)
    shares = record.figures.shares(0.0)
    stage = SimpleNamespace(
        load=SimpleNamespace(figures=record.figures), shares=lambda _: shares, now=lambda: 1.0
    )
    view = LiveView()
    view.line("before")
    view.draw()
    with view.showing(stage):
        view.draw()
        view.line("[not markup] during")
    view.line("after")

    assert "blue" in text.getvalue()
    assert "100.0 %" in text.getvalue()
    assert "12 requests, 1 lost, 1 errors of versions" in text.getvalue()
    assert "[not markup] during" in text.getvalue()
    assert capsys.readouterr().out == "before\nafter\n"


def test_a_version_without_a_colour_of_its_own_can_be_drawn(record):
    shares = SimpleNamespace(versions={"green": 1.0}, clouds={"aws": 1.0})
    stage = SimpleNamespace(
        load=SimpleNamespace(figures=record.figures), shares=lambda _: shares, now=lambda: 1.0
    )

    assert demo_view._picture(stage).row_count == 3
