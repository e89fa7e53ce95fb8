"""Two hosts that reach each other through a link which the test owns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar

from wintun_api.packet import build
from wintun_api.testing.adapter import TunAdapter
from wintun_api.testing.link import OTHER, PATIENCE, Crossing, Delivery, Side, TunLink, check_side
from wintun_api.testing.service import TunService

if TYPE_CHECKING:
    from wintun_api.client import AsyncAdapterHandle, SessionHandle

T = TypeVar("T")

PINGS: Final = 0x7475  # the identifier of the pings of `TunPair.ping`
_SEQUENCE: Final = count(1)


@dataclass(frozen=True, slots=True)
class TunPair:
    """Two adapters, their running sessions, and the link between their hosts.

    The fixture `tun_pair` gives it. Each host has a route to the subnet of the other one, so it
    reaches the other host's address.

    Attributes:
        left: The adapter of one host.
        right: The adapter of the other host.
        left_session: The session of the left adapter. The link reads its packets; other streams
            of it get them as well.
        right_session: The session of the right adapter.
        link: The link.
    """

    left: TunAdapter
    right: TunAdapter
    left_session: SessionHandle
    right_session: SessionHandle
    link: TunLink

    def adapter(self, side: Side) -> TunAdapter:
        """Return the adapter of a side.

        Raises:
            ValueError: There is no such side.
        """
        check_side(side)
        return self.left if side == "left" else self.right

    def ping(self, source: Side = "left", *, data: bytes = b"", timeout: float = PATIENCE) -> float:
        """Send a ping across the link as one host would; return how long the reply took.

        The other host answers it. The result is in seconds, from when the request was put on the
        link until the link has forwarded the reply, so delays of the rule count.

        Args:
            source: The side that sends it.
            data: What it carries.
            timeout: The seconds to wait for the reply.

        Raises:
            TimeoutError: The link has not forwarded a reply in time.
        """
        near = self.adapter(source)
        far = self.adapter(OTHER[source])
        sequence = next(_SEQUENCE) & 0xFFFF

        def echo(one: TunAdapter, to: TunAdapter, *, reply: bool) -> bytes:
            return build.icmp_echo(
                one.host, to.host, identifier=PINGS, sequence=sequence, data=data, reply=reply
            )

        request, reply = echo(near, far, reply=False), echo(far, near, reply=True)
        sent = self.link.put(request, source)

        def answers(delivery: Delivery) -> bool:
            return (
                delivery.destination == source
                and delivery.time_ns >= sent.time_ns
                # Behind the header: the host chooses the identification and the time to live.
                and delivery.packet[20:] == reply[20:]
            )

        return (self._delivery(answers, timeout).time_ns - sent.time_ns) / 1e9

    def _delivery(self, wanted: Callable[[Delivery], object], timeout: float) -> Delivery:
        """Return the first packet that reached a host for which a function is true."""
        return self.link.wait_for_delivery(wanted, timeout)

    @asynccontextmanager
    async def asynchronous(self) -> AsyncIterator[AsyncTunPair]:
        """Give this pair for the running event loop."""
        async with self.left.asynchronous() as left, self.right.asynchronous() as right:
            yield AsyncTunPair(left, right, self)


@dataclass(frozen=True, slots=True)
class AsyncTunPair:
    """A pair for an event loop: what waits is a coroutine. `TunPair.asynchronous` gives it.

    Attributes:
        left: The handle of the left adapter.
        right: The handle of the right adapter.
        pair: The pair, whose addresses and link are the same. Its methods block the loop.
    """

    left: AsyncAdapterHandle
    right: AsyncAdapterHandle
    pair: TunPair

    @property
    def link(self) -> TunLink:
        """The link."""
        return self.pair.link

    async def wait_for(
        self,
        wanted: Callable[[Crossing], object],
        timeout: float = PATIENCE,  # noqa: ASYNC109 - as in TunPair
    ) -> Crossing:
        """Return the first recorded crossing for which a function is true, or wait for one.

        Raises:
            TimeoutError: None came in time.
        """
        return await in_a_thread(lambda: self.link.wait_for(wanted, timeout))

    async def ping(
        self,
        source: Side = "left",
        *,
        data: bytes = b"",
        timeout: float = PATIENCE,  # noqa: ASYNC109
    ) -> float:
        """Send a ping across the link, as `TunPair.ping` does."""
        return await in_a_thread(lambda: self.pair.ping(source, data=data, timeout=timeout))


async def in_a_thread(work: Callable[[], T]) -> T:
    """Do what waits in another thread, so that the event loop does not."""
    import anyio.to_thread  # tests without an event loop do without it

    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)


@contextmanager
def make_pair(left: TunService, right: TunService, **settings: Any) -> Iterator[TunPair]:
    """Give two adapters, of one service or of two, with a link between them.

    Args:
        left: The service of the left adapter.
        right: The service of the right adapter.
        settings: Further settings of both adapters.
    """
    link = TunLink()
    with ExitStack() as adapters, ExitStack() as streams:
        one = adapters.enter_context(left.adapter(**settings))
        other = adapters.enter_context(right.adapter(**settings))
        if left is not right:  # one emulated machine needs no routes to itself
            one.handle.update(routes=one.routes_to(other))
            other.handle.update(routes=other.routes_to(one))
        with ExitStack() as sessions:
            first = sessions.enter_context(one.session())
            second = sessions.enter_context(other.session())
            link.begin(
                streams.enter_context(first.packets(direction="received")),
                streams.enter_context(second.packets(direction="received")),
            )
            try:
                yield TunPair(one, other, first, second, link)
            finally:
                link.close()
        link.join()  # the streams have ended with their sessions
    link.check()
