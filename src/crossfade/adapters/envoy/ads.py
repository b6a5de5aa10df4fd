"""The hub's end of the edges: a gRPC server that Envoys ask for their configuration."""

# Generated protobuf modules get their attributes at run time.
# pyright: reportAttributeAccessIssue=false

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import grpc  # type: ignore[import-untyped]
from envoy.config.core.v3 import base_pb2
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from google.protobuf import json_format

from crossfade.adapters.envoy import snapshot
from crossfade.adapters.envoy.addresses import AddressBook, Addresses
from crossfade.adapters.envoy.conversation import Conversation, Request, Response
from crossfade.adapters.envoy.resources import Tuning
from crossfade.adapters.envoy.sights import Sights
from crossfade.adapters.envoy.snapshot import Content, Encoder, Snapshot
from crossfade.adapters.envoy.tls import (
    NOT_ITS_NAME,
    Ends,
    HubTls,
    Peer,
    certificate_ends_at,
    speaks_for,
)
from crossfade.base.clock import Clock, SteadyClock
from crossfade.base.errors import Conflict, InputError
from crossfade.ports.edge import EdgePlan, EdgeSight, EdgeStatus

_LOG = logging.getLogger(__name__)
_STOP_SECONDS = 0.5
_AGAIN_SECONDS = 2.0
"""After this long without news what an edge refused is offered again."""
_MOST_OF_ONE = 8
"""Streams of one name, the dead ones of an edge that reconnects among them: whoever has taken over
one edge must not take the places of the others."""
_MOST_WORDS = 1000
"""Characters of what an edge says of why it refuses a plan."""
_OPTIONS = (
    # Two hubs on one port would each get half of the edges: the second one must fail instead.
    ("grpc.so_reuseport", 0),
    # Edges ping often, so that they notice a hub that hangs; that is no attack.
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
)


class _Stream(Peer, Protocol):
    """The part of grpc.aio's context that we use."""

    async def read(self) -> discovery_pb2.DiscoveryRequest: ...
    async def write(self, message: discovery_pb2.DiscoveryResponse) -> None: ...
    async def abort(self, code: grpc.StatusCode, details: str) -> None: ...


@dataclass(slots=True)
class _Session:
    """One connected edge."""

    edge: str
    listener: Content | None
    ends_at: float | None = None
    """Until when its certificate is good; None when it has none."""
    conversation: Conversation = field(default_factory=Conversation)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False
    acknowledged: int = 0

    def want(self, wanted: Snapshot) -> None:
        self.conversation.want(wanted.at(self.listener or snapshot.no_listener()))
        self.look(wanted)
        self.changed.set()

    def look(self, wanted: Snapshot | None) -> None:
        """Keep the number of the newest plan that the edge has in force."""
        if wanted is not None and self.listener is not None and self.conversation.acknowledged:
            self.acknowledged = wanted.number

    @property
    def refused(self) -> str:
        if self.listener is None:
            return "the edge's bootstrap names no listener_port from 1 to 65535"
        return self.conversation.refused


class AdsEdges:
    """
    `Edges` over Envoy's aggregated discovery service.

    `start` first, then publish at any time; edges come and go as they like, and each gets
    what it lacks.  Nothing is sent before the first plan, so that edges that outlived a hub
    keep theirs until the new hub knows what it wants.  With `tls` an edge must show a certificate
    with its name.
    """

    def __init__(
        self,
        port: int,
        host: str = "127.0.0.1",
        *,
        tuning: Tuning | None = None,
        max_edges: int = 256,
        clock: Clock | None = None,
        tls: HubTls | None = None,
    ) -> None:
        self._host, self._port, self._max_edges = host, port, max_edges
        clock = clock or SteadyClock()
        self._tls, self._ends = tls, Ends(tls, clock) if tls else None
        self._sights = Sights(clock, max_edges, self._may_say)
        self._encoder = Encoder(tuning or Tuning())
        self._addresses = AddressBook()
        self._published: tuple[EdgePlan, Mapping[str, Addresses]] | None = None
        self._publishing = asyncio.Lock()
        self._snapshot: Snapshot | None = None
        self._sessions: list[_Session] = []
        self._server: Any = None

    @property
    def port(self) -> int:
        """Port that edges connect to; known after `start` when 0 was asked for."""
        return self._port

    async def start(self) -> None:
        """
        Listen for edges.

        Raises Conflict when the port is taken, InputError or Denied for files of certificates
        that cannot serve.
        """
        credentials = self._tls.credentials() if self._tls else None
        _refuse_taken(self._host, self._port)
        server = grpc.aio.server(options=_OPTIONS)
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(_Service(self), server)
        server.add_generic_rpc_handlers((self._sights.handlers(),))
        try:
            where = _at(self._host, self._port)
            if credentials is None:
                self._port = server.add_insecure_port(where)
            else:
                self._port = server.add_secure_port(where, credentials)
        except RuntimeError as error:
            raise _taken(self._host, self._port) from error
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Close all connections; edges go on with what they have.  Safe to repeat."""
        for session in self._sessions:
            session.over = True
            session.changed.set()
        if self._server is not None:
            await self._server.stop(_STOP_SECONDS)
            self._server = None

    async def publish(self, plan: EdgePlan) -> None:
        """
        Hand the plan to every edge, connected now or later.

        Safe to repeat; do so every few seconds while targets are known by name, so that the
        names are looked up again.  Raises InputError when edges could not serve the plan as a
        whole, and Conflict when one with a higher number was published; nothing changes then.
        """
        if self._ends is not None:
            self._ends.look((each.edge, each.ends_at) for each in self._sessions)
        async with self._publishing:
            newest = self._published[0].number if self._published else plan.number
            if plan.number < newest:
                raise Conflict(
                    "a newer plan has been published to the edges",
                    hint="read the plan again",
                    newest=newest,
                    refused=plan.number,
                )
            addresses = await self._addresses.of(plan)
            if (plan, addresses) == self._published:
                return
            self._snapshot = await self._encoder.encode(plan, addresses)
            self._published = (plan, addresses)
            for session in self._sessions:
                session.want(self._snapshot)

    async def status(self) -> tuple[EdgeStatus, ...]:
        """Return the edges that are connected now, by name."""
        # An edge that reconnects may be here twice until its dead stream is noticed.
        newest = {session.edge: session for session in self._sessions}
        return tuple(
            EdgeStatus(edge, session.acknowledged, session.refused)
            for edge, session in sorted(newest.items())
        )

    async def sights(self) -> tuple[EdgeSight, ...]:
        """Return the newest report of each edge, by name, also of those that are silent now."""
        return self._sights.newest()

    async def serve(self, stream: _Stream) -> None:
        """Talk with one edge until it goes away."""
        first = await stream.read()
        if first is grpc.aio.EOF:
            return
        if len(self._sessions) >= self._max_edges:
            await stream.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many edges")
        edge = first.node.id or "unnamed"
        if not self._may_say(stream, edge):
            _LOG.warning("another's name was used by an edge", extra={"edge": edge})
            await stream.abort(grpc.StatusCode.PERMISSION_DENIED, NOT_ITS_NAME)
        if sum(each.edge == edge for each in self._sessions) >= _MOST_OF_ONE:
            await stream.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many edges of this name")
        session = _Session(edge, _listener(first.node), self._end_of(stream, edge))
        if self._snapshot is not None:
            session.want(self._snapshot)
        self._sessions.append(session)
        _LOG.info("edge connected", extra={"edge": session.edge})
        try:
            async with asyncio.TaskGroup() as group:
                reader = group.create_task(self._read(stream, session, first))
                await _write(stream, session)
                reader.cancel()
        finally:
            self._sessions.remove(session)
            _LOG.info("edge disconnected", extra={"edge": session.edge})

    def _may_say(self, peer: Peer, edge: str) -> bool:
        """Say whether who is at the other end may speak as this edge."""
        return self._tls is None or speaks_for(peer, edge)

    def _end_of(self, peer: Peer, edge: str) -> float | None:
        """Return until when its certificate is good, None without one; tell when that is near."""
        if self._ends is None:
            return None
        end = certificate_ends_at(peer)
        self._ends.tell(edge, end)
        return end

    async def _read(
        self, stream: _Stream, session: _Session, first: discovery_pb2.DiscoveryRequest
    ) -> None:
        message = first
        while message is not grpc.aio.EOF and not session.over:
            request = _request(message)
            if request.error:
                _LOG.warning("edge refused", extra={"edge": session.edge, "words": request.error})
            session.conversation.hear(request)
            session.look(self._snapshot)
            session.changed.set()
            message = await stream.read()
        session.over = True
        session.changed.set()


class _Service(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):  # type: ignore[misc]
    """What gRPC calls."""

    def __init__(self, edges: AdsEdges) -> None:
        self._edges = edges

    async def StreamAggregatedResources(self, request_iterator: object, context: _Stream) -> None:
        await self._edges.serve(context)


async def _write(stream: _Stream, session: _Session) -> None:
    """Send what the edge lacks, whenever something has changed; only ever the newest plan."""
    while not session.over:
        try:
            async with asyncio.timeout(_AGAIN_SECONDS):
                await session.changed.wait()
        except TimeoutError:
            session.conversation.again()
        session.changed.clear()
        while not session.over and (response := session.conversation.say()):
            await stream.write(_message(response))


def _request(message: discovery_pb2.DiscoveryRequest) -> Request:
    refused = message.HasField("error_detail")
    return Request(
        message.type_url,
        message.version_info,
        message.response_nonce,
        frozenset(message.resource_names),
        (_words(message.error_detail.message) or "no reason given") if refused else "",
    )


def _words(text: str) -> str:
    """Return what an edge says as one line that can be kept and shown."""
    return "".join(each if each.isprintable() else " " for each in text[:_MOST_WORDS])


def _message(response: Response) -> discovery_pb2.DiscoveryResponse:
    return discovery_pb2.DiscoveryResponse(
        type_url=response.type_url,
        version_info=response.version,
        nonce=response.nonce,
        resources=response.resources,
    )


def _listener(node: base_pb2.Node) -> Content | None:
    """Return the listener that an edge's bootstrap asks for, or None when it asks for none."""
    metadata = json_format.MessageToDict(node.metadata)
    host, port = metadata.get("listener_host", "127.0.0.1"), metadata.get("listener_port")
    if not isinstance(host, str) or not isinstance(port, int | float) or not 1 <= port <= 65535:
        return None
    return snapshot.listener(host, int(port))


def _at(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _refuse_taken(host: str, port: int) -> None:
    """Raise Conflict when the port is taken: gRPC's own words for it are no help."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise InputError(
                    f"cannot listen for edges: {error.strerror}",
                    hint="take an address of this machine, and a port that its user may open",
                    address=_at(host, port),
                ) from error
            raise _taken(host, port) from error


def _taken(host: str, port: int) -> Conflict:
    return Conflict(
        "cannot listen for edges: the port is taken",
        hint="is another hub running? stop it, or give this one another CROSSFADE_PORT_BASE",
        address=_at(host, port),
    )
