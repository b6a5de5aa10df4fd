"""What git servers and registries send; each request proves itself by its signature."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from crossfade.api.services import Use
from crossfade.engine.pipelines.webhooks import Taken

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

Context = Annotated[
    str,
    Path(
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="Name of the integration: the secret is `webhook-NAME`.",
        examples=["github"],
    ),
]


@router.post("/{context}", status_code=202)
async def receive(context: Context, request: Request, services: Use) -> Taken:
    """
    Start the builds whose triggers listen to the event; return them, and why others stay quiet.

    GitHub, GitLab, Bitbucket, Gitea, registries. A request that was taken before is refused.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    return await services.webhooks.receive(context, headers, await request.body())
