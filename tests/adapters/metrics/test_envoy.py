"""Counters of a gateway's Envoy: what retries hide is counted, what cannot be read is no zero."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.adapters.metrics.envoy import EnvoyCounts, EnvoyPages, cluster_name, parse
from crossfade.base.errors import Unavailable
from crossfade.ports.traffic_counts import Counts
from crossfade.sandbox.gateway.envoy import envoy_command

CLUSTER = cluster_name("default", "colors-r1", 80)
PAGE = """# TYPE envoy_cluster_upstream_rq_xx counter
envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="default/colors-r1_80"} 90
envoy_cluster_upstream_rq_xx{envoy_response_code_class="5",envoy_cluster_name="default/colors-r1_80"} 10
envoy_cluster_retry_upstream_rq_xx{envoy_response_code_class="5",envoy_cluster_name="default/colors-r1_80"} 30
envoy_cluster_upstream_rq_retry{envoy_cluster_name="default/colors-r1_80"} 37
envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="default/colors-r2_80"} 5
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="default/colors-r1_80",le="0.5"} 3
envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="other/colors-r1_80"} 99
"""


class Page:
    """A page without a server."""

    def __init__(self, text):
        self.text, self.query = text, {}

    async def read(self, _url, query):
        self.query = query
        return self.text


async def counts(page, **revisions):
    names = {cluster_name("default", f"colors-{each}", 80): each for each in revisions or {"r1": 1}}
    return await EnvoyCounts(page, "http://gateway/stats", names).read("colors")


async def test_failed_tries_that_were_repeated_are_counted_as_failed_tries():
    """90 % success by Envoy's own count; 47 of 137 tries failed: 10 + 30 answers, 7 without."""
    assert await counts(Page(PAGE)) == (Counts("r1", 137, 47),)


async def test_a_revision_without_failures_has_no_such_series_and_that_is_zero():
    assert await counts(Page(PAGE), r2=1) == (Counts("r2", 5, 0),)


async def test_a_revision_that_was_never_asked_is_missing():
    assert await counts(Page(PAGE), r3=1) == ()


async def test_only_what_is_needed_is_asked_for():
    page = Page("")
    await counts(page, r1=1, r2=1)
    assert "usedonly" in page.query
    assert r"default/colors\-r1_80" in page.query["filter"]


def bucket(edge, count, name="default/colors-r1_80"):
    labels = f'envoy_cluster_name="{name}",le="{edge}"'
    return f"envoy_cluster_upstream_rq_time_bucket{{{labels}}} {count}\n"


async def test_answers_slower_than_each_edge_are_the_rest_of_its_bucket():
    page = PAGE + bucket(50, 60) + bucket(100, 88) + bucket("+Inf", 90) + bucket(50, 1, "other")
    (found,) = await counts(Page(page))
    assert dict(found.slower) == {50: 30, 100: 2}, "edges without a bucket are left out"


async def test_other_edges_can_be_asked_for():
    page = Page(PAGE + bucket("0.5", 60) + bucket(25, 80) + bucket(50, 88) + bucket("+Inf", 90))
    names = {CLUSTER: "r1"}
    (found,) = await EnvoyCounts(page, "http://gateway", names, edges=(25,)).read("colors")
    assert dict(found.slower) == {25: 10}


@pytest.mark.parametrize("page", ["<html>login</html>", PAGE + "half a li", f"{PAGE}x{{a=", "\x00"])
async def test_a_page_that_is_none_or_half_of_one_is_no_zero(page):
    with pytest.raises(Unavailable):
        await counts(Page(page))


@pytest.mark.parametrize("value", ["NaN", "+Inf", "many"])
async def test_a_counter_that_is_no_number_is_no_zero(value):
    line = f'envoy_cluster_upstream_rq_retry{{envoy_cluster_name="default/colors-r1_80"}} {value}\n'
    with pytest.raises(Unavailable):
        await counts(Page(line))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_never_a_crash(text):
    try:
        list(parse(text))
    except Unavailable as error:
        assert "no sample" in str(error) or "no number" in str(error)  # noqa: PT017 - both are fine


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/stats", "nonsense", "ftp://x/", "http://[/"])
async def test_a_gateway_that_cannot_be_asked_is_unavailable(url):
    pages = EnvoyPages(seconds=1)
    with pytest.raises(Unavailable) as raised:
        await pages.read(url, {})
    assert "metrics-url" in raised.value.hint
    await pages.close()


async def test_a_gateway_that_hangs_costs_no_more_than_the_deadline():
    async def hang(reader, writer):
        await reader.read()  # until the other side has given up
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    pages = EnvoyPages(seconds=0.3)
    with pytest.raises(Unavailable):
        await pages.read(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", {})
    await pages.close()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.01)  # the connection's own end


class Upstream:
    """A server that answers as the script says, try by try: status, or `-` to hang up, and ms."""

    def __init__(self, script):
        self.script, self.tries = list(script), 0

    async def serve(self, reader, writer):
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.tries += 1
                answer, _, delay = (self.script.pop(0) if self.script else "200").partition(" ")
                await asyncio.sleep(float(delay or 0) / 1000)
                if answer == "-":
                    break
                writer.write(f"HTTP/1.1 {answer} X\r\ncontent-length: 0\r\n\r\n".encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def bootstrap(port, admin_port, upstream_port):
    """An Envoy that tries each request up to three times."""
    address = lambda number: {"socket_address": {"address": "127.0.0.1", "port_value": number}}  # noqa: E731
    retry = {"retry_on": "5xx,reset", "num_retries": 2,
             "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.001s"}}  # fmt: skip
    action = {"cluster": CLUSTER, "retry_policy": retry, "timeout": "1s"}
    route = {"match": {"prefix": "/"}, "route": action}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network."
        "http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "x",
        "route_config": {"virtual_hosts": [{"name": "x", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
    }  # fmt: skip
    endpoint = {"endpoint": {"address": address(upstream_port)}}
    return {
        "admin": {"address": address(admin_port)},
        "stats_flush_interval": "0.1s",
        "static_resources": {
            "listeners": [{"name": "x", "address": address(port), "filter_chains": [
                {"filters": [{"name": "http", "typed_config": manager}]}]}],
            "clusters": [{"name": CLUSTER, "connect_timeout": "1s", "load_assignment": {
                "cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]}}],
        },
    }  # fmt: skip


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@asynccontextmanager
async def real_envoy(folder, script, until):
    """Yield an upstream with its script, the gateway's address, and what reads its counters."""
    upstream = Upstream(script)
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    port, admin_port = free_port(), free_port()
    config = bootstrap(port, admin_port, server.sockets[0].getsockname()[1])
    (folder / "envoy.json").write_text(json.dumps(config))
    process = await asyncio.create_subprocess_exec(
        *envoy_command(folder / "envoy.json", folder / "log"), stderr=asyncio.subprocess.DEVNULL
    )
    pages = EnvoyPages()
    try:
        await until(lambda: answers(pages, f"http://127.0.0.1:{admin_port}/ready"))
        page = f"http://127.0.0.1:{admin_port}/stats/prometheus"
        reader = EnvoyCounts(pages, page, {CLUSTER: "r1"})
        yield upstream, lambda: answers(pages, f"http://127.0.0.1:{port}/"), reader
    finally:
        await pages.close()
        process.kill()
        await process.wait()
        server.close()


async def test_what_a_real_envoy_retries_is_counted_try_by_try(tmp_path, until):
    # Requests: good; 503 then good; hang-up then good; three failures; 404 (no failure); good.
    script = ["200", "503", "200", "-", "200", "503", "-", "503", "404", "200"]
    async with real_envoy(tmp_path, script, until) as (upstream, ask, reader):
        for _ in range(6):
            await ask()
        assert upstream.tries == len(script)
        (found,) = await reader.read("colors")
        assert (found.requests, found.errors) == (10, 5)


async def test_a_real_envoy_times_requests_with_all_their_tries_but_none_without_an_answer(
    tmp_path, until
):
    # Requests: fast; a slow failure, then good; a slow hang-up, then good; three fast failures;
    # one that is given up after a second; a slow one.
    script = ["200", "503 300", "200", "- 300", "200", "503", "503", "503", "200 3000", "200 300"]
    async with real_envoy(tmp_path, script, until) as (upstream, ask, reader):
        for _ in range(6):
            await ask()
        assert upstream.tries == len(script)

        async def timed():
            (found,) = await reader.read("colors")
            return found.slower.get(250) == 3

        await until(timed)
        (found,) = await reader.read("colors")
        assert (found.requests, found.errors) == (10, 6)


async def answers(pages, url):
    try:
        await pages.read(url, {})
    except Unavailable as error:
        return "it answers" in error.what and not url.endswith("/ready")
    return True
