"""hub.fanout: every reader gets what it asked for, and a blocking one holds up the drain."""

from __future__ import annotations

import asyncio
from weakref import ref

import pytest

from tests.hub.bursts import burst, subscriber
from wintun_api.choices import Direction, Overflow
from wintun_api.hub.burst import Burst, Form
from wintun_api.hub.fanout import Fanout
from wintun_api.hub.subscriber import Subscriber


def test_everybody_gets_the_same_bytes() -> None:
    """A burst is encoded once, however many read it."""
    fanout = Fanout()
    readers = [subscriber() for _ in range(3)]
    for reader in readers:
        fanout.add(reader)
    fanout.publish(burst(0, 3))
    calls: list[Burst] = []

    def encode(one: Burst) -> bytes:
        calls.append(one)
        return b"".join(one.packets)

    encoded = [reader.take(10**6)[0].form(Form.BATCH, encode) for reader in readers]
    assert len(calls) == 1
    assert encoded[0] is encoded[1] is encoded[2]


def test_the_only_reader_keeps_no_encoded_bytes() -> None:
    """What one reader alone uses is freed with its last use, while the burst is still there."""

    class Encoded:
        """An encoded form that a weak reference can watch."""

    made: list[ref[Encoded]] = []

    def encode(_one: Burst) -> Encoded:
        encoded = Encoded()
        made.append(ref(encoded))
        return encoded

    fanout, reader = Fanout(), subscriber()
    fanout.add(reader)
    fanout.publish(burst(0, 3))
    (taken,) = reader.take(10**6)
    taken.form(Form.BATCH_FRAME, encode)
    assert made[0]() is None


def test_a_burst_that_all_readers_took_at_once_is_freed() -> None:
    """Neither the fan-out nor the encoded forms keep it, so that the next one finds its memory."""

    def take(one: Burst) -> bool:
        return bool(one.form(Form.BATCH_FRAME, lambda _: b"frame"))

    fanout = Fanout()
    for _ in range(2):
        fanout.add(Subscriber(limit_packets=9, limit_bytes=999, wake=lambda: None, take_now=take))
    one = burst(0, 3)
    kept = ref(one)
    fanout.publish(one)
    del one
    assert kept() is None


def test_block_holds_the_drain() -> None:
    """A full blocking reader blocks the fan-out until it has taken something."""
    resumed: list[bool] = []
    fanout = Fanout(resume=lambda: resumed.append(True))
    reader = subscriber(Overflow.BLOCK)
    fanout.add(reader)
    fanout.publish(burst(0, 10))
    before = fanout.blocked
    assert before
    reader.take(1)
    assert not fanout.blocked
    assert resumed
    assert reader.lost == 0


def test_a_blocking_reader_that_leaves_frees_the_drain() -> None:
    """Whoever goes away blocks nobody."""
    resumed: list[bool] = []
    fanout = Fanout(resume=lambda: resumed.append(True))
    reader = subscriber(Overflow.BLOCK)
    fanout.add(reader)
    fanout.publish(burst(0, 20))
    fanout.discard(reader)
    assert resumed
    assert len(fanout) == 0


@pytest.mark.parametrize(
    ("direction", "received", "injected"),
    [
        (Direction.RECEIVED, True, False),
        (Direction.INJECTED, False, True),
        (Direction.BOTH, True, True),
        (Direction.NONE, False, False),
    ],
)
def test_directions(direction: Direction, received: bool, injected: bool) -> None:
    """A subscriber gets what it asked for."""
    fanout = Fanout()
    reader = subscriber(direction=direction)
    fanout.add(reader)
    fanout.publish(burst(0, 1))
    fanout.publish(burst(0, 1, injected=True))
    got = reader.take(10**6)
    assert [b.injected for b in got] == [False] * received + [True] * injected
    assert fanout.wants(injected=False) is received
    assert fanout.wants(injected=True) is injected


def test_the_wait_for_a_blocking_reader_ends_when_it_reads() -> None:
    """Whoever waits goes on as soon as the last reader that blocks has room."""

    async def body() -> None:
        fanout = Fanout()
        first, second = subscriber(Overflow.BLOCK), subscriber(Overflow.BLOCK)
        for reader in (first, second):
            fanout.add(reader)
        assert await fanout.unblocked(0)
        fanout.publish(burst(0, 10))
        later = asyncio.get_running_loop().time() + 30
        waiting = asyncio.ensure_future(fanout.unblocked(later))
        await asyncio.sleep(0)
        first.take(10**6)
        await asyncio.sleep(0)
        assert not waiting.done()
        fanout.discard(second)
        assert await waiting

    asyncio.run(body())


def test_the_wait_for_a_blocking_reader_has_an_end() -> None:
    """At the deadline the answer is that it still blocks."""

    async def body() -> None:
        fanout = Fanout()
        fanout.add(subscriber(Overflow.BLOCK))
        fanout.publish(burst(0, 10))
        assert not await fanout.unblocked(asyncio.get_running_loop().time() + 0.01)
        assert not await fanout.unblocked(0)

    asyncio.run(body())
