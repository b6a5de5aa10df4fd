"""
The answers of a Kubernetes API other than success, in the words of the real one.

Tools match on code, reason and at times on the text, so the texts are kept as clients know them.
"""

from collections.abc import Iterable
from typing import Any

from crossfade.sandbox.kube.client import ApiError, Object
from crossfade.sandbox.kube.kinds import Kind


def group_resource(kind: Kind) -> str:
    """Return `pods` or `deployments.apps`: how messages, and our storage, name a collection."""
    return f"{kind.plural}.{kind.group}" if kind.group else kind.plural


def group_kind(kind: Kind) -> str:
    """Return `Pod` or `Deployment.apps`."""
    return f"{kind.kind}.{kind.group}" if kind.group else kind.kind


def details(kind: Kind, name: str, **more: object) -> dict[str, Any]:
    """Return the `details` of a Status about one object."""
    found: dict[str, Any] = {"name": name, "kind": kind.plural}
    if kind.group:
        found["group"] = kind.group
    return found | more


def not_found(kind: Kind, name: str) -> ApiError:
    """Return the 404 for an object that does not exist."""
    message = f'{group_resource(kind)} "{name}" not found'
    return ApiError(404, "NotFound", message, details(kind, name))


def no_such_path() -> ApiError:
    """Return the 404 for a path that no resource is served at."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(kind: Kind, name: str) -> ApiError:
    """Return the 409 for a name that is taken."""
    message = f'{group_resource(kind)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, details(kind, name))


def conflict(kind: Kind, name: str, why: str = "") -> ApiError:
    """Return the 409 for a write that was based on an older version, unless `why` says else."""
    reason = why or (
        "the object has been modified; please apply your changes to the latest version "
        "and try again"
    )
    message = f'Operation cannot be fulfilled on {group_resource(kind)} "{name}": {reason}'
    return ApiError(409, "Conflict", message, details(kind, name))


def invalid(kind: Kind, name: str, problems: Iterable[tuple[str, str]]) -> ApiError:
    """Return the 422 for (field, message) pairs that were found in an object."""
    found = list(problems)
    texts = [f"{field}: {message}" if field else message for field, message in found]
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    causes = [
        {"reason": _cause(message), "message": message, "field": field} for field, message in found
    ]
    about = details(kind, name) | {"kind": kind.kind, "causes": causes}
    return ApiError(422, "Invalid", f'{group_kind(kind)} "{name}" is invalid: {text}', about)


def _cause(message: str) -> str:
    starts = {
        "Required value": "FieldValueRequired",
        "Forbidden": "FieldValueForbidden",
        "Unsupported value": "FieldValueNotSupported",
        "Duplicate value": "FieldValueDuplicate",
        "Too long": "FieldValueTooLong",
    }
    for start, reason in starts.items():
        if message.startswith(start):
            return reason
    return "FieldValueInvalid"


def bad_request(message: str) -> ApiError:
    """Return the 400 for a request that makes no sense."""
    return ApiError(400, "BadRequest", message)


def forbidden(kind: Kind, name: str, why: str, **more: object) -> ApiError:
    """Return the 403 for something that a rule of the API forbids."""
    message = f'{group_resource(kind)} "{name}" is forbidden: {why}'
    return ApiError(403, "Forbidden", message, details(kind, name, **more))


def expired(message: str) -> ApiError:
    """Return the 410 for a version that is no longer kept: the client has to list again."""
    return ApiError(410, "Expired", message)


def too_new(revision: int, current: int) -> ApiError:
    """Return the 504 for a version that does not exist yet, as after a loss of data."""
    message = f"Too large resource version: {revision}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    about = {"causes": causes, "retryAfterSeconds": 1}
    return ApiError(504, "Timeout", f"Timeout: {message}", about)


def method_not_allowed() -> ApiError:
    """Return the 405 for a verb that a resource does not have."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def unsupported_media(content_type: str, allowed: Iterable[str]) -> ApiError:
    """Return the 415 for a body of an unknown type."""
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(allowed)
    )
    return ApiError(415, "UnsupportedMediaType", message, {"given": content_type})


def unauthorized() -> ApiError:
    """Return the 401 for missing or wrong credentials."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def failure(error: ApiError) -> Object:
    """Return the `Status` object that a client gets for this error."""
    body: Object = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": error.message,
        "reason": error.reason,
        "code": error.code,
    }
    if error.details:
        body["details"] = error.details
    return body


def success(kind: Kind, name: str, uid: str) -> Object:
    """Return the `Status` object of a completed deletion."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details(kind, name, uid=uid),
    }
