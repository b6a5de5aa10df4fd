"""JSON merge patch (RFC 7396) and JSON patch (RFC 6902)."""

from crossfade.sandbox.kube.client import ApiError
from crossfade.sandbox.kube.status import bad_request
from crossfade.sandbox.kube.values import Json, clone


def merge_patch(target: Json, patch: Json) -> Json:
    """Return `target` with a merge patch applied; what it does not touch is shared with it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def json_patch(target: Json, operations: Json) -> Json:
    """
    Return `target` with a JSON patch applied.

    Raises ApiError 400 for a malformed patch, 422 for one that does not fit the object.
    """
    if not isinstance(operations, list) or len(operations) > 10_000:
        raise bad_request("error decoding patch: a list of at most 10000 operations is expected")
    result = clone(target)
    for operation in operations:
        if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
            raise bad_request("error decoding patch: each operation needs `op` and `path`")
        result = _operate(result, operation)
    return result


def _operate(document: Json, operation: dict[str, Json]) -> Json:
    path = operation["path"]
    match operation.get("op"):
        case "add":
            return _add(document, path, clone(_needed(operation, "value")))
        case "remove":
            return _remove(document, path)
        case "replace":
            _find(document, path)
            return _replace(document, path, clone(_needed(operation, "value")))
        case "test":
            if _find(document, path) != _needed(operation, "value"):
                raise _does_not_fit(f"testing value {path} failed")
            return document
        case "move":
            source = str(_needed(operation, "from"))
            value = _find(document, source)
            return _add(_remove(document, source), path, value)
        case "copy":
            return _add(document, path, clone(_find(document, str(_needed(operation, "from")))))
        case other:
            raise bad_request(f"error decoding patch: unexpected operation {other!r}")


def _needed(operation: dict[str, Json], name: str) -> Json:
    if name not in operation:
        raise bad_request(f"error decoding patch: {operation.get('op')} operation needs `{name}`")
    return operation[name]


def _does_not_fit(why: str) -> ApiError:
    message = f"the server rejected our request due to an error in our request: {why}"
    return ApiError(422, "Invalid", message, {})


def _steps(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise bad_request(f"error decoding patch: path {path!r} does not start with `/`")
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _index(container: list[Json], step: str, *, end: bool = False) -> int:
    if step == "-" and end:
        return len(container)
    limit = len(container) + (1 if end else 0)
    if not step.isdecimal() or int(step) >= limit:
        raise _does_not_fit(f"there is no index {step!r}")
    return int(step)


def _child(container: Json, step: str, path: str) -> Json:
    if isinstance(container, list):
        return container[_index(container, step)]
    if isinstance(container, dict) and step in container:
        return container[step]
    raise _does_not_fit(f"path {path} does not exist")


def _find(document: Json, path: str) -> Json:
    for step in _steps(path):
        document = _child(document, step, path)
    return document


def _parent(document: Json, path: str) -> tuple[Json, str]:
    steps = _steps(path)
    for step in steps[:-1]:
        document = _child(document, step, path)
    if not isinstance(document, dict | list):
        raise _does_not_fit(f"path {path} does not exist")
    return document, steps[-1]


def _add(document: Json, path: str, value: Json) -> Json:
    if not path:
        return value
    parent, last = _parent(document, path)
    if isinstance(parent, list):
        parent.insert(_index(parent, last, end=True), value)
    else:
        parent[last] = value
    return document


def _replace(document: Json, path: str, value: Json) -> Json:
    if not path:
        return value
    parent, last = _parent(document, path)
    parent[_index(parent, last) if isinstance(parent, list) else last] = value
    return document


def _remove(document: Json, path: str) -> Json:
    if not path:
        raise _does_not_fit("the whole object cannot be removed")
    _find(document, path)
    parent, last = _parent(document, path)
    del parent[_index(parent, last) if isinstance(parent, list) else last]
    return document
