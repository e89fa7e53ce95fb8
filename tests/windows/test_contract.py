"""The driver contract over the stand-in, in a Windows process: real exports, real events."""

from __future__ import annotations

import ctypes
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.drivers.contract import CAPACITY, DriverContract
from tests.extension import extension
from tests.waiting import let_pass, until
from tests.windows.standin import standin_path
from wintun_api.choices import Native
from wintun_api.drivers.base import Adapter, Driver, LogLine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.driver import WintunDriver
from wintun_api.drivers.wintun.library import WintunDll
from wintun_api.errors import DriverError, RingCorrupt, SessionEnded
from wintun_api.packet import build

assert sys.platform == "win32"  # conftest.py leaves it out elsewhere
pytestmark = pytest.mark.skipif(
    not standin_path(Generation.POOL).is_file(), reason="python -m tests.windows builds it"
)

HEADER = build.udp("10.6.7.8", "10.6.7.7", 5000, 6000, bytes(12))[:-4]


def numbered(number: int) -> bytes:
    """A packet that ends in its number."""
    return HEADER + struct.pack("<I", number)


class StandinContract(DriverContract):
    generation: Generation

    @pytest.fixture(params=list(Native))
    def driver(self, request: pytest.FixtureRequest) -> Iterator[Driver]:
        """The driver, with ctypes and with the C extension."""
        library = WintunDll(standin_path(self.generation), allow_unverified=True)
        speedups = extension() if request.param is Native.AUTO else None
        driver = WintunDriver(library, speedups=speedups)
        yield driver
        driver.close()

    @pytest.fixture
    def tell(self) -> Callable[[str], None]:
        """Tell the library what to do."""
        # Loaded already, so this is the same one.
        command = ctypes.WinDLL(str(standin_path(self.generation))).StandinCommand

        def tell(line: str) -> None:
            assert command(line.encode())

        return tell

    def test_generation(self, driver: Driver) -> None:
        """The generation is told from the file's exports, whatever else it exports."""
        assert driver.capabilities.generation == self.generation

    def test_pair(self, make: Callable[..., Adapter]) -> None:
        """20,000 packets arrive in order through a waiter that waits for the library's event."""
        first, second = (make().start_session(CAPACITY) for _ in range(2))
        readable = threading.Semaphore(0)

        def wait() -> None:
            while second.wait_readable():
                readable.release()

        waiter = threading.Thread(target=wait)
        waiter.start()
        packets = [numbered(number) for number in range(20_000)]
        sent = 0
        received: list[bytes] = []
        while len(received) < len(packets):
            sent += first.send_packets(packets[sent:])
            assert readable.acquire(timeout=5)
            while more := second.receive_packets(256):
                received += more
        assert received == packets
        second.interrupt()
        waiter.join(5)
        assert not waiter.is_alive()
        first.end()
        second.end()

    @pytest.mark.parametrize("size", [20, 21, 1500, 65534, 65535])
    def test_sizes(self, make: Callable[..., Adapter], size: int) -> None:
        """Packets of every size go around the ring and come out as they went in."""
        first, second = (make().start_session(CAPACITY) for _ in range(2))
        for number in range(2 * CAPACITY // size % 5000 + 4):
            packet = b"E" + bytes((number & 0xFF,)) * (size - 1)
            while not first.send_packets([packet]):  # the kernel frees it after it has copied
                let_pass(0)
            assert second.wait_readable()
            found: Sequence[bytes] = ()
            while not found:
                found = second.receive_packets(2)
            assert list(found) == [packet]
        first.end()
        second.end()

    def test_ring_full(  # type: ignore[override]  # with fixtures of its own
        self, make: Callable[..., Adapter], tell: Callable[[str], None]
    ) -> None:
        """While the kernel takes nothing the ring holds what its arithmetic says, no more."""
        adapter = make()
        session = adapter.start_session(CAPACITY)
        tell(f"hold {adapter.info().name}")
        packet = build.udp("10.6.7.8", "10.6.7.9", 1000, 9, bytes(1472))
        assert session.send_packets([packet] * 100) == (CAPACITY - 4) // 1504 == 87
        assert session.send_packets([packet]) == 0
        tell(f"let {adapter.info().name}")
        until(lambda: session.send_packets([packet]))
        session.end()

    def test_corrupt(self, make: Callable[..., Adapter], tell: Callable[[str], None]) -> None:
        """A corrupt ring (13) wakes the waiter and says so."""
        adapter = make()
        session = adapter.start_session(CAPACITY)
        tell(f"corrupt {adapter.info().name}")
        assert session.wait_readable()
        with pytest.raises(RingCorrupt) as caught:
            session.receive_packets(1)
        assert caught.value.code == 13
        session.end()

    def test_removed(self, make: Callable[..., Adapter], tell: Callable[[str], None]) -> None:
        """A removal under the session (38) wakes the waiter; both directions end."""
        adapter = make()
        session = adapter.start_session(CAPACITY)
        tell(f"remove {adapter.info().name}")
        assert session.wait_readable()
        with pytest.raises(SessionEnded) as caught:
            session.receive_packets(1)
        assert caught.value.code == 38
        with pytest.raises(SessionEnded):
            session.send_packets([numbered(0)])
        session.end()

    @pytest.mark.parametrize("code", [0, 5, 4319, 0x80070005, 0xE0000203])
    def test_last_error(
        self, driver: Driver, make: Callable[..., Adapter], tell: Callable[[str], None], code: int
    ) -> None:
        """The last error is that of the failed call, unsigned, and 0 where it left none."""
        make()  # after success the library leaves rubbish there
        tell(f"fail WintunCreateAdapter {code:#x}")
        with pytest.raises(DriverError) as caught:
            driver.create_adapter("never", "Example")
        assert caught.value.code == code
        assert any("Told to fail" in line for line in caught.value.log)

    def test_the_library_logs_later(self, driver: Driver, make: Callable[..., Adapter]) -> None:
        """A line from the library's own thread comes after the call, with a time of now."""
        lines: list[LogLine] = []
        driver.set_logger(lines.append)
        make()
        until(lambda: any("orphaned" in line.message for line in lines))
        assert all(abs(line.time_ns - time.time_ns()) < 60e9 for line in lines)


class TestPoolGeneration(StandinContract):
    generation = Generation.POOL


class TestTunnelTypeGeneration(StandinContract):
    generation = Generation.TUNNEL_TYPE
