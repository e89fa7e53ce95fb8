"""Keep one TCP connection that sends back what it receives (RFC 9293, with RFC 5681, 6298, 6582).

The host only answers: it listens, echoes, and closes when its peer has closed and has everything
back. So of the states of RFC 9293, figure 5, there are SYN-RECEIVED, ESTABLISHED, CLOSE-WAIT with
LAST-ACK (the peer has closed), and CLOSED. Options besides the segment size are neither offered nor
used. Time is given by the caller.

Places in both streams are counted from the initial sequence numbers and do not wrap: the SYN has
place 0, the first byte of data 1.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from math import inf

from wintun_api.drivers.emulated.reassembly import Reassembly
from wintun_api.drivers.emulated.segment import MASK, Outgoing, Segment, mss_option, offset_of
from wintun_api.packet.build import TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN

CAPACITY = 0x20000  # bytes received and not yet acknowledged as sent back
MAX_WINDOW = 0xFFFF
GIVE_UP = 100.0  # seconds of silence from the peer: R2 of RFC 9293, section 3.8.3
HANDSHAKES = 5  # times the second segment of the handshake is sent

_FIRST_TIMEOUT, _SHORTEST_TIMEOUT, _LONGEST_TIMEOUT = 1.0, 0.2, 60.0  # RFC 6298; Linux's shortest
_DUPLICATES = 3  # RFC 5681, section 3.2
_CHALLENGES, _CHALLENGES_PER = 10, 5.0  # acknowledgements without need in these seconds: RFC 5961


class End(Enum):
    """Say how a connection ended."""

    FINISHED = "finished"  # both sides have closed, and everything was acknowledged
    RESET = "reset"  # by the peer
    TIMED_OUT = "timed out"  # the peer no longer answered


class Connection:
    """Answer the segments of one peer.

    Args:
        syn: The segment that asks for the connection.
        initial: The host's initial sequence number.
        mss: Returns the largest segment of data that the host's network takes now, in bytes.
        default_mss: What a peer takes that does not say how much.
        emit: Sends a segment to the peer.
        now: The time in seconds.

    Attributes:
        end: How it ended; None while it is open.
        withheld: Acknowledgements that were not sent because there were too many without need.
    """

    def __init__(
        self,
        syn: Segment,
        *,
        initial: int,
        mss: Callable[[], int],
        default_mss: int,
        emit: Callable[[Outgoing], None],
        now: float,
    ) -> None:
        self.end: End | None = None
        self.withheld = 0
        self._emit = emit
        self._mss = mss
        self._peer_mss = syn.mss or default_mss
        # What comes: places of the peer's stream.
        self._peer_initial = syn.sequence
        self._received = Reassembly(1)
        self._edge = (
            1 + MAX_WINDOW
        )  # the end of the window that the peer was told; never moves back
        self._peer_end: int | None = None  # the place of its FIN
        self._closing = False  # its FIN has its turn
        # What is sent: places of the host's stream.
        self._initial = initial
        self._buffer = bytearray()  # from place _start: neither acknowledged nor echoed again
        self._start = 1
        self._una = self._nxt = 0
        self._window = syn.window
        self._largest_window = max(1, syn.window)
        self._updated = (0, 0)  # the place and acknowledgement that the window is from
        # RFC 5681 and RFC 6582
        self._cwnd = 0
        self._ssthresh = 1 << 30
        self._recover: int | None = None  # recovery ends when this place is acknowledged
        self._fast = False
        self._duplicates = 0
        # RFC 6298
        self._rtt: float | None = None
        self._variation = 0.0
        self._timeout = _FIRST_TIMEOUT
        self._backoff = 0
        self._timed: tuple[int, float] | None = None
        self._deadline = inf
        self._probing = False
        self._heard = now
        self._challenges = (now, 0)
        self._handshakes = 1
        self._send_syn()
        self._nxt = 1
        self._timed = (0, now)
        self._deadline = now + self._timeout

    @property
    def established(self) -> bool:
        """Whether the peer has acknowledged the handshake."""
        return self._una > 0

    @property
    def held(self) -> int:
        """Bytes of data that the connection holds, in both directions."""
        return len(self._buffer) + len(self._received)

    def due(self) -> float:
        """Return when to run next; infinity if the host waits for its peer alone."""
        return self._deadline

    def run(self, now: float) -> None:
        """Send again, or probe a closed window, if it is time."""
        if now < self._deadline or self.end is not None:
            return
        if now - self._heard > GIVE_UP or (not self.established and self._handshakes >= HANDSHAKES):
            self.end = End.TIMED_OUT
            return
        self._timed = None  # Karn: what is sent again measures nothing
        if self._nxt == self._una:
            self._probe()
        else:
            if self._recover is None and self._window:
                self._ssthresh = max((self._nxt - self._una) // 2, 2 * self._smss)
            if self._window and self.established:
                self._cwnd = self._smss
                self._recover, self._fast = self._nxt, False
            self._duplicates = 0
            self._send_again()
        self._backoff += 1
        self._set_timer(now)

    def abort(self) -> None:
        """Reset the connection: the host has no room for it any more."""
        if self.established:
            self._segment(TCP_RST | TCP_ACK, self._nxt)
        else:
            self._segment(TCP_RST | TCP_ACK, 1)

    def receive(self, segment: Segment, now: float) -> None:
        """Take a segment of the peer (RFC 9293, section 3.10.7.4)."""
        place = offset_of(segment.sequence, self._peer_initial, self._received_to)
        if not self.established and segment.syn and not segment.ack and place == 0:
            self._send_syn()  # the peer has not got the first one
            self._timed = None
            return
        if not self._acceptable(place, segment.length):
            if not segment.rst:
                self._challenge(now, needed=segment.length > 0)
            return
        if segment.rst:
            if place == self._received_to:
                self.end = End.RESET
            else:
                self._challenge(now)  # RFC 5961, section 3.2
            return
        if segment.syn:
            self._challenge(now)  # RFC 5961, section 4.2
            return
        if not segment.ack:
            return
        acknowledged = offset_of(segment.acknowledgement, self._initial, self._una)
        if not self.established and acknowledged != 1:
            self._emit(Outgoing(TCP_RST, segment.acknowledgement))
            return
        if not self._una - self._largest_window <= acknowledged <= self._nxt:
            self._challenge(now)  # RFC 5961, section 5.2
            return
        self._heard = now
        if not self.established:
            self._cwnd = min(10 * self._smss, max(2 * self._smss, 14600))  # RFC 6928
        opened = self._take_window(segment, place, acknowledged)
        if acknowledged > self._una:
            self._acknowledge(acknowledged, now)
        elif acknowledged == self._una and not segment.length and not opened:
            self._count_duplicate()
        if self.end is not None:
            return
        answer_now = self._take_data(segment, place)
        sent = self._transmit(now)
        if (answer_now and not sent) or self._window_update_due():
            self._send_ack()

    # What comes

    @property
    def _received_to(self) -> int:
        """The place of what is expected next, RCV.NXT; the FIN takes one place."""
        return self._received.next + self._closing

    def _acceptable(self, place: int, length: int) -> bool:
        expected, window = self._received_to, self._edge - self._received_to
        if window <= 0:  # data is not taken then, but acknowledgements and resets are
            return place == expected
        if expected <= place < self._edge:
            return True
        return length > 0 and expected <= place + length - 1 < self._edge

    def _take_data(self, segment: Segment, place: int) -> bool:
        """Take data and FIN; return whether they must be acknowledged at once."""
        if not segment.length:
            return False
        if self._closing:
            return True
        data = segment.data
        end = place + len(data)
        if segment.fin and end <= self._edge and self._peer_end is None:
            self._peer_end = end
        if end > self._edge:
            data = data[: max(0, self._edge - place)]
        if self._peer_end is not None:
            data = data[: max(0, self._peer_end - place)]
        expected = self._received.next
        ready = self._received.put(place, data)
        self._buffer += ready
        if self._received.next == self._peer_end:
            self._closing = True
        if (data and not ready) or len(ready) > len(data):
            # Out of order, or a gap was filled: RFC 5681, section 4.2. Without data of its own, so
            # that the peer counts it.
            self._send_ack()
            return False
        return self._received_to > expected or bool(segment.length)

    def _take_window(self, segment: Segment, place: int, acknowledged: int) -> bool:
        """Take the peer's window, unless the segment is older; return whether it is another one."""
        if (place, acknowledged) < self._updated:
            return False
        self._updated = (place, acknowledged)
        before, self._window = self._window, segment.window
        self._largest_window = max(self._largest_window, segment.window)
        if self._probing and segment.window:
            self._probing = False
            if acknowledged == self._una:
                self._nxt = self._una  # the probe was not taken
        return segment.window != before

    def _acknowledge(self, acknowledged: int, now: float) -> None:
        count = acknowledged - self._una
        done = min(acknowledged - self._start, len(self._buffer))
        if done > 0:
            del self._buffer[:done]
            self._start += done
        self._una = acknowledged
        self._probing = False
        if self._timed is not None and acknowledged > self._timed[0]:
            self._measure(now - self._timed[1])
            self._timed = None
        self._backoff = self._duplicates = 0
        if self._closing and acknowledged > self._data_end:
            self.end = End.FINISHED
            return
        smss = self._smss
        if self._recover is None:
            below = self._cwnd < self._ssthresh
            self._cwnd += min(count, smss) if below else max(1, smss * smss // self._cwnd)
            self._cwnd = min(self._cwnd, 1 << 20)
        elif acknowledged >= self._recover:
            self._recover = None
            if self._fast:
                self._cwnd = self._ssthresh
        else:  # RFC 6582: the next one is missing as well
            if self._fast:
                self._cwnd = max(self._cwnd - count + smss, smss)
            else:
                self._cwnd += min(count, smss)
            self._send_again()
        self._set_timer(now)

    def _count_duplicate(self) -> None:
        if self._nxt == self._una or self._probing or not self._window:
            return
        self._duplicates += 1
        if self._fast and self._recover is not None:
            self._cwnd += self._smss
        elif self._duplicates == _DUPLICATES and self._recover is None:
            self._ssthresh = max((self._nxt - self._una) // 2, 2 * self._smss)
            self._cwnd = self._ssthresh + _DUPLICATES * self._smss
            self._recover, self._fast, self._timed = self._nxt, True, None
            self._send_again()

    def _measure(self, rtt: float) -> None:
        if self._rtt is None:
            self._rtt, self._variation = rtt, rtt / 2
        else:
            self._variation += (abs(self._rtt - rtt) - self._variation) / 4
            self._rtt += (rtt - self._rtt) / 8
        self._timeout = max(_SHORTEST_TIMEOUT, self._rtt + 4 * self._variation)

    # What is sent

    @property
    def _smss(self) -> int:
        return max(1, min(self._peer_mss, self._mss()))

    @property
    def _data_end(self) -> int:
        """The place behind all data; the host's FIN has it."""
        return self._start + len(self._buffer)

    def _transmit(self, now: float) -> bool:
        """Send what both windows allow; return whether anything was sent."""
        if not self.established:
            return False
        sent, idle = False, self._nxt == self._una
        while self._nxt <= self._data_end:
            room = self._una + min(self._cwnd, self._window) - self._nxt
            waiting = self._data_end - self._nxt
            size = max(0, min(self._smss, waiting, room))
            fin = self._closing and size == waiting and size < room
            if not size and not fin:
                break
            # No small segments only because the window is small: RFC 9293, section 3.8.6.2.1.
            if size < min(self._smss, waiting, self._largest_window // 2):
                break
            if self._timed is None and self._recover is None:
                self._timed = (self._nxt, now)
            self._send(self._nxt, size, fin=fin)
            self._nxt += size + fin
            sent = True
        if sent or self._deadline == inf:
            self._set_timer(now, running=not idle)
        return sent

    def _probe(self) -> None:
        """Send one byte, or the FIN, although the window is closed (RFC 9293, section 3.8.6.1)."""
        size = min(1, self._data_end - self._nxt)
        if self._window:  # it is open, but small
            size = max(0, min(self._smss, self._data_end - self._nxt, self._window))
        fin = self._closing and self._nxt + size == self._data_end
        self._send(self._nxt, size, fin=fin)
        self._nxt += size + fin
        self._probing = True

    def _send_again(self) -> None:
        """Send the first segment that is not acknowledged."""
        if not self.established:
            self._handshakes += 1
            self._send_syn()
            return
        smss = self._smss if self._window else 1
        size = min(smss, self._nxt - self._una, self._data_end - self._una)
        sent_fin = self._nxt > self._data_end
        self._send(self._una, size, fin=sent_fin and self._una + size == self._data_end)

    def _send(self, place: int, size: int, *, fin: bool) -> None:
        at = place - self._start
        flags = TCP_ACK
        if size and place + size == self._data_end:
            flags |= TCP_PSH
        if fin:
            flags |= TCP_FIN
        self._segment(flags, place, bytes(self._buffer[at : at + size]))

    def _send_ack(self) -> None:
        self._segment(TCP_ACK, self._nxt)

    def _send_syn(self) -> None:
        self._segment(TCP_SYN | TCP_ACK, 0, options=mss_option(self._mss()))

    def _segment(self, flags: int, place: int, data: bytes = b"", options: bytes = b"") -> None:
        expected = self._received_to
        self._edge = max(self._edge, self._possible_edge())
        window = min(MAX_WINDOW, max(0, self._edge - expected))
        sequence = (self._initial + place) & MASK
        acknowledgement = (self._peer_initial + expected) & MASK
        self._emit(Outgoing(flags, sequence, acknowledgement, window, options, data))

    def _possible_edge(self) -> int:
        """Return how far the window may reach; it grows by steps (RFC 9293, section 3.8.6.2.2)."""
        room = min(MAX_WINDOW, CAPACITY - len(self._buffer))
        edge = self._received.next + room
        step = min(self._mss(), CAPACITY // 2)
        return edge if edge - self._edge >= step or room == MAX_WINDOW else self._edge

    def _window_update_due(self) -> bool:
        """Return whether the peer should learn of a larger window now."""
        if self._closing:
            return False
        return self._possible_edge() - self._edge >= min(2 * self._mss(), MAX_WINDOW // 2)

    def _challenge(self, now: float, *, needed: bool = False) -> None:
        """Acknowledge what does not fit; without need only so often, lest two hosts go on so."""
        since, count = self._challenges
        if now - since > _CHALLENGES_PER:
            since, count = now, 0
        if not needed and count >= _CHALLENGES:
            self.withheld += 1
            return
        self._challenges = (since, count if needed else count + 1)
        self._send_ack()

    def _set_timer(self, now: float, *, running: bool = False) -> None:
        """Set the timer, or leave it if it runs already; stop it where nothing waits."""
        waiting = self._data_end > self._nxt or (self._closing and self._nxt == self._data_end)
        if self._nxt == self._una and not waiting:
            self._deadline = inf
        elif not running or self._deadline == inf:
            timeout = min(_LONGEST_TIMEOUT, self._timeout * (1 << min(self._backoff, 10)))
            self._deadline = now + timeout
