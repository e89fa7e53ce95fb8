"""Speak HTTP/1.1 on one connection: uvicorn's protocol, within limits of size and time.

All this happens before a client is authenticated, so a client must not decide how much memory or
time it takes:

    the head      64 KiB, 256 headers, a request target of 16 KiB; then 431 or 414
    chunks        extensions and trailers in proportion to the body; then 400 or 431
    pipelining    requests are parsed a slice at a time, and not while an earlier one waits
    time          a whole request within the request time-out, or at a minimum rate; then 408
    answers       a client without a token must read the answers to its requests

A request that violates HTTP (RFC 9112) is answered with a problem document, after the answers to
earlier requests, and the connection is closed in a way that lets the client read it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, cast

import httptools
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState
from websockets.datastructures import Headers
from websockets.http11 import Request

from wintun_api.api.access import HEALTH
from wintun_api.api.admission import Seat
from wintun_api.api.capture_ways import CONNECTION
from wintun_api.api.cutoff import ABORT
from wintun_api.api.hosts import ABSOLUTE
from wintun_api.api.kinds import Kind
from wintun_api.api.listener import keep_alive
from wintun_api.api.problems import Refusal, problem_of, response
from wintun_api.api.protocol import PacketProtocol
from wintun_api.api.security import API_POLICY, HEADERS
from wintun_api.errors import ServiceStopping
from wintun_api.schemas.problem import MEDIA_TYPE

MAX_HEAD: Final = 64 * 1024
MAX_TARGET: Final = 16 * 1024
MAX_HEADERS: Final = 256
REQUEST_LINE: Final = len(b"GET  HTTP/1.1\r\n\r\n")  # without the target, with the empty line
HEADER_COST: Final = len(b": \r\n")
# Bytes allowed for chunk sizes, extensions and trailers: this, plus so many times the body.
FRAMING: Final = 16 * 1024
FRAMING_RATIO: Final = 8
# Bytes given to the parser at once: of a head, after which its size and other waiting requests are
# checked, and of a body.
HEAD_SLICE: Final = 4 * 1024
BODY_SLICE: Final = 64 * 1024
SLOWEST = 1024  # bytes of a body per second; a slower request is too late
LINGER = 2.0  # seconds that a client has to read the last answer
UNREAD_PATIENCE = 30.0  # seconds that a client without a token may leave an answer unread

BAD_REQUEST = Refusal(
    Kind.BAD_REQUEST,
    "The request is not valid HTTP/1.1 (RFC 9112).",
    "Send one Content-Length or chunks, end lines with CR LF, and send no control characters.",
)
LARGE_HEAD = Refusal(
    Kind.LARGE_HEAD,
    f"The head of a request may have at most {MAX_HEAD // 1024} KiB and {MAX_HEADERS} headers.",
)
LONG_TARGET = Refusal(
    Kind.LONG_TARGET,
    f"The path and query of a request may have at most {MAX_TARGET // 1024} KiB.",
)
LARGE_FRAMING = Refusal(
    Kind.BAD_REQUEST,
    "The chunks of the body have too much overhead for too little content.",
    "Send larger chunks, without extensions and trailers.",
)
LATE = Refusal(
    Kind.REQUEST_TIMEOUT,
    "The request did not arrive in time.",
)
BAD_VERSION = Refusal(Kind.BAD_VERSION, "The service only speaks HTTP/1.1.")
BAD_CODING = Refusal(
    Kind.BAD_CODING,
    "The body has a transfer coding other than chunked.",
)
CONNECT = Refusal(
    Kind.NOT_IMPLEMENTED,
    "The service is not a proxy.",
)
BAD_TRAILER = Refusal(
    Kind.BAD_REQUEST,
    "The request has a trailer that would change how the connection is read.",
    "Send Connection, Content-Length, Transfer-Encoding and Upgrade only before the body.",
)
# RFC 9110, section 6.5.1: none of them may follow a body.
FRAMING_FIELDS = frozenset(
    {b"connection", b"proxy-connection", b"content-length", b"transfer-encoding", b"upgrade"}
)
BODY_IN_HANDSHAKE = Refusal(
    Kind.BAD_HANDSHAKE,
    "The request for a WebSocket has a body.",
    "Send it without a body and without a Content-Length other than 0.",
)
FULL = Refusal(
    Kind.FULL,
    "The service has as many open connections as it can hold.",
)


@dataclass(frozen=True, slots=True)
class Patience:
    """Hold how long a connection waits.

    Attributes:
        request: Seconds for a request, from its first byte or from the start of the connection.
        idle: Seconds between an answer and the next request.
        drain: Bytes of a body that are read and dropped after the answer is sent.
    """

    request: float
    idle: float
    drain: int


class HttpProtocol(HttpToolsProtocol):
    """Serve one connection. Event loop thread only.

    Answers never wait until the client has received earlier ones. A WebSocket begins here and then
    takes over the connection. Any other upgrade is ignored (RFC 9110, section 7.8).
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        seat: Seat,
        patience: Patience,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.app = _Guarded(cast(ASGIApp, self.app))
        self._seat = seat
        self._patience = patience
        self._timer: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._over = False  # incoming data is no longer read
        self._begun = False  # a request has begun and is not complete
        self._in_body = False
        self._serial = 0  # of the request
        self._running: RequestResponseCycle | None = (
            None  # the request being answered, or the last one
        )
        self._fed = 0  # bytes since the head or the body began, as far as slices tell
        self._size = 0  # of the head, or of trailers
        self._count = 0
        self._body = 0
        self._body_mark = 0
        self._rest = b""  # has arrived, and is parsed when earlier requests are answered
        self._refusal: Refusal | None = None  # why the parser was stopped
        self._last_word: Refusal | None = None  # to be sent after all answers that are due
        self._handshake: Request | None = None  # to be answered after all answers that are due

    # Called by the transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request for a limited time."""
        keep_alive(transport.get_extra_info("socket"))
        super().connection_made(transport)
        self.flow = _Flow(transport, self)
        self._seat.end = transport.abort
        self._seat.socket = transport.get_extra_info("socket")
        self._arm(self._patience.request)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back; uvicorn informs the app."""
        self._disarm()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        self._seat.leave()
        self._over, self._rest = True, b""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse incoming data, unless it has to wait."""
        if self._over:
            return
        if self._rest:
            self._rest += data
        else:
            self._feed(bytes(data))  # the Proactor loop of Windows passes its own buffer

    def pause_writing(self) -> None:
        """Wait for a client that does not read, but only briefly for one without a token."""
        super().pause_writing()
        if self._stall is None and not self._seat.has_token:
            self._stall = self.loop.call_later(UNREAD_PATIENCE, self._unread)

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    # Parsing

    def _feed(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            begun, in_body, serial = self._begun, self._in_body, self._serial
            piece = view[: BODY_SLICE if in_body else HEAD_SLICE]
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade as pause:
                view = view[pause.args[0] :]
                if self._asks_for_websocket():
                    self._begun = False
                    self._disarm()
                    self._handshake, self._rest = self._handshake_request(), bytes(view)
                    if self._is_free():
                        self._upgrade()
                    else:
                        self.flow.pause_reading()
                    return
                if not self._decline_upgrade():
                    return
                continue
            except httptools.HttpParserError:
                self._refuse(self._refusal or BAD_REQUEST)
                return
            if self._over:
                return
            view = view[len(piece) :]
            # It is unknown where in the slice a later request began: only its next slices count.
            same = serial == self._serial or (serial + 1 == self._serial and not begun)
            if same and in_body is self._in_body and not self._within_bounds(len(piece)):
                return
            if self.pipeline or self.flow.read_paused:
                self._rest = bytes(view)
                self.flow.pause_reading()
                return

    def go_on(self) -> None:
        """Parse the data that had to wait, then read again."""
        if not self._may_read():
            return
        rest, self._rest = self._rest, b""
        self._feed(rest)
        if self._may_read():
            self.transport.resume_reading()

    def _may_read(self) -> bool:
        return not (self._over or self.flow.read_paused or self.transport.is_closing())

    @property
    def must_wait(self) -> bool:
        """Whether there are parsed requests that are not being answered yet."""
        return bool(self.pipeline) or self._handshake is not None

    @property
    def has_rest(self) -> bool:
        """Whether there is data that has arrived and is not parsed."""
        return bool(self._rest)

    def _within_bounds(self, size: int) -> bool:
        self._fed += size
        if not self._in_body:
            if (
                self._fed > MAX_HEAD + HEAD_SLICE
            ):  # an endless line; complete lines are counted below
                self._refuse(LARGE_HEAD if self.headers else LONG_TARGET)
                return False
        elif self._fed - self._body > FRAMING + FRAMING_RATIO * self._body:
            self._refuse(LARGE_FRAMING)
            return False
        return True

    def _stop_parser(self, refusal: Refusal) -> None:
        self._refusal = refusal
        raise _Stopped

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        # The app can see what part of its answer is still unsent, and cut off a client.
        extensions = {ABORT: self.transport.abort, CONNECTION: self}
        cast(dict[str, Any], self.scope)["extensions"] = extensions
        self._begun, self._in_body = True, False
        self._serial += 1
        self._fed = self._size = self._count = self._body = self._body_mark = 0
        if self._last is not None:  # for the first request, the time began with the connection
            self._arm(self._patience.request)

    def on_url(self, url: bytes) -> None:
        """Add a piece of the request target."""
        super().on_url(url)
        if len(self.url) > MAX_TARGET:
            self._stop_parser(LONG_TARGET)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header; a trailer is checked and dropped (RFC 9110, section 6.5.1)."""
        self._size += len(name) + len(value) + HEADER_COST
        self._count += 1
        if self._size + len(self.url) + REQUEST_LINE > MAX_HEAD or self._count > MAX_HEADERS:
            self._stop_parser(LARGE_HEAD)
        if not self._in_body:
            super().on_header(name, value.rstrip(b" \t"))
        elif name.lower() in FRAMING_FIELDS:
            # The parser would obey it and not read what follows the request.
            self._stop_parser(BAD_TRAILER)

    def on_headers_complete(self) -> None:
        """Check what the parser does not check, and pass the request on."""
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            self._stop_parser(BAD_VERSION)
        if version == "1.0":
            self.expect_100_continue = False  # it knows no interim answers (RFC 9110, 10.1.1)
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._stop_parser(CONNECT)
        codings = self._header(b"transfer-encoding")
        if codings and (version == "1.0" or [one.lower() for one in codings] != [b"chunked"]):
            self._stop_parser(BAD_CODING)
        if not self.url.isascii():
            self._stop_parser(BAD_REQUEST)
        if not self.url.startswith(b"/"):  # the absolute form (RFC 9112, section 3.2.2)
            target = httptools.parse_url(self.url)
            path, query = cast(bytes | None, target.path), cast(bytes | None, target.query)
            self.url = (path or b"/") + (b"" if query is None else b"?" + query)
            self._name_host(target)
        if self.parser.should_upgrade():
            self.scope["method"] = method.decode("ascii")
            lengths = self._header(b"content-length")
            if self._asks_for_websocket() and (codings or any(one.strip(b"0") for one in lengths)):
                self._stop_parser(BODY_IN_HANDSHAKE)
            return  # this is decided when the parser has reached the end of the head
        app = self.app
        if self._seat.is_last() and self.url.partition(b"?")[0] != HEALTH.encode():
            self.app = cast(Any, _refuse_full)
        super().on_headers_complete()
        self.app = app
        self._in_body = True
        self._fed = self._size = self._count = 0
        self._seat.ask(cast(dict[str, Any], self.scope))

    def on_body(self, body: bytes) -> None:
        """Add a piece of the body."""
        self._body += len(body)
        if self.parser.should_upgrade():
            return
        super().on_body(body)
        if self.cycle.response_complete and self._body > self._patience.drain:
            self._linger()

    def on_message_complete(self) -> None:
        """End a request."""
        if self.parser.should_upgrade():
            return
        self._begun = self._in_body = False
        self._fed = 0
        self._disarm()
        super().on_message_complete()
        if self.cycle.response_complete and not self.pipeline:
            self._rest_now()

    def _name_host(self, target: Any) -> None:
        """Replace the Host header with the host of an absolute target, which overrides it.

        A missing or repeated Host header is still an error (RFC 9112, section 3.2).
        """
        if target.host is None or len(self._header(b"host")) != 1:
            return
        cast(dict[str, Any], self.scope)["extensions"][ABSOLUTE] = True
        name = b"[%b]" % target.host if b":" in target.host else target.host
        value = name if target.port is None else b"%b:%d" % (name, target.port)
        self.headers[:] = [(key, value if key == b"host" else old) for key, old in self.headers]

    def _header(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key == name]

    # Upgrades

    def _asks_for_websocket(self) -> bool:
        wanted = [value.lower() for value in self._header(b"upgrade")]
        version = self.parser.get_http_version()
        return wanted == [b"websocket"] and version == "1.1" and self.ws_protocol_class is not None

    def _decline_upgrade(self) -> bool:
        """Parse the head again without the upgrade; return whether that succeeded.

        The parser treats everything after the head as another protocol's data. For a Java client,
        which asks for HTTP/2 in this way with every first request, that data is the body.
        """
        lines = [b" ".join((self.scope["method"].encode(), self.url, b"HTTP/"))]
        lines[0] += self.parser.get_http_version().encode()
        lines += [b": ".join(one) for one in self.headers if one[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        try:
            self.parser.feed_data(b"\r\n".join((*lines, b"", b"")))
        except httptools.HttpParserError:
            self._refuse(self._refusal or BAD_REQUEST)
            return False
        return True

    def _handshake_request(self) -> Request:
        headers = Headers()
        for name, value in self.headers:
            headers[name.decode("ascii")] = value.decode("latin-1")
        return Request(self.url.decode("ascii"), headers, self.scope["method"])

    def _upgrade(self) -> None:
        """Pass the connection to a WebSocket, or answer what is wrong with its handshake."""
        request, self._handshake = self._handshake, None
        assert request is not None
        self._disarm()
        if self._seat.is_last():
            self._say(FULL)
            return
        if not issubclass(self.ws_protocol_class or object, PacketProtocol):
            self._seat.leave()  # it is another implementation, which does not know about places
            super().handle_websocket_upgrade()
            return
        protocol = PacketProtocol(self.config, self.server_state, self.app_state)
        refused = protocol.check(request)
        if refused is not None:
            status, detail, more = refused
            self._say(_bad_handshake(status, detail), more)
            return
        rest, self._rest, self._over = self._rest, b"", True
        self.connections.discard(self)
        protocol.seat = self._seat
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        protocol.begin(request)
        self.flow.resume_reading()
        if rest:
            protocol.data_received(rest)

    # The end of requests and of the connection

    def _is_free(self) -> bool:
        """Return whether every request before this one has been answered."""
        running = self._running
        return running is None or (running.response_complete and not self.pipeline)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    @property
    def _last(self) -> RequestResponseCycle | None:
        """The request that was passed on last."""
        return self.cycle

    def on_response_complete(self) -> None:
        """Begin the next answer, or wait for the next request."""
        super().on_response_complete()
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            self._arm(self._patience.request, self.transport.abort)  # the answer is not being read
        elif self._is_free():
            if self._last_word is not None:
                self._say(self._last_word)
            elif self._handshake is not None:
                self._upgrade()
            elif not self._begun:
                self._rest_now()

    def _rest_now(self) -> None:
        if not self._over:
            self._seat.rest()
            self._arm(self._patience.idle)

    def _refuse(self, refusal: Refusal) -> None:
        """Stop reading; answer earlier requests, then send this refusal."""
        self._over, self._rest = True, b""
        self._disarm()
        cycle = self._last
        if self._begun and self._in_body and not self.parser.should_upgrade() and cycle is not None:
            # The request itself was already passed on.
            if self.pipeline and self.pipeline[0][0] is cycle:
                self.pipeline.popleft()
            elif cycle.response_started:
                self._close()
                return
            else:
                cycle.disconnected = True
                cycle.message_event.set()
                self._say(refusal)
                return
            earlier = True
        else:
            earlier = not self._is_free()
        if earlier:
            self._last_word = refusal
        else:
            self._say(refusal)

    def _say(self, refusal: Refusal, more: tuple[tuple[str, str], ...] = ()) -> None:
        """Send a last answer and close."""
        self._over, self._rest = True, b""
        if not self.transport.is_closing():
            self.transport.write(_answer(refusal, self._path(), more))
            self._linger()

    def _linger(self) -> None:
        """Close when the client has had time to read its answer (RFC 9112, section 9.6).

        Closing a connection with unread data would make the system discard the answer.
        """
        self._over, self._rest = True, b""
        if self.transport.can_write_eof():
            with suppress(OSError):  # the client may have ended the connection by now
                self.transport.write_eof()
        self._seat.wait()
        self.flow.read_paused = False
        self.transport.resume_reading()
        self._arm(LINGER, self.transport.abort)

    def _close(self) -> None:
        self._over = True
        self.transport.close()
        self._arm(LINGER, self.transport.abort)

    def _path(self) -> str:
        return (getattr(self, "url", None) or b"").partition(b"?")[0][:256].decode("latin-1")

    # Time

    def _arm(self, seconds: float, end: Callable[[], None] | None = None) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, end or self._late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            self.transport.abort()
        elif not self._begun:
            self._seat.note("timeout_idle" if self._last is not None else "timeout_silent")
            self._close()
        elif self.flow.read_paused or self._rest:  # the service is not reading
            self._arm(self._patience.request)
        elif self._in_body and self._body - self._body_mark >= SLOWEST * self._patience.request:
            self._body_mark = self._body
            self._arm(self._patience.request)
        else:
            self._seat.note("timeout_body" if self._in_body else "timeout_head")
            self._refuse(LATE)

    def _unread(self) -> None:
        self._stall = None
        if not self._seat.has_token:
            self._seat.note("timeout_unread")
            self.transport.abort()


class _Guarded:
    """Wrap the app, whose answers may come after their connection was lost, or too late.

    uvloop raises an error for a write to a lost connection before uvicorn learns of the loss;
    asyncio drops what is written. When the service stops, uvicorn cancels requests that it no
    longer waits for, such as one that waits for a disk.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle: RequestResponseCycle = cast(Any, send).__self__

        async def guarded(message: Message) -> None:
            try:
                await send(message)
            except RuntimeError:
                if not cycle.transport.is_closing():
                    raise
                cycle.disconnected = True

        try:
            await self._app(scope, receive, guarded)
        except asyncio.CancelledError:
            if cycle.response_started:
                cycle.disconnected = True  # otherwise uvicorn logs that the answer is incomplete
                cycle.transport.abort()
            else:
                await _refuse_stopping(scope, receive, guarded)


class _Flow(FlowControl):
    """Parse data that has already arrived before reading more."""

    def __init__(self, transport: asyncio.Transport, protocol: HttpProtocol) -> None:
        super().__init__(transport)
        self._protocol = protocol

    def resume_reading(self) -> None:
        if not self.read_paused or self._protocol.must_wait:
            return
        if self._protocol.has_rest:
            self.read_paused = False
            self._protocol.loop.call_soon(self._protocol.go_on)
        else:
            super().resume_reading()


class _Stopped(Exception):
    """Stop the parser; the protocol knows why."""


async def _refuse_stopping(scope: Scope, receive: Receive, send: Send) -> None:
    problem = problem_of(ServiceStopping(), scope["path"])
    await response(problem, {**HEADERS, "connection": "close"})(scope, receive, send)


async def _refuse_full(scope: Scope, receive: Receive, send: Send) -> None:
    answer = response(problem_of(FULL, scope["path"]), {**HEADERS, "connection": "close"})
    await answer(scope, receive, send)


def _bad_handshake(status: int, detail: str) -> Refusal:
    return Refusal(
        Kind.BAD_HANDSHAKE,
        detail,
        status=status,
    )


def _answer(refusal: Refusal, path: str, more: tuple[tuple[str, str], ...]) -> bytes:
    """Return a complete HTTP response with the problem document."""
    body = json.dumps(problem_of(refusal, path), separators=(",", ":")).encode()
    headers = {
        **HEADERS,
        "content-security-policy": API_POLICY,
        "cache-control": "no-store",
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        "connection": "close",
        **dict(more),
    }
    phrase = HTTPStatus(refusal.status).phrase
    lines = [f"HTTP/1.1 {refusal.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body
