"""The page comes from the hub alone: no script but its own, and words where it was not built."""

import httpx
import pytest
from fastapi import FastAPI

from crossfade.api.routes.page import VIEWS, install


def client_of(folder):
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    install(app, folder)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub")


@pytest.fixture
async def built(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Crossfade</title>")
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / "assets/index-1a2b.js").write_text("let page")
    async with client_of(tmp_path) as client:
        yield client


@pytest.mark.parametrize("path", ["/", *(f"/{view}" for view in VIEWS), "/rollouts/colors/3"])
async def test_every_address_of_a_view_can_be_opened_and_sent_to_others(built, path):
    answer = await built.get(path)

    assert answer.status_code == 200
    assert "Crossfade" in answer.text


async def test_no_script_of_anybody_else_nor_in_the_text_may_run(built):
    policy = (await built.get("/")).headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_scripts_are_kept_by_browsers_and_the_page_itself_is_asked_for_again(built):
    script, index = await built.get("/assets/index-1a2b.js"), await built.get("/")

    assert "immutable" in script.headers["Cache-Control"]
    assert index.headers["Cache-Control"] == "no-cache"  # its scripts are gone with an upgrade
    assert "ETag" in index.headers


async def test_nothing_beside_the_page_can_be_read(built):
    for path in ("/assets/../index.html/../../x", "/assets/%2e%2e/%2e%2e/page.py", "/nothing"):
        assert (await built.get(path)).status_code == 404


async def test_a_hub_without_its_page_says_how_to_get_it(tmp_path):
    async with client_of(tmp_path) as client:
        answer = await client.get("/rollouts")

    assert answer.status_code == 503
    assert "make page" in answer.text
