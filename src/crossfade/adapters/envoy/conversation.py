"""
What to say next to one edge: the state-of-the-world xDS protocol over one stream.  No I/O.

Make before break: clusters and their endpoints first, then the listener, then routes, each once
the edge has answered the one before.  Envoy answers a change of clusters only when it has their
endpoints and the first probes, so routes lead to clusters that work.  Clusters that are no
longer wanted go when no route leads to them any more.  A refusal holds nothing up: what comes
after it may be a failover.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from google.protobuf import any_pb2

from crossfade.adapters.envoy.resources import CLUSTER, ENDPOINTS, LISTENER, ROUTES
from crossfade.adapters.envoy.snapshot import Content, Snapshot

_ORDER = (CLUSTER, ENDPOINTS, LISTENER, ROUTES)
_BY_NAME = (ENDPOINTS, ROUTES)
"""Types of which an edge asks for single resources; it always gets all of the others."""
_WORDS = 2000
"""Characters kept of a refusal."""


@dataclass(frozen=True, slots=True)
class Request:
    """What an edge said: the first one of a type asks, each later one answers a response."""

    type_url: str
    version: str = ""
    """Version that it holds."""
    nonce: str = ""
    """Of the response that is answered; empty in the first request of a type."""
    names: frozenset[str] = frozenset()
    error: str = ""
    """Why it refused the response."""


@dataclass(frozen=True, slots=True)
class Response:
    """What to send to the edge."""

    type_url: str
    version: str
    nonce: str
    resources: tuple[any_pb2.Any, ...]


@dataclass(slots=True)
class _Channel:
    """One type of resource on the stream."""

    names: frozenset[str] | None = None
    """What the edge asks for; None until it has asked."""
    sent: str | None = None
    """Version of the newest response, or what the edge held when it connected."""
    sent_names: frozenset[str] = frozenset()
    held: str | None = None
    """Version that the edge has acknowledged."""
    nonce: str = ""
    waiting: bool = False
    refused: str = ""
    """What the edge said when it refused `refused_version`."""
    refused_version: str = ""


@dataclass(slots=True)
class Conversation:
    """The state of one stream.  `want` and `hear` change it, `say` returns what to send."""

    _snapshot: Snapshot | None = None
    _channels: dict[str, _Channel] = field(
        default_factory=lambda: {type_url: _Channel() for type_url in _ORDER}
    )
    _clusters: Mapping[str, any_pb2.Any] = field(default_factory=dict)
    """Clusters as last sent."""
    _nonces: int = 0

    def want(self, snapshot: Snapshot) -> None:
        """Set what the edge should hold, its listener included."""
        self._snapshot = snapshot

    def hear(self, request: Request) -> None:
        """Take in what the edge said; types that we do not serve and old answers are ignored."""
        channel = self._channels.get(request.type_url)
        if channel is None:
            return
        if channel.names is None:
            self._open(channel, request)
        elif request.nonce == channel.nonce:
            channel.names = request.names
            if channel.waiting:
                _answer(channel, request)

    def say(self) -> Response | None:
        """Return the next response to send, or None while there is nothing to say."""
        if self._snapshot is None:
            return None
        waiting = False
        for type_url in _ORDER:
            channel = self._channels[type_url]
            if not self._asked(type_url):
                continue
            if waiting and type_url != ENDPOINTS:
                return None
            if channel.waiting:
                waiting = True
                continue
            content = self._wanted(type_url)
            if channel.sent != content.version or self._missing(type_url, content):
                return self._respond(type_url, content)
        return None

    @property
    def acknowledged(self) -> bool:
        """Whether the edge holds the whole snapshot."""
        return (
            self._snapshot is not None
            and self._asked(CLUSTER)
            and self._asked(LISTENER)
            and all(self._holds(type_url) for type_url in _ORDER if self._asked(type_url))
        )

    @property
    def refused(self) -> str:
        """Why the edge refuses part of the newest snapshot; "" when it does not."""
        if self._snapshot is None:
            return ""
        for type_url in _ORDER:
            channel = self._channels[type_url]
            if channel.refused and channel.refused_version == self._content(type_url).version:
                return channel.refused
        return ""

    def again(self) -> None:
        """Have refused resources sent again: a port, for one, may be free by now."""
        for channel in self._channels.values():
            if channel.refused and not channel.waiting:
                channel.sent = None

    def _open(self, channel: _Channel, request: Request) -> None:
        channel.names = request.names
        if request.version:  # an edge that was connected before: it need not be told again
            channel.sent = channel.held = request.version
            channel.sent_names = request.names

    def _asked(self, type_url: str) -> bool:
        names = self._channels[type_url].names
        return bool(names) if type_url in _BY_NAME else names is not None

    def _holds(self, type_url: str) -> bool:
        channel = self._channels[type_url]
        content = self._content(type_url)
        return channel.held == content.version and not self._missing(type_url, content)

    def _content(self, type_url: str) -> Content:
        assert self._snapshot is not None  # noqa: S101 - callers have looked
        return self._snapshot.contents[type_url]

    def _wanted(self, type_url: str) -> Content:
        """Return what to send now: for clusters, also those that routes in force may need."""
        content = self._content(type_url)
        if type_url != CLUSTER or not self._asked(ROUTES) or self._holds(ROUTES):
            return content
        leaving = {name: c for name, c in self._clusters.items() if name not in content.resources}
        if not leaving:
            return content
        return Content(f"{content.version}+{len(leaving)}", {**content.resources, **leaving})

    def _missing(self, type_url: str, content: Content) -> bool:
        """Whether the edge asks by name for something that it has not been sent."""
        channel = self._channels[type_url]
        if type_url not in _BY_NAME or channel.names is None:
            return False
        return bool((channel.names - channel.sent_names) & content.resources.keys())

    def _respond(self, type_url: str, content: Content) -> Response:
        channel = self._channels[type_url]
        chosen = {
            name: message
            for name, message in content.resources.items()
            if type_url not in _BY_NAME or name in (channel.names or ())
        }
        self._nonces += 1
        channel.nonce = str(self._nonces)
        channel.sent, channel.sent_names = content.version, frozenset(chosen)
        channel.waiting = True
        if type_url == CLUSTER:
            self._clusters = chosen
        return Response(type_url, content.version, channel.nonce, tuple(chosen.values()))


def _answer(channel: _Channel, request: Request) -> None:
    channel.waiting = False
    if request.error:
        channel.refused, channel.refused_version = request.error[:_WORDS], channel.sent or ""
    else:
        channel.held, channel.refused = channel.sent, ""
