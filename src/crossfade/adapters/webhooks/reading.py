"""Requests of git servers and registries as events."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from crossfade.adapters.webhooks import bitbucket, github, gitlab, registry
from crossfade.base.errors import InputError
from crossfade.core.pipeline.git_events import GitEvent, PullRequest
from crossfade.core.pipeline.triggers import Push

Events = tuple[GitEvent | Push, ...]


def read_events(headers: Mapping[str, str], body: bytes) -> Events:
    """
    Return what has happened, () for what no trigger can listen to.

    `headers` have names in lower case.  Raises InputError for what nobody sends.
    """
    data = _data(body)
    try:
        found = _events(headers, data)
        for each in found:
            _require_texts(each)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise InputError(
            "the webhook is not of the form that its sender is known for",
            hint="known are GitHub, GitLab, Bitbucket, Gitea, and registries",
            trouble=f"{type(error).__name__}: {error}",
        ) from error
    return found


def _events(headers: Mapping[str, str], data: dict[str, Any]) -> Events:
    if kind := headers.get("x-gitea-event"):
        return github.events(kind, data, "gitea")
    if kind := headers.get("x-github-event"):
        return github.events(kind, data, "github")
    if kind := headers.get("x-gitlab-event"):
        return gitlab.events(kind, data)
    if kind := headers.get("x-event-key"):
        return bitbucket.events(kind, data)
    return registry.events(data)


def _require_texts(event: GitEvent | Push | PullRequest) -> None:
    """Return if what should be texts are.  Raises TypeError."""
    for each in fields(event):
        value = getattr(event, each.name)
        if each.type is str and not isinstance(value, str):
            raise TypeError(f"{each.name} is no text")
        if isinstance(value, tuple) and not all(isinstance(item, str) for item in value):
            raise TypeError(f"{each.name} are no texts")
        if isinstance(value, PullRequest):
            _require_texts(value)


def _data(body: bytes) -> dict[str, Any]:
    hint = "choose JSON (application/json) as the content type of the webhook"
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("the body of the webhook is no JSON", hint=hint) from error
    if not isinstance(data, dict):
        raise InputError("the body of the webhook is no JSON object", hint=hint)
    return data
