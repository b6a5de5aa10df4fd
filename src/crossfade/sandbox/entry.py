"""How each process of a sandbox begins."""

import asyncio
import logging
import sys
from pathlib import Path

from crossfade.sandbox import state
from crossfade.sandbox.state import Layout


def begin() -> Layout:
    """Return the sandbox in the folder that is the first argument; exit where there is none."""
    layout = state.load(Path(sys.argv[1]))
    if layout is None:
        sys.exit(f"no sandbox in {sys.argv[1]}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if sys.version_info < (3, 12):
        # The default before 3.12 spends a thread on each child.
        asyncio.set_child_watcher(asyncio.PidfdChildWatcher())
    return layout
