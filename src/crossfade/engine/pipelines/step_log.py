"""The log of one run: what it prints, without secrets, shown at once and kept."""

import codecs
from collections.abc import Callable

from crossfade.core.pipeline.masking import Mask
from crossfade.ports.runner import Order, Runner
from crossfade.ports.step_logs import StepLogs

MOST_CHARACTERS = 10 * 1024 * 1024
CUT = f"\n[log cut here: at most {MOST_CHARACTERS // 1024 // 1024} MiB are kept of a step]\n"


class _Kept:
    """Hands text on, until it is too much."""

    def __init__(self, keep: Callable[[str], None], most: int) -> None:
        self._keep, self._left = keep, most

    def add(self, text: str) -> None:
        """Take in the next piece."""
        if not text or self._left <= 0:
            return
        self._keep(text[: self._left])
        self._left -= len(text)
        if self._left < 0:
            self._left = 0
            self._keep(CUT)


async def follow(
    runner: Runner,
    logs: StepLogs,
    order: Order,
    printed: Callable[[str], None],
    most: int = MOST_CHARACTERS,
) -> None:
    """Return when the run has ended and all that it printed is in its log."""

    def keep(text: str) -> None:
        logs.append(order.run, text)
        printed(text)

    logs.begin(order.run)  # a follower before us may have died in the middle: again, from its start
    kept, mask = _Kept(keep, most), Mask(order.secrets)
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    async for output in runner.output(order.run):
        mask.add(output.secrets)
        kept.add(mask.feed(decoder.decode(output.data)) if output.data else mask.pause())
    kept.add(mask.feed(decoder.decode(b"", final=True)))
    kept.add(mask.finish())
