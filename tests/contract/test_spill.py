"""What the hub foresees of edges is what the Envoy that Crossfade runs does, request by request."""

import asyncio
import contextlib
import itertools
import json
import math
import secrets
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

import pytest

from crossfade.core.traffic.spill import Level, Locality, locality_shares, priority_load, retry_load
from crossfade.testing.edge_process import running_edge

HOSTS = 100
TYPES = "type.googleapis.com/envoy."
MASK = (1 << 64) - 1
PRIMES = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x27D4EB2F165667C5,
)


def rotate(value: int, bits: int) -> int:
    return (value << bits | value >> 64 - bits) & MASK


def xxhash64(data: bytes) -> int:
    """The hash that Envoy takes of a header, for values shorter than 8 bytes."""
    assert len(data) < 8
    first, second, third, fifth = PRIMES
    value = (fifth + len(data)) & MASK
    if len(data) >= 4:
        value ^= int.from_bytes(data[:4], "little") * first & MASK
        value = (rotate(value, 23) * second + third) & MASK
        data = data[4:]
    for byte in data:
        value ^= byte * fifth & MASK
        value = rotate(value, 11) * first & MASK
    value = (value ^ value >> 33) * second & MASK
    value = (value ^ value >> 29) * third & MASK
    return value ^ value >> 32


def one_user_for_each_percent() -> list[str]:
    """Return a hundred header values of which Envoy sends each to another percent of the load."""
    found: dict[int, str] = {}
    for number in itertools.count():
        found.setdefault(xxhash64(str(number).encode()) % 100, str(number))
        if len(found) == 100:
            return list(found.values())
    raise AssertionError


USERS = one_user_for_each_percent()


@dataclass
class Upstreams:
    """A hundred addresses for each priority; an answer says which priority and host it is of."""

    port: int = 0
    seen: list[int] = field(default_factory=list)
    status: int = 200

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        _, _, priority, number = host.split(".")
        body = json.dumps({"priority": int(priority), "host": int(number)}).encode()
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                self.seen.append(int(priority))
                head = f"HTTP/1.1 {self.status} Answer\r\ncontent-length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
        writer.close()


def address(priority: int, number: int) -> str:
    return f"127.1.{priority}.{number + 1}"


def endpoints(level: Level, priority: int, port: int) -> dict:
    states = ["HEALTHY"] * level.healthy + ["DEGRADED"] * level.degraded
    states += ["UNHEALTHY"] * (level.total - len(states))
    hosts = [
        {
            "health_status": state,
            "endpoint": {
                "address": {
                    "socket_address": {"address": address(priority, number), "port_value": port}
                }
            },
        }
        for number, state in enumerate(states)
    ]
    return {"priority": priority, "lb_endpoints": hosts}


def cluster(name: str, localities: list[dict], policy: str = "RING_HASH", **common: object) -> dict:
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "lb_policy": policy,
        "common_lb_config": common,
        "load_assignment": {"cluster_name": name, "endpoints": localities},
    }


LEVELS = {
    "whole": (100, 100),
    "just-whole": (72, 100),
    "spilling": (71, 71),
    "half": (50, 50),
    "quarter": (25, 100, 100),
    "first-dead": (0, 100),
    "both-weak": (25, 25),
    "weak-weak-whole": (25, 25, 100),
    "weak-weak-weaker": (25, 25, 20),
    "fifty-sixty": (50, 60),
    "five-sixty-five": (5, 65),
    "dead": (0, 0),
}
ROWS = {name: [Level(each, HOSTS) for each in healthy] for name, healthy in LEVELS.items()} | {
    "uneven-panic": [Level(25, 100), Level(5, 20)],
    "uneven-dead": [Level(0, 10), Level(0, 2)],
}
# A ring of hashes knows no degraded hosts, so these are drawn at random, and counted in hundreds.
DEGRADED = {
    "degraded": [Level(71, 100, degraded=29)],
    "mostly-degraded": [Level(25, 100, degraded=65)],
    "hardly-healthy": [Level(5, 100)],
    "all-degraded": [Level(0, 100, degraded=100)],
    "degraded-levels": [Level(7, 98, degraded=14), Level(14, 98, degraded=7), Level(7, 98)],
}
RETRIED = [Level(100, 100), Level(0, 100), Level(50, 100)]
LOCALITIES = [Locality(1, 69, 100), Locality(2, 100, 100)]


def clusters(port: int) -> Iterable[dict]:
    for rows, policy in ((ROWS, "RING_HASH"), (DEGRADED, "ROUND_ROBIN")):
        for (name, row), panic in itertools.product(rows.items(), (0, 50)):
            hosts = [endpoints(level, p, port) for p, level in enumerate(row)]
            threshold = {"value": panic}
            yield cluster(f"{name}-{panic}", hosts, policy, healthy_panic_threshold=threshold)
    retried = [endpoints(level, p, port) for p, level in enumerate(RETRIED)]
    yield cluster("retried", retried, "ROUND_ROBIN", healthy_panic_threshold={"value": 0})
    weighted = [
        endpoints(Level(each.healthy, each.total), number, port)
        | {"priority": 0, "load_balancing_weight": each.weight, "locality": {"zone": str(number)}}
        for number, each in enumerate(LOCALITIES)
    ]
    yield cluster("weighted", weighted, "ROUND_ROBIN", locality_weighted_lb_config={})


def route(name: str) -> dict:
    action: dict = {"cluster": name, "hash_policy": [{"header": {"header_name": "user"}}]}
    if name == "retried":
        previous = TYPES + "extensions.retry.priority.previous_priorities.v3."
        action["retry_policy"] = {
            "retry_on": "5xx",
            "num_retries": 4,
            "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.001s"},
            "retry_priority": {
                "name": "envoy.retry_priorities.previous_priorities",
                "typed_config": {
                    "@type": previous + "PreviousPrioritiesConfig",
                    "update_frequency": 1,
                },
            },
        }
    return {"match": {"path": f"/{name}"}, "route": action}


def bootstrap(admin: int, listener: int, upstream: int) -> dict:
    made = list(clusters(upstream))
    router = TYPES + "extensions.filters.http.router.v3.Router"
    network = TYPES + "extensions.filters.network.http_connection_manager.v3."
    manager = {
        "@type": network + "HttpConnectionManager",
        "stat_prefix": "test",
        "http_filters": [{"name": "router", "typed_config": {"@type": router}}],
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [route(each["name"]) for each in made]}
            ]
        },
    }

    def on(port: int) -> dict:
        return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

    filters = [{"name": "http", "typed_config": manager}]
    return {
        "admin": {"address": on(admin)},
        "static_resources": {
            "clusters": made,
            "listeners": [{"address": on(listener), "filter_chains": [{"filters": filters}]}],
        },
    }


@dataclass
class Edge:
    upstreams: Upstreams
    port: int

    async def ask(self, name: str, users: list[str]) -> list[tuple[int, dict]]:
        """Return status and answer for each user."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        answers = []
        for user in users:
            writer.write(f"GET /{name} HTTP/1.1\r\nhost: test\r\nuser: {user}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            body = await reader.readexactly(int(lines["content-length"]))
            status = int(head.split()[1])
            answers.append((status, json.loads(body) if body.startswith(b"{") else {}))
        writer.close()
        return answers


def free_port() -> int:
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@pytest.fixture
async def edge(tmp_path) -> AsyncIterator[Edge]:
    upstreams = Upstreams(free_port())
    hosts = [address(priority, n) for priority in range(3) for n in range(HOSTS)]
    server = await asyncio.start_server(upstreams.answer, hosts, upstreams.port)
    admin, listener = free_port(), free_port()
    try:
        async with running_edge(tmp_path, bootstrap(admin, listener, upstreams.port)):
            yield Edge(upstreams, listener)
    finally:
        server.close()


def foreseen(row: list[Level], panic: int) -> Counter:
    """Return how many of a hundred users meet a priority, and there healthy or degraded hosts."""
    load = priority_load(row, panic=panic)
    want: Counter = Counter()
    for priority, level in enumerate(row):
        if load.panic[priority]:
            want[priority, "any"] += load.healthy[priority]
        elif level.healthy:
            want[priority, "healthy"] += load.healthy[priority]
        else:
            want["nobody"] += load.healthy[priority]
        want[priority, "degraded"] += load.degraded[priority]
    return +want


def met(row: list[Level], panic: int, answers: list[tuple[int, dict]]) -> Counter:
    panicking = priority_load(row, panic=panic).panic
    seen: Counter = Counter()
    for status, answer in answers:
        if status == 503:
            seen["nobody"] += 1
            continue
        priority = answer["priority"]
        healthy = answer["host"] <= row[priority].healthy
        state = "any" if panicking[priority] else "healthy" if healthy else "degraded"
        seen[priority, state] += 1
    return seen


async def test_of_a_hundred_users_envoy_sends_exactly_as_many_to_each_priority(edge):
    for name, panic in itertools.product(ROWS, (0, 50)):
        answers = await edge.ask(f"{name}-{panic}", USERS)

        assert met(ROWS[name], panic, answers) == foreseen(ROWS[name], panic), (name, panic)


async def test_degraded_hosts_get_what_healthy_ones_cannot_take(edge):
    for (name, row), panic in itertools.product(DEGRADED.items(), (0, 50)):
        answers = await edge.ask(f"{name}-{panic}", ["anybody"] * 800)

        seen, want = met(row, panic, answers), foreseen(row, panic)
        for part in seen.keys() | want.keys():
            # five standard deviations of a count that is drawn at random
            share = want[part] / 100
            assert seen[part] / 800 == pytest.approx(
                share, abs=5 * math.sqrt(share * (1 - share) / 800)
            ), (name, panic, part)


async def test_retries_go_to_the_priorities_that_the_hub_foresees(edge):
    edge.upstreams.status = 503
    edge.upstreams.seen.clear()

    await edge.ask("retried", USERS[:1])

    seen = edge.upstreams.seen
    assert len(seen) == 5
    for tried, priority in enumerate(seen):
        assert retry_load(RETRIED, seen[:tried]).healthy[priority] == 100


async def test_localities_get_their_share_without_rounding(edge):
    answers = await edge.ask("weighted", ["anybody"] * 1000)

    seen = Counter(answer["priority"] for _, answer in answers)
    want = locality_shares(LOCALITIES)
    assert [seen[number] / 10 for number in range(2)] == pytest.approx(want, abs=0.2)
