"""Exchange packets through the descriptor of an attached TUN device."""

from __future__ import annotations

import errno
import os
import selectors
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Lock

from wintun_api.drivers.base import LinkCounters
from wintun_api.drivers.limits import RECORD_HEADER
from wintun_api.drivers.linux import tun
from wintun_api.drivers.linux.calls import PacketCalls
from wintun_api.drivers.linux.failure import driver_error
from wintun_api.drivers.linux.log import DriverLog
from wintun_api.drivers.linux.segment_calls import SegmentCalls
from wintun_api.drivers.linux.tracker import LinkTracker
from wintun_api.errors import DriverError, SessionEnded
from wintun_api.packet.stamps import Stamps

NO_ROOM = frozenset((errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM))

# Bounds for a queue in packets instead of a ring in bytes, which are safe for the kernel.
MIN_QUEUE_LENGTH = 64
MAX_QUEUE_LENGTH = 65536
# With offload a packet in the queue may have 64 KiB, so that at most 128 MiB wait.
MAX_SUPER_PACKETS = 2048

SEGMENTS_LOST = ", or they were parts of large packets for which it had no room"

# Added to the reason when a device was deleted while packets waited in its queue.
PURGED = (
    "Packets that waited in its queue were lost, and the last of them may be missing from the "
    "count of lost packets."
)


def queue_length(capacity: int, mtu: int, *, offload: bool = False) -> int:
    """Return the transmit queue length that corresponds to a ring of `capacity` bytes.

    The kernel counts packets, not bytes, so this assumes packets of MTU size; 64 to 65536, or to
    2048 with offload, where one of them may be a super-packet.
    """
    most = MAX_SUPER_PACKETS if offload else MAX_QUEUE_LENGTH
    return max(MIN_QUEUE_LENGTH, min(most, capacity // (RECORD_HEADER + mtu)))


class LinuxSession:
    """Run a session. It owns the descriptor and a pipe, and closes both in `end`.

    Packet calls come from one thread at a time and never block; `wait_readable` is called on one
    waiter thread; everything else may be called on any thread.

    A device that is moved to another network namespace stays attached. If the device is deleted,
    the session ends: the kernel discards the packets in its queue and returns EBADFD.

    Args:
        descriptor: An attached, non-blocking descriptor, which the session owns from now on.
        capacity: The requested capacity in bytes.
        tracker: Follows the device; the session owns it from now on.
        label: The adapter's label in log lines.
        log: Gets a line at the end, and lines for the first refused or cut packet and the sums.
        on_end: Called once, by `end`.
        calls: Reads and writes packets.
        segments: The same object, if the device leaves segmentation to the session; else None.

    Attributes:
        stamped: Whether the clock is read after each packet.
    """

    def __init__(
        self,
        descriptor: int,
        capacity: int,
        tracker: LinkTracker,
        *,
        label: str,
        log: DriverLog,
        on_end: Callable[[LinuxSession], None],
        calls: PacketCalls,
        segments: SegmentCalls | None = None,
    ) -> None:
        self._descriptor: int | None = descriptor
        self._capacity = capacity
        self._tracker = tracker
        self._label = label
        self._log = log
        self._on_end = on_end
        self._calls = calls
        self._segments = segments
        self.stamped = False
        self._stamps: Stamps | None = None
        self._failure: DriverError | None = None
        self._refused: Mapping[str, int] = {}
        self._truncated = 0
        self._vanished = 0
        self._purged = False
        self._emptied = False  # whether the last read emptied the queue
        # Held while a thread other than that of the packets uses the descriptor, so that it is not
        # closed meanwhile and its number reused for another file.
        self._descriptor_lock = Lock()
        self._quit_lock = Lock()
        self._quit, self._quit_end = os.pipe()

    @property
    def capacity(self) -> int:
        """The requested ring capacity in bytes."""
        return self._capacity

    @property
    def refused(self) -> Mapping[str, int]:
        """Packets that the kernel refused, by cause; a returned mapping never changes."""
        return self._refused

    @property
    def truncated(self) -> int:
        """Received packets that were dropped because they were larger than any IP packet."""
        return self._truncated

    @property
    def offload(self) -> bool:
        """Whether the host leaves segmentation and checksums to this session."""
        return self._segments is not None

    @property
    def merged(self) -> int:
        """How many more packets were read than the kernel counts."""
        return 0 if self._segments is None else self._segments.merged

    @property
    def stamps(self) -> Stamps | None:
        """When the packets of the last `receive_packets` were read, if it was `stamped`."""
        return self._stamps

    @property
    def vanished(self) -> int:
        """Packets that vanished from the queue, as far as `counters` or `end` have seen."""
        return self._vanished

    @property
    def purged(self) -> bool:
        """Whether the device was deleted before its queue was read to the end."""
        return self._purged

    def fileno(self) -> int | None:
        """Return the descriptor, which polls as an error if the device is gone."""
        return self._running()

    def wait_readable(self) -> bool:
        """Block until packets wait or the device is gone; return False after `interrupt`.

        Raises:
            SessionEnded: The session was ended.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self._running(), selectors.EVENT_READ)
            selector.register(self._quit, selectors.EVENT_READ)
            return self._quit not in (key.fd for key, _ in selector.select())

    def interrupt(self) -> None:
        """Make this and every later `wait_readable` return False. Any thread; idempotent."""
        with self._quit_lock:
            end, self._quit_end = self._quit_end, -1
            if end >= 0:
                os.close(end)  # a pipe without a writer stays readable

    def receive_packets(self, limit: int) -> Sequence[bytes]:
        """Read up to `limit` packets, with one system call each. Never blocks.

        Raises:
            SessionEnded: The device is gone (EBADFD), or the session was ended.
        """
        descriptor = self._running()
        if self._failure is not None:
            raise self._failure
        if self.stamped:
            read, self._stamps = self._calls.read_stamped(descriptor, limit)
        else:
            read = self._calls.read(descriptor, limit)
        packets, failure, cut = read
        if cut:
            self._note_cut(cut)
        emptied, self._emptied = self._emptied, failure == errno.EAGAIN
        if failure and failure != errno.EAGAIN:
            self._failure = driver_error("read", failure)
            if not emptied:
                self._note_purged()
            if not packets:
                raise self._failure
        return packets

    def send_packets(self, packets: Sequence[bytes]) -> int:
        """Write packets, with one system call each; return how many were taken. Never blocks.

        It stops at the first packet without room (EAGAIN, ENOBUFS, ENOMEM), so that no small packet
        overtakes a large one. A packet that the kernel refuses (EINVAL), and every packet while the
        link is set down (EIO), counts as taken and is in `refused`.

        Raises:
            SessionEnded: The device is gone (EBADFD), or the session was ended.
        """
        descriptor = self._running()
        if self._failure is not None:
            raise self._failure
        written = self._calls.write(descriptor, packets)
        if written.link_down:
            self._note_refused("link_down", written.link_down, "the link is set down")
        if written.refused:
            self._note_refused("host", written.refused, os.strerror(written.reason))
        if written.failure and not written.taken and written.failure not in NO_ROOM:
            raise driver_error("write", written.failure)  # after some packets, the next call raises
        return written.taken

    def counters(self) -> LinkCounters:
        """Return the kernel's counters of the device; after its end, the final ones."""
        with self._descriptor_lock:
            if self._descriptor is not None:
                self._tracker.read(self._descriptor)
                self._note_vanished()
            return self._tracker.counters

    @property
    def removed(self) -> bool:
        """Whether `counters` or `end` has noticed that the device was deleted."""
        return self._tracker.gone

    def pause(self) -> None:
        """Note that packets may wait: if the device is deleted now, they are lost."""
        self._emptied = False

    def quiesce(self) -> None:
        """Drop the carrier, so that the host puts no more packets into the queue. Idempotent."""
        with self._descriptor_lock, suppress(DriverError):
            descriptor = self._running()
            tun.drop_carrier(descriptor)
            # The kernel handles a carrier change up to a second later, but at the latest before it
            # answers a query for it: this one, or since 6.8 any query for the link.
            tun.ask_carrier(tun.kernel_name(descriptor))
            self._tracker.read(descriptor)

    def end(self) -> None:
        """Detach from the device, whose carrier goes down. Idempotent."""
        with self._descriptor_lock:
            if self._descriptor is None:
                return
            self.interrupt()
            if self._segments is not None:
                self._end_offload(self._segments, self._descriptor)
            self._tracker.read(self._descriptor, last=True)
            self._note_vanished()
            os.close(self._descriptor)
            self._descriptor = None
            self._tracker.close()  # an abandoned device is removed with its descriptor
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

    def abandon(self) -> bool:
        """Let the device vanish with this session, if it cannot be deleted by name.

        The next packet call raises that the session has ended. Return False if the device is
        already gone.
        """
        with self._descriptor_lock:
            try:
                tun.set_persistent(self._running(), persistent=False)
            except SessionEnded:
                return False
        self._failure = SessionEnded()
        return True

    def kernel_name(self) -> str | None:
        """Return the device's present name, in any network namespace; None if it is gone."""
        with self._descriptor_lock:
            try:
                return tun.kernel_name(self._running())
            except SessionEnded:
                return None

    def _end_offload(self, segments: SegmentCalls, descriptor: int) -> None:
        """Leave the device as it was, and let the kernel count what is still in its queue.

        The kernel does not count the packets of a queue that it discards. What is read here is
        counted as given to the application, which has not got it.
        """
        unread, failure = 0, 0
        while not failure and unread < MAX_QUEUE_LENGTH:
            packets, failure, cut = segments.read(descriptor, MAX_QUEUE_LENGTH)
            unread += len(packets) + cut
        if unread:
            self._log.warn(
                f"{self._label}: The session ended before {unread} packets in the device's queue "
                "were read. They are lost."
            )
        tun.end_offload(descriptor)

    def _note_purged(self) -> None:
        # The kernel discards a deleted device's queue without counting the packets.
        self._purged = True
        self._log.warn(
            f"{self._label}: The device was removed before its queue was completely read. {PURGED}"
        )

    def _note_vanished(self) -> None:
        new = self._tracker.vanished - self._vanished
        if new > 0 and not self._tracker.gone:
            self._log.warn(
                f"{self._label}: {new} packets were lost in the device's queue: another program "
                "shortened it (txqueuelen), or the session ended before they were read"
                f"{SEGMENTS_LOST if self._segments is not None else ''}. They count as dropped."
            )
        self._vanished += new

    def _note_cut(self, count: int) -> None:
        if not self._truncated:
            self._log.warn(f"{self._label}: Packets larger than any IP packet were dropped.")
        self._truncated += count

    def _note_refused(self, cause: str, count: int, reason: str) -> None:
        if cause not in self._refused:
            self._log.warn(f"{self._label}: The host refuses packets: {reason}.")
        # A new object each time: readers on other threads keep the old one.
        self._refused = {**self._refused, cause: self._refused.get(cause, 0) + count}

    def _running(self) -> int:
        descriptor = self._descriptor
        if descriptor is None:
            raise SessionEnded
        return descriptor
