"""LinuxSession: packets through the descriptor of an attached TUN device."""

from __future__ import annotations

import errno
import os
import selectors
from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from wintun_api.drivers.limits import MAX_IP_PACKET_SIZE
from wintun_api.drivers.linux import tun
from wintun_api.drivers.linux.calls import PacketCalls
from wintun_api.drivers.linux.failure import EBADFD, driver_error
from wintun_api.drivers.linux.log import DriverLog
from wintun_api.errors import DriverError, SessionEnded

# A read a little larger than its packet is faster than one that just fits: the allocator can split
# the rest off. Small reads are faster than large ones, so none is larger than the MTU needs.
READ_HEADROOM = 64
MIN_READ = 2048
MAX_READ = MAX_IP_PACKET_SIZE + 1

NO_ROOM = frozenset((errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM))

# A queue in packets for a ring in bytes, within what a kernel can be asked for without harm.
MIN_QUEUE_LENGTH = 64
MAX_QUEUE_LENGTH = 65536
RECORD_HEADER = 4  # wintun.h: every packet in a ring has its size before it


def queue_length(capacity: int, mtu: int) -> int:
    """Return the transmit queue length that holds about what a ring of `capacity` bytes holds.

    Counted in packets of MTU size, from 64 to 65536; the kernel counts packets, not bytes.
    """
    return max(MIN_QUEUE_LENGTH, min(MAX_QUEUE_LENGTH, capacity // (RECORD_HEADER + mtu)))


def read_size(mtu: int) -> int:
    """Return how many bytes to read at a time; one more than any packet of this MTU at least."""
    return min(MAX_READ, max(MIN_READ, mtu + READ_HEADROOM))


class LinuxSession:
    """A running session. Owns the descriptor and a pipe, and closes both in `end`.

    Packet calls come from one thread at a time and never block; `wait_readable` from one waiter
    thread; `interrupt`, `learn_mtu` and `abandon` from any.

    A device that is moved to another network namespace stays attached. One that is deleted ends the
    session: the kernel discards what waited in its queue and says EBADFD.

    Args:
        descriptor: Attached, non-blocking; owned from here on.
        capacity: What was asked for, in bytes.
        mtu: Of the device, in bytes.
        label: What log lines call the adapter.
        log: Gets a line at the end, and when packets are refused or cut: at first, and in sum.
        on_end: Called once, by `end`.
        calls: How packets are read and written.
    """

    def __init__(
        self,
        descriptor: int,
        capacity: int,
        mtu: int,
        *,
        label: str,
        log: DriverLog,
        on_end: Callable[[LinuxSession], None],
        calls: PacketCalls,
    ) -> None:
        self._descriptor: int | None = descriptor
        self._capacity = capacity
        self._read_size = read_size(mtu)
        self._label = label
        self._log = log
        self._on_end = on_end
        self._calls = calls
        self._failure: DriverError | None = None
        self._refused: Mapping[str, int] = {}
        self._truncated = 0
        self._quit_lock = Lock()
        self._quit, self._quit_end = os.pipe()

    @property
    def capacity(self) -> int:
        """Ring capacity in bytes, as it was asked for."""
        return self._capacity

    @property
    def refused(self) -> Mapping[str, int]:
        """Packets that were taken and the kernel refused, by cause; never changes once returned."""
        return self._refused

    @property
    def truncated(self) -> int:
        """Received packets that were cut, because the MTU was raised from outside, and dropped."""
        return self._truncated

    def fileno(self) -> int | None:
        """Return the descriptor: it polls readable, or in error when the device is gone."""
        return self._running("poll")

    def wait_readable(self) -> bool:
        """Block until packets wait or the device is gone; return False after `interrupt`.

        Raises:
            SessionEnded: The session was ended.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self._running("poll"), selectors.EVENT_READ)
            selector.register(self._quit, selectors.EVENT_READ)
            return self._quit not in (key.fd for key, _ in selector.select())

    def interrupt(self) -> None:
        """Make this and every later `wait_readable` return False. Any thread; idempotent."""
        with self._quit_lock:
            end, self._quit_end = self._quit_end, -1
            if end >= 0:
                os.close(end)  # a pipe without a writer is readable for ever

    def receive_packets(self, limit: int) -> Sequence[bytes]:
        """Read up to `limit` packets, a system call each. Never blocks.

        Raises:
            SessionEnded: The device is gone (EBADFD), or the session was ended.
        """
        descriptor = self._running("read")
        if self._failure is not None:
            raise self._failure
        size = self._read_size
        packets, failure, filled = self._calls.read(descriptor, limit, size)
        if failure and failure != errno.EAGAIN:
            self._failure = driver_error("read", failure)
            if not packets:
                raise self._failure
        if filled:
            return self._learn_from(packets, size)
        return packets

    def send_packets(self, packets: Sequence[bytes]) -> int:
        """Write packets, a system call each, and return how many were taken. Never blocks.

        A packet that the kernel refuses (EINVAL), and every one while somebody has set the link
        down (EIO), counts as taken and is lost, as the host may lose any; the kernel counts it.

        Raises:
            SessionEnded: The device is gone (EBADFD), or the session was ended.
        """
        descriptor = self._running("write")
        if self._failure is not None:
            raise self._failure
        taken = 0
        while taken < len(packets):
            done, failure = self._calls.write(descriptor, packets, taken)
            taken += done
            if not failure or failure in NO_ROOM:
                break
            if failure == EBADFD:
                if taken:
                    break  # the next call says so
                raise driver_error("write", failure)
            self._refuse(failure)
            taken += 1
        return taken

    def end(self) -> None:
        """Detach from the device, whose carrier goes down. Idempotent."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        self.interrupt()
        os.close(descriptor)
        os.close(self._quit)
        self._on_end(self)
        self._log.info(f"{self._label}: The session was detached.")
        refused = sum(self._refused.values())
        if refused > 1:
            self._log.warn(f"{self._label}: {refused} packets sent were refused.")
        if self._truncated > 1:
            self._log.warn(
                f"{self._label}: {self._truncated} packets received were cut and dropped."
            )

    def learn_mtu(self, mtu: int) -> None:
        """Read packets of this MTU from now on; call it before the device gets the MTU."""
        self._read_size = read_size(mtu)

    def abandon(self) -> bool:
        """Let the device vanish with this session, for where it cannot be deleted by name.

        The next packet call says that the session has ended. Returns False when the device is gone
        already.
        """
        try:
            tun.set_persistent(self._running("ioctl"), persistent=False)
        except SessionEnded:
            return False
        self._failure = SessionEnded("RTM_DELLINK", EBADFD, domain="errno")
        return True

    def kernel_name(self) -> str | None:
        """Return the device's present name, in whatever network namespace; None when it is gone."""
        try:
            return tun.kernel_name(self._running("ioctl"))
        except SessionEnded:
            return None

    def _learn_from(self, packets: Sequence[bytes], size: int) -> list[bytes]:
        """Drop packets that were cut, and read larger ones from now on.

        Somebody else has raised the MTU. No call tells the length of a packet before it is read.
        """
        learned = read_size(tun.mtu(self._running("ioctl")) or MAX_READ)
        self._read_size = learned if learned > size else MAX_READ
        whole = [packet for packet in packets if len(packet) < size or _ip_length(packet) <= size]
        cut = len(packets) - len(whole)
        if cut and not self._truncated:
            self._log.warn(
                f"{self._label}: The MTU was raised from outside; packets of more than {size} "
                f"bytes were cut and dropped, the next ones are read whole."
            )
        self._truncated += cut
        return whole

    def _refuse(self, code: int) -> None:
        down = code == errno.EIO
        if not self._refused:
            reason = "the link is set down" if down else os.strerror(code)
            self._log.warn(f"{self._label}: The host refuses packets: {reason}.")
        cause = "link_down" if down else "host"
        # A new one each time: readers on other threads keep what they have.
        self._refused = {**self._refused, cause: self._refused.get(cause, 0) + 1}

    def _running(self, function: str) -> int:
        descriptor = self._descriptor
        if descriptor is None:
            raise SessionEnded(function, errno.EBADF, domain="errno")
        return descriptor


def _ip_length(packet: bytes) -> int:
    """Return the length in bytes that the IP header promises."""
    if packet[0] >> 4 == 4:
        return int.from_bytes(packet[2:4], "big")
    return 40 + int.from_bytes(packet[4:6], "big")
