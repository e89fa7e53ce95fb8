"""A link between two hosts that the test owns: it forwards, records, drops, delays and alters."""

from __future__ import annotations

import heapq
import reprlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar

from wintun_api.client import Burst, StreamClosed

if TYPE_CHECKING:
    from wintun_api.client import PacketStream

T = TypeVar("T")

RECORDED: Final = 10_000  # crossings that are kept; older ones are counted and forgotten
WAITING: Final = 10_000  # delayed packets at a time; further ones are counted and dropped
PATIENCE: Final = 10.0  # seconds that a test waits for a packet, unless it says otherwise
_SHOWN: Final = 5  # crossings in the message of an error

Side: TypeAlias = Literal["left", "right"]
OTHER: Final[dict[Side, Side]] = {"left": "right", "right": "left"}


def check_side(side: str) -> None:
    """Raise ValueError if there is no such side."""
    if side not in OTHER:
        raise ValueError(f"The link has no side {side!r}. Its sides are left and right.")


@dataclass(frozen=True, slots=True)
class Delayed:
    """A packet that the link is to hold back.

    Attributes:
        seconds: How long. A negative number means not at all.
        packet: The packet.

    Raises:
        ValueError: The time is not a number, or it is too long to be waited for.
    """

    seconds: float
    packet: bytes

    def __post_init__(self) -> None:
        if not self.seconds <= threading.TIMEOUT_MAX:  # false for NaN too
            raise ValueError(f"A packet cannot be delayed by {self.seconds} seconds.")


# What becomes of a packet: it is forwarded, dropped (None), delayed, or replaced by several.
Verdict: TypeAlias = bytes | bytearray | Delayed | Sequence[bytes | bytearray | Delayed] | None
Rule: TypeAlias = Callable[[bytes, Side], Verdict]


@dataclass(frozen=True, slots=True)
class Crossing:
    """A packet that has reached the link, and what became of it.

    Attributes:
        packet: The packet as the host has sent it.
        source: The side of the host that sent it.
        number: How many packets of this side came before it.
        time_ns: When it reached the link, in nanoseconds since 1970.
        sent: What the link has forwarded in its place, or will after a delay.
    """

    packet: bytes
    source: Side
    number: int
    time_ns: int
    sent: tuple[bytes, ...]

    @property
    def dropped(self) -> bool:
        """Whether the link has forwarded nothing."""
        return not self.sent

    @property
    def altered(self) -> bool:
        """Whether the link has forwarded something else, or the packet more than once."""
        return bool(self.sent) and self.sent != (self.packet,)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A packet that the link has given to a host.

    Attributes:
        packet: The packet as the host got it.
        destination: The side of the host.
        time_ns: When the link gave it to the service, in nanoseconds since 1970.
    """

    packet: bytes
    destination: Side
    time_ns: int


class TunLink:
    """Forward packets between two hosts, and record them. Any thread. `TunPair.link` gives it.

    Attributes:
        rule: A function that decides what becomes of a packet; None forwards all. It gets the
            packet and the side that sent it, and returns the packet to forward, None to drop it,
            `Delayed`, or a sequence of these. It can be set at any time. An error that it raises,
            also by `pytest.fail`, drops the packet, and is raised again by `wait_for` and at the
            end of the test.
        forgotten: How many crossings are no longer recorded: the link keeps the last 10,000.
        lost: How many packets were lost on the way to the link, or because the session of the
            other side had ended.
        discarded: How many delayed packets were dropped because 10,000 were waiting already.
    """

    def __init__(self) -> None:
        self.rule: Rule | None = None
        self.forgotten = 0
        self.lost = 0
        self.discarded = 0
        self._changed = threading.Condition()
        self._crossings: deque[Crossing] = deque(maxlen=RECORDED)
        self._deliveries: deque[Delivery] = deque(maxlen=RECORDED)
        self._notes = 0  # grows with everything that is recorded
        self._numbers = {"left": count(), "right": count()}
        self._streams: dict[Side, PacketStream] = {}
        self._waiting: list[tuple[float, int, Side, bytes]] = []
        self._order = count()
        self._open = False
        self._failure: BaseException | None = None
        self._threads: list[threading.Thread] = []

    @property
    def undelivered(self) -> int:
        """How many forwarded packets did not reach a host, as far as the service has said.

        They are not IP packets, or there was no room for them. `deliveries` has them too.
        """
        accounts = [stream.accounts for stream in self._streams.values()]
        return sum(one.total - one.accepted for one in accounts)

    @property
    def crossings(self) -> Sequence[Crossing]:
        """The packets that have reached the link, the oldest first."""
        with self._changed:
            return tuple(self._crossings)

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """The last 10,000 packets that were given to hosts, the oldest first."""
        with self._changed:
            return tuple(self._deliveries)

    def clear(self) -> None:
        """Forget the crossings and deliveries that are recorded."""
        with self._changed:
            self._crossings.clear()
            self._deliveries.clear()

    def put(self, packet: bytes, source: Side = "left") -> Crossing:
        """Put a packet on the link as if a host had sent it; return what became of it.

        Raises:
            ValueError: There is no such side.
        """
        check_side(source)
        (crossing,) = self._cross([bytes(packet)], source, time.time_ns())
        return crossing

    def wait_for(self, wanted: Callable[[Crossing], object], timeout: float = PATIENCE) -> Crossing:
        """Return the first recorded crossing for which a function is true, or wait for one.

        Raises:
            TimeoutError: None came in time; the message shows the last that came.
        """
        return self._wait(self._crossings, wanted, timeout)

    def wait_for_delivery(
        self, wanted: Callable[[Delivery], object], timeout: float = PATIENCE
    ) -> Delivery:
        """Return the first recorded delivery for which a function is true, or wait for one.

        Raises:
            TimeoutError: None came in time; the message shows the last that reached the link.
        """
        return self._wait(self._deliveries, wanted, timeout)

    def check(self) -> None:
        """Raise the error that the rule or a stream has raised meanwhile, if there is one."""
        with self._changed:
            self._check()

    def begin(self, left: PacketStream, right: PacketStream) -> None:
        """Start to forward what the two streams receive."""
        self._streams = {"left": left, "right": right}
        self._open = True
        sides: tuple[Side, ...] = ("left", "right")
        for side in sides:
            self._spawn(f"link {side}", partial(self._read, side))
        self._spawn("link delays", self._release)

    def close(self) -> None:
        """Forward nothing from now on, and drop what is still delayed."""
        with self._changed:
            self._open = False
            self._waiting.clear()
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until the streams that it reads have ended, as they do with their sessions."""
        for thread in self._threads:
            thread.join()

    def _wait(self, records: Iterable[T], wanted: Callable[[T], object], timeout: float) -> T:
        end = time.monotonic() + timeout
        seen = -1
        with self._changed:
            while True:
                self._check()
                if seen != self._notes:
                    seen = self._notes
                    for record in records:
                        if wanted(record):
                            return record
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError(self._missed(timeout))
                self._changed.wait(left)

    def _check(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _missed(self, timeout: float) -> str:
        last = list(self._crossings)[-_SHOWN:]
        shown = "".join(
            f"\n  from the {one.source}: {one.packet[:64].hex()}"
            f"{' (dropped)' if one.dropped else ''}"
            for one in last
        )
        missing = [
            f" {text}: {number}."
            for text, number in (
                ("Packets lost on the way to the link or for an ended session", self.lost),
                ("Forwarded packets that did not reach a host", self.undelivered),
            )
            if number
        ]
        return (
            f"No such packet came within {timeout:g} s.{''.join(missing)} Recorded packets: "
            f"{len(self._crossings)}{', of which the last are:' if last else '.'}{shown}"
        )

    def _spawn(self, name: str, run: Callable[[], None]) -> None:
        def watched() -> None:
            try:
                run()
            except BaseException as error:  # noqa: BLE001 - the test gets it
                self._fail(error)

        thread = threading.Thread(target=watched, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            if self._failure is None:
                self._failure = error
            self._changed.notify_all()

    def _read(self, side: Side) -> None:
        for item in self._streams[side]:
            if isinstance(item, Burst):
                self._cross(item.packets, side, item.time_ns)
            else:
                with self._changed:
                    self.lost += item.count or 0

    def _cross(self, packets: Iterable[bytes], source: Side, time_ns: int) -> list[Crossing]:
        """Judge, record and forward packets; one thread at a time runs the rule."""
        with self._changed:
            found, now = [], []
            for packet in packets:
                sent: list[bytes] = []
                for one in self._judged(packet, source):
                    if isinstance(one, Delayed):
                        if self._delay(one, source):
                            sent.append(one.packet)
                    else:
                        sent.append(one)
                        now.append(one)
                number = next(self._numbers[source])
                found.append(Crossing(packet, source, number, time_ns, tuple(sent)))
            for crossing in found:
                self.forgotten += len(self._crossings) == RECORDED
                self._crossings.append(crossing)
            self._note()
        if now:
            self._forward(now, source)
        return found

    def _forward(self, packets: Sequence[bytes], source: Side) -> None:
        if not self._open:
            return
        destination = OTHER[source]
        try:
            self._streams[destination].put(packets)
        except StreamClosed:  # the test has ended the session of the other side, or the service
            with self._changed:
                self.lost += len(packets)
            return
        now = time.time_ns()
        with self._changed:
            self._deliveries.extend(Delivery(packet, destination, now) for packet in packets)
            self._note()

    def _note(self) -> None:
        self._notes += 1
        self._changed.notify_all()

    def _judged(self, packet: bytes, source: Side) -> Sequence[bytes | Delayed]:
        if self.rule is None:
            return (packet,)
        try:
            return _parts(self.rule(packet, source))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - the test's own; pytest.fail is no Exception
            self._fail(error)
            return ()

    def _delay(self, one: Delayed, source: Side) -> bool:
        if len(self._waiting) >= WAITING:
            self.discarded += 1
            return False
        due = time.monotonic() + one.seconds
        heapq.heappush(self._waiting, (due, next(self._order), source, one.packet))
        return True

    def _release(self) -> None:
        """Forward delayed packets when they are due."""
        while True:
            with self._changed:
                while self._open and (not self._waiting or self._waiting[0][0] > time.monotonic()):
                    left = self._waiting[0][0] - time.monotonic() if self._waiting else None
                    self._changed.wait(left)
                if not self._open:
                    return
                _, _, source, packet = heapq.heappop(self._waiting)
            self._forward([packet], source)


def _parts(verdict: Verdict) -> Sequence[bytes | Delayed]:
    """Return what is to be forwarded, now or later.

    Raises:
        TypeError: The rule has returned something else.
    """
    several: object = () if verdict is None else verdict
    if isinstance(several, bytes | bytearray | Delayed):
        several = (several,)
    parts: list[bytes | Delayed] = []
    for one in several if isinstance(several, Sequence) else (None,):
        if isinstance(one, Delayed) and isinstance(one.packet, bytes | bytearray):
            parts.append(Delayed(one.seconds, bytes(one.packet)))
        elif isinstance(one, bytes | bytearray):
            parts.append(bytes(one))
        else:
            raise TypeError(
                f"The rule of the link has returned {reprlib.repr(verdict)}. It returns bytes, "
                "None, Delayed, or a sequence of bytes and Delayed."
            )
    return parts
