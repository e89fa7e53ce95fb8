"""Do to the packets of one rule in one direction what its parameters say."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from wintun_api.hub.impairment.accounts import Accounts, Count
from wintun_api.hub.impairment.corruption import inverted
from wintun_api.hub.impairment.fate import AT_ONCE, Fates
from wintun_api.hub.impairment.marking import Marking
from wintun_api.hub.impairment.parameters import Parameters
from wintun_api.hub.impairment.rate import Rate
from wintun_api.hub.impairment.waiting import Turn, Waiting, Waits
from wintun_api.hub.marks import REORDERED


class Lane:
    """Impair the packets of one rule in one direction. One thread at a time.

    What happens to a packet, in this order: it is too large, it is lost in a blackout, it is
    duplicated or lost, corrupted, dropped at the limit, and then delayed or sent at once, and held
    back by the rate. A packet that is both lost and duplicated leaves once.

    A packet that is delayed by nothing is never dropped at the limit, because it does not wait. A
    rate keeps the order, except of packets that `reorder` sends at once, which take their time on
    the link from those after them. A changed rate holds for those that wait too, and when a rate is
    taken away they leave as soon as their delay is over, in their order. A rate that is set where
    there was none begins after what is delayed. Delays stay as they were decided.

    Args:
        parameters: What happens.
        seed: The number from which all chance follows.
        rule: The index of the rule in its plan.
        injected: Whether the packets come from the application.
        accounts: Counts what happens to the packets of the direction.

    Attributes:
        marking: Marks packets with what happens to them; None while no reader wants to know it.
    """

    __slots__ = (
        "_accounts",
        "_blackout",
        "_fates",
        "_held",
        "_latest_ns",
        "_limit_bytes",
        "_limit_packets",
        "_max_size",
        "_parameters",
        "_rate",
        "marking",
    )

    def __init__(
        self, parameters: Parameters, seed: int, rule: int, injected: bool, accounts: Accounts
    ) -> None:
        direction = "injected" if injected else "received"
        self.marking: Marking | None = None
        self._accounts = accounts
        self._fates = Fates(parameters, f"{seed}/{rule}/{direction}")
        self._held = Count()
        self._latest_ns = 0  # when the last packet leaves
        self._apply(parameters)
        rate = _rate_of(parameters)
        self._rate = None if rate is None else Rate(0, *rate)

    @property
    def waits_packets(self) -> int:
        """The number of packets that wait; those that leave at once do not."""
        return self._held.packets

    @property
    def waits_bytes(self) -> int:
        """The size of the packets that wait."""
        return self._held.bytes

    @property
    def parameters(self) -> Parameters:
        """What happens now."""
        return self._parameters

    def change(self, parameters: Parameters, now_ns: int, waiting: Waiting) -> None:
        """Do something else from now on; of what waits, only the rate changes.

        Set the time of the next packet of `waiting` anew afterwards.
        """
        before, after = _rate_of(self._parameters), _rate_of(parameters)
        self._fates.change(parameters)
        self._apply(parameters)
        if before == after:
            return
        if self._rate is None:
            self._rate = None if after is None else Rate(self._latest_ns, *after)
        elif after is None:
            self._latest_ns = self._rate.began_ns
            self._rate = None
            waiting.retime(self._held, partial(self._unlimited, now_ns))
        else:
            waiting.retime(self._held, partial(self._rate.change, *after, now_ns))
            self._latest_ns = self._rate.last_ns

    def _apply(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._blackout = parameters.blackout
        self._max_size = sys.maxsize if parameters.max_size is None else parameters.max_size
        self._limit_packets = parameters.limit_packets
        self._limit_bytes = parameters.limit_bytes

    def _unlimited(self, now_ns: int, waits: Sequence[Waits]) -> list[tuple[int, Turn | None]]:
        """Return when packets leave that wait for a rate no more."""
        times: list[tuple[int, Turn | None]] = []
        latest = 0
        for due, _, (ready, _, _) in waits:
            latest = max(latest, min(due, max(ready, now_ns)))
            times.append((latest, None))
        self._latest_ns = max(self._latest_ns, latest)
        return times

    def put(self, packet: bytes, now_ns: int, waiting: Waiting) -> int:
        """Take a packet, decide what happens to it, and let it wait if it will leave.

        Take the packets that are due from `waiting` first: they count for the limit until then.

        Returns:
            The size of the packet if it was too large, else 0.
        """
        lost, duplicated, place, delay, copy_place, copy_delay = self._fates.decide()
        size = len(packet)
        if size > self._max_size:
            self._lose(packet, self._accounts.too_large, "too_large")
            return size
        if self._blackout:
            self._lose(packet, self._accounts.blackout, "blackout")
            return 0
        copy = packet
        if duplicated:
            self._accounts.duplicated.add(1, size)
            if self.marking is not None:
                packet, copy = self.marking.twice(packet)
        if lost:
            self._lose(copy, self._accounts.lost, "lost")
            if not duplicated:
                return 0
        self._leave(packet, now_ns, waiting, place, delay)
        if duplicated and not lost:
            self._leave(copy, now_ns, waiting, copy_place, copy_delay)
        return 0

    def _lose(self, packet: bytes, count: Count, cause: str) -> None:
        """Count a packet that does not leave."""
        count.add(1, len(packet))
        if self.marking is not None:
            self.marking.lose(packet, cause)

    def _leave(
        self,
        packet: bytes,
        now_ns: int,
        waiting: Waiting,
        place: float,
        delay: int,
    ) -> None:
        """Let a packet leave when it is its time, unless too many wait."""
        size = len(packet)
        if place >= 0:
            changed = inverted(packet, place)
            self._accounts.corrupted.add(1, size)
            packet = changed if self.marking is None else self.marking.corrupted(packet, changed)
        held, rate = self._held, self._rate
        if (held.packets >= self._limit_packets or held.bytes + size > self._limit_bytes) and (
            delay or rate is not None
        ):
            self._lose(packet, self._accounts.limit, "limit")
            return
        turn = None
        if delay == AT_ONCE:
            due = now_ns
            self._accounts.reordered.add(1, size)
            if self.marking is not None:
                self.marking.add(packet, REORDERED)
            if rate is not None:
                rate.charge(now_ns, size)
        elif rate is not None:
            due = self._latest_ns = rate.departure(now_ns + delay, size)
            turn = rate.turn
        else:
            due = now_ns + delay
            self._latest_ns = due if due > self._latest_ns else self._latest_ns
        waiting.push(due, packet, held if due > now_ns else None, turn)


def _rate_of(parameters: Parameters) -> tuple[int, int, int] | None:
    """Return the rate with its burst and overhead, if there is one."""
    if parameters.rate_bps is None:
        return None
    return parameters.rate_bps, parameters.burst_bytes, parameters.overhead_bytes
