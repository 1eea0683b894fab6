"""A client at the end of a bad line, whose request takes seconds to arrive."""

import asyncio
import re
from urllib.parse import urlsplit

_PATIENCE_SECONDS = 30
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


async def slow_outcome(url: str, seconds: float) -> str | None:
    """Returns why a request was not answered with 200, and in full; None if it was.

    Args:
        url: What is asked for, on a connection of its own.
        seconds: How long it takes to send half of the request's head; the rest follows.
    """
    try:
        async with asyncio.timeout(seconds + _PATIENCE_SECONDS):
            return await _ask(url, seconds)
    except (OSError, EOFError, TimeoutError) as error:
        return type(error).__name__


async def _ask(url: str, seconds: float) -> str | None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n".encode())
        await asyncio.sleep(seconds)
        writer.write(b"Connection: close\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        status, length = _STATUS.match(head), _LENGTH.search(head)
        if status is None or length is None:
            return "no status and length"
        await reader.readexactly(int(length[1]))
        return None if status[1] == b"200" else f"status {status[1].decode()}"
    finally:
        writer.close()
