"""The HTTP API as one ASGI application."""

from pathlib import Path

from fastapi import FastAPI

from crossfade.api.limits import Limits, Tags
from crossfade.api.meters import Measured, Meters
from crossfade.api.problems import MEDIA_TYPE, Problem, install
from crossfade.api.routes import (
    accounts,
    applications,
    audit,
    build_files,
    build_tests,
    builds,
    contexts,
    drift,
    drills,
    edges,
    environments,
    events,
    failover,
    fleet,
    health,
    overview,
    page,
    pipelines,
    provider,
    rollouts,
    secrets,
    session,
    sign_on,
    tokens,
    traffic,
    webhooks,
)
from crossfade.api.services import Services
from crossfade.api.traces import Traced

PREFIX = "/api/v1"
_THINGS = (fleet, failover, drills, edges, applications, rollouts)
_PIPELINES = (pipelines, builds, build_files, contexts, environments, webhooks)
_SCREENS = (overview, traffic, drift, build_tests)
_PEOPLE = (events, audit, accounts, secrets, tokens, session, sign_on, provider)
_PROBLEM = {
    "description": "A problem.",
    "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
}


def create_app(services: Services, folder: Path = page.FOLDER) -> FastAPI:
    """Return the application; the page is served from `folder`."""
    app = FastAPI(
        title="Crossfade",
        version="1",
        summary="One release, every cloud.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # its pages would be loaded from elsewhere
        redoc_url=None,
        responses={"default": _PROBLEM, 422: _PROBLEM},
    )
    app.state.services = services
    meters = app.state.meters = Meters(services.feed)
    install(app)
    app.include_router(health.router)
    for each in (*_THINGS, *_PIPELINES, *_SCREENS, *_PEOPLE):
        app.include_router(each.router, prefix=PREFIX)
    page.install(app, folder)
    app.add_middleware(Tags)
    app.add_middleware(Limits)
    app.add_middleware(Traced, prefix=PREFIX)
    app.add_middleware(Measured, meters=meters)
    return app


def warm(app: FastAPI) -> FastAPI:
    """
    Return the application with all that requests are matched with made.

    FastAPI makes it for the first request otherwise, which then waits a quarter of a second.
    """
    nowhere = {"type": "http", "method": "GET", "path": f"{PREFIX}/-", "headers": []}
    for route in app.routes:
        route.matches(nowhere)
    return app
