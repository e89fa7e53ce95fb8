"""One connection with a server, from its beginning to its end: nats-py, and what it leaves open."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, Protocol, TypeVar, cast

from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from wintun_api.errors import InvalidArgument
from wintun_api.fleet.bus.nats.line import Line
from wintun_api.fleet.bus.nats.parsing import Parsing
from wintun_api.fleet.keys.identity import Identity
from wintun_api.fleet.keys.rights import inbox
from wintun_api.fleet.problems import BusDenied, BusUnavailable, KeyRefused, NobodyAnswers

logger = logging.getLogger(__name__)

T = TypeVar("T")
Headers = Mapping[str, str]

CONNECT_PATIENCE: Final = 5  # seconds for each step
PING_INTERVAL: Final = 5  # seconds
PINGS_UNANSWERED: Final = 2  # the next one ends the connection
FOREVER: Final = 1 << 30  # seconds, where something else ends the wait
CLOSE_PATIENCE: Final = 2.0

NO_CONNECTION: Final = "There is no connection with the bus."

# For a certificate that is not trusted: where a key line names whom to trust, and where none does.
_NEW_LINE: Final = "Make a new key line where the bus is: it brings the certificate along."
_AUTHORITY: Final = (
    "It is checked with the authorities that this system trusts. If another one has signed it, put "
    "the path of a file with the certificate of that authority into the variable SSL_CERT_FILE."
)
_OTHER_NAME: Final = (
    "Name the server in the URL by a name or an address that the certificate has. A wintun-api bus "
    "gets a certificate for another name with --hostname."
)
_OTHER_TIME: Final = (
    "Look whether the clocks of this machine and of the server are right; if they are, the server "
    "needs a new certificate."
)
# By X509_V_ERR_* of OpenSSL: not yet valid, expired, another name, another address.
_CERTIFICATES: Final = {9: _OTHER_TIME, 10: _OTHER_TIME, 62: _OTHER_NAME, 64: _OTHER_NAME}

_BAD_SUBJECT: Final = re.compile(r"^$|[\s\x00]")
_DENIED: Final = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"')


class Reader(Protocol):
    """What takes the messages of one subject."""

    def came(self, subject: str, data: bytes, reply: str, headers: Headers | None) -> None:
        """Take a message. An empty mapping is a header that cannot be read."""


class Connection:
    """A connection. It does not come back after its end.

    Attributes:
        url: The server.
        line: Its socket; `line.ended` tells the end.
    """

    def __init__(
        self,
        url: str,
        *,
        pending: int,
        drained: Callable[[], None],
        denied: Callable[[str, str], None],
    ) -> None:
        self.url = url
        self.line = Line(
            must_encrypt=url.startswith("tls://"), high_water=pending // 4, drained=drained
        )
        self._client = _Client(self.line)
        self._denied = denied
        self._waiting: dict[str, set[asyncio.Future[Any]]] = {}
        self._refused: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._errors: list[Exception] = []

    async def open(
        self, identity: Identity, context: ssl.SSLContext, name: str, *, of_system: bool
    ) -> None:
        """Connect.

        Args:
            identity: Who this host is.
            context: What the certificate of the server is checked with.
            name: What the server calls this connection.
            of_system: Whether these are the authorities of the system; an error says so.

        Raises:
            KeyRefused: The server does not know the key.
            BusUnavailable: It does not answer, or its certificate is another one.
        """
        try:
            await self._client.connect(
                [self.url],
                name=name,
                error_cb=self._failed,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=CONNECT_PATIENCE,
                ping_interval=PING_INTERVAL,
                max_outstanding_pings=PINGS_UNANSWERED,
                nkeys_seed_str=identity.seed.decode(),
                inbox_prefix=inbox(identity.host),
                tls=context,
                no_echo=True,
                pending_size=0,  # never wait when publishing: the bus has its own bound
            )
        except Exception as error:  # noqa: BLE001 - whatever a strange server causes in nats-py
            causes = [*self._errors, error]
            await self.close("It could not be opened.")
            raise _refusal(self.url, causes, of_system=of_system) from None
        except BaseException:
            await self.close("It could not be opened.")
            raise

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return not self.line.ended.done()

    @property
    def reason(self) -> str:
        """Why it has ended, in a sentence."""
        said = self._client.said
        if _is_about_the_key(said):
            return "The server does not know this host's key any more."
        if said:
            return f"The server has ended the connection: {said}."
        last = self._client.last_error
        if isinstance(last, errors.StaleConnectionError) and not isinstance(
            last, errors.UnexpectedEOF
        ):
            return "The server does not answer."
        return self.line.ended.result() if self.line.ended.done() else "It has not ended."

    @property
    def version(self) -> str:
        """The version that the server has told."""
        told = self._client.connected_server_version
        return f"{told.major}.{told.minor}.{told.patch}"

    @property
    def unsent(self) -> int:
        """The bytes that the system has not taken yet."""
        return self._client.pending_data_size + self.line.unsent

    async def publish(self, subject: str, data: bytes) -> bool:
        """Send a message; return False if the connection has ended.

        Raises:
            InvalidArgument: It is larger than the server takes.
        """
        if self._client.write_at_once(subject, data):
            return True
        try:
            await self._client.publish(subject, data)
        except (errors.MaxPayloadError, errors.BadSubjectError) as error:
            raise self._invalid(error, subject) from None
        except (errors.ConnectionClosedError, errors.OutboundBufferLimitError):
            return False
        return True

    async def subscribe(self, subject: str, reader: Reader) -> Subscription:
        """Have the messages of a subject given to a reader.

        Raises:
            BusDenied: This host may not read it.
            BusUnavailable: The connection has ended.
        """
        self._refused.discard(subject.lower())
        try:
            subscription = await self._client.subscribe(subject, cb=partial(_give, reader))
        except errors.BadSubjectError as error:
            raise self._invalid(error, subject) from None
        except errors.Error:
            raise BusUnavailable(NO_CONNECTION) from None
        await self.flush()  # the server says before its answer that it refuses a subject
        if subject.lower() in self._refused:
            await self.unsubscribe(subscription)
            raise _denial(subject)
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """Have no more messages given; nothing happens if it has ended."""
        with suppress(errors.Error):
            await subscription.unsubscribe()

    async def flush(self) -> None:
        """Wait until the server has answered to everything that was sent before.

        Raises:
            BusUnavailable: The connection ended first.
        """
        # It is not cancelled: an answer to a question that was given up ends nats-py's reading.
        try:
            await self._until_end(self._run(self._client.flush(timeout=FOREVER)))
        except errors.Error:  # nats-py may know of the end before its line does
            raise BusUnavailable(NO_CONNECTION) from None
        if not self.alive:
            raise BusUnavailable(NO_CONNECTION)

    async def request(
        self, subject: str, data: bytes, *, patience: float, headers: dict[str, str] | None = None
    ) -> Msg:
        """Ask, and return the answer.

        Raises:
            NobodyAnswers: Nothing listens there, or nothing came in time.
            BusDenied: This host may not ask there.
            BusUnavailable: The connection has ended.
        """
        asking = self._run(self._client.request(subject, data, timeout=patience, headers=headers))
        waiting = self._waiting.setdefault(subject.lower(), set())
        waiting.add(asking)
        try:
            return await self._until_end(asking)
        except errors.NoRespondersError:
            raise NobodyAnswers(f"Nothing listens at {subject}.", subject=subject) from None
        except errors.TimeoutError:
            raise NobodyAnswers(
                f"No answer came from {subject} in {patience:g} seconds.", subject=subject
            ) from None
        except (errors.MaxPayloadError, errors.BadSubjectError) as error:
            raise self._invalid(error, subject) from None
        except errors.Error:
            raise BusUnavailable(NO_CONNECTION) from None
        except asyncio.CancelledError:
            if asking.cancelled() and subject.lower() in self._refused:
                raise _denial(subject) from None
            raise
        finally:
            asking.cancel()
            waiting.discard(asking)
            if not waiting:
                self._waiting.pop(subject.lower(), None)

    def new_inbox(self) -> str:
        """Return a subject of one's own."""
        return self._client.new_inbox()

    async def close(self, reason: str) -> None:
        """End the connection now; what is unsent is lost. Idempotent."""
        self.line.end(reason)
        for task in tuple(self._tasks):
            task.cancel()
        with suppress(OSError, errors.Error, TimeoutError):
            async with asyncio.timeout(CLOSE_PATIENCE):
                await self._client.close()
                await asyncio.sleep(0)  # in which its tasks end

    def _run(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work, name="bus")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # the one who waited has it

    async def _until_end(self, task: asyncio.Task[T]) -> T:
        """Return what a task returns, unless the connection ends first."""
        ended = self.line.ended
        await asyncio.wait((task, ended), return_when=asyncio.FIRST_COMPLETED)
        # `close` cancels what still waits, which must not look as if its caller were cancelled.
        if task.done() and not (task.cancelled() and ended.done()):
            return task.result()
        raise BusUnavailable("The connection with the bus has ended.")

    def _invalid(self, error: errors.Error, subject: str) -> InvalidArgument:
        if isinstance(error, errors.BadSubjectError):
            return InvalidArgument("subject", f"{subject!r} is not a subject of the bus.")
        most = self._client.max_payload
        return InvalidArgument("data", f"The server takes messages of at most {most} bytes.")

    async def _failed(self, error: Exception) -> None:
        found = _DENIED.search(str(error))
        if found is None:
            self._errors = [*self._errors[-7:], error]
            return
        what, subject = found.groups()
        self._refused = {subject} if len(self._refused) > 256 else self._refused | {subject}
        waiting = self._waiting.get(subject, ())
        for asking in waiting:  # who asks is told by an error
            asking.cancel()
        if not waiting:
            self._denied(f"{what} to", subject)


class _Client(Client):
    """nats-py, but readers get their messages at once, not through a queue and a task each.

    It costs half of the time, and the queue drops what does not fit without counting its bytes. If
    another version of nats-py does not call this, `_give` does the same through the queue.

    What other hosts send cannot end the reading: nats-py would end it, and say nothing, where a
    subject or a header is not UTF-8.

    Attributes:
        said: The last error of the server that is not about one subject.
    """

    def __init__(self, line: Line) -> None:
        super().__init__()
        self.said = ""
        self._transport = line  # there is no parameter for it
        self._line = line
        self._ps = Parsing(self)

    def write_at_once(self, subject: str, data: bytes) -> bool:
        """Write a message where nothing waits; return whether that was so.

        nats-py has a task that writes, and each turn of it costs as much as the message.
        """
        at_once = (
            self.is_connected
            and not self._pending_data_size
            and not self._line.unsent
            and len(data) <= self.max_payload
            and not _BAD_SUBJECT.search(subject)
        )
        if at_once:
            self._line.writelines([f"PUB {subject} {len(data)}\r\n".encode(), data, b"\r\n"])
        return at_once

    async def _read_loop(self) -> None:
        try:
            await super()._read_loop()
        finally:
            self._line.end("The server has sent what cannot be read.")

    async def _process_err(self, err_msg: str) -> None:
        if not _DENIED.search(err_msg):
            self.said = err_msg.strip("'")
        await super()._process_err(err_msg)

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None
    ) -> None:
        subscription = self._subs.get(sid)
        give = None if subscription is None else subscription._cb  # noqa: SLF001
        if isinstance(give, partial):
            told = None if headers is None else await self._understood(headers)
            give.args[0].came(_text(subject), data, _text(reply), told)
        else:
            try:
                await super()._process_msg(sid, subject, reply, data, cast("bytes", headers))
            except Exception as error:  # noqa: BLE001 - as if it had not come
                logger.warning("An answer could not be read: %s", error)

    async def _understood(self, headers: bytes) -> Headers:
        """Return what headers say; nothing if they cannot be read."""
        try:
            return await self._process_headers(headers) or {}
        except Exception:  # noqa: BLE001 - whatever is wrong with them
            return {}


def _text(subject: bytes) -> str:
    return subject.decode("utf-8", "backslashreplace")


async def _give(reader: Reader, message: Msg) -> None:
    reader.came(message.subject, message.data, message.reply, message.headers)


def _denial(subject: str) -> BusDenied:
    return BusDenied(
        f"The server does not allow {subject} to this host.",
        subject=subject,
        hint="Ask who operates the bus for a key with this right.",
    )


def _is_about_the_key(said: str) -> bool:
    return "authorization violation" in said.lower() or "authentication" in said.lower()


def _refusal(url: str, causes: list[Exception], *, of_system: bool) -> BusUnavailable | KeyRefused:
    """Return what to raise for what nats-py says when it cannot connect."""
    for one in causes:
        if _is_about_the_key(str(one)):
            return KeyRefused(
                f"The server {url} does not know this host's key, or it was withdrawn.",
                hint="Make a new one with wintun-api join keys where the bus is.",
            )
        if isinstance(one, ssl.SSLCertVerificationError):
            return BusUnavailable(
                f"The certificate of {url} cannot be trusted: {one.verify_message.rstrip('.')}.",
                hint=_CERTIFICATES.get(one.verify_code, _AUTHORITY if of_system else _NEW_LINE),
            )
    told = [str(one) for one in causes if isinstance(one, OSError) and str(one)]
    said = told[0] if told else (str(causes[0]) or "it does not answer in time")
    return BusUnavailable(
        f"The server {url} cannot be reached: {said}.",
        hint="Look whether wintun-api bus runs there, and whether a firewall is in between.",
    )
