"""Let packets leave at a rate, in the order in which they came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wintun_api.hub.impairment.waiting import Turn, Waits

_SECOND: Final = 1_000_000_000  # in nanoseconds
_BYTE: Final = 8 * _SECOND  # in bits per second, times nanoseconds


class Rate:
    """Say when each packet leaves a link of a limited rate.

    A virtual clock says when the link will have sent everything it was given (the generic cell
    rate algorithm, ITU-T I.371); what is left of a nanosecond is kept, so that the rate is exact.
    Without a burst, a packet leaves when its last bit has been sent.

    Args:
        last_ns: The latest time at which a packet before leaves; the next one does not overtake it.

    Attributes:
        began_ns: The time since which it sends, or from which on it will.
        last_ns: When the last packet leaves.
        turn: What has to be known of the last packet to find its time again at another rate.
    """

    __slots__ = (
        "_burst_bits",
        "_burst_ns",
        "_extra",
        "_overhead",
        "_rate",
        "_rest",
        "_sent_at",
        "began_ns",
        "last_ns",
        "turn",
    )

    def __init__(self, last_ns: int, rate_bps: int, burst_bytes: int, overhead_bytes: int) -> None:
        self.last_ns = last_ns
        self.turn: Turn = (0, 0, 0)
        self.began_ns = last_ns
        self._sent_at = last_ns
        self._rest = 0
        self._extra = 0  # what `charge` took from the link since the last packet
        self._use(rate_bps, burst_bytes, overhead_bytes)

    def change(
        self,
        rate_bps: int,
        burst_bytes: int,
        overhead_bytes: int,
        now_ns: int,
        waits: Sequence[Waits],
    ) -> list[tuple[int, Turn]]:
        """Use this rate from now on, also for packets that wait.

        What was sent of the first of them stays sent. What was left of the burst stays left, up to
        the size of the new one: a change does not fill it.

        Args:
            rate_bps: Bits per second.
            burst_bytes: How many bytes may leave at once after a pause.
            overhead_bytes: What each packet is larger by on the link.
            now_ns: The present time.
            waits: All packets that were given to this rate and have not left, in their order.

        Returns:
            The time at which each of them leaves, and its turn.
        """
        left = [(due, turn) for due, _, turn in waits if due <= now_ns]  # the link has sent them
        waits = waits[len(left) :]
        begin = max(now_ns, self.began_ns)
        old_rate, old_burst = self._rate, self._burst_bits
        sent_at, trailing, coming = self._sent_at, self._extra, 0
        self._use(rate_bps, burst_bytes, overhead_bytes)
        if waits:
            _, size, (ready, free, _) = waits[0]
            sent_at = max(free, min(ready, begin))
            coming = self._bits(size) if ready <= now_ns else 0
        # How many bits, times a second, are missing for the next byte after the burst; less than 0
        # if some of the burst is left or some bits of the first packet have been sent.
        missing = (sent_at - begin) * old_rate - old_burst * _SECOND
        missing = max(missing, -max(self._burst_bits * _SECOND, coming))
        took, self._rest = divmod(self._burst_bits * _SECOND + missing, self._rate)
        self._sent_at = begin + took
        self._extra = 0
        if not waits:
            return left
        last = begin
        first = True
        for _, size, (ready, _, extra) in waits:
            if not first:
                self._send(extra)
            first = False
            free = self._sent_at
            if ready > now_ns:
                self._wait_until(ready)
            self._send(self._bits(size))
            last = max(last, ready, self._sent_at - self._burst_ns)
            # What was sent of a packet stays sent next time too.
            came = ready if ready > now_ns else min(ready, free)
            left.append((last, (came, free, extra)))
        self._send(trailing)
        self._extra = trailing
        self.last_ns = last
        return left

    def departure(self, ready_ns: int, size: int) -> int:
        """Return when a packet leaves that is ready at this time."""
        free = self._sent_at
        self._wait_until(ready_ns)
        self.turn = (ready_ns, free, self._extra)
        self._extra = 0
        self._send(self._bits(size))
        due = self._sent_at - self._burst_ns
        due = due if due > ready_ns else ready_ns
        self.last_ns = due = due if due > self.last_ns else self.last_ns
        return due

    def charge(self, now_ns: int, size: int) -> None:
        """Let a packet take its time on the link, although it leaves before those that wait."""
        self._wait_until(now_ns)
        bits = self._bits(size)
        self._extra += bits
        self._send(bits)

    def _use(self, rate_bps: int, burst_bytes: int, overhead_bytes: int) -> None:
        self._rate = rate_bps
        self._overhead = overhead_bytes
        self._burst_bits = 8 * burst_bytes
        self._burst_ns = self._burst_bits * _SECOND // rate_bps

    def _bits(self, size: int) -> int:
        """Return the bits of a packet on the link, times a second."""
        size += self._overhead
        return size * _BYTE if size > 0 else 0

    def _wait_until(self, ready_ns: int) -> None:
        """Send nothing until there is a packet."""
        if self._sent_at < ready_ns:
            self._sent_at = ready_ns
            self._rest = 0
            self._extra = 0

    def _send(self, bits: int) -> None:
        took, self._rest = divmod(bits + self._rest, self._rate)
        self._sent_at += took
