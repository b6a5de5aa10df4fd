"""Settings and rights on the page, in a real browser and by the keyboard alone."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from crossfade.api.routes import page as built_page

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(
        not (built_page.FOLDER / "index.html").is_file(), reason="`make page` builds the page"
    ),
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="needs chromium"),
]

SECONDS = 40_000
"""How long something may take to be seen, in milliseconds: the machine may be busy."""


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def test_what_a_cluster_carries_is_changed_by_the_keyboard_after_a_look(page, hub):
    page.goto("/settings")
    page.get_by_role("button", name="Change gcp").focus()
    press(page, "Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Requests per second")).to_be_focused(timeout=SECONDS)
    page.keyboard.type("800")
    press(page, "Tab")
    page.keyboard.type("0.02")
    press(page, "Enter")
    effect = dialog.get_by_label("What changes of gcp")
    expect(effect).to_contain_text("which it still carries", timeout=SECONDS)
    expect(effect).to_contain_text("no user moves by a price")
    assert hub.client.get("/fleet/gcp").json()["capacity"] is None, "a look changes nothing"
    press(page, "Enter")

    row = page.get_by_role("row").filter(has=page.get_by_role("button", name="Change gcp"))
    expect(row).to_contain_text("800 requests/s", timeout=SECONDS)
    expect(row).to_contain_text("0.02")
    expect(page.get_by_role("button", name="Change gcp")).to_be_focused()
    page.goto("/")
    card = page.get_by_label("cloud gcp", exact=True)
    expect(card).to_contain_text("of 800", timeout=SECONDS)


def test_who_may_see_one_application_only_is_told_why_there_are_no_builds(browser, hub):
    role = [{"role": "viewer", "application": "colors"}]
    account = {"name": "scoped", "password": "long enough for scoped", "grants": role}
    assert hub.client.post("/accounts", json=account).status_code == 201
    context = browser.new_context(base_url=hub.address)
    page = context.new_page()
    refused = []
    page.on("response", lambda each: refused.append(each.url) if each.status == 403 else None)
    page.goto("/pipelines")
    hub.sign_in(page, "scoped", "long enough for scoped")

    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Builds are for those who may see all applications", timeout=SECONDS
    )
    page.get_by_role("link", name="Fleet", exact=True).click()
    expect(page.get_by_label("cloud aws", exact=True)).to_be_visible(timeout=SECONDS)
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("region", name="Clusters")).to_be_visible(timeout=SECONDS)
    expect(page.get_by_role("button", name="Change aws")).to_have_count(0)
    assert refused == [], "each would be an entry in the audit log"
    context.close()


@pytest.mark.parametrize("path", ["/", "/pipelines", "/rollouts", "/settings", "/applications"])
def test_nothing_stands_out_of_a_narrow_screen(browser, hub, signed_in, path):
    context = browser.new_context(
        storage_state=signed_in, base_url=hub.address, viewport={"width": 320, "height": 640}
    )
    page = context.new_page()
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=SECONDS)
    expect(page.locator(".loading")).to_have_count(0, timeout=SECONDS)

    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    context.close()
