"""POST, PUT, PATCH and DELETE of objects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crossfade.sandbox.kube import patch, reviews, scale
from crossfade.sandbox.kube.api import Api, Options
from crossfade.sandbox.kube.client import ApiError, Object
from crossfade.sandbox.kube.kinds import NAMESPACE, POD, Kind
from crossfade.sandbox.kube.registry import is_custom
from crossfade.sandbox.kube.server import bodies
from crossfade.sandbox.kube.server.answers import Answer
from crossfade.sandbox.kube.server.reading import Reader
from crossfade.sandbox.kube.server.target import Target, dry_run, flag
from crossfade.sandbox.kube.status import (
    bad_request,
    method_not_allowed,
    success,
    unsupported_media,
)

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Request:
    """A write as it came in."""

    target: Target
    query: Mapping[str, str]
    content_type: str
    agent: str
    """`User-Agent`: who writes, unless the query says it."""
    body: bytes

    def options(self) -> Options:
        """Return how to write; raises ApiError 400."""
        validation = self.query.get("fieldValidation", "Warn")
        if validation not in ("Strict", "Warn", "Ignore"):
            raise bad_request(
                f'fieldValidation: Unsupported value: "{validation}": '
                'supported values: "Ignore", "Strict", "Warn"'
            )
        manager = self.query.get("fieldManager") or self.agent.partition("/")[0]
        return Options(dry_run(self.query), manager[:128] or "unknown", validation)


class Writer:
    """Answers the writes of one API."""

    def __init__(self, api: Api, reader: Reader) -> None:
        self._api, self._reader = api, reader

    def write(self, method: str, request: Request) -> Answer:
        """Answer a write; raises ApiError."""
        target = request.target
        part = target.subresource
        if part == "finalize" and target.kind == NAMESPACE and method == "PUT":
            return self._update(request)
        if part not in ("", "status"):
            raise method_not_allowed()
        if part and part not in target.kind.subresources:
            raise ApiError(404, "NotFound", "the server could not find the requested resource", {})
        match method:
            case "POST" if not target.name:
                return self._create(request)
            case "PUT" if target.name:
                return self._update(request)
            case "PATCH" if target.name:
                return self._patch(request)
            case "DELETE" if target.name and not target.subresource:
                return self._delete(request)
            case "DELETE" if not target.name:
                return self._delete_collection(request)
            case _:
                raise method_not_allowed()

    def _show(self, request: Request, obj: Object, options: Options, code: int = 200) -> Answer:
        obj = self._api.versioned(request.target.kind, obj)
        headers = {}
        if options.warnings:
            texts = (f'299 - "{_quoted(text)}"' for text in options.warnings[:20])
            headers["Warning"] = ", ".join(texts)
        return Answer(obj, code, headers)

    def _create(self, request: Request) -> Answer:
        target = request.target
        body = self._body(request)
        if reviews.is_review(target.kind):
            return Answer(reviews.answer(target.kind, body), 201)
        metadata = body["metadata"]
        if target.kind.namespaced:
            space = target.namespace
            if space is None:
                space = metadata.get("namespace") or "default"
            if metadata.setdefault("namespace", space) != space:
                raise bad_request(_mismatch("namespace", metadata["namespace"], space))
        options = request.options()
        obj = self._api.create(target.kind, body, options)
        return self._show(request, obj, options, 201)

    def _body(self, request: Request) -> Object:
        """Return the object of a body, made sure that it is of the kind of the URL."""
        body = bodies.read_object(request.body, request.content_type)
        check_kind(request.target.kind, body)
        return body

    def _named(self, request: Request) -> Object:
        body, target = self._body(request), request.target
        metadata = body["metadata"]
        if metadata.setdefault("name", target.name) != target.name:
            raise bad_request(_mismatch("name", metadata["name"], target.name))
        space = target.namespace
        if space is not None and metadata.setdefault("namespace", space) != space:
            raise bad_request(_mismatch("namespace", metadata["namespace"], space))
        return body

    def _update(self, request: Request) -> Answer:
        options = request.options()
        body = self._named(request)
        obj = self._api.update(request.target.kind, body, request.target.subresource, options)
        return self._show(request, obj, options)

    def _patch(self, request: Request) -> Answer:
        target, options = request.target, request.options()
        media = bodies.media_type(request.content_type)
        if media == APPLY_PATCH:
            return self._apply(request, options)
        change = patching(target.kind, media, request.body)
        key = (target.namespace, target.name)
        obj = self._api.change(target.kind, key, change, target.subresource, options)
        return self._show(request, obj, options)

    def _apply(self, request: Request, options: Options) -> Answer:
        if not request.query.get("fieldManager"):
            raise ApiError(
                422,
                "Invalid",
                'PatchOptions.meta.k8s.io "" is invalid: fieldManager: '
                "Required value: is required for apply patch",
                {},
            )
        from crossfade.sandbox.kube.ownership import request as applying

        body = bodies.read_yaml(request.body)
        if not isinstance(body, dict):
            raise bad_request("error decoding YAML: an object is expected")
        bodies.check_metadata(body)
        if not body.get("apiVersion") or not body.get("kind"):
            raise bad_request("error decoding YAML: apiVersion and kind are required for apply")
        target = request.target
        check_kind(target.kind, body)
        name = body["metadata"].get("name", target.name)
        if name != target.name:
            raise bad_request(_mismatch("name", name, target.name))
        where = applying.Where(target.kind, target.namespace, target.name, target.subresource)
        obj, created = applying.apply(
            self._api, where, body, options, force=flag(request.query, "force")
        )
        return self._show(request, obj, options, 201 if created else 200)

    def _delete(self, request: Request) -> Answer:
        target = request.target
        options = bodies.delete_options(request.body, request.content_type, request.query)
        obj, gone = self._api.delete(target.kind, target.namespace, target.name, options)
        if gone and target.kind.plural not in (POD.plural, "serviceaccounts"):
            return Answer(success(target.kind, target.name, obj["metadata"]["uid"]))
        return Answer(self._api.versioned(target.kind, obj))

    def _delete_collection(self, request: Request) -> Answer:
        target, query = request.target, request.query
        options = bodies.delete_options(request.body, request.content_type, query)
        found = self._api.select(
            target.kind,
            target.namespace,
            query.get("labelSelector", ""),
            query.get("fieldSelector", ""),
        )
        for obj in found:
            metadata = obj["metadata"]
            self._api.delete(target.kind, metadata.get("namespace"), metadata["name"], options)
        return Answer(self._reader.collected(target, found))

    def scale(self, method: str, request: Request) -> Answer:
        """Answer a request to `/scale`; raises ApiError."""
        target = request.target
        where = scale.paths(target.served)
        if where is None:
            raise ApiError(404, "NotFound", "the server could not find the requested resource", {})
        current = self._api.get(target.kind, target.namespace, target.name)
        if method == "GET":
            return Answer(scale.show(current, where))
        options = request.options()
        if method == "PUT":
            wanted = bodies.read_object(request.body, request.content_type)
        elif method == "PATCH":
            media = bodies.media_type(request.content_type)
            wanted = patching(scale.KIND, media, request.body)(scale.show(current, where))
        else:
            raise method_not_allowed()
        key = (target.namespace, target.name)
        obj = self._api.change(
            target.kind, key, lambda obj: scale.scaled(obj, wanted, where), "scale", options
        )
        return Answer(scale.show(obj, where))


def patching(kind: Kind, media: str, body: bytes) -> Callable[[Object], Object]:
    """Return what a patch makes of an object; raises ApiError 400, 415."""
    allowed = [JSON_PATCH, MERGE_PATCH, APPLY_PATCH]
    if not is_custom(kind):
        allowed.insert(2, STRATEGIC_PATCH)
    if media not in allowed:
        raise unsupported_media(media, allowed)
    value = bodies.read_json(body)
    if media == JSON_PATCH:
        return lambda obj: _object(patch.json_patch(obj, value))
    if not isinstance(value, dict):
        raise bad_request("error decoding patch: a JSON object is expected")
    if media == MERGE_PATCH:
        return lambda obj: _object(patch.merge_patch(obj, value))
    from crossfade.sandbox.kube import strategic_merge

    return lambda obj: _object(strategic_merge.apply(kind, obj, value))


def _object(value: Object) -> Object:
    if not isinstance(value, dict):
        raise bad_request("the patch does not leave an object")
    patched = dict(value)
    if isinstance(patched.get("metadata"), dict):
        patched["metadata"] = dict(patched["metadata"])
    bodies.check_metadata(patched)
    return patched


def check_kind(kind: Kind, body: Object) -> None:
    """Raise ApiError 400 unless the object says (or does not say) the kind of the URL."""
    version, name = body.get("apiVersion") or kind.api_version, body.get("kind") or kind.kind
    if name != kind.kind:
        raise bad_request(
            f'{name} in version "{version}" cannot be handled as a {kind.kind}: '
            f"the kind in the data ({name}) does not match the expected kind ({kind.kind})"
        )
    if version != kind.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match the expected API version "
            f"({kind.api_version})"
        )
    body["apiVersion"], body["kind"] = version, name


def _mismatch(what: str, found: str, expected: str) -> str:
    if what == "name":
        return f"the name of the object ({found}) does not match the name on the URL ({expected})"
    return "the namespace of the provided object does not match the namespace sent on the request"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').encode("ascii", "replace").decode()
