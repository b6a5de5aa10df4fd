"""A build of the hub, followed to its end."""

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from crossfade.base.errors import Conflict, ungrouped
from crossfade.cli.output import note
from crossfade.cli.pipeline_view import print_logs

if TYPE_CHECKING:
    from crossfade.core.pipeline.state import State
    from crossfade.engine.pipelines.records import Build
    from crossfade.wiring_pipelines import Pipelines

SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def follow_to_its_end(pipelines: "Pipelines", build: "Build", *, on_stderr: bool) -> "State":
    """
    Print what the steps of a build of the hub print, and return how it ended.

    The first signal ends the build, the second one leaves it to the hub.
    """
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:
            ending = group.create_task(_end_when_asked(pipelines, build, asked))
            printing = group.create_task(
                print_logs(pipelines, build, "", follow=True, on_stderr=on_stderr)
            )

            def interrupted() -> None:
                if asked.is_set():
                    note(f"left to the hub; `crossfade pipeline logs {build.id} -f` follows it")
                    printing.cancel()
                asked.set()

            for each in SIGNALS:
                loop.add_signal_handler(each, interrupted)
            await asyncio.wait({printing})
            ending.cancel()
    except BaseExceptionGroup as errors:
        raise ungrouped(errors) from None
    finally:
        for each in SIGNALS:
            loop.remove_signal_handler(each)
    if printing.cancelled():
        raise KeyboardInterrupt
    return (await pipelines.builds.state(build.id)).value


async def _end_when_asked(pipelines: "Pipelines", build: "Build", asked: asyncio.Event) -> None:
    await asked.wait()
    note("ending the build; once more leaves it to the hub")
    with suppress(Conflict):  # it has just ended
        await pipelines.commands.terminate(build.id, "ended by a signal")
