"""Bodies of requests: JSON, YAML or protobuf in, plain values out."""

import json
from collections.abc import Mapping

from crossfade.sandbox.kube.client import ApiError, Object
from crossfade.sandbox.kube.deletion import DeleteOptions
from crossfade.sandbox.kube.server.target import dry_run, number
from crossfade.sandbox.kube.status import bad_request, unsupported_media
from crossfade.sandbox.kube.values import Json

PROTOBUF = "application/vnd.kubernetes.protobuf"
LARGEST = 3 * 1024 * 1024
"""Bytes; the limit of the real server."""
_KNOWN = ("application/json", "application/yaml", PROTOBUF)


def media_type(content_type: str) -> str:
    """Return a `Content-Type` without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def too_large() -> ApiError:
    """Return the 413 for a body above the limit."""
    message = f"Request entity too large: limit is {LARGEST}"
    return ApiError(413, "RequestEntityTooLarge", message, {})


def _no_constant(name: str) -> Json:
    raise ValueError(f"invalid number {name}")


def read_json(body: bytes) -> Json:
    """Return the value; raises ApiError 400."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"the object provided is unrecognized: {error}") from error


def read_yaml(body: bytes) -> Json:
    """Return the value of YAML, of which JSON is a part; raises ApiError 400."""
    if body.lstrip()[:1] in (b"{", b"["):
        return read_json(body)
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(body)
    except (YAMLError, ValueError, RecursionError) as error:
        raise bad_request(f"error decoding YAML: {error}") from error


def read_object(body: bytes, content_type: str) -> Object:
    """Return the object in a body; raises ApiError 400, 415."""
    media = media_type(content_type) or "application/json"
    if media == PROTOBUF:
        from crossfade.sandbox.kube import protobuf

        value: Json = protobuf.decode(body)
    elif media == "application/json":
        value = read_json(body)
    elif media == "application/yaml":
        value = read_yaml(body)
    else:
        raise unsupported_media(content_type, _KNOWN)
    if not isinstance(value, dict):
        raise bad_request("the object provided is unrecognized: not a JSON object")
    check_metadata(value)
    return value


def check_metadata(obj: Object) -> None:
    """Raise ApiError 400 unless the metadata has the shapes that all code relies on."""
    metadata = obj.setdefault("metadata", {})
    if metadata is None:
        metadata = obj["metadata"] = {}
    if not isinstance(metadata, dict):
        raise _wrong_type("metadata", metadata, "v1.ObjectMeta")
    for name in ("name", "namespace", "generateName", "resourceVersion", "uid"):
        if not isinstance(metadata.get(name, ""), str):
            raise _wrong_type(f"metadata.{name}", metadata[name], "string")
    _check_texts(metadata)
    _check_lists(metadata)
    for name in ("spec", "status"):
        if name in obj and obj[name] is None:
            del obj[name]


def _check_texts(metadata: Object) -> None:
    for name in ("labels", "annotations"):
        texts = metadata.get(name)
        if texts is None:
            metadata.pop(name, None)
            continue
        if not isinstance(texts, dict):
            raise _wrong_type(f"metadata.{name}", texts, "map[string]string")
        for value in texts.values():
            if not isinstance(value, str):
                raise _wrong_type(f"metadata.{name}", value, "string")


def _check_lists(metadata: Object) -> None:
    for name, item_type in (
        ("finalizers", str),
        ("ownerReferences", dict),
        ("managedFields", dict),
    ):
        values = metadata.get(name)
        if values is None:
            metadata.pop(name, None)
            continue
        if not isinstance(values, list) or not all(isinstance(item, item_type) for item in values):
            raise _wrong_type(f"metadata.{name}", values, "list")
    for reference in metadata.get("ownerReferences") or ():
        if not all(isinstance(reference.get(key), str) for key in ("uid", "name", "kind")):
            raise bad_request("metadata.ownerReferences: apiVersion, kind, name and uid are needed")


def _wrong_type(field: str, value: Json, type_name: str) -> ApiError:
    found = {dict: "object", list: "array", str: "string", bool: "bool", type(None): "null"}
    given = found.get(type(value), "number")
    return bad_request(f"json: cannot unmarshal {given} into field {field} of type {type_name}")


def delete_options(body: bytes, content_type: str, query: Mapping[str, str]) -> DeleteOptions:
    """Return the options of a DELETE, of its body or, without one, of its query."""
    if not body:
        orphan = query.get("orphanDependents") in ("true", "1")
        return DeleteOptions(
            grace_seconds=number(query, "gracePeriodSeconds"),
            propagation=_propagation("Orphan" if orphan else query.get("propagationPolicy")),
            dry_run=dry_run(query),
        )
    return options_of(read_object(body, content_type), query)


def options_of(options: Object, query: Mapping[str, str]) -> DeleteOptions:
    """Return what a `DeleteOptions` object says; raises ApiError 400."""
    wanted = options.get("preconditions") or {}
    grace = options.get("gracePeriodSeconds")
    if isinstance(grace, bool) or not isinstance(grace, int | None) or not isinstance(wanted, dict):
        raise bad_request("DeleteOptions cannot be read")
    orphan = options.get("orphanDependents")
    policy = options.get("propagationPolicy")
    if orphan is not None and policy is None:
        policy = "Orphan" if orphan else "Background"
    return DeleteOptions(
        grace_seconds=grace,
        propagation=_propagation(policy),
        uid=str(wanted.get("uid") or ""),
        resource_version=str(wanted.get("resourceVersion") or ""),
        dry_run=dry_run(query) or options.get("dryRun") == ["All"],
    )


def _propagation(policy: str | None) -> str:
    if policy not in (None, "", "Background", "Foreground", "Orphan"):
        raise ApiError(
            422,
            "Invalid",
            f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: '
            f'"{policy}": supported values: "Foreground", "Background", "Orphan", "nil"',
            {},
        )
    return policy or ""
