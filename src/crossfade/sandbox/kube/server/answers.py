"""Bodies of answers: JSON, and the short forms that clients can ask for."""

import json
from enum import StrEnum

from starlette.responses import Response

from crossfade.sandbox.kube.client import ApiError, Object
from crossfade.sandbox.kube.registry import Served, is_custom
from crossfade.sandbox.kube.status import failure
from crossfade.sandbox.kube.values import Json


class Form(StrEnum):
    """How a client wants objects."""

    PLAIN = "plain"
    TABLE = "Table"
    """Rows for people, as `kubectl get` prints them."""
    METADATA = "PartialObjectMetadata"


def wanted_form(accept: str) -> Form:
    """Return the first form of the `Accept` header that we have; raises ApiError 406."""
    for choice in accept.split(",") if accept else ["*/*"]:
        media, *parameters = (part.strip() for part in choice.split(";"))
        options: dict[str, str] = {}
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            options[name] = value
        if media not in ("application/json", "application/*", "*/*"):
            continue
        match options.get("as", ""):
            case "":
                return Form.PLAIN
            case "Table" if options.get("v") == "v1":
                return Form.TABLE
            case "PartialObjectMetadata" | "PartialObjectMetadataList":
                return Form.METADATA
            case _:
                continue
    message = (
        "only the following media types are accepted: application/json, "
        "application/json;as=Table;v=v1;g=meta.k8s.io"
    )
    raise ApiError(406, "NotAcceptable", message, {})


def encode(value: Json) -> bytes:
    """Return a JSON value as compact UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


class Answer(Response):
    """A JSON answer."""

    media_type = "application/json"

    def __init__(
        self, value: Json, status_code: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(encode(value), status_code, headers)


def refusal(error: ApiError) -> Response:
    """Return the answer that tells a client of an error."""
    headers = {}
    seconds = (error.details or {}).get("retryAfterSeconds")
    if seconds:
        headers["Retry-After"] = str(seconds)
    return Answer(failure(error), error.code, headers)


def metadata_only(obj: Object) -> Object:
    """Return an object as `PartialObjectMetadata`."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj["metadata"],
    }


def list_of(served: Served, items: list[Object], metadata: Object) -> Object:
    """Return a list object; items of built-in kinds do not repeat their kind, as everywhere."""
    kind = served.kind
    if not is_custom(kind):
        items = [
            {key: value for key, value in item.items() if key not in ("apiVersion", "kind")}
            for item in items
        ]
    return {
        "kind": f"{kind.kind}List",
        "apiVersion": kind.api_version,
        "metadata": metadata,
        "items": items,
    }


def metadata_list(items: list[Object], metadata: Object) -> Object:
    """Return a list as `PartialObjectMetadataList`."""
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "items": [metadata_only(item) for item in items],
    }
