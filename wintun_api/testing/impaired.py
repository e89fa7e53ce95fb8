"""Two hosts that reach each other through a bad network: the fixture `impaired_link`."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from wintun_api import netem
from wintun_api.client import ClientError
from wintun_api.client.impairments import members_of
from wintun_api.testing.arrivals import Arrivals
from wintun_api.testing.link import PATIENCE, Delivery, Side, check_side
from wintun_api.testing.pair import AsyncTunPair, TunPair, in_a_thread, make_pair

if TYPE_CHECKING:
    from wintun_api.client import SessionHandle
    from wintun_api.schemas.impairment import Impairment, ImpairmentCounters, SessionImpairment
    from wintun_api.testing.service import TunService

SEEDS: Final = 1 << 32  # for tests that name no seed; short enough to be typed
_FATES: Final = ("lost", "limit", "blackout", "too_large", "dropped", "delayed")
SIDES: Final[tuple[Side, ...]] = ("left", "right")

# A number is in milliseconds, bits per second or bytes, or it is a probability from 0 to 1.
Quantity = str | float


class Network(TypedDict, total=False):
    """What happens to packets, in the words of tc-netem; numbers, or texts with units.

    `100` and `"100ms"` are the same delay, `0.02` and `"2%"` the same loss, and `10_000_000` and
    `"10mbit"` the same rate.
    """

    delay: Quantity
    jitter: Quantity
    distribution: str
    delay_correlation: Quantity
    loss: Quantity
    loss_correlation: Quantity
    gilbert_elliott: str | tuple[Quantity, ...] | Mapping[str, Quantity]
    duplicate: Quantity
    duplicate_correlation: Quantity
    corrupt: Quantity
    corrupt_correlation: Quantity
    reorder: Quantity
    reorder_correlation: Quantity
    gap: int
    rate: Quantity
    burst: Quantity
    overhead: int
    limit: int
    limit_bytes: Quantity
    blackout: bool
    max_size: Quantity
    too_big_reply: bool


@dataclass(slots=True)
class State:
    """What changes of an impaired link: its seed, and what was counted before it was repaired."""

    seed: int
    last: dict[Side, ImpairmentCounters] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class ImpairedLink(TunPair):
    """A pair whose hosts reach each other through a bad network. `impaired_link` gives it.

    It has all that a `TunPair` has. A packet passes `link` first, which records it and can have a
    rule, and then the bad network on its way to the other host. `ping` ends when the host that
    began has got the reply.

    Attributes:
        arrivals: The packets that hosts really got.
        state: The seed, and counters of a network that was repaired.
    """

    arrivals: Arrivals
    state: State

    def __repr__(self) -> str:
        return f"<ImpairedLink {self.left.name} {self.right.name} seed={self.seed}>"

    @property
    def seed(self) -> int:
        """The number from which all chance follows. Each direction has chance of its own."""
        return self.state.seed

    def counters(self, source: Side = "left") -> ImpairmentCounters:
        """Return what the network has done to the packets of one host.

        Args:
            source: The side of the host that sent them.

        Raises:
            ValueError: There is no such side.
            RuntimeError: The network was repaired, but not by `repair`.
        """
        found = self._session_to(source).impairment()
        if found is not None:
            return found.injected
        if source not in self.state.last:
            raise RuntimeError(
                "The impairment was removed from the session. `repair` of the link removes it and "
                "keeps the counters."
            )
        return self.state.last[source]

    def change(
        self,
        *,
        preset: str | None = None,
        seed: int | None = None,
        match: Mapping[str, Any] | None = None,
        on_change: str | None = None,
        from_left: Network | None = None,
        from_right: Network | None = None,
        **both: Unpack[Network],
    ) -> None:
        """Make the network another one from now on. The arguments are those of `impaired_link`.

        Without a seed the present one is used again: all chance begins anew from it. Where the
        service refuses it, the network stays what it was.
        """
        rules = self._rules(preset, both, from_left, from_right)
        chosen = self.seed if seed is None else seed
        _check_seed(chosen)
        with ExitStack() as undoing:
            for source in SIDES:
                session = self._session_to(source)
                before = session.impairment()
                session.client.set_impairment(
                    session.id,
                    injected=rules[source],
                    match=match,
                    on_change=on_change,
                    seed=chosen ^ SIDES.index(source),
                )
                undoing.callback(_set_again, session, before)
            undoing.pop_all()
        self.state.seed = chosen

    def repair(self) -> None:
        """Make the network good from now on."""
        for source in SIDES:
            found = self._session_to(source).repair()
            if found is not None:
                self.state.last[source] = found.injected

    def wait_for_arrival(
        self, wanted: Callable[[Delivery], object], timeout: float = PATIENCE
    ) -> Delivery:
        """Return the first packet that a host got for which a function is true, or wait for one.

        Raises:
            TimeoutError: None came in time; the message says what the network has lost.
        """
        found = self.arrivals.wait(wanted, timeout)
        if found is None:
            self.link.check()
            raise TimeoutError(self._missed(timeout))
        return found

    @asynccontextmanager
    async def asynchronous(self) -> AsyncIterator[AsyncImpairedLink]:
        """Give this link for the running event loop."""
        async with self.left.asynchronous() as left, self.right.asynchronous() as right:
            yield AsyncImpairedLink(left, right, self)

    def _rules(
        self,
        preset: str | None,
        both: Network,
        from_left: Network | None,
        from_right: Network | None,
    ) -> dict[Side, Impairment | dict[str, Any]]:
        """Return what happens to the packets of each side."""
        if preset is None:
            return {
                "left": _of_one_side(both, "from_left", from_left),
                "right": _of_one_side(both, "from_right", from_right),
            }
        if both or from_left or from_right:
            raise ValueError(
                f"The preset {preset!r} says what the network is like. Give either it or the words."
            )
        presets = {one.name: one for one in self.left_session.client.list_impairment_presets()}
        if preset not in presets:
            raise ValueError(f"There is no preset {preset!r}. The presets: {', '.join(presets)}.")
        return {"left": presets[preset].received, "right": presets[preset].injected}

    def _delivery(self, wanted: Callable[[Delivery], object], timeout: float) -> Delivery:
        return self.wait_for_arrival(wanted, timeout)

    def _session_to(self, source: Side) -> SessionHandle:
        """Return the session by which the packets of one host reach the other one."""
        check_side(source)
        return self.right_session if source == "left" else self.left_session

    def _missed(self, timeout: float) -> str:
        sentences = [f"No such packet arrived within {timeout:g} s."]
        for source in SIDES:
            try:
                counts = self.counters(source)
            except (ClientError, RuntimeError) as error:
                # The reason of the test is that nothing arrived; this is beside it.
                sentences.append(f"From the {source} there are no counters: {error}")
                continue
            told = [f"{counts.offered.packets} came", f"{counts.delivered.packets} left"]
            told += [
                f"{number} {name.replace('_', ' ')}"
                for name in _FATES
                if (number := getattr(counts, name).packets)
            ]
            sentences.append(f"From the {source} to the network: {', '.join(told)}.")
        return f"{' '.join(sentences)} Seed: {self.seed}."


@dataclass(frozen=True, slots=True)
class AsyncImpairedLink(AsyncTunPair):
    """An impaired link for an event loop. `ImpairedLink.asynchronous` gives it.

    Attributes:
        pair: The link, whose addresses are the same. Its methods block the loop.
    """

    pair: ImpairedLink

    async def counters(self, source: Side = "left") -> ImpairmentCounters:
        """Return what the network has done to the packets of one host."""
        return await in_a_thread(lambda: self.pair.counters(source))

    async def change(
        self,
        *,
        preset: str | None = None,
        seed: int | None = None,
        match: Mapping[str, Any] | None = None,
        on_change: str | None = None,
        from_left: Network | None = None,
        from_right: Network | None = None,
        **both: Unpack[Network],
    ) -> None:
        """Make the network another one from now on, as `ImpairedLink.change` does."""
        await in_a_thread(
            lambda: self.pair.change(
                preset=preset,
                seed=seed,
                match=match,
                on_change=on_change,
                from_left=from_left,
                from_right=from_right,
                **both,
            )
        )

    async def repair(self) -> None:
        """Make the network good from now on."""
        await in_a_thread(self.pair.repair)

    async def wait_for_arrival(
        self,
        wanted: Callable[[Delivery], object],
        timeout: float = PATIENCE,  # noqa: ASYNC109 - as in ImpairedLink
    ) -> Delivery:
        """Return the first packet that a host got for which a function is true, or wait for one."""
        return await in_a_thread(lambda: self.pair.wait_for_arrival(wanted, timeout))


class ImpairedLinks:
    """Make links between two hosts, each a bad network. The fixture `impaired_link` gives it."""

    def __init__(
        self, left: TunService, right: TunService, stack: ExitStack, tell: Callable[[str], object]
    ) -> None:
        self._left = left
        self._right = right
        self._stack = stack
        self._tell = tell

    def __call__(
        self,
        *,
        preset: str | None = None,
        seed: int | None = None,
        match: Mapping[str, Any] | None = None,
        on_change: str | None = None,
        from_left: Network | None = None,
        from_right: Network | None = None,
        **both: Unpack[Network],
    ) -> ImpairedLink:
        """Return two hosts with a bad network between them, until the end of the test.

        Args:
            preset: A network by its name, such as `3g`, in place of words. The left host is the
                one that uses it.
            seed: The number from which all chance follows. The default is another one in each
                test, which the report of a test that fails names.
            match: The packets that are concerned: `{"protocol": "udp", "port": 53}`. The default
                is all.
            on_change: What happens to packets that are delayed when the network is changed or
                repaired: `deliver`, which is the default, or `drop`.
            from_left: What happens to the packets of the left host only, beside or in place of
                what happens to both.
            from_right: What happens to the packets of the right host only.
            both: What happens to the packets of each host: `delay="100ms", loss="2%"`.

        Raises:
            TypeError: There is no such word, or the seed is not a whole number.
            ValueError: A word does not take this value, two words mean the same, or there is no
                such preset.
            ProblemError: The service refuses a value.
        """
        chosen = secrets.randbelow(SEEDS) if seed is None else seed
        _check_seed(chosen)
        link = self._stack.enter_context(_make_link(self._left, self._right, chosen))
        self._tell(f"{link.left.name} and {link.right.name}: seed={chosen}")
        link.change(
            preset=preset,
            match=match,
            on_change=on_change,
            from_left=from_left,
            from_right=from_right,
            **both,
        )
        return link


@contextmanager
def _make_link(left: TunService, right: TunService, seed: int) -> Iterator[ImpairedLink]:
    arrivals = Arrivals()
    with ExitStack() as streams:
        with make_pair(left, right) as pair:
            sessions: dict[Side, SessionHandle] = {
                "left": pair.left_session,
                "right": pair.right_session,
            }
            arrivals.begin(
                (side, streams.enter_context(session.packets(direction="injected")))
                for side, session in sessions.items()
            )
            yield ImpairedLink(
                pair.left,
                pair.right,
                pair.left_session,
                pair.right_session,
                pair.link,
                arrivals,
                State(seed),
            )
        arrivals.join()  # the streams have ended with their sessions


def _check_seed(seed: object) -> None:
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise TypeError(f"The seed must be a whole number, not {seed!r}.")


def _set_again(session: SessionHandle, before: SessionImpairment | None) -> None:
    """Set what was set before."""
    if before is None:
        session.repair()
    else:
        session.client.set_impairment(session.id, **members_of(before))


def _of_one_side(both: Network, name: str, one: Network | None) -> dict[str, Any]:
    """Return the members for one side, whose own words take the place of those of both sides."""
    own = {} if one is None else one
    if not isinstance(own, Mapping):
        raise TypeError(f"{name} must have words with values, such as {{'delay': 5}}, not {own!r}.")
    replaced = {netem.member_of(word) for word in own}
    kept = {name: value for name, value in _members(both).items() if name not in replaced}
    return {**kept, **_members(own)}


def _members(words: Mapping[str, Any]) -> dict[str, Any]:
    known = {word.member for word in netem.WORDS.values()}
    unknown = [name for name in words if netem.member_of(name) not in known]
    if unknown:
        raise TypeError(
            f"impaired_link has no word {unknown[0]!r}. Its words: {', '.join(netem.WORDS)}."
        )
    return netem.members(words)
