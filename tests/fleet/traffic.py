"""Numbered datagrams both ways between two places, and what became of each of them.

The programs that send and receive, the kernel, the sessions and both agents count on their own. A
`Way` has all these numbers for one direction, since its traffic began.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fleet import datagrams
from tests.fleet.places import Place
from tests.waiting import until, within
from wintun_api.fleet.packets.accounts import BEFORE, FAR, NEAR, Accounts, Arrived, Cause, Sent

PORT = 9000
PATIENCE = 60.0


@dataclass(frozen=True)
class Way:
    """What was counted of one direction.

    Attributes:
        sent: Datagrams that the system of the sender has taken from the program.
        link: Those of them that it has handed to the adapter.
        taken: Packets that the service gave to the agent.
        before: Those that it has not given, by cause.
        numbered: Those that the agent has given to the bus.
        near: Those that it has not given, by cause.
        arrived: Packets that the other agent knows to have been sent.
        delivered: Those of them that were injected.
        far: Those that were not, by cause.
        confirmed: What the sender knows to be delivered.
        told: What the sender knows to be lost there, by cause.
        received: Datagrams that the other program got.
        missed: Datagrams that its system dropped because it was too slow.
        twice: Datagrams that it got more than once.
        disordered: Datagrams that others have overtaken.
        silence: The longest time without a datagram, in seconds.
    """

    sent: int
    link: int
    taken: int
    before: Mapping[Cause, int]
    numbered: int
    near: Mapping[Cause, int]
    arrived: int
    delivered: int
    far: Mapping[Cause, int]
    confirmed: int
    told: Mapping[Cause, int]
    received: int
    missed: int
    twice: int
    disordered: int
    silence: float

    @property
    def passed(self) -> int:
        """How many packets of the session the agent knows of."""
        return self.taken + sum(self.before.values())

    def must_add_up(self) -> None:
        """See that every packet has one end, and that all who count agree."""
        assert self.taken == self.numbered + sum(self.near.values()), self
        assert self.numbered == self.arrived, self
        assert self.arrived == self.delivered + sum(self.far.values()), self
        assert self.confirmed == self.delivered, self
        assert self.told == self.far, self
        assert self.link == self.passed, self
        assert self.link <= self.sent, self
        unsure = self.far.get(Cause.UNKNOWN, 0)
        assert 0 <= self.received + self.missed - self.delivered <= unsure, self
        assert not self.twice, self
        assert not self.disordered, self

    def __str__(self) -> str:
        """Return it as the cells of a table."""
        near = _causes({**self.before, **self.near})
        cells = (
            *(self.sent, self.link, self.taken, self.numbered, near),
            *(self.arrived, self.delivered, _causes(self.far), self.received),
            f"{self.silence:.1f}",
        )
        return " | ".join(map(str, cells))


def _causes(counts: Mapping[Cause, int]) -> str:
    return ", ".join(f"{cause.value} {count}" for cause, count in counts.items() if count) or "-"


class Traffic:
    """Datagrams both ways between two places, from now on.

    What each program before it has counted does not matter: only differences do.
    """

    def __init__(
        self, first: Place, second: Place, *, rate: int = 2000, size: int = 200, back: bool = True
    ) -> None:
        """Begin, and return when some have come.

        Args:
            first: One place.
            second: The other.
            rate: Datagrams a second, in each direction.
            size: Bytes of a datagram.
            back: Whether the second sends as well.
        """
        self.places = first, second
        until(self._settled)
        self._flows = [_Flow(first, second, rate, size)]
        if back:
            self._flows.append(_Flow(second, first, rate, size))
        self.must_flow()

    def must_flow(self) -> None:
        """Wait until more datagrams come everywhere."""
        for flow in self._flows:
            seen = flow.receiver.datagrams()
            until(lambda seen=seen, flow=flow: flow.receiver.datagrams() > seen + 100)  # type: ignore[misc]

    def end(self) -> tuple[Way, ...]:
        """Send no more, wait until all is known, and return what was counted."""
        for flow in self._flows:
            flow.stop()
        settled = within(
            PATIENCE, lambda: self._settled() and all(flow.is_known() for flow in self._flows)
        )
        ways = tuple(flow.way() for flow in self._flows)
        assert settled, "\n".join(map(repr, ways))
        return ways

    def _settled(self) -> bool:
        """Say whether both agents have settled their accounts, and tell the same."""
        (first, one), (second, other) = ((place.id, place.accounts()) for place in self.places)
        return (
            one is not None
            and other is not None
            and _settled(_sent(one, second), _arrived(other, first))
            and _settled(_sent(other, first), _arrived(one, second))
        )


class _Flow:
    """Datagrams from one place to another."""

    def __init__(self, sender: Place, receiver: Place, rate: int, size: int) -> None:
        self.sender = sender
        self.receiver = receiver
        self._before = self._now()
        address = (receiver.address, str(PORT))
        self._receiving = self._run(receiver, "receive", *address)
        assert self._receiving.stdout
        assert self._receiving.stdout.readline() == "ready\n"
        self._sending = self._run(sender, "send", *address, str(rate), str(size))
        self._sent: Mapping[str, Any] = {}

    def stop(self) -> None:
        """Send no more."""
        self._sent = _ended(self._sending)

    def is_known(self) -> bool:
        """Say whether the agent of the sender knows of each packet that its adapter was given.

        The service reads what the kernel has dropped a second after the packets around it.
        """
        before, now = self._before, self._now()
        passed = now["taken"] + sum(now["before"].values())
        known = before["taken"] + sum(before["before"].values())
        return bool(now["link"] - before["link"] == passed - known)

    def way(self) -> Way:
        """Receive no more, and return what was counted."""
        received, before, now = _ended(self._receiving), self._before, self._now()
        counts: dict[str, Any] = {
            name: now[name] - before[name]
            if isinstance(now[name], int)
            else {one: now[name][one] - before[name][one] for one in now[name]}
            for name in now
        }
        seen = {name: received[name] for name in ("received", "twice", "disordered", "silence")}
        return Way(sent=self._sent["sent"], **counts, **seen)

    def _now(self) -> dict[str, Any]:
        near, far = self.sender.last_accounts(), self.receiver.last_accounts()
        sent = _sent(near, self.receiver.id)
        arrived = _arrived(far, self.sender.id)
        return {
            "link": self.sender.link(),
            "taken": near.taken.taken,
            "before": {cause: near.taken.before.get(cause, 0) for cause in BEFORE},
            "numbered": near.taken.numbered,
            "near": {cause: near.taken.causes.get(cause, 0) for cause in NEAR},
            "arrived": sum(one.sent for one in arrived),
            "delivered": sum(one.delivered for one in arrived),
            "far": _sum([one.causes for one in arrived]),
            "confirmed": sum(one.delivered for one in sent),
            "told": _sum([one.causes for one in sent]),
            "missed": self.receiver.datagrams_dropped(),
        }

    def _run(self, place: Place, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*place.space.within, sys.executable, str(Path(datagrams.__file__)), *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        place.network.stack.callback(_killed, process)
        return process


def _ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    process.send_signal(signal.SIGTERM)
    told, _ = process.communicate(timeout=PATIENCE)
    counts: dict[str, Any] = json.loads(told)
    return counts


def _killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def _sum(several: list[Mapping[Cause, int]]) -> dict[Cause, int]:
    total: Counter[Cause] = Counter()
    for one in several:
        total.update(one)
    return {cause: total[cause] for cause in FAR}


def _sent(accounts: Accounts, to: str) -> list[Sent]:
    """Return the account of packets for a host; none if there were none."""
    return [one for one in accounts.sent if one.to == to]


def _arrived(accounts: Accounts, sender: str) -> list[Arrived]:
    """Return the account of packets of a host; none if there were none."""
    return [one for one in accounts.arrived if one.sender == sender and not one.group]


def _settled(sent: list[Sent], arrived: list[Arrived]) -> bool:
    """Say whether nothing is under way, and the receiver knows of all that was sent."""
    same = sum(one.sent for one in sent) == sum(one.sent for one in arrived)
    return same and not any(one.waiting for one in sent)
