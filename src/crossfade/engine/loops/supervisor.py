"""Runs the endless loops."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping


async def serve(loops: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
    """Run endless loops side by side; when one fails or returns, stop all and raise."""
    async with asyncio.TaskGroup() as group:
        for name, loop in loops.items():
            group.create_task(_endless(name, loop), name=name)


async def _endless(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    await loop()
    raise RuntimeError(f"loop `{name}` returned; it must run until cancelled")
