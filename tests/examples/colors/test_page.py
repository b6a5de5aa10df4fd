"""The page of Color Coded, in a real browser: what people see is what was answered."""

import itertools
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium; `make test` installs it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page that fails the test for any error in its script."""
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


def answers(*served: tuple[str, str, int]) -> Callable[[Route], None]:
    """Answer /callme with (version, cloud, status), in turn and over again."""
    turn = itertools.cycle(served)

    def answer(route: Route) -> None:
        version, cloud, status = next(turn)
        body = {"version": version, "colour": version, "cloud": cloud, "pod": "p", "at": 0}
        if status:
            route.fulfill(status=status, json=body)
        else:
            route.abort()

    return answer


def fast(page: Page) -> None:
    """Ask for as many squares as the page allows."""
    page.get_by_label("Requests").fill("30")


def row(page: Page, table: str, name: str) -> list[str]:
    """Return the cells of one row: share, answers, failed."""
    found = (
        page.get_by_role("table", name=table)
        .get_by_role("row")
        .filter(has=page.get_by_role("rowheader", name=name, exact=True))
    )
    return found.get_by_role("cell").all_inner_texts()


def test_squares_come_from_the_app_itself_without_any_other_address(start, page):
    app = start(VERSION="2.0", COLOUR="yellow", CLOUD="gcp-node-0")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(app.url)
    square = page.locator(".square.answered").first
    expect(square).to_contain_text("gcp")
    expect(square).to_contain_text("2.0")
    expect(square).to_have_css("background-color", "rgb(242, 194, 48)")
    assert {re.sub(r"^data:.*", "data:", url) for url in asked} <= {
        f"{app.url}/",
        f"{app.url}/callme",
        "data:",
    }


def test_shares_are_those_of_the_answers(start, page):
    app = start()
    page.route("**/callme", answers(*[("blue", "aws", 200)] * 3, ("yellow", "onprem", 200)))
    page.goto(app.url)
    fast(page)
    expect(page.locator("#answers")).to_have_text(re.compile(r"^\d{3,}$"), timeout=20_000)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    page.wait_for_timeout(700)  # one more drawing, after the last answer
    for table, name, count in [
        ("Versions", "blue", 75),
        ("Versions", "yellow", 25),
        ("Clouds", "onprem", 25),
    ]:
        share, answered, failed = row(page, table, name)
        assert abs(int(answered) - count) <= 1  # answers may overtake one another
        assert (share, failed) == (f"{answered} %", "0")
    expect(page.locator("#minute rect").first).to_be_attached()


def test_a_failure_has_a_mark_that_needs_no_colour(start, page):
    app = start(ERROR_RATE="1", VERSION="bad", COLOUR="red", CLOUD="aws")
    page.goto(app.url)
    square = page.locator(".square.failed").first
    expect(square).to_contain_text("✕ bad")
    expect(square).to_have_attribute("title", re.compile(r"^bad on aws .*HTTP 500"))
    expect(page.locator("#failures")).not_to_have_text("0")


def test_no_answer_at_all_is_a_failure_of_nobody_known(start, page):
    app = start()
    page.route("**/callme", answers(("", "", 0)))
    page.goto(app.url)
    expect(page.locator(".square.failed").first).to_contain_text("no answer")


def test_pause_stops_the_requests(start, page):
    app = start()
    page.goto(app.url)
    page.locator(".square.answered").first.wait_for()
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(1000)  # what was under way arrives and is drawn
    before = page.locator("#answers").inner_text()
    page.wait_for_timeout(800)
    assert page.locator("#answers").inner_text() == before


def test_names_from_the_wire_are_text_never_markup(start, page):
    app = start()
    evil = "<img src=x onerror=document.title='owned'>"
    page.route("**/callme", answers((evil, evil, 200)))
    page.goto(app.url)
    expect(page.locator(".square.answered").first).to_contain_text("<img")
    expect(page.get_by_role("table", name="Versions")).to_contain_text("<img")
    assert page.locator("img").count() == 0
    assert page.title() == "Color Coded"


def test_everything_to_use_or_read_has_a_name(start, page):
    page.goto(start().url)
    page.locator(".square.answered").first.wait_for()
    for role, name in [
        ("slider", "Requests"),
        ("combobox", "Count the last"),
        ("button", "Pause"),
        ("img", "Answers"),
        ("img", "Versions over the last minute"),
        ("table", "Versions"),
        ("table", "Clouds"),
    ]:
        expect(page.get_by_role(role, name=name).first).to_be_visible()


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_nothing_is_cut_off_on_narrow_screens(start, page, width):
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(start(VERSION="2.0.1-rc.1+build.20250101", CLOUD="a-cloud-with-a-long-name").url)
    fast(page)
    page.get_by_role("rowheader", name="a-cloud-with-a-long-name").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_and_light_follow_the_system(start, page):
    page.goto(start().url)
    seen = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        seen.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert seen == {"rgb(245, 244, 240)", "rgb(20, 22, 26)"}
