"""What a server says, divided into its operations.

nats-py does this too, but divides the words of a line at every kind of white space, and the server
at spaces and tabs alone: a host could publish to a subject with a vertical tab in it, and end the
connection of each host that reads such subjects.

https://docs.nats.io/reference/reference-protocols/nats-protocol
"""

from __future__ import annotations

import json
from typing import Any, Final, Protocol

from nats.errors import ProtocolError
from nats.protocol.parser import Parser

MAX_CONTROL: Final = 1 << 16  # bytes of a line: the list of a cluster may be long
END: Final = b"\r\n"


class Operations(Protocol):
    """What nats-py does with each operation."""

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None
    ) -> None: ...
    async def _process_err(self, err_msg: str) -> None: ...
    async def _process_info(self, info: dict[str, Any]) -> None: ...
    async def _process_ping(self) -> None: ...
    async def _process_pong(self) -> None: ...


class Parsing(Parser):
    """The parser of a nats-py client."""

    def __init__(self, client: Operations) -> None:
        super().__init__(client)
        self._client = client

    async def parse(self, data: bytes = b"") -> None:
        """Take what has come, and do every operation that is whole.

        Raises:
            ProtocolError: It is not the protocol of NATS.
        """
        buffer = self.buf
        buffer += data
        done = 0
        try:
            while (end := buffer.find(END, done, done + MAX_CONTROL)) >= 0:
                line = bytes(buffer[done:end])
                word, _, rest = line.partition(b" ")
                if word in (b"MSG", b"HMSG"):
                    length = await self._message(word == b"HMSG", rest, end + len(END))
                    if length is None:
                        return
                    end += len(END) + length
                else:
                    await self._other(word, rest)
                done = end + len(END)
            if len(buffer) - done >= MAX_CONTROL:
                raise ProtocolError
        finally:
            del buffer[:done]

    async def _message(self, has_headers: bool, rest: bytes, start: int) -> int | None:
        """Take a message whose bytes begin at `start`; return their number, None if some lack."""
        words = rest.split(b" ")
        sizes = 2 if has_headers else 1
        if not sizes + 2 <= len(words) <= sizes + 3:
            raise ProtocolError
        try:
            number, *lengths = int(words[1]), *(int(one) for one in words[-sizes:])
        except ValueError:
            raise ProtocolError from None
        size, headers = lengths[-1], lengths[0] if has_headers else 0
        if not 0 <= headers <= size:
            raise ProtocolError
        if len(self.buf) < start + size + len(END):
            return None
        with memoryview(self.buf) as view:
            header = bytes(view[start : start + headers]) if headers else None
            data = bytes(view[start + headers : start + size])
        reply = words[2] if len(words) == sizes + 3 else b""
        await self._client._process_msg(number, words[0], reply, data, header)  # noqa: SLF001
        return size

    async def _other(self, word: bytes, rest: bytes) -> None:
        client = self._client
        if word == b"PING":
            await client._process_ping()  # noqa: SLF001
        elif word == b"PONG":
            await client._process_pong()  # noqa: SLF001
        elif word == b"-ERR":
            await client._process_err(rest.decode("utf-8", "replace").lower())  # noqa: SLF001
        elif word == b"INFO":
            try:
                told = json.loads(rest)
            except (ValueError, RecursionError):
                raise ProtocolError from None
            await client._process_info(told)  # noqa: SLF001
        elif word != b"+OK":
            raise ProtocolError
