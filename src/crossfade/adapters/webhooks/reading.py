"""Requests of git servers and registries as events."""

import json
from collections.abc import Mapping
from typing import Any

from crossfade.adapters.webhooks import bitbucket, github, gitlab, registry
from crossfade.base.errors import InputError
from crossfade.core.pipeline.git_events import GitEvent
from crossfade.core.pipeline.triggers import Push

Events = tuple[GitEvent | Push, ...]


def read_events(headers: Mapping[str, str], body: bytes) -> Events:
    """
    Return what has happened, () for what no trigger can listen to.

    `headers` have names in lower case.  Raises InputError for what nobody sends.
    """
    data = _data(body)
    try:
        if kind := headers.get("x-gitea-event"):
            return github.events(kind, data, "gitea")
        if kind := headers.get("x-github-event"):
            return github.events(kind, data, "github")
        if kind := headers.get("x-gitlab-event"):
            return gitlab.events(kind, data)
        if kind := headers.get("x-event-key"):
            return bitbucket.events(kind, data)
        return registry.events(data)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise InputError(
            "the webhook is not of the form that its sender is known for",
            hint="known are GitHub, GitLab, Bitbucket, Gitea, and registries",
            trouble=f"{type(error).__name__}: {error}",
        ) from error


def _data(body: bytes) -> dict[str, Any]:
    hint = "choose JSON (application/json) as the content type of the webhook"
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("the body of the webhook is no JSON", hint=hint) from error
    if not isinstance(data, dict):
        raise InputError("the body of the webhook is no JSON object", hint=hint)
    return data
