"""Send requests to rtnetlink(7) as bytes: filtered dumps, and many changes per system call.

pyroute2 (0.9.7: `IPBatch`, `nlm_request_batch`) can batch messages too. But it occupies the
interpreter for 0.3 ms per message, while packets wait, and needs seconds for ten thousand routes.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from wintun_api.drivers.linux.failure import driver_error
from wintun_api.drivers.linux.headers import (
    AF_NETLINK,
    ATTRIBUTE,
    MESSAGE,
    NETLINK_ROUTE,
    NLA_TYPE_MASK,
    NLM_F_ACK,
    NLM_F_REQUEST,
    NUMBER,
    SOL_NETLINK,
)

# linux/netlink.h
NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK = 10, 11, 12
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_DUMP_INTR, NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x10, 0x100, 0x200
NLM_F_DUMP = 0x300
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE = 0x100, 0x200, 0x400
NLMSGERR_ATTR_MSG = 1

WORD = struct.Struct("=I")

MAX_CHUNK = 1 << 16  # of a dump, of which the kernel fills 32 KiB at a time, or of a notification
# Changes in one system call. Even if all are refused, their answers fit into a socket's default
# receive buffer (net.core.rmem_default).
BATCH = 128
_NOTHING_THERE = (0, errno.ENOENT, errno.ENODEV)
_ATTEMPTS = 5  # a dump that a change interrupts is repeated


class Request(NamedTuple):
    """Hold a change to request from the kernel.

    Attributes:
        kind: RTM_NEWROUTE and others.
        flags: Flags in addition to NLM_F_REQUEST.
        body: The bytes after the header.
    """

    kind: int
    flags: int
    body: bytes


class Refusal(NamedTuple):
    """Describe a change that the kernel refused.

    Attributes:
        position: Position of the request in the call.
        code: The errno number.
        reason: The kernel's own words (NLMSGERR_ATTR_MSG), which may be missing.
    """

    position: int
    code: int
    reason: str


class Netlink:
    """Open a netlink socket in the calling thread's network namespace. One thread at a time.

    The answer is ready when a request has been sent, so no call waits.

    Attributes:
        port: The number in the kernel's notifications of changes made with this socket.

    Raises:
        DriverError: The kernel does not provide the socket.
    """

    def __init__(self) -> None:
        self._sequence = 0
        self._room = bytearray(MAX_CHUNK)
        try:
            self._socket = socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
        except OSError as error:
            raise driver_error("socket", error.errno or 0) from None
        self._socket.setblocking(False)
        self._socket.bind((0, 0))
        self.port: int = self._socket.getsockname()[0]
        for option in (NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK):
            with suppress(OSError):  # kernels before 4.20 do not check strictly, so we filter too
                self._socket.setsockopt(SOL_NETLINK, option, 1)

    def dump(self, function: str, kind: int, body: bytes) -> list[bytes]:
        """Return the bodies of all the kernel's entries that match the fields set in `body`.

        Raises:
            DriverError: The kernel refuses; with EINTR, too many changes interrupted the dump.
        """
        for _ in range(_ATTEMPTS):
            found: list[bytes] = []
            interrupted = 0
            for chunk in self.chunks(function, kind, body):
                for what, flags, start, end in messages(chunk):
                    interrupted |= flags & NLM_F_DUMP_INTR
                    if what not in (NLMSG_ERROR, NLMSG_DONE):
                        found.append(chunk[start:end])
            if not interrupted:
                return found
        raise driver_error(function, errno.EINTR)

    def chunks(self, function: str, kind: int, body: bytes) -> Iterator[bytes]:
        """Yield the kernel's answer to a dump in pieces of whole messages; consume all of them.

        A table that does not exist is empty (ENOENT), and so is a device (ENODEV).

        Raises:
            DriverError: The kernel refuses.
        """
        self._sequence += 1
        self._send(function, _message(Request(kind, NLM_F_DUMP, body), self._sequence))
        over = False
        while not over:
            chunk = self._receive(function)
            length, first, _, _, _ = MESSAGE.unpack_from(chunk)
            if first in (NLMSG_ERROR, NLMSG_DONE):
                over = True
                code = -NUMBER.unpack_from(chunk, MESSAGE.size)[0]
                if code not in _NOTHING_THERE:
                    raise driver_error(function, code)
            elif length < len(chunk):
                # The end mark follows the last message if there is room for it.
                _, last, _, sequence, _ = MESSAGE.unpack_from(chunk, len(chunk) - MESSAGE.size - 4)
                over = last == NLMSG_DONE and sequence == self._sequence
            yield chunk

    def change(self, function: str, requests: Sequence[Request]) -> tuple[int, list[Refusal]]:
        """Request changes in order, up to the end of the batch in which one is refused.

        Return how many were requested, and which of these were refused.

        Raises:
            DriverError: The kernel did not answer, so the outcome of the last batch is unknown.
        """
        refusals: list[Refusal] = []
        asked = 0
        for start in range(0, len(requests), BATCH):
            batch = requests[start : start + BATCH]
            first, last = self._sequence + 1, self._sequence + len(batch)
            self._sequence = last
            # Refusals are always answered; the last request asks for an answer to mark the end.
            parts = [_message(one, first + at) for at, one in enumerate(batch[:-1])]
            kind, flags, body = batch[-1]
            parts.append(_message(Request(kind, flags | NLM_F_ACK, body), last))
            self._send(function, b"".join(parts))
            asked += len(batch)
            sequence = 0
            while sequence != last:
                sequence, code, reason = _answer(self._receive(function))
                if code and sequence >= first:
                    refusals.append(Refusal(start + sequence - first, code, reason))
            if refusals:
                break
        return asked, refusals

    def ask(self, function: str, requests: Sequence[Request]) -> list[bytes | None]:
        """Return the body of the answer to each request; None where the kernel has none.

        Raises:
            DriverError: The kernel did not answer.
        """
        answers: list[bytes | None] = []
        for start in range(0, len(requests), BATCH):
            batch = requests[start : start + BATCH]
            first, self._sequence = self._sequence + 1, self._sequence + len(batch)
            self._send(
                function, b"".join(_message(one, first + at) for at, one in enumerate(batch))
            )
            while len(answers) < start + len(batch):
                chunk = self._receive(function)
                answers += [
                    None if what == NLMSG_ERROR else chunk[begin:end]
                    for what, _, begin, end in messages(chunk)
                ]
        return answers

    def close(self) -> None:
        """Close the socket. Idempotent."""
        self._socket.close()

    def _send(self, function: str, data: bytes) -> None:
        try:
            self._socket.send(data)
        except OSError as error:
            raise driver_error(function, error.errno or 0) from None

    def _receive(self, function: str) -> bytes:
        try:
            size = self._socket.recv_into(self._room)
        except OSError as error:
            raise driver_error(function, error.errno or 0) from None
        return bytes(self._room[:size])


def attribute(kind: int, content: bytes) -> bytes:
    """Return an attribute, padded (netlink(7))."""
    size = ATTRIBUTE.size + len(content)
    return ATTRIBUTE.pack(size, kind) + content + bytes(-size % 4)


def attributes(body: bytes, at: int) -> dict[int, bytes]:
    """Return the attributes after `at`, by kind."""
    found: dict[int, bytes] = {}
    end = len(body)
    while at + ATTRIBUTE.size <= end:
        size, kind = ATTRIBUTE.unpack_from(body, at)
        if size < ATTRIBUTE.size:
            break
        found[kind & NLA_TYPE_MASK] = body[at + ATTRIBUTE.size : at + size]
        at += size + -size % 4
    return found


def messages(chunk: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield kind, flags, and start and end of the body of every message, including the end mark."""
    at, end = 0, len(chunk)
    while at + MESSAGE.size <= end:
        length, kind, flags, _, _ = MESSAGE.unpack_from(chunk, at)
        if length < MESSAGE.size:
            break
        yield kind, flags, at + MESSAGE.size, at + length
        at += length + -length % 4


def _message(request: Request, sequence: int) -> bytes:
    kind, flags, body = request
    return MESSAGE.pack(MESSAGE.size + len(body), kind, flags | NLM_F_REQUEST, sequence, 0) + body


def _answer(message: bytes) -> tuple[int, int, str]:
    """Parse an answer: return the request's sequence, the errno number and the reason."""
    _, _, flags, sequence, _ = MESSAGE.unpack_from(message)
    code = -NUMBER.unpack_from(message, MESSAGE.size)[0]
    reason = b""
    if flags & NLM_F_ACK_TLVS:
        echoed = MESSAGE.size + NUMBER.size
        size = MESSAGE.unpack_from(message, echoed)[0]
        size = MESSAGE.size if flags & NLM_F_CAPPED else size + -size % 4
        reason = attributes(message, echoed + size).get(NLMSGERR_ATTR_MSG, b"")
    return sequence, code, reason.rstrip(b"\0").decode(errors="replace")
