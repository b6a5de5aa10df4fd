"""What a Kubernetes API does by itself: owners, namespaces and definitions that go take along."""

import asyncio

from crossfade.sandbox.kube.api import Api
from crossfade.sandbox.kube.definitions import Definitions
from crossfade.sandbox.kube.garbage import Garbage
from crossfade.sandbox.kube.namespaces import Namespaces


async def run_housekeeping(api: Api, authority: str = "") -> None:
    """
    Keep order until cancelled.

    `authority` is the PEM of the certificate authority of the API, for each namespace's
    `kube-root-ca.crt`; without it there is none.
    """
    async with asyncio.TaskGroup() as group:
        for part in (Namespaces(api, authority), Definitions(api), Garbage(api)):
            group.create_task(part.run())
