"""Environments: compositions that steps of builds have launched, and that outlive them."""

from collections import deque
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from crossfade.api.access import everywhere
from crossfade.api.services import Use
from crossfade.core.access.roles import Action
from crossfade.engine.accounts import Caller
from crossfade.engine.pipelines.environments import Seen

router = APIRouter(prefix="/environments", tags=["builds"])

Reader = Annotated[Caller, Depends(everywhere(Action.READ))]
Builder = Annotated[Caller, Depends(everywhere(Action.BUILD))]
Name = Annotated[str, Path(max_length=100, examples=["shop-main"])]


MOST_PRINTED = 1024 * 1024
"""Characters; services print for weeks, and this is held in memory."""


class Printed(BaseModel):
    """What services of an environment have printed, without secrets of its build."""

    text: str
    """Of very much the end, below a line that says how much is left out."""


@router.get("")
async def list_environments(caller: Reader, services: Use) -> tuple[Seen, ...]:
    """Return the environments by name: `starting`, `up` or `ended`."""
    return await services.acts(services.documents).environments.all()


@router.get("/{name:path}/log")
async def get_log(name: Name, caller: Reader, services: Use) -> Printed:
    """Return what the services of an environment have printed until now."""
    tail = _Tail()
    await services.acts(services.documents).environments.logs(name, tail.add)
    return Printed(text=tail.text())


class _Tail:
    """The end of a text that comes in parts."""

    def __init__(self) -> None:
        self._parts: deque[str] = deque()
        self._size = self._left_out = 0

    def add(self, part: str) -> None:
        self._parts.append(part)
        self._size += len(part)
        while self._size - len(self._parts[0]) >= MOST_PRINTED:
            first = len(self._parts.popleft())
            self._size -= first
            self._left_out += first

    def text(self) -> str:
        found = "".join(self._parts)
        over = max(0, len(found) - MOST_PRINTED)
        left_out = self._left_out + over
        return f"({left_out} characters are left out)\n{found[over:]}" if left_out else found


@router.delete("/{name:path}", status_code=204)
async def end_environment(name: Name, caller: Builder, services: Use) -> None:
    """End an environment with all that it has started."""
    await services.acts(services.accounts.acting(caller)).environments.end(name)
