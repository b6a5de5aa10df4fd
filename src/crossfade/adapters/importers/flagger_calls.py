"""Whom a Canary of Flagger asks and tells, as gates, hooks and notifications."""

import re
from collections.abc import Iterator

from crossfade.adapters.importers.draft import Draft
from crossfade.adapters.importers.fates import Entry, Note, changed, kept, sorted_out
from crossfade.adapters.importers.flagger_fields import ALERT_PROVIDER
from crossfade.adapters.importers.objects import Content, KubernetesObject, at, items, mapping, text
from crossfade.adapters.importers.surroundings import Things, find
from crossfade.base.json_value import Json

_GATES = {
    "confirm-rollout": "start",
    "confirm-traffic-increase": "step",
    "confirm-promotion": "promotion",
}
_HOOKS: dict[str, Content] = {
    "pre-rollout": {"before": "progressing", "onFailure": "roll-back"},
    "post-rollout": {"after": "ended", "onFailure": "ignore"},
}
_ERRORS = ["rolling-back", "rolled-back"]
_WARNINGS = [*_ERRORS, "held"]
_ALL = ["started", "step", "promoting", "succeeded", *_WARNINGS]
_OCCASIONS = {"error": _ERRORS, "warn": _WARNINGS}
_LIKE_SLACK = ("slack", "rocket")
_ADDRESS = re.compile(r"https?://[^\s/@]+(/[^\s]*)?")
_SECRET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_MOST_ATTEMPTS = 10


def add_webhooks(draft: Draft, path: str, analysis: Content) -> None:
    """Add gates, hooks and notifications for the webhooks that have a meaning here."""
    for index, webhook in enumerate(items(analysis.get("webhooks"))):
        here, given = f"{path}.webhooks[{index}]", mapping(webhook)
        kind = text(given.get("type"))
        called: Content = {"name": _name(draft, given, "webhook", index)}
        endpoint = _endpoint(given)
        if not endpoint:
            continue
        if kind in _GATES:
            draft.gates.append({**called, "before": _GATES[kind], "webhook": endpoint})
        elif kind in _HOOKS:
            draft.hooks.append({**called, **_HOOKS[kind], "webhook": endpoint})
        elif kind == "event":
            draft.notifications.append({**called, "webhook": endpoint, "on": list(_ALL)})
        else:
            continue
        draft.notes |= {f"{here}.{key}": note for key, note in _WEBHOOK_NOTES.items()}


_WEBHOOK_NOTES: dict[str, Note] = {
    "name": kept(),
    "type": changed("the service gets a body of ours, and any answer of 2xx is good"),
    "url": kept(),
    "timeout": kept(),
    "retries": kept("as `attempts`"),
}


def _name(draft: Draft, given: Content, kind: str, index: int) -> str:
    """Return a name that an application may have, and that nothing else has yet."""
    plain = re.sub(r"[^a-z0-9]+", "-", text(given.get("name")).lower()).strip("-")[:50].strip("-")
    name = plain or f"{kind}-{index + 1}"
    taken = [each["name"] for each in (*draft.gates, *draft.hooks, *draft.notifications)]
    return f"{name}-{index + 1}" if name in taken else name


def _endpoint(given: Content) -> Content:
    """Return a webhook as an application has it, {} without an address that it may have."""
    url = text(given.get("url"))
    if not _ADDRESS.fullmatch(url):
        return {}
    endpoint: Content = {"url": url}
    timeout = text(given.get("timeout"))
    if re.fullmatch(r"[1-9]\d?s", timeout):
        endpoint["timeout"] = timeout
    retries = given.get("retries")
    if isinstance(retries, int) and not isinstance(retries, bool) and retries >= 0:
        endpoint["attempts"] = min(retries + 1, _MOST_ATTEMPTS)
    return endpoint


def add_alerts(
    draft: Draft, path: str, canary: KubernetesObject, analysis: Content, things: Things
) -> Iterator[Entry]:
    """Add notifications for alerts over Slack; yield what became of their providers."""
    for index, alert in enumerate(items(analysis.get("alerts"))):
        here, reference = f"{path}.alerts[{index}]", mapping(at(alert, "providerRef"))
        namespace = text(reference.get("namespace")) or canary.namespace
        provider = find(things, "AlertProvider", text(reference.get("name")), namespace)
        if provider is None:
            continue
        address, notes = _slack(provider.spec)
        yield from sorted_out(provider.title, dict(provider.spec), ALERT_PROVIDER, notes)
        if address is None:
            continue
        on: list[Json] = list(_OCCASIONS.get(text(at(alert, "severity")), _ALL))
        name = _name(draft, mapping(alert), "alert", index)
        draft.notifications.append({"name": name, "slack": {"url": address}, "on": on})
        draft.notes |= {
            f"{here}.name": kept(),
            f"{here}.severity": changed("as the occasions of `on`"),
            f"{here}.providerRef": changed("as the address in the notification itself"),
        }


def _slack(spec: Content) -> tuple[Json, dict[str, Note]]:
    """Return the address of an incoming webhook, None without one, and notes on the provider."""
    if text(spec.get("type")) not in _LIKE_SLACK:
        return None, {}
    url, secret = text(spec.get("address")), text(at(spec, "secretRef", "name"))
    if _ADDRESS.fullmatch(url):
        return url, {"spec.type": kept(), "spec.address": kept()}
    if _SECRET.fullmatch(secret):
        note = changed(f"give the hub a secret {secret} that has the address")
        return {"secret": secret}, {"spec.type": kept(), "spec.secretRef": note}
    return None, {}
