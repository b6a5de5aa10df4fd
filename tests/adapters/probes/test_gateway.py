"""The probe of a gateway against servers that are odd, slow or gone."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import pytest

from crossfade.adapters.probes.gateway import HttpGatewayProbe
from crossfade.base.certificates import Authority, Validity
from crossfade.base.clock import SteadyClock
from crossfade.base.errors import Unavailable
from crossfade.ports.gateway_probe import Tls


@asynccontextmanager
async def serving(answer, tls=None):
    """Serve connections with `answer(reader, writer)`, and yield the port."""
    asked = []

    async def serve(reader, writer):
        try:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            await answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


def says(text):
    async def answer(_, writer):
        writer.write(text)
        await writer.drain()

    return answer


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "503 Service Unavailable"])
async def test_any_http_answer_shows_that_the_gateway_is_there(status):
    async with serving(says(f"HTTP/1.1 {status}\r\n\r\n".encode())) as (port, _):
        await HttpGatewayProbe().answers("127.0.0.1", port)


async def test_it_asks_for_nothing_that_an_application_would_count_as_a_user():
    async with serving(says(b"HTTP/1.1 404 Not Found\r\n\r\n")) as (port, asked):
        await HttpGatewayProbe().answers("127.0.0.1", port)

    assert asked[0].startswith(b"HEAD /.crossfade/probe HTTP/1.1\r\nHost: probe.crossfade\r\n")


@pytest.mark.parametrize(
    "text",
    [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"\x00" * 10, b"x" * 200_000],
    ids=["closes", "ssh", "zeros", "endless-line"],
)
async def test_what_does_not_speak_http_is_no_gateway(text):
    async with serving(says(text)) as (port, _):
        with pytest.raises(Unavailable) as raised:
            await HttpGatewayProbe().answers("127.0.0.1", port)
    assert raised.value.facts["address"] == f"127.0.0.1:{port}"
    assert raised.value.hint


async def test_a_connection_that_is_reset_is_silence():
    async def reset(_, writer):
        writer.transport.abort()

    async with serving(reset) as (port, _):
        with pytest.raises(Unavailable):
            await HttpGatewayProbe().answers("127.0.0.1", port)


async def test_a_gateway_that_hangs_can_be_given_up_at_any_time():
    hangs = asyncio.Event()

    async def hang(*_):
        await hangs.wait()

    async with serving(hang) as (port, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await HttpGatewayProbe().answers("127.0.0.1", port)
        hangs.set()


async def test_a_name_that_nobody_knows_is_silence():
    with pytest.raises(Unavailable):
        await HttpGatewayProbe().answers("gateway.invalid", 80)


async def test_probes_leave_no_connection_open():
    closed = asyncio.Event()

    async def watch(reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await writer.drain()
        assert await reader.read() == b""
        closed.set()

    async with serving(watch) as (port, _):
        await HttpGatewayProbe().answers("127.0.0.1", port)
        async with asyncio.timeout(5):
            await closed.wait()


VALID = Validity(SteadyClock().now(), 2)


@pytest.fixture
def certified(tmp_path, monkeypatch):
    """Return what makes a server's TLS with a certificate for a host, of a known authority."""
    authority = Authority.new("test-ca", VALID)
    (tmp_path / "ca.pem").write_text(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    def certify(host, authority=authority):
        made = authority.sign(host, (host,), VALID)
        (tmp_path / "server.crt").write_text(made.pem)
        (tmp_path / "server.key").write_text(made.key.reveal())
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
        return context

    return certify


FOUND = says(b"HTTP/1.1 404 Not Found\r\n\r\n")
HOST = "colors.example.com"


async def test_over_tls_it_asks_by_the_name_that_users_come_with(certified):
    async with serving(FOUND, certified(HOST)) as (port, asked):
        await HttpGatewayProbe().answers("127.0.0.1", port, Tls(HOST))

    assert asked[0].startswith(b"HEAD /.crossfade/probe HTTP/1.1\r\nHost: colors.example.com\r\n")


async def test_a_certificate_for_somebody_else_is_not_accepted_unless_asked_to(certified):
    async with serving(FOUND, certified("other.example.com")) as (port, _):
        with pytest.raises(Unavailable) as raised:
            await HttpGatewayProbe().answers("127.0.0.1", port, Tls(HOST))
        assert "certificate is not accepted" in raised.value.what
        assert "colors.example.com" in raised.value.facts["why"]
        await HttpGatewayProbe().answers("127.0.0.1", port, Tls(HOST, verify=False))


async def test_a_certificate_of_an_unknown_authority_is_not_accepted(certified):
    stranger = Authority.new("stranger", VALID)
    async with serving(FOUND, certified(HOST, stranger)) as (port, _):
        with pytest.raises(Unavailable) as raised:
            await HttpGatewayProbe().answers("127.0.0.1", port, Tls(HOST))
    assert raised.value.facts["why"]


async def test_a_port_that_speaks_no_tls_is_silent_for_who_asks_over_tls():
    async def plain(reader, writer):
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        with pytest.raises(Unavailable):
            await HttpGatewayProbe().answers(*server.sockets[0].getsockname(), Tls(HOST))
