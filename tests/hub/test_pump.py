"""Bursts stay near their bounds, and every stop comes to its end, whatever comes."""

from __future__ import annotations

import asyncio
import os
import random
import select
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_interface
from types import MappingProxyType
from typing import cast

import pytest

from tests.posix import set_nonblocking
from tests.waiting import let_pass
from wintun_api.drivers.base import Session
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.windows.foreign import EventHandle
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.adapter import WintunAdapter
from wintun_api.errors import DriverBusy, DriverError, SessionExists
from wintun_api.hub import pump as pump_module
from wintun_api.hub.burst_limit import BurstLimit
from wintun_api.hub.pump import Pump

LIMIT = BurstLimit(packets=1024, size=131072)


class Host:
    """A session in which the host has some packets ready; it never blocks."""

    capacity = 0x20000
    refused: Mapping[str, int] = MappingProxyType({})
    truncated = 0
    offload = False
    merged = 0
    stamped = False
    stamps = None

    def __init__(self, packets: list[bytes]) -> None:
        self._packets = packets
        self._told = False
        self._quit = threading.Event()

    def fileno(self) -> None:
        """None: a thread waits, as on Windows."""

    def receive_packets(self, limit: int) -> Sequence[bytes]:
        """As many as are asked for."""
        taken, self._packets = self._packets[:limit], self._packets[limit:]
        return taken

    def send_packets(self, packets: Sequence[bytes]) -> int:
        """Take all."""
        return len(packets)

    def wait_readable(self) -> bool:
        """Tell once that packets wait."""
        if not self._told:
            self._told = True
            return True
        self._quit.wait()
        return False

    def interrupt(self) -> None:
        """End the wait."""
        self._quit.set()

    def pause(self) -> None:
        """Nothing is known of what waits."""

    def quiesce(self) -> None:
        """The host sends nothing by itself."""

    def end(self) -> None:
        """There is nothing to let go of."""


async def pumped(packets: list[bytes], limit: BurstLimit) -> list[list[bytes]]:
    """Return the bursts that a pump hands over."""
    host, bursts, done = Host(packets), list[list[bytes]](), asyncio.Event()

    def on_packets(burst: Sequence[bytes], lengths: Sequence[int], size: int) -> None:
        assert list(lengths) == [len(packet) for packet in burst]
        assert size == sum(lengths)
        bursts.append(list(burst))
        if sum(map(len, bursts)) == len(packets):
            done.set()

    def on_error(error: DriverError) -> None:
        raise error

    pump = Pump(host, "test", limit, on_packets, on_error)
    pump.start()
    await asyncio.wait_for(done.wait(), 10)
    await pump.stop()
    host.end()
    return bursts


@pytest.mark.parametrize(
    "sizes", [[1420] * 3000, [40] * 2000 + [9000] * 500, [40] * 1000 + [65532] * 40]
)
def test_bursts_stay_near_their_bytes(sizes: list[int]) -> None:
    """Large packets behind small ones, or from the start, make no burst of many times the limit."""
    packets = [number.to_bytes(4, "big") * (size // 4) for number, size in enumerate(sizes)]
    bursts = asyncio.run(pumped(packets, LIMIT))
    assert [packet for burst in bursts for packet in burst] == packets
    assert max(sum(map(len, burst)) for burst in bursts) <= 2 * LIMIT.size


def test_bursts_grow_to_their_packets() -> None:
    """Small packets come in bursts of as many as are allowed."""
    bursts = asyncio.run(pumped([bytes(40)] * 5000, BurstLimit(packets=1000, size=131072)))
    assert max(map(len, bursts)) == 1000


class Pipe:
    """A session over a pipe without a descriptor to watch, as on Windows."""

    capacity = 0x20000

    def __init__(self) -> None:
        self._readable, self._written = os.pipe()
        self._quit, self._quit_end = os.pipe()
        set_nonblocking(self._readable)
        self.ended = False

    def put(self) -> None:
        """Send a packet of one byte."""
        os.write(self._written, b"p")

    def fileno(self) -> None:
        """None: a thread waits."""

    def pause(self) -> None:
        """Nothing is known of what waits."""

    def receive_packets(self, limit: int) -> Sequence[bytes]:
        """Take what is in the pipe."""
        assert not self.ended
        try:
            return [b"p"] * len(os.read(self._readable, limit))
        except BlockingIOError:
            return []

    def send_packets(self, packets: Sequence[bytes]) -> int:
        """Take all."""
        return len(packets)

    def wait_readable(self) -> bool:
        """Wait for a packet or the interrupt."""
        assert not self.ended
        readable, _, _ = select.select([self._readable, self._quit], [], [])
        return self._quit not in readable

    def interrupt(self) -> None:
        """End the wait for good."""
        os.write(self._quit_end, b"q")

    def end(self) -> None:
        """Close the pipes."""
        self.ended = True
        for end in (self._readable, self._written, self._quit, self._quit_end):
            os.close(end)


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Let the interpreter change threads a thousand times as often."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(interval)


def nothing(_error: DriverError) -> None:
    """Fail when a pump fails."""
    raise AssertionError(_error)


async def stopped_at(session: Session, trickle: Callable[[], object], rounds: int) -> int:
    """Stop a pump after some rounds of the loop with a packet each; return how many came."""
    came = 0

    def on_packets(_packets: Sequence[bytes], lengths: Sequence[int], _size: int) -> None:
        nonlocal came
        assert not stopped, "A packet came after the stop."
        came += len(lengths)

    stopped = False
    pump = Pump(session, "test", LIMIT, on_packets, nothing)
    pump.start()
    for turn in range(rounds):
        trickle()
        await asyncio.sleep(0)
        if turn % 5 == 4:
            pump.pause()
            pump.resume()
    stopped = True
    await pump.stop()  # raises when the waiter does not come back
    session.end()
    return came


class Foreign(EmulatedLibrary):
    """A library whose wait comes back without the interpreter's lock, as a foreign call does."""

    def wait_for_multiple_objects(self, events: Sequence[EventHandle]) -> int:
        """Wait, then let other threads go first."""
        index = super().wait_for_multiple_objects(events)
        let_pass(0)
        return index


@pytest.mark.thorough
@pytest.mark.parametrize("generation", list(Generation))
@pytest.mark.usefixtures("patient")
def test_provoked_stops(generation: Generation) -> None:
    """1,500 stops in each generation, amid packets that trickle: every waiter comes back."""
    library = Foreign(generation, rate=2000)
    driver = emulated_driver(library)
    adapter = driver.create_adapter("Demo", "Example")
    adapter.set_addresses([ip_interface("10.6.7.7/24")])
    chance = random.Random(7)

    def trickle() -> None:
        library.machine.host_sends("Demo", "10.6.7.8")

    async def run() -> None:
        came = 0
        for _ in range(1500):
            session = adapter.start_session(0x20000)
            came += await stopped_at(session, trickle, chance.randrange(12))
        assert came > 1500

    before = threading.active_count()
    asyncio.run(run())
    driver.close()
    assert threading.active_count() <= before + 1  # the last one may be on its way out
    assert library.misuse == []  # no session was ended under a wait


@pytest.mark.skipif(sys.platform == "win32", reason="select takes only sockets there")
@pytest.mark.usefixtures("hasty_threads", "patient")
def test_provoked_stops_of_a_pipe() -> None:
    """500 stops of a session on the system's own wait."""
    chance = random.Random(8)

    async def run() -> None:
        for _ in range(500):
            session = Pipe()
            await stopped_at(cast(Session, session), session.put, chance.randrange(12))

    asyncio.run(run())


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a waiter the time that a busy machine needs to let it run."""
    monkeypatch.setattr(pump_module, "WAITER_PATIENCE", 30.0)


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a waiter little time to come back."""
    monkeypatch.setattr(pump_module, "WAITER_PATIENCE", 0.05)


@dataclass
class Rig:
    """A session on the emulated driver, and the knobs behind it."""

    library: EmulatedLibrary
    adapter: WintunAdapter
    failures: list[DriverError]

    def pump(self, session: Session) -> Pump:
        """Return a pump that keeps its failures."""
        return Pump(session, "test", LIMIT, lambda *_: None, self.failures.append)


@pytest.fixture
def rig() -> Iterator[Rig]:
    """An adapter whose library must not have been misused at the end."""
    library = EmulatedLibrary()
    driver = emulated_driver(library)
    adapter = driver.create_adapter("Demo", "Example")
    adapter.set_addresses([ip_interface("10.6.7.7/24")])
    yield Rig(library, adapter, [])
    adapter.close()
    driver.close()
    assert library.misuse == []
    assert library.open_handles() == (0, 0)


@pytest.mark.usefixtures("stuck")
def test_a_wait_that_ignores_the_interrupt(rig: Rig) -> None:
    """The session is not ended under it; it ends the session itself when it comes back."""
    gate = rig.library.hold_next("WaitForMultipleObjects")

    async def run() -> None:
        session = rig.adapter.start_session(0x20000)
        pump = rig.pump(session)
        pump.start()
        with pytest.raises(DriverBusy, match=r"wait_readable .* stay in the driver"):
            await pump.stop()
        assert rig.library.open_handles() == (1, 1)
        with pytest.raises(SessionExists):
            rig.adapter.start_session(0x20000)
        gate.set()
        await asyncio.to_thread(waiter_of("test").join, 10)
        assert rig.library.open_handles() == (1, 0)
        rig.adapter.start_session(0x20000).end()

    asyncio.run(run())
    assert rig.failures == []


def waiter_of(name: str) -> threading.Thread:
    """Return the thread that waits for a session."""
    (found,) = [one for one in threading.enumerate() if one.name == f"wait:{name}"]
    return found


@pytest.mark.usefixtures("stuck")
def test_a_refused_interrupt(rig: Rig) -> None:
    """SetEvent that fails leaves the wait behind; the next packet brings it back."""

    async def run() -> None:
        session = rig.adapter.start_session(0x20000)
        pump = rig.pump(session)
        pump.start()
        rig.library.fail_next("SetEvent", 6)
        with pytest.raises(DriverBusy):
            await pump.stop()
        waiter = waiter_of("test")
        rig.library.machine.host_sends("Demo", "10.6.7.8")
        await asyncio.to_thread(waiter.join, 10)
        assert rig.library.open_handles() == (1, 0)

    asyncio.run(run())


async def failed(rig: Rig, provoke: Callable[[], object]) -> DriverError:
    """Let a pump fail, stop it and end its session; return what it failed with."""
    failure: asyncio.Future[DriverError] = asyncio.get_running_loop().create_future()
    session = rig.adapter.start_session(0x20000)
    pump = Pump(session, "test", LIMIT, lambda *_: None, failure.set_result)
    pump.start()
    provoke()
    error = await asyncio.wait_for(failure, 10)
    await pump.stop()
    session.end()
    return error


def test_a_wait_that_fails(rig: Rig) -> None:
    """WaitForMultipleObjects that fails is told, with its name and its number."""
    error = asyncio.run(failed(rig, lambda: rig.library.break_wait("Demo")))
    assert (error.function, error.code) == ("WaitForMultipleObjects", 6)


@pytest.mark.parametrize("code", [6, 87, 1450])
def test_a_wait_that_fails_at_once(rig: Rig, code: int) -> None:
    """So it is with the first wait, whatever the number."""
    rig.library.fail_next("WaitForMultipleObjects", code)
    error = asyncio.run(failed(rig, lambda: None))
    assert (error.function, error.code) == ("WaitForMultipleObjects", code)


@pytest.mark.parametrize("result", [0x80, 0x81, 258, 0])
def test_a_wait_that_ends_otherwise(rig: Rig, result: int) -> None:
    """An abandoned event, a time-out, an interrupt that was not asked for: told, never deaf."""
    rig.library.answer_next_wait(result)
    error = asyncio.run(failed(rig, lambda: None))
    assert error.code == result


@pytest.mark.parametrize("raised", [SystemExit(3), KeyboardInterrupt(), MemoryError(), OSError(5)])
def test_a_waiter_that_dies(
    rig: Rig, raised: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever ends the thread is told, and nothing is written to standard error."""
    rig.library.raise_next("WaitForMultipleObjects", raised)
    error = asyncio.run(failed(rig, lambda: None))
    assert repr(raised) in str(error)
    assert capsys.readouterr().err == ""


def test_a_waiter_that_cannot_be_started(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more threads to be had: told, never deaf."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    error = asyncio.run(failed(rig, lambda: None))
    assert "can't start new thread" in str(error)


def test_a_defect_while_draining(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """What a drain raises fails the session and is logged, for it is a defect."""
    failures: list[DriverError] = []

    def refuse(*_: object) -> None:
        raise ZeroDivisionError

    async def run() -> None:
        session = rig.adapter.start_session(0x20000)
        done = asyncio.Event()

        def on_error(error: DriverError) -> None:
            failures.append(error)
            done.set()

        pump = Pump(session, "test", LIMIT, refuse, on_error)
        pump.start()
        rig.library.machine.host_sends("Demo", "10.6.7.8")
        await asyncio.wait_for(done.wait(), 10)
        await pump.stop()
        session.end()

    asyncio.run(run())
    assert "ZeroDivisionError" in str(failures[0])
    assert "could not be passed on" in caplog.text


@pytest.mark.usefixtures("stuck")
def test_a_stop_that_is_cancelled(rig: Rig) -> None:
    """A shutdown that does not wait leaves the session to the waiter all the same."""
    gate = rig.library.hold_next("WaitForMultipleObjects")

    async def run() -> None:
        session = rig.adapter.start_session(0x20000)
        pump = rig.pump(session)
        pump.start()
        task = asyncio.ensure_future(pump.stop())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    waiter = waiter_of("test")
    assert rig.library.open_handles() == (1, 1)
    gate.set()
    waiter.join(30)
    assert rig.library.open_handles() == (1, 0)
