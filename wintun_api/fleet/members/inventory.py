"""The hosts of a network: those whose card is young.

Every host renews its card every ten seconds. Its age is judged by the times of the server alone, so
that all hosts come to the same result, whatever their own clocks say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wintun_api.fleet.bus.seam import Bus, Entry, Watch
from wintun_api.fleet.clock import Clock
from wintun_api.fleet.members.card import Card, card_of
from wintun_api.fleet.network import Network, is_host
from wintun_api.moments import NS_PER_SECOND

RENEWAL: Final = 10.0  # seconds between two cards
LIFETIME: Final = 30.0  # seconds without a card after which a host is dead
RETURN: Final = 10.0  # seconds that hosts have to come back when this one was away itself
LATE: Final = 1.0  # seconds after its time in which a look is one of a host that stood still
MAX_HOSTS: Final = 4096


@dataclass(frozen=True, slots=True)
class Host:
    """A host that lives.

    Attributes:
        id: Its id.
        card: What it says of itself; None if that cannot be read.
        renewed_ns: When the server took its card, by the server's clock.
    """

    id: str
    card: Card | None
    renewed_ns: int

    @property
    def epoch(self) -> int | None:
        """The life in which it is; None if that cannot be read."""
        return self.card.epoch if self.card is not None else None

    @property
    def name(self) -> str:
        """What its operator calls it; its id if nothing is known."""
        return self.card.name if self.card is not None else self.id


@dataclass(frozen=True, slots=True)
class _Past:
    """The life of a host that is gone, when its last card was put, and what the host was called."""

    epoch: int
    last_ns: int
    name: str


class Appearance(StrEnum):
    """Name what has happened to a host."""

    JOINED = "joined"
    RENEWED = "renewed"
    LEFT = "left"  # it has deleted its card
    DIED = "died"  # it has not renewed its card


OnHost = Callable[[Appearance, Host], None]


async def host_names(bus: Bus, network: Network) -> dict[str, str]:
    """Return what the hosts that have a card are called, by their ids.

    Raises:
        BusDenied: This key may not read the cards.
        BusUnavailable: The server does not answer.
    """
    names: dict[str, str] = {}

    def take(entry: Entry) -> None:
        if entry.value is None or not is_host(entry.key):
            names.pop(entry.key, None)
        else:
            card = card_of(entry.value)
            names[entry.key] = entry.key if card is None else card.name

    watch = await (await bus.bucket(network.hosts)).watch(take)
    try:
        await watch.caught_up()
    finally:
        await watch.aclose()
    return names


class Inventory:
    """Watch the cards of all hosts. Event loop thread only.

    While there is no connection no other host is declared dead, for nothing can be known of any:
    only this host itself, whose own card has lapsed for all others too. After an interruption, or
    when this process stood still, the others have `patience` before they are judged.

    Attributes:
        hosts: The hosts that live, by their ids.
        ignored: How many keys were not taken: they name no host, or there are too many hosts.
        forgotten: How many lives of hosts that are gone were forgotten for newer ones. Such a host
            could come back with the claims of that life.
    """

    def __init__(
        self,
        bus: Bus,
        network: Network,
        clock: Clock,
        on_host: OnHost,
        *,
        own: str = "",
        lifetime: float = LIFETIME,
        patience: float = RETURN,
    ) -> None:
        """Name what is watched; nothing is until `start`.

        Args:
            bus: The connection.
            network: The network.
            clock: The server's time.
            on_host: Called with each change.
            own: This host; nothing if it has no card.
            lifetime: Seconds without a card after which a host is dead.
            patience: Seconds that hosts have to come back when this one was away itself.
        """
        self.hosts: dict[str, Host] = {}
        self.ignored = 0
        self.forgotten = 0
        self._bus = bus
        self._network = network
        self._clock = clock
        self._on_host = on_host
        self._own = own
        self._lifetime = lifetime
        self._patience = patience
        self._watch: Watch | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0  # of the timer
        self._patient_until = 0.0
        self._unsure: set[str] = set()  # hosts of which a card may have been missed
        self._past: dict[str, _Past] = {}  # lives that are over, unless the host is soon back

    async def start(self) -> None:
        """Take the cards that are there, then every change.

        Raises:
            BusUnavailable: The network was not prepared on this server.
        """
        bucket = await self._bus.bucket(self._network.hosts)
        self._watch = await bucket.watch(self._take, self.returned)
        await self._watch.caught_up()

    async def aclose(self) -> None:
        """Take no more changes. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
        if self._watch is not None:
            await self._watch.aclose()

    @property
    def epochs(self) -> dict[str, int]:
        """The life of each host that has one that counts; see `epoch_of`."""
        lives = ((host, self.epoch_of(host)) for host in self.hosts)
        return {host: epoch for host, epoch in lives if epoch is not None}

    def epoch_of(self, host: str) -> int | None:
        """Return the life of a host; None if it does not live, or its life does not count.

        One that says the life in which it was dead before has no life that counts: it cannot bring
        back claims that others have taken over since.
        """
        found, past = self.hosts.get(host), self._past.get(host)
        epoch = None if found is None else found.epoch
        return None if epoch is None or (past is not None and epoch <= past.epoch) else epoch

    def returned(self) -> None:
        """Give every host some time to come back: cards may have been missed.

        It is called after an interruption. This host does not know who was dead meanwhile.
        """
        self._past.clear()
        self._unsure = set(self.hosts)
        self._patient_until = asyncio.get_running_loop().time() + self._patience
        self._wait()

    def name_of(self, host: str) -> str:
        """Return what the operator calls a host, also one that is gone; its id if not known."""
        found = self.hosts.get(host) or self._past.get(host)
        return host if found is None else found.name

    def _take(self, entry: Entry) -> None:
        known = self.hosts.get(entry.key)
        if entry.value is None:
            # One that has expired is judged by `_look`, as the others may have got a newer one.
            if known is not None and self._age(known) < 0.95 * self._lifetime:
                self._remove(known, Appearance.LEFT, 0)
            return
        if not is_host(entry.key) or (known is None and len(self.hosts) >= MAX_HOSTS):
            self.ignored += 1
            return
        if known is not None and entry.created_ns <= known.renewed_ns:
            return
        host = Host(entry.key, card_of(entry.value), entry.created_ns)
        if known is None and self._age(host) > self._lifetime:
            return
        sure = host.id not in self._unsure
        self._unsure.discard(host.id)
        if known is not None and sure and self._lapsed(known.renewed_ns, host):
            self._remove(known, Appearance.DIED, known.renewed_ns)
            known = None
        if known is None:
            self._judge(host)
        self.hosts[host.id] = host
        self._on_host(Appearance.RENEWED if known is not None else Appearance.JOINED, host)
        if self._timer is None:
            self._wait()

    def _remove(self, host: Host, why: Appearance, last_ns: int) -> None:
        """Forget a host; note when its last card was put, 0 if that was deleted."""
        del self.hosts[host.id]
        if host.epoch is not None and host.id not in self._unsure:
            self._past.pop(host.id, None)
            self._past[host.id] = _Past(host.epoch, last_ns, host.name)
            if len(self._past) > MAX_HOSTS:
                del self._past[next(iter(self._past))]  # the one that is gone for longest
                self.forgotten += 1
        self._unsure.discard(host.id)
        self._on_host(why, host)

    def _judge(self, host: Host) -> None:
        """See whether a host that is back says a life that is over.

        It is over if its cards were too far apart, by the times of the server: so all that have
        seen both cards come to the same result, when ever they have looked.
        """
        past = self._past.get(host.id)
        if past is not None and not self._lapsed(past.last_ns, host):
            del self._past[host.id]

    def _lapsed(self, last_ns: int, host: Host) -> bool:
        return host.renewed_ns - last_ns > self._lifetime * NS_PER_SECOND

    def _age(self, host: Host) -> float:
        return (self._clock.server_ns() - host.renewed_ns) / NS_PER_SECOND

    def _judged(self) -> list[Host]:
        """Return the hosts whose death can be known now."""
        return [one for one in self.hosts.values() if self._bus.connected or one.id == self._own]

    def _wait(self) -> None:
        """Look again when the host with the oldest card would be dead."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        judged = self._judged()
        if not judged:
            return  # `returned` looks again, or the next card
        loop = asyncio.get_running_loop()
        left = self._lifetime - max(map(self._age, judged))
        self._due = max(loop.time() + left, self._patient_until) + 0.01
        self._timer = loop.call_at(self._due, self._look)

    def _look(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        if now - self._due > LATE:
            self._patient_until = now + self._patience
        else:
            for host in self._judged():
                if self._age(host) > self._lifetime:
                    self._remove(host, Appearance.DIED, host.renewed_ns)
        self._wait()
