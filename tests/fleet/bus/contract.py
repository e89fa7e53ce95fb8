"""What every bus promises: `Contract` runs over the one in memory and over a real NATS server.

A ground has three hosts that may do everything, and BOUND, which has the rights of a host.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final, Protocol

import pytest

from wintun_api.errors import InvalidArgument
from wintun_api.fleet.bus.seam import Bus, Change, Entry, Message
from wintun_api.fleet.network import Network
from wintun_api.fleet.problems import BusDenied, BusUnavailable, KeyTaken, NobodyAnswers

LAB: Final = Network("lab")
A, B, C = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"
BOUND: Final = "dddddddddddd"
BOUND_PUBLISH: Final = (
    LAB.packets("*", BOUND),
    f"$KV.{LAB.routes}.{BOUND}.*",
)
BOUND_SUBSCRIBE: Final = (LAB.packets(BOUND, "*"),)
HOST_TTL: Final = 1.0  # seconds; the shortest that a server takes is a tenth of it
LIMIT: Final = 1 << 20
PENDING: Final = 1 << 18
A_WHILE: Final = 0.05  # seconds
PATIENCE: Final = 30.0  # seconds; only a failure takes so long


class Ground(Protocol):
    """A server, and what can happen to it."""

    async def connect(self, host: str) -> Bus:
        """Return a new connection of a host, whose bound is PENDING."""

    async def cut(self, host: str) -> None:
        """End the connections of a host, and refuse new ones."""

    async def mend(self, host: str) -> None:
        """Let a host connect again."""

    async def kill(self) -> None:
        """End the server at once."""

    async def restart(self) -> None:
        """Start it again."""

    async def stall(self, bus: Bus) -> None:
        """Let the server read nothing."""

    async def flow(self, bus: Bus) -> None:
        """Let the server read again."""


async def not_soon(future: asyncio.Future[Any]) -> None:
    """Look whether something is still awaited a while later."""
    done, _ = await asyncio.wait((future,), timeout=A_WHILE)
    assert not done


class Taken:
    """What was taken, and a way to wait for it."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.entries: list[Entry] = []
        self.changes: list[tuple[Change, str]] = []
        self._more = asyncio.Event()

    def message(self, message: Message) -> None:
        self.messages.append(message)
        self._more.set()

    def entry(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._more.set()

    def change(self, change: Change, text: str) -> None:
        self.changes.append((change, text))
        self._more.set()

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds of it."""
        async with asyncio.timeout(PATIENCE):
            while not holds():
                self._more.clear()
                await self._more.wait()

    async def more(self) -> None:
        """Wait a while for more."""
        self._more.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._more.wait(), A_WHILE)

    @property
    def data(self) -> list[bytes]:
        return [one.data for one in self.messages]

    @property
    def kinds(self) -> list[Change]:
        return [change for change, _ in self.changes]

    @property
    def values(self) -> list[tuple[str, bytes | None]]:
        return [(one.key, one.value) for one in self.entries]


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test to its end."""

    async def bounded() -> None:
        async with asyncio.timeout(2 * PATIENCE):
            await work

    asyncio.run(bounded())


class Contract:
    """The tests; a subclass says on what ground."""

    @pytest.fixture
    def ground(self) -> Callable[[], AbstractAsyncContextManager[Ground]]:
        raise NotImplementedError

    # Messages

    def test_a_message_reaches_those_who_read_its_subject(self, ground: Any) -> None:
        """A message is taken with its subject and its bytes, also by a pattern."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                taken = Taken()
                await b.subscribe(LAB.packets(B, "*"), taken.message, limit_bytes=LIMIT)
                assert await a.publish(LAB.packets(C, A), b"for another")
                assert await a.publish(LAB.packets(B, A), b"\x00\r\n\xff")
                await taken.until(lambda: taken.messages)
                assert taken.messages == [Message(LAB.packets(B, A), b"\x00\r\n\xff")]
                assert taken.messages[0].plain

        run(work())

    def test_messages_keep_their_order(self, ground: Any) -> None:
        """Messages of one sender come in the order in which it has sent them."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                taken = Taken()
                await b.subscribe(LAB.packets(B, "*"), taken.message, limit_bytes=LIMIT)
                sent = [str(number).encode() for number in range(2000)]
                for data in sent:
                    while not await a.publish(LAB.packets(B, A), data):
                        await a.room()
                await taken.until(lambda: len(taken.messages) == len(sent))
                assert taken.data == sent

        run(work())

    def test_a_large_message_comes_whole(self, ground: Any) -> None:
        """A message of 128 KiB is taken as it was sent."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                taken = Taken()
                await b.subscribe(LAB.packets(B, "*"), taken.message, limit_bytes=LIMIT)
                data = bytes(range(256)) * 512
                assert await a.publish(LAB.packets(B, A), data)
                await taken.until(lambda: taken.messages)
                assert taken.data == [data]

        run(work())

    def test_nothing_comes_back_to_its_sender(self, ground: Any) -> None:
        """What a connection publishes is taken by others only."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                at_a, at_b = Taken(), Taken()
                await a.subscribe(LAB.group_packets("*"), at_a.message, limit_bytes=LIMIT)
                await b.subscribe(LAB.group_packets("*"), at_b.message, limit_bytes=LIMIT)
                await a.publish(LAB.group_packets(A), b"of a")
                await at_b.until(lambda: at_b.messages)
                await b.publish(LAB.group_packets(B), b"of b")
                await at_a.until(lambda: at_a.messages)
                assert (at_a.data, at_b.data) == ([b"of b"], [b"of a"])

        run(work())

    def test_a_closed_subscription_takes_no_more(self, ground: Any) -> None:
        """After the end of a subscription nothing is taken, and others are."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                taken, others = Taken(), Taken()
                mine = await b.subscribe(LAB.events("*"), taken.message, limit_bytes=LIMIT)
                await b.subscribe(LAB.events("*"), others.message, limit_bytes=LIMIT)
                await mine.aclose()
                await mine.aclose()
                await a.publish(LAB.events(A), b"one")
                await others.until(lambda: others.messages)
                assert taken.messages == []

        run(work())

    def test_a_paused_subscription_counts_what_it_drops(self, ground: Any) -> None:
        """While it is paused messages wait up to its bound; the rest is counted exactly."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                taken, last = Taken(), Taken()
                paused = await b.subscribe(LAB.packets(B, A), taken.message, limit_bytes=4096)
                await b.subscribe(LAB.events(A), last.message, limit_bytes=LIMIT)
                paused.pause()
                for number in range(10):
                    await a.publish(LAB.packets(B, A), bytes([number]) * 1000)
                await a.publish(LAB.events(A), b"last")
                await last.until(lambda: last.messages)
                assert (paused.waiting_bytes, taken.messages) == (4000, [])
                assert (paused.dropped_messages, paused.dropped_bytes) == (6, 6000)
                paused.resume()
                assert [one[0] for one in taken.data] == [0, 1, 2, 3]
                await a.publish(LAB.packets(B, A), b"after")
                await taken.until(lambda: len(taken.messages) == 5)
                assert (paused.waiting_bytes, paused.dropped_messages) == (0, 6)

        run(work())

    def test_one_who_fails_does_not_end_the_connection(
        self, ground: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What a callback raises is logged, and the next message is taken."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                taken = Taken()

                def take(message: Message) -> None:
                    taken.message(message)
                    if message.data == b"bad":
                        raise ValueError("bad")

                await b.subscribe(LAB.events(A), take, limit_bytes=LIMIT)
                await a.publish(LAB.events(A), b"bad")
                await a.publish(LAB.events(A), b"good")
                await taken.until(lambda: len(taken.messages) == 2)

        run(work())
        assert "could not be taken" in caplog.text

    # What is not sent

    def test_nothing_is_sent_beyond_the_bound(self, ground: Any) -> None:
        """Where the server does not read, `publish` refuses; what it accepted arrives later."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                taken = Taken()
                await b.subscribe(LAB.packets(B, A), taken.message, limit_bytes=1 << 30)
                await g.stall(a)
                accepted = 0
                while await a.publish(LAB.packets(B, A), accepted.to_bytes(4) * 8192):
                    accepted += 1
                    assert a.unsent <= PENDING
                    await asyncio.sleep(0)
                assert not await a.publish(LAB.packets(B, A), bytes(PENDING // 2))
                with pytest.raises(InvalidArgument):
                    await a.publish(LAB.packets(B, A), bytes(PENDING // 2 + 1))
                waiting = asyncio.ensure_future(a.room())
                await not_soon(waiting)
                await g.flow(a)
                await waiting
                assert a.unsent <= PENDING // 2
                assert await a.publish(LAB.packets(B, A), accepted.to_bytes(4) * (PENDING // 8))
                accepted += 1
                await taken.until(lambda: len(taken.messages) == accepted)
                assert [int.from_bytes(one[:4]) for one in taken.data] == list(range(accepted))

        run(work())

    def test_the_last_messages_are_sent_before_the_end(self, ground: Any) -> None:
        """What was accepted before a connection is closed arrives."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                taken = Taken()
                await b.subscribe(LAB.events(A), taken.message, limit_bytes=LIMIT)
                for _ in range(50):
                    assert await a.publish(LAB.events(A), bytes(1000))
                await a.aclose()
                await a.aclose()
                assert not a.connected
                await a.room()
                await taken.until(lambda: len(taken.messages) == 50)

        run(work())

    # Requests

    def test_a_request_is_answered(self, ground: Any) -> None:
        """A request has a reply of its sender's own inbox, and what is published there is it."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                asked = Taken()
                await b.subscribe(LAB.requests(B), asked.message, limit_bytes=LIMIT)
                answer = asyncio.ensure_future(a.request(LAB.requests(B), b"?", patience=PATIENCE))
                await asked.until(lambda: asked.messages)
                [request] = asked.messages
                assert request.reply.startswith("_INBOX_")
                assert not request.plain
                await b.publish(request.reply, b"!")
                assert await answer == b"!"

        run(work())

    def test_a_request_that_nobody_reads(self, ground: Any) -> None:
        """Where nobody listens, a request fails at once."""

        async def work() -> None:
            async with ground() as g:
                a = await g.connect(A)
                with pytest.raises(NobodyAnswers) as caught:
                    await a.request(LAB.requests(B), b"?", patience=10 * PATIENCE)
                assert caught.value.subject == LAB.requests(B)

        run(work())

    def test_a_request_that_is_not_answered(self, ground: Any) -> None:
        """Where the one who listens is silent, a request fails after its patience."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                await b.subscribe(LAB.requests(B), lambda _: None, limit_bytes=LIMIT)
                with pytest.raises(NobodyAnswers):
                    await a.request(LAB.requests(B), b"?", patience=0.05)

        run(work())

    # Rights

    def test_a_subject_that_a_host_may_not_use(self, ground: Any) -> None:
        """Publishing in another's name reaches nobody, and the host is told what subject it was."""

        async def work() -> None:
            async with ground() as g:
                bound, b = await g.connect(BOUND), await g.connect(B)
                told, taken = Taken(), Taken()
                bound.notify(told.change)
                await b.subscribe(LAB.packets(B, "*"), taken.message, limit_bytes=LIMIT)
                assert await bound.publish(LAB.packets(B, A), b"forged")
                assert await bound.publish(LAB.packets(B, BOUND), b"own")
                await told.until(lambda: told.changes)
                await taken.until(lambda: taken.messages)
                assert taken.data == [b"own"]
                [(change, text)] = told.changes
                assert change is Change.DENIED
                assert LAB.packets(B, A) in text

        run(work())

    def test_what_a_host_may_not_read(self, ground: Any) -> None:
        """A subscription to another's packets is refused, one to one's own is not."""

        async def work() -> None:
            async with ground() as g:
                bound = await g.connect(BOUND)
                with pytest.raises(BusDenied) as caught:
                    await bound.subscribe(LAB.packets(B, "*"), print, limit_bytes=LIMIT)
                assert caught.value.subject == LAB.packets(B, "*")
                await bound.subscribe(LAB.packets(BOUND, "*"), print, limit_bytes=LIMIT)

        run(work())

    def test_a_request_and_a_key_that_are_denied(self, ground: Any) -> None:
        """Requests and keys of others are refused as such, not after a long wait."""

        async def work() -> None:
            async with ground() as g:
                bound = await g.connect(BOUND)
                with pytest.raises(BusDenied):
                    await bound.request(LAB.requests(B), b"?", patience=10 * PATIENCE)
                routes = await bound.bucket(LAB.routes)
                assert await routes.create(f"{BOUND}.10-0-0-1_32", b"mine")
                for refused in (routes.create, routes.put):
                    with pytest.raises(BusDenied) as caught:
                        await refused(f"{A}.10-0-0-1_32", b"not mine")
                    assert caught.value.subject == f"$KV.{LAB.routes}.{A}.10-0-0-1_32"
                with pytest.raises(BusDenied):
                    await routes.delete(f"{A}.10-0-0-1_32")

        run(work())

    # Interruptions

    def test_a_server_that_is_killed_and_comes_back(self, ground: Any) -> None:
        """Subscriptions go on after an interruption; meanwhile nothing is accepted."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                taken, at_a, at_b = Taken(), Taken(), Taken()
                a.notify(at_a.change)
                b.notify(at_b.change)
                await b.subscribe(LAB.packets(B, "*"), taken.message, limit_bytes=LIMIT)
                await g.kill()
                await at_a.until(lambda: Change.DISCONNECTED in at_a.kinds)
                await at_b.until(lambda: Change.DISCONNECTED in at_b.kinds)
                assert not a.connected
                assert not await a.publish(LAB.packets(B, A), b"lost")
                with pytest.raises(BusUnavailable):
                    await a.request(LAB.requests(B), b"?", patience=PATIENCE)
                with pytest.raises(BusUnavailable):
                    await a.flush()
                room = asyncio.ensure_future(a.room())
                await not_soon(room)
                await g.restart()
                await at_a.until(lambda: Change.CONNECTED in at_a.kinds)
                await at_b.until(lambda: Change.CONNECTED in at_b.kinds)
                await room
                assert await a.publish(LAB.packets(B, A), b"after")
                await taken.until(lambda: taken.messages)
                assert taken.data == [b"after"]
                assert at_a.kinds == at_b.kinds == [Change.DISCONNECTED, Change.CONNECTED]

        run(work())

    def test_a_request_when_the_server_is_killed(self, ground: Any) -> None:
        """A request that waits for its answer fails when the connection ends."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                asked = Taken()
                await b.subscribe(LAB.requests(B), asked.message, limit_bytes=LIMIT)
                answer = asyncio.ensure_future(
                    a.request(LAB.requests(B), b"?", patience=10 * PATIENCE)
                )
                await asked.until(lambda: asked.messages)
                await g.kill()
                with pytest.raises(BusUnavailable):
                    await answer

        run(work())

    def test_a_subscription_made_without_a_connection(self, ground: Any) -> None:
        """It takes messages as soon as there is a connection again."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                taken, at_a, at_b = Taken(), Taken(), Taken()
                a.notify(at_a.change)
                b.notify(at_b.change)
                await g.kill()
                await at_b.until(lambda: Change.DISCONNECTED in at_b.kinds)
                await b.subscribe(LAB.packets(B, "*"), taken.message, limit_bytes=LIMIT)
                await g.restart()
                await at_a.until(lambda: Change.CONNECTED in at_a.kinds)
                await at_b.until(lambda: Change.CONNECTED in at_b.kinds)
                await a.publish(LAB.packets(B, A), b"after")
                await taken.until(lambda: taken.messages)

        run(work())

    # Buckets

    def test_a_key_is_created_once(self, ground: Any) -> None:
        """Of all who create a key at the same time one does; it can be created when deleted."""

        async def work() -> None:
            async with ground() as g:
                hosts = [await g.connect(one) for one in (A, B, C)]
                buckets = [await one.bucket(LAB.routes) for one in hosts]
                done = await asyncio.gather(
                    *(one.create("key", b"value") for one in buckets), return_exceptions=True
                )
                [first] = [one for one in done if isinstance(one, int)]
                assert len([one for one in done if isinstance(one, KeyTaken)]) == 2
                await buckets[0].delete("key")
                await buckets[0].delete("never-there")
                assert await buckets[1].create("key", b"again") > first

        run(work())

    def test_a_watch_takes_what_is_there_and_what_changes(self, ground: Any) -> None:
        """Every key is taken, in the order of revisions, then each change with its revision."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                mine, theirs = await a.bucket(LAB.routes), await b.bucket(LAB.routes)
                revisions = [await mine.create(f"{A}.one", b"1"), await mine.put(f"{B}.two", b"2")]
                taken = Taken()
                watch = await theirs.watch(taken.entry)
                await watch.caught_up()
                assert taken.values == [(f"{A}.one", b"1"), (f"{B}.two", b"2")]
                revisions.append(await mine.put(f"{A}.one", b"3"))
                await mine.delete(f"{B}.two")
                await taken.until(lambda: len(taken.entries) == 4)
                assert taken.values[2:] == [(f"{A}.one", b"3"), (f"{B}.two", None)]
                found = [one.revision for one in taken.entries]
                assert found[:3] == revisions
                assert found == sorted(set(found))
                await watch.aclose()
                await watch.aclose()
                await mine.put(f"{A}.one", b"4")
                await b.flush()
                assert len(taken.entries) == 4

        run(work())

    def test_a_watch_of_an_empty_bucket(self, ground: Any) -> None:
        """Where no key is there, a watch has caught up at once, also where keys were deleted."""

        async def work() -> None:
            async with ground() as g:
                a = await g.connect(A)
                routes = await a.bucket(LAB.routes)
                await routes.put("deleted", b"")
                await routes.delete("deleted")
                taken = Taken()
                await (await routes.watch(taken.entry)).caught_up()
                assert [value for _, value in taken.values if value is not None] == []

        run(work())

    def test_a_key_has_the_time_of_the_server(self, ground: Any) -> None:
        """The time of a key lies between two readings of the server's clock."""

        async def work() -> None:
            async with ground() as g:
                a = await g.connect(A)
                routes = await a.bucket(LAB.routes)
                before = await a.server_time_ns()
                await routes.put("key", b"")
                after = await a.server_time_ns()
                taken = Taken()
                await (await routes.watch(taken.entry)).caught_up()
                assert before <= taken.entries[0].created_ns <= after

        run(work())

    def test_a_key_that_is_not_renewed_expires(self, ground: Any) -> None:
        """A watch is told of keys that have expired, and not of those that were renewed."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                mine, theirs = await a.bucket(LAB.hosts), await b.bucket(LAB.hosts)
                taken = Taken()
                await theirs.watch(taken.entry)
                await mine.put(A, b"")
                await mine.put(B, b"")
                while (A, None) not in taken.values:
                    await mine.put(B, b"renewed")
                    await taken.more()
                assert (B, None) not in taken.values

        run(work())

    def test_a_watch_after_the_server_was_killed(self, ground: Any) -> None:
        """Every key is taken once more; one that has expired meanwhile is told as such."""

        async def work() -> None:
            async with ground() as g:
                a = await g.connect(A)
                hosts, routes = await a.bucket(LAB.hosts), await a.bucket(LAB.routes)
                told, at_hosts, at_routes = Taken(), Taken(), Taken()
                a.notify(told.change)
                await routes.put("stays", b"1")
                await hosts.put(A, b"card")
                await (await routes.watch(at_routes.entry)).caught_up()
                await (await hosts.watch(at_hosts.entry)).caught_up()
                await g.kill()
                await told.until(lambda: Change.DISCONNECTED in told.kinds)
                with pytest.raises(BusUnavailable):
                    await routes.put("stays", b"2")
                await at_hosts.until(lambda: (A, None) in at_hosts.values)
                await g.restart()
                await at_routes.until(lambda: len(at_routes.entries) == 2)
                assert at_routes.entries[0] == at_routes.entries[1]
                await routes.put("new", b"2")
                await at_routes.until(lambda: ("new", b"2") in at_routes.values)

        run(work())

    def test_a_watch_after_an_interruption(self, ground: Any) -> None:
        """Keys that were deleted, written and created meanwhile are taken as they are now.

        It is said before that other changes may have been missed.
        """

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                mine, theirs = await a.bucket(LAB.routes), await b.bucket(LAB.routes)
                told, taken = Taken(), Taken()
                taken_before: set[int] = set()  # before what was missed
                a.notify(told.change)
                for key in ("deleted", "stays", "changed"):
                    await theirs.create(key, b"1")
                watch = await mine.watch(taken.entry, lambda: taken_before.add(len(taken.entries)))
                await watch.caught_up()
                assert not taken_before
                before = {one.key: one for one in taken.entries}
                taken.entries.clear()
                await g.cut(A)
                await told.until(lambda: Change.DISCONNECTED in told.kinds)
                await theirs.delete("deleted")
                await theirs.put("changed", b"2")
                await theirs.create("new", b"3")
                await g.mend(A)
                await taken.until(lambda: len(taken.entries) == 4)
                assert taken_before == {0}
                after = {one.key: one for one in taken.entries}
                assert after["stays"] == before["stays"]
                assert after["deleted"].value is None
                assert (after["changed"].value, after["new"].value) == (b"2", b"3")
                assert after["changed"].revision > before["changed"].revision

        run(work())

    def test_a_bucket_and_a_stream_that_are_not_there(self, ground: Any) -> None:
        """They are refused, with a sentence that says what is missing."""

        async def work() -> None:
            async with ground() as g:
                a = await g.connect(A)
                with pytest.raises(BusUnavailable, match="wt_other_routes"):
                    await a.bucket(Network("other").routes)
                with pytest.raises(BusUnavailable, match="CAP_other"):
                    await a.stream(Network("other").captures)

        run(work())

    # Streams

    def test_a_stream_is_read_between_two_times(self, ground: Any) -> None:
        """What was added from one time of the server to another is read, oldest first."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                stream, theirs = await a.stream(LAB.captures), await b.stream(LAB.captures)
                times = []
                for number in range(5):
                    times.append(await a.server_time_ns())
                    await stream.publish(LAB.capture(A, "s"), bytes([number]))
                    await stream.publish(LAB.capture(B, "s"), b"another's")
                reading = theirs.read(LAB.capture(A, "*"), since_ns=times[1], until_ns=times[4])
                found = [one async for one in reading]
                assert [message.data for message, _ in found] == [b"\1", b"\2", b"\3"]
                assert all(
                    low <= one <= high
                    for (_, one), low, high in zip(found, times[1:], times[2:], strict=False)
                )
                assert {message.subject for message, _ in found} == {LAB.capture(A, "s")}
                assert not any(message.plain for message, _ in found)

        run(work())

    def test_a_stream_without_a_beginning(self, ground: Any) -> None:
        """Without a first time it is read from its oldest message; where none fits, none comes."""

        async def work() -> None:
            async with ground() as g:
                a = await g.connect(A)
                stream = await a.stream(LAB.captures)
                now = await a.server_time_ns()
                assert [one async for one in stream.read(LAB.capture("*", "*"), until_ns=now)] == []
                for number in range(600):
                    await a.publish(LAB.capture(A, "s"), number.to_bytes(2))
                await a.flush()
                await stream.publish(LAB.capture(A, "s"), b"last")
                now = await a.server_time_ns()
                reading = stream.read(LAB.capture("*", "*"), until_ns=now)
                found = [message.data async for message, _ in reading]
                assert found == [number.to_bytes(2) for number in range(600)] + [b"last"]

        run(work())

    def test_a_stream_without_an_end(self, ground: Any) -> None:
        """Without a last time it goes on with what comes."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                stream, theirs = await a.stream(LAB.captures), await b.stream(LAB.captures)
                await stream.publish(LAB.capture(A, "s"), b"old")
                reading = theirs.read(LAB.capture(A, "s"))
                found = [(await anext(reading))[0].data]
                more = asyncio.ensure_future(anext(reading))
                await not_soon(more)
                await stream.publish(LAB.capture(A, "s"), b"new")
                found.append((await more)[0].data)
                assert found == [b"old", b"new"]
                await reading.aclose()

        run(work())

    def test_reading_goes_on_after_an_interruption(self, ground: Any) -> None:
        """Each message is read once, though the connection ended in the middle."""

        async def work() -> None:
            async with ground() as g:
                a, b = await g.connect(A), await g.connect(B)
                stream, theirs = await a.stream(LAB.captures), await b.stream(LAB.captures)
                for number in range(10):
                    await stream.publish(LAB.capture(A, "s"), bytes([number]))
                found: list[int] = []
                async for message, _ in theirs.read(LAB.capture(A, "s")):
                    found.append(message.data[0])
                    if len(found) == 5:
                        await g.cut(B)
                        await stream.publish(LAB.capture(A, "s"), b"\x0a")
                        await g.mend(B)
                    if len(found) == 11:
                        break
                assert found == list(range(11))

        run(work())

    # The server

    def test_the_version_of_the_server(self, ground: Any) -> None:
        """A connection knows which version answers it."""

        async def work() -> None:
            async with ground() as g:
                major, *_ = (await g.connect(A)).version.split(".")
                assert int(major) >= 2

        run(work())
