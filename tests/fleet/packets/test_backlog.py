"""fleet.backlog: packets wait in order, within a bound, and are dropped as the policy says."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fleet.networks import ANN, BOB, CEM
from wintun_api.fleet.network import MAX_MESSAGE
from wintun_api.fleet.packets.backlog import MIN_BYTES, Backlog, Next, Policy
from wintun_api.fleet.packets.envelope import ROOM
from wintun_api.packet.block import Block


class Rig:
    """A backlog, and how many packets it has dropped."""

    def __init__(self, policy: Policy = "drop_oldest", limit: int = MIN_BYTES) -> None:
        self.dropped = 0
        self.backlog = Backlog(self._drop, limit=limit, policy=policy)

    def _drop(self, count: int) -> None:
        self.dropped += count

    def put(self, to: str, *packets: bytes) -> None:
        self.backlog.put(to, Block.of(packets), 1)

    def take(self) -> tuple[str, list[bytes]] | None:
        taken = self.backlog.take()
        if taken is None:
            return None
        self.backlog.sent(taken)
        return taken.to, packets_of(taken)

    def rest(self) -> list[bytes]:
        found: list[bytes] = []
        while (taken := self.take()) is not None:
            found += taken[1]
        return found


def packets_of(taken: Next) -> list[bytes]:
    return [packet for part in taken.parts for packet in part.packets]


def big(number: int) -> bytes:
    """Return a packet of which a backlog of the least size holds seven."""
    return number.to_bytes(2, "big") + bytes(MIN_BYTES // 8)


def test_parts_share_a_message() -> None:
    """What waits for one host goes in one message, in order."""
    rig = Rig()
    rig.put(ANN, b"1", b"2")
    rig.put(ANN, b"3")
    assert rig.take() == (ANN, [b"1", b"2", b"3"])
    assert rig.take() is None
    assert (rig.backlog.bytes, rig.backlog.packets) == (0, 0)


def test_hosts_take_turns() -> None:
    """A host with much to send does not hold back the others."""
    rig = Rig(limit=16 * MAX_MESSAGE)
    for number in range(8):
        rig.put(ANN, big(number))
    rig.put(BOB, b"bob")
    rig.put(CEM, b"cem")
    assert [taken[0] for _ in range(4) if (taken := rig.take())] == [ANN, BOB, CEM, ANN]


def test_a_message_is_not_too_long() -> None:
    """Only as much is taken as one message carries, and a block that is larger is divided."""
    rig = Rig(limit=16 * MAX_MESSAGE)
    rig.put(ANN, *[big(number) for number in range(20)])
    seen: list[bytes] = []
    while (taken := rig.backlog.take()) is not None:
        assert taken.size <= ROOM
        seen += packets_of(taken)
        rig.backlog.sent(taken)
    assert seen == [big(number) for number in range(20)]


def test_drop_oldest() -> None:
    """The oldest of all packets make room, whichever host they are for."""
    rig = Rig("drop_oldest")
    for number in range(10):
        rig.put(ANN if number % 2 else BOB, big(number))
    assert rig.dropped == 3
    assert {int.from_bytes(one[:2], "big") for one in rig.rest()} == {3, 4, 5, 6, 7, 8, 9}


def test_drop_newest() -> None:
    """Packets for which there is no room are dropped."""
    rig = Rig("drop_newest")
    for number in range(10):
        rig.put(ANN, big(number))
    assert rig.dropped == 3
    assert rig.rest() == [big(number) for number in range(7)]


def test_block_drops_nothing() -> None:
    """With `block`, what is put is kept, and the one who puts waits for room."""
    rig = Rig("block")

    async def waited() -> list[bool]:
        states = []
        for number in range(6):
            waiting = asyncio.ensure_future(rig.backlog.room())
            await asyncio.sleep(0)
            states.append(waiting.done())
            waiting.cancel()
            rig.put(ANN, big(number))
        return states

    assert asyncio.run(waited()) == [True, True, True, True, False, False]
    assert rig.dropped == 0
    assert len(rig.rest()) == 6


def test_room_comes_back() -> None:
    """Who waits for room goes on when messages were sent."""

    async def scene() -> None:
        rig = Rig("block")
        for number in range(5):
            rig.put(ANN, big(number))
        waiting = asyncio.ensure_future(rig.backlog.room())
        taken = rig.backlog.take()
        assert taken is not None
        await asyncio.sleep(0)
        assert not waiting.done(), "what was taken still counts until it is sent"
        rig.backlog.sent(taken)
        await asyncio.wait_for(waiting, 5)

    asyncio.run(scene())


def test_put_back_is_next() -> None:
    """What the bus did not take comes first again, in its order, and before what came later."""
    rig = Rig()
    rig.put(ANN, b"1", b"2")
    rig.put(ANN, b"3")
    rig.put(BOB, b"4")
    taken = rig.backlog.take()
    assert taken is not None
    rig.put(ANN, b"5")
    rig.backlog.put_back(taken)
    assert rig.take() == (ANN, [b"1", b"2", b"3", b"5"])
    assert rig.take() == (BOB, [b"4"])


def test_what_is_taken_is_not_dropped() -> None:
    """While a message is being sent, others are dropped; put back, it is the oldest."""
    rig = Rig("drop_oldest")
    for number in range(7):
        rig.put(ANN, big(number))
    taken = rig.backlog.take()
    assert taken is not None
    assert packets_of(taken) == [big(0), big(1), big(2)]
    rig.put(BOB, big(7))
    assert rig.dropped == 1
    rig.backlog.put_back(taken)
    rig.put(BOB, big(8))
    assert rig.dropped == 2
    assert rig.rest() == [big(number) for number in (1, 2, 4, 7, 8, 5, 6)]


def test_clear() -> None:
    """What still waits is dropped, and its number is told to the one who asks for it."""
    rig = Rig()
    rig.put(ANN, b"1", b"2")
    rig.put(BOB, b"3")
    assert rig.backlog.clear() == 3
    assert rig.dropped == 0
    assert rig.rest() == []
    assert (rig.backlog.bytes, rig.backlog.packets) == (0, 0)


def test_memory_of_a_message_is_not_kept() -> None:
    """A small part of a large message does not keep the whole of it."""
    rig = Rig()
    memory = bytes(MAX_MESSAGE)
    rig.backlog.put(ANN, Block(memory, Block.of([b"xy"]).lengths, 2, 7), 1)
    taken = rig.backlog.take()
    assert taken is not None
    assert len(taken.parts[0].packets.memory) < 1000


def test_a_bound_has_to_hold_messages() -> None:
    """A bound that is too small is refused."""
    with pytest.raises(ValueError, match="holds no message"):
        Rig(limit=MIN_BYTES - 1)


sizes = st.lists(st.integers(1, 30_000), min_size=1, max_size=6)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from([ANN, BOB, CEM]), sizes),
        st.tuples(st.just("take"), st.booleans(), st.just([0])),
    ),
    max_size=40,
)


@given(steps=actions, policy=st.sampled_from(["drop_oldest", "drop_newest"]))
def test_nothing_is_lost_silently(
    steps: list[tuple[str, str | bool, list[int]]], policy: Policy
) -> None:
    """Put = sent + dropped + waiting at every moment, within the bound, in order for each host."""
    rig = Rig(policy)
    put = sent = 0
    last: dict[str, int] = {}
    for action, argument, lengths in steps:
        if action == "put":
            block = [
                (put + index).to_bytes(4, "big") + bytes(size) for index, size in enumerate(lengths)
            ]
            rig.put(str(argument), *block)
            put += len(block)
        elif (taken := rig.backlog.take()) is not None:
            if argument:
                numbers = [int.from_bytes(one[:4], "big") for one in packets_of(taken)]
                assert numbers == sorted(numbers)
                assert numbers[0] > last.get(taken.to, -1)
                last[taken.to] = numbers[-1]
                rig.backlog.sent(taken)
                sent += taken.count
            else:
                rig.backlog.put_back(taken)
        assert put == sent + rig.dropped + rig.backlog.packets
        assert rig.backlog.bytes <= MIN_BYTES
    assert len(rig.rest()) == put - sent - rig.dropped
