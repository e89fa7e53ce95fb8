"""Compile filters beside the event loop, and let them choose packets of a burst."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final
from weakref import WeakValueDictionary

from wintun_api.capture.filters.binding import version as libpcap_version
from wintun_api.capture.filters.compiler import check_syntax, compile_filter
from wintun_api.capture.filters.matcher import Match, Take, matcher_with, taker_with
from wintun_api.capture.filters.names import Name, names_in
from wintun_api.capture.filters.program import Program
from wintun_api.errors import FiltersBusy, FilterUnavailable, InvalidFilter, OutOfThreads
from wintun_api.hub.aside import aside
from wintun_api.hub.burst import Burst
from wintun_api.hub.workers import Occupied, Workers
from wintun_api.native import Speedups

KEPT: Final = 32  # filters that stay compiled while no reader uses them
# libpcap waits for the resolver of the system, and cannot be stopped. Filters with names have
# threads of their own, so that no other filter ever waits for a resolver that does not answer.
AT_A_TIME: Final = 2
LOOKING_UP: Final = 4
WAITING: Final = 32  # of those with names
QUEUED: Final = 256  # of all others, which take a moment each
PATIENCE: Final = 10.0  # seconds that a filter waits for its turn, and that it may then take
# What compiling one raises.
FILTER_ERRORS: Final = (InvalidFilter, FiltersBusy, FilterUnavailable, OutOfThreads)


class Filter:
    """Choose the packets of bursts. Event loop thread only.

    Two filters with the same expression are one object, so that readers share what it chose.
    """

    def __init__(self, program: Program, match: Match, take: Take) -> None:
        self.program = program
        self._match = match
        self._take = take

    @property
    def expression(self) -> str:
        """The filter as it was written."""
        return self.program.expression

    def matching(self, burst: Burst) -> Burst | None:
        """Return the packets of a burst that match; None if none does.

        All of them are the burst itself; otherwise the result has `offsets`.
        """
        return burst.choice(self, self._chosen)

    def _chosen(self, burst: Burst) -> Burst | None:
        indexes = self._match(self.program, burst.packets, burst.original_lengths)
        if not indexes:
            return None
        if len(indexes) == burst.count:
            return burst
        return burst.chosen(indexes, self._take(burst.packets, indexes))


class Filters:
    """Compile filters, and keep those that are in use. Event loop thread only.

    Args:
        speedups: The extension; None runs filters in Python.
        compiler: What compiles a filter; it is called on a thread of its own.
        checker: What checks the syntax of a filter with names before they are looked up, likewise.
        version: What loads libpcap and returns its version, likewise.
    """

    def __init__(
        self,
        speedups: Speedups | None = None,
        *,
        compiler: Callable[[str], Program] = compile_filter,
        checker: Callable[[str], None] = check_syntax,
        version: Callable[[], str | None] = libpcap_version,
    ) -> None:
        self._match = matcher_with(speedups)
        self._take = taker_with(speedups)
        self._compiler = compiler
        self._checker = checker
        self._used: WeakValueDictionary[str, Filter] = WeakValueDictionary()
        self._kept: deque[Filter] = deque(maxlen=KEPT)
        self._plain = Workers("filter", threads=AT_A_TIME, waiting=QUEUED, patience=PATIENCE)
        self._named = Workers("names", threads=LOOKING_UP, waiting=WAITING, patience=PATIENCE)
        self._ask = version
        self._version: str | None = None
        self._loaded = False

    async def version(self) -> str | None:
        """Return the version of libpcap; None if filters do not work.

        It is loaded when it is first wanted, which takes some hundred milliseconds, beside the
        event loop if the system starts a thread for it.
        """
        if not self._loaded:
            try:
                self._version = await aside("libpcap", self._ask)
            except OutOfThreads:
                self._version = self._ask()
            self._loaded = True
        return self._version

    async def compile(self, expression: str) -> Filter | None:
        """Compile a filter; return None for an empty one.

        Raises:
            InvalidFilter: libpcap does not accept it, or nothing resolved its names in time.
            FiltersBusy: Too many others are compiled; this one can still be valid.
            FilterUnavailable: No libpcap is installed.
            OutOfThreads: The system did not start the thread.
            ServiceStopping: `stop` was called.
        """
        if not expression.strip():
            return None
        if (known := self._used.get(expression)) is not None:
            return known
        names = list(names_in(expression))
        try:
            if names:
                await self._plain.run(lambda: self._checker(expression))
                program = await self._resolved(expression, names)
            else:
                program = await self._plain.run(lambda: self._compiler(expression))
        except (Occupied, TimeoutError):
            raise FiltersBusy from None
        made = self._used.setdefault(expression, Filter(program, self._match, self._take))
        self._kept.append(made)
        return made

    def stop(self) -> None:
        """Compile no more, and wait for no name any longer. Idempotent."""
        self._plain.stop()
        self._named.stop()

    async def _resolved(self, expression: str, names: Sequence[Name]) -> Program:
        try:
            return await self._named.run(lambda: self._compiler(expression))
        except TimeoutError:
            first = names[0]
            which = f"{first.text!r} was" if len(names) == 1 else f"such as {first.text!r} were"
            reason = (
                f"the name{'s' if len(names) > 1 else ''} {which} not resolved within "
                f"{PATIENCE:.0f} seconds; write addresses instead of names"
            )
            raise InvalidFilter(expression, reason, first.start) from None
