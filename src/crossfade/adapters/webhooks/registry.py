"""Notifications of registries: the distribution registry's envelopes, and Docker Hub's."""

from typing import Any

from crossfade.core.pipeline.triggers import Push


def events(data: dict[str, Any]) -> tuple[Push, ...]:
    """Return the images that were pushed under a tag.  Raises KeyError for other senders."""
    if "push_data" in data:
        pushed = data["push_data"]
        return (
            Push(
                data["repository"]["repo_name"],
                pushed["tag"],
                pushed.get("pusher") or "",
                str(pushed.get("pushed_at") or ""),
            ),
        )
    found = (each for each in data["events"] if each["action"] == "push")
    return tuple(
        Push(
            each["target"]["repository"],
            each["target"]["tag"],
            (each.get("actor") or {}).get("name") or "",
            each.get("timestamp") or "",
        )
        for each in found
        if each["target"].get("tag")  # what is pushed without one is part of what follows
    )
