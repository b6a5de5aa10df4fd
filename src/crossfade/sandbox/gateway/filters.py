"""The filters of HTTPRoutes, as parts of Envoy's routes.  Pure."""

import re
from typing import Any

from crossfade.sandbox.kube.client import Object


class Unsupported(Exception):
    """The route asks for what the sandbox's gateway does not do; the text says what."""


def header_changes(filters: list[Object], *others: str) -> dict[str, Any]:
    """
    Return what is changed in headers, as Envoy writes it.

    Raises Unsupported for a filter that changes no headers and whose type is not in `others`.
    """
    changes: dict[str, Any] = {}
    for one in filters:
        match one["type"]:
            case "RequestHeaderModifier":
                changes |= modifier("request", one["requestHeaderModifier"])
            case "ResponseHeaderModifier":
                changes |= modifier("response", one["responseHeaderModifier"])
            case kind if kind not in others:
                raise Unsupported(f"filter of type {kind} in this place")
    return changes


def modifier(side: str, change: Object) -> dict[str, Any]:
    """Return the changes of `request` or `response` headers."""
    actions = {"set": "OVERWRITE_IF_EXISTS_OR_ADD", "add": "APPEND_IF_EXISTS_OR_ADD"}
    added = [
        {"header": {"key": one["name"], "value": one["value"]}, "append_action": action}
        for verb, action in actions.items()
        for one in change.get(verb) or []
    ]
    rendered: dict[str, Any] = {}
    if added:
        rendered[f"{side}_headers_to_add"] = added
    if change.get("remove"):
        rendered[f"{side}_headers_to_remove"] = list(change["remove"])
    return rendered


def redirect(wanted: Object, match: Object) -> dict[str, Any]:
    """Return Envoy's redirect of a RequestRedirect.  Raises Unsupported."""
    codes = {301: "MOVED_PERMANENTLY", 302: "FOUND", 303: "SEE_OTHER", 307: "TEMPORARY_REDIRECT"}
    codes[308] = "PERMANENT_REDIRECT"
    code = wanted.get("statusCode", 302)
    if code not in codes:
        raise Unsupported(f"requestRedirect.statusCode {code}")
    rendered: dict[str, Any] = {"response_code": codes[code]}
    if "hostname" in wanted:
        rendered["host_redirect"] = wanted["hostname"]
    if "scheme" in wanted:
        rendered["scheme_redirect"] = wanted["scheme"]
    if "port" in wanted:
        rendered["port_redirect"] = wanted["port"]
    path = wanted.get("path") or {}
    if path.get("type") == "ReplaceFullPath":
        rendered["path_redirect"] = path["replaceFullPath"]
    elif path.get("type") == "ReplacePrefixMatch":
        rendered |= _prefix_change(path["replacePrefixMatch"], match)
    return rendered


def rewrite(wanted: Object, match: Object) -> dict[str, Any]:
    """Return what a URLRewrite adds to Envoy's route.  Raises Unsupported."""
    rendered: dict[str, Any] = {}
    if "hostname" in wanted:
        rendered["host_rewrite_literal"] = wanted["hostname"]
    path = wanted.get("path") or {}
    if path.get("type") == "ReplaceFullPath":
        rendered["regex_rewrite"] = {
            "pattern": {"regex": "^[^?]*"},
            "substitution": _literal(path["replaceFullPath"]),
        }
    elif path.get("type") == "ReplacePrefixMatch":
        rendered |= _prefix_change(path["replacePrefixMatch"], match)
    return rendered


def _prefix_change(new: str, match: Object) -> dict[str, Any]:
    path = match.get("path") or {}
    if path.get("type", "PathPrefix") != "PathPrefix":
        raise Unsupported("replacePrefixMatch without a PathPrefix match")
    old = path.get("value", "/").rstrip("/")
    new = new.rstrip("/")
    if old and new:
        return {"prefix_rewrite": new}
    # One of both is the root: take or give exactly one slash.
    return {
        "regex_rewrite": {
            "pattern": {"regex": f"^{re.escape(old)}/?"},
            "substitution": _literal(f"{new}/"),
        }
    }


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\")
