"""GET: one object, a list in pages, a watch."""

import base64
import binascii
import json
from collections.abc import Mapping

from starlette.responses import Response, StreamingResponse

from crossfade.sandbox.kube import selectors, table
from crossfade.sandbox.kube.api import Api
from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.server import watching
from crossfade.sandbox.kube.server.answers import (
    Answer,
    Form,
    list_of,
    metadata_list,
    metadata_only,
    wanted_form,
)
from crossfade.sandbox.kube.server.target import Target, flag, number
from crossfade.sandbox.kube.status import bad_request, too_new
from crossfade.sandbox.kube.store import Store


class Reader:
    """Answers the reads of one API."""

    def __init__(self, api: Api, watcher: watching.Watcher) -> None:
        self._api, self._watcher = api, watcher

    def read(self, target: Target, query: Mapping[str, str], accept: str) -> Response:
        """Answer a GET of an object or a collection; raises ApiError."""
        form = wanted_form(accept)
        # As on the real server, `watch` means nothing where one object is asked for.
        if target.name:
            return Answer(self.show(target, self._get(target), form, _include(query)))
        if flag(query, "watch"):
            return self._watch(target, query, form)
        return Answer(self._list(target, query, form))

    def _get(self, target: Target) -> Object:
        obj = self._api.get(target.kind, target.namespace, target.name)
        return self._api.versioned(target.kind, obj)

    def show(self, target: Target, obj: Object, form: Form, include: str = "Metadata") -> Object:
        """Return one object in the form that the client wants."""
        match form:
            case Form.PLAIN:
                return obj
            case Form.METADATA:
                return metadata_only(obj)
            case Form.TABLE:
                now = self._api.clock.now()
                metadata = {"resourceVersion": _version(obj)}
                return table.render(target.served, [obj], metadata, now, include)

    def collected(self, target: Target, items: list[Object]) -> Object:
        """Return deleted objects as the list that a deletion of a collection answers with."""
        items = [self._api.versioned(target.kind, item) for item in items]
        metadata = {"resourceVersion": str(self._api.store.revision)}
        return list_of(target.served, items, metadata)

    def _watch(self, target: Target, query: Mapping[str, str], form: Form) -> Response:
        kind, headed, include = target.kind, False, _include(query)

        def look(obj: Object) -> Object:
            nonlocal headed
            shown = self.show(target, self._api.versioned(kind, obj), form, include)
            if form is Form.TABLE:
                if headed:
                    shown["columnDefinitions"] = []
                headed = True
            return shown

        stream = self._watcher.stream(watching.wanted(target, query), look)
        return StreamingResponse(stream, media_type="application/json")

    def _list(self, target: Target, query: Mapping[str, str], form: Form) -> Object:
        kind = target.kind
        by_label = selectors.labels(query.get("labelSelector", ""))
        by_field = selectors.fields(kind, query.get("fieldSelector", ""))
        page = _Page(self._api.store, query)
        found = page.objects(self._api.collection(kind), target.namespace)
        if not (by_label is by_field is selectors.everything):
            found = [obj for obj in found if by_label(obj) and by_field(obj)]
        found, metadata = page.cut(found)
        found = [self._api.versioned(kind, obj) for obj in found]
        match form:
            case Form.PLAIN:
                return list_of(target.served, found, metadata)
            case Form.METADATA:
                return metadata_list(found, metadata)
            case Form.TABLE:
                now = self._api.clock.now()
                return table.render(target.served, found, metadata, now, _include(query))


def _include(query: Mapping[str, str]) -> str:
    """Return what of each object goes along with its row."""
    value = query.get("includeObject") or "Metadata"
    if value not in ("None", "Metadata", "Object"):
        raise bad_request(
            f'includeObject: Unsupported value: "{value}": '
            'supported values: "Metadata", "None", "Object"'
        )
    return value


def _version(obj: Object) -> str:
    version: str = obj["metadata"].get("resourceVersion", "")
    return version


class _Page:
    """One page of a list, all of whose pages show the state at one revision."""

    def __init__(self, store: Store, query: Mapping[str, str]) -> None:
        self._store = store
        self._limit = number(query, "limit") or 0
        self._after: tuple[str, str] | None = None
        self._revision: int | None = None
        wanted = number(query, "resourceVersion")
        exact = query.get("resourceVersionMatch") == "Exact"
        if token := query.get("continue"):
            self._revision, self._after = _read_token(token)
        elif exact and wanted:
            self._revision = wanted
        elif wanted and wanted > store.revision:
            raise too_new(wanted, store.revision)

    def objects(self, collection: str, namespace: str | None) -> list[Object]:
        if self._revision is None:
            self._revision = self._store.revision
            return self._store.objects(collection, namespace)
        found = self._store.objects_at(collection, namespace, self._revision)
        if self._after is None:
            return found
        return [obj for obj in found if _key(obj) > self._after]

    def cut(self, found: list[Object]) -> tuple[list[Object], Object]:
        metadata: Object = {"resourceVersion": str(self._revision)}
        if self._limit and len(found) > self._limit:
            metadata["continue"] = _token(self._revision or 0, _key(found[self._limit - 1]))
            metadata["remainingItemCount"] = len(found) - self._limit
            found = found[: self._limit]
        return found, metadata


def _key(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _token(revision: int, after: tuple[str, str]) -> str:
    text = json.dumps([revision, *after])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        padded = token + "=" * (-len(token) % 4)
        revision, namespace, name = json.loads(base64.urlsafe_b64decode(padded))
        return int(revision), (str(namespace), str(name))
    except (ValueError, TypeError, binascii.Error) as error:
        raise bad_request("continue key is not valid: it is not one of ours") from error
