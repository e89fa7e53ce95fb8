"""Handshakes and frames as bytes (RFC 6455), sound or broken, and what the service says."""

from __future__ import annotations

import base64
import socket
import struct
from dataclasses import dataclass, field

from tests.attack.raw_http import Answer, Answers, Closed, connect

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x5a\xa5\x3c\xc3"
KEY = base64.b64encode(b"0123456789abcdef").decode()


class Refused(Exception):
    """The handshake was answered by something else than 101."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status} {answer.body[:200]!r}")
        self.answer = answer


def handshake(
    path: str, authority: str, token: str | None, *protocols: str, more: str = ""
) -> bytes:
    """Return the request that opens a WebSocket."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {authority}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {KEY}",
        "Sec-WebSocket-Version: 13",
    ]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    if protocols:
        lines.append("Sec-WebSocket-Protocol: " + ", ".join(protocols))
    return ("\r\n".join(lines) + "\r\n" + more + "\r\n").encode()


def masked(payload: bytes, mask: bytes = MASK) -> bytes:
    """Return the payload as a client sends it."""
    if not payload:
        return b""
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    number = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return number.to_bytes(len(payload), "big")


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    mask: bytes | None = MASK,
    length: int | None = None,
    width: int | None = None,
) -> bytes:
    """Return a frame; everything about it may be a lie.

    Args:
        opcode: Its four bits.
        payload: Before masking.
        fin: The last, or only, frame of its message.
        reserved: The three reserved bits.
        mask: None sends it unmasked, without a mask.
        length: What the header claims instead of the truth.
        width: Bits of the length: 7, 16 or 64; the least that it needs when None.
    """
    claimed = len(payload) if length is None else length
    if width is None:
        width = 7 if claimed < 126 else 16 if claimed <= 0xFFFF else 64
    first = (0x80 if fin else 0) | (reserved & 7) << 4 | opcode & 15
    second = 0x80 if mask is not None else 0
    if width == 7:
        head = bytes((first, second | claimed & 0x7F))
    elif width == 16:
        head = bytes((first, second | 126)) + struct.pack(">H", claimed & 0xFFFF)
    else:
        head = bytes((first, second | 127)) + struct.pack(">Q", claimed & (2**64 - 1))
    return head + (payload if mask is None else mask + masked(payload, mask))


def close_frame(code: int, reason: bytes = b"") -> bytes:
    """Return a close frame."""
    return frame(CLOSE, struct.pack(">H", code) + reason)


def open_socket(
    port: int,
    path: str,
    token: str | None,
    *protocols: str,
    patience: float = 10.0,
    source: str | None = None,
    receive_buffer: int = 0,
) -> tuple[socket.socket, bytes]:
    """Open a WebSocket; return it and the bytes that came behind the handshake.

    Raises:
        Refused: The service answered something else.
        OSError: It did not answer in time.
        Closed: It closed without an answer.
    """
    connection = connect(port, patience, source, receive_buffer=receive_buffer)
    try:
        connection.sendall(handshake(path, f"127.0.0.1:{port}", token, *protocols))
        answers = Answers(connection)
        answer = answers.next(body=False)
    except BaseException:
        connection.close()
        raise
    if answer.status != 101:
        connection.close()
        raise Refused(answer)
    return connection, answers.held


@dataclass(slots=True)
class Reader:
    """Cuts what the service sends into frames.

    Attributes:
        texts: Text messages.
        close_code: Of its close frame; 1005 where it has none; None before it.
        broken: What is wrong with the bytes; None while they are sound.
        pongs: How many came.
        asked: What the last ping held that was not answered yet.
        binary: Bytes of binary messages.
    """

    held: bytes = b""
    texts: list[bytes] = field(default_factory=list)
    close_code: int | None = None
    broken: str | None = None
    pongs: int = 0
    asked: bytes | None = None
    binary: int = 0

    def feed(self, data: bytes) -> None:
        """Take bytes."""
        self.held += data
        at, held = 0, self.held
        while len(held) - at >= 2 and self.broken is None:
            first, size = held[at], held[at + 1]
            start = at + 2
            if size & 0x80:
                self.broken = "a masked frame"
                break
            if size >= 126:
                wide = 2 if size == 126 else 8
                if len(held) < start + wide:
                    break
                size = int.from_bytes(held[start : start + wide], "big")
                start += wide
            if len(held) < start + size:
                break
            self._frame(first, held[start : start + size])
            at = start + size
        self.held = held[at:]

    def _frame(self, first: int, payload: bytes) -> None:
        opcode = first & 15
        if self.close_code is not None and opcode not in (PING, PONG):  # these still may come
            self.broken = "a frame behind the close frame"
        elif first & 0x70:
            self.broken = f"reserved bits: {first:#04x}"
        elif opcode == TEXT:
            self.texts.append(payload)
        elif opcode == CLOSE:
            self.close_code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
        elif opcode == PONG:
            self.pongs += 1
        elif opcode == BINARY:
            self.binary += len(payload)
        elif opcode == PING:
            self.asked = payload
        elif opcode != CONTINUATION:
            self.broken = f"opcode {opcode}"


def read_to_end(connection: socket.socket, reader: Reader, patience: float) -> bool:
    """Read until the connection ends; say whether it did within so many seconds of silence.

    A close frame is answered, and this side ended, so that nobody waits for anybody.
    """
    connection.settimeout(patience)
    answered = False
    try:
        while data := connection.recv(262144):
            reader.feed(data)
            if reader.close_code is not None and not answered:
                answered = True
                connection.sendall(close_frame(1000))
                connection.shutdown(socket.SHUT_WR)
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


__all__ = ["Closed", "Reader", "Refused"]
