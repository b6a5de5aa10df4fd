"""Keeps the disk from filling up with what builds have left."""

import logging
from dataclasses import dataclass

from crossfade.base.errors import InputError
from crossfade.core.pipeline.forgetting import Limits
from crossfade.engine.loops.retention import LOOK_SECONDS
from crossfade.engine.pipelines.forgetting import Forgetting

log = logging.getLogger(__name__)

KEY = "kept-files"


@dataclass(frozen=True, slots=True)
class KeptRetention:
    """One look at all that builds have left at a time; its only key is `kept-files`."""

    forgetting: Forgetting
    limits: Limits

    async def keys(self) -> list[str]:
        """Return the one key."""
        return [KEY]

    async def reconcile(self, _key: str) -> float:
        """Forget what is due; return seconds until the next look."""
        try:
            gone = await self.forgetting.forget(self.limits)
        except InputError as error:  # people have to mend it, and builds go on meanwhile
            log.warning("kept-files-unreadable", extra={"error": str(error)})
            return LOOK_SECONDS
        if gone:
            freed = sum(each.size for each in gone)
            log.info("kept-files-forgotten", extra={"entries": len(gone), "bytes": freed})
        return LOOK_SECONDS
