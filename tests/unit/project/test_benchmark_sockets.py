"""What the program that holds WebSockets reads: texts, pings, and how one ends."""

import asyncio
from collections.abc import Coroutine

import pytest

from benchmarks.sockets import ClosedError, Socket


class Sent:
    """Takes what is written."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def reading(data: bytes) -> tuple[Coroutine[None, None, bytes], Sent]:
    """The next text of a connection on which the server sent this and left; what is answered."""
    sent = Sent()
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return Socket(reader, sent).text(), sent  # type: ignore[arg-type]


def test_a_text_after_a_ping() -> None:
    """The ping is answered, the text is what counts."""

    async def check() -> None:
        text, sent = reading(b"\x89\x02hi" + b"\x81\x03abc")
        assert await text == b"abc"
        assert sent.data[0] == 0x8A

    asyncio.run(check())


def test_a_close_frame_is_a_clean_end() -> None:
    """With its code, and answered."""

    async def check() -> None:
        text, sent = reading(b"\x88\x02\x03\xe9")
        with pytest.raises(ClosedError) as caught:
            await text
        assert caught.value.code == 1001
        assert sent.data[0] == 0x88

    asyncio.run(check())


def test_an_end_without_one_is_a_loss() -> None:
    """Even after a part of a frame."""

    async def check() -> None:
        text, _ = reading(b"\x81")
        with pytest.raises(EOFError):
            await text

    asyncio.run(check())
