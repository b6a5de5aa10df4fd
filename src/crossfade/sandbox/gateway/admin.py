"""A small client for Envoy's admin page; one connection, kept open."""

import asyncio


class AdminError(Exception):
    """The admin page did not answer, or not with success."""


class Admin:
    """
    Asks one Envoy on this machine.

    Written on plain streams: an HTTP library would cost a cloud process more memory than
    all else that the gateway needs.
    """

    def __init__(self, port: int, timeout_seconds: float = 2.0) -> None:
        self._port = port
        self._timeout = timeout_seconds
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> str:
        """Return the page at `path`.  Raises AdminError."""
        return await self._ask("GET", path)

    async def post(self, path: str) -> str:
        """Send a command and return the answer.  Raises AdminError."""
        return await self._ask("POST", path)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _ask(self, verb: str, path: str) -> str:
        async with self._lock:
            try:
                async with asyncio.timeout(self._timeout):
                    status, body = await self._exchange(verb, path)
            except (OSError, TimeoutError, EOFError, ValueError, IndexError) as error:
                self.close()
                raise AdminError(f"{verb} {path}: {error!r}") from error
            except BaseException:
                self.close()
                raise
        if status != 200:
            raise AdminError(f"{verb} {path}: {status} {body[:200]}")
        return body

    async def _exchange(self, verb: str, path: str) -> tuple[int, str]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(f"{verb} {path} HTTP/1.1\r\nhost: admin\r\ncontent-length: 0\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        status = int(head.split(" ", 2)[1])
        if "transfer-encoding: chunked" in head:
            return status, await _chunks(reader)
        length = next(
            int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-l")
        )
        return status, (await reader.readexactly(length)).decode()


async def _chunks(reader: asyncio.StreamReader) -> str:
    parts = []
    while size := int((await reader.readline()).strip(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(parts).decode()


def text_values(page: str) -> dict[str, str]:
    """Return the values of a `/stats` page by name."""
    pairs = (line.split(": ", 1) for line in page.splitlines() if ": " in line)
    return {name: value.strip('"') for name, value in pairs}
