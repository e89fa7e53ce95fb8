"""hub.filters: what a filter chooses of a burst, with real programs of libpcap."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from tests.extension import extension
from tests.hub.running import pass_at_once, run_passing, soon
from tests.libpcap import need_libpcap
from wintun_api.capture.filters.program import Program
from wintun_api.errors import FiltersBusy, InvalidFilter
from wintun_api.hub.burst import Burst
from wintun_api.hub.filters import LOOKING_UP, PATIENCE, WAITING, Filter, Filters
from wintun_api.hub.tasks import TaskSet
from wintun_api.native import Speedups
from wintun_api.packet import build
from wintun_api.packet.block import Block

UDP = build.udp("10.6.7.1", "10.6.7.7", 1000, 53, b"question")
TCP = build.tcp("10.6.7.1", "10.6.7.7", 1000, 443)


@pytest.fixture(params=["python", "native"])
def speedups(request: pytest.FixtureRequest) -> Speedups | None:
    """Both ways to run a program."""
    need_libpcap()
    return None if request.param == "python" else extension()


def compiled(expression: str, speedups: Speedups | None) -> Filter:
    """Return a filter that is not empty."""

    async def body() -> Filter:
        chosen = await Filters(speedups).compile(expression)
        assert chosen is not None
        return chosen

    return asyncio.run(body())


@pytest.mark.parametrize("kind", [list, Block.of])
def test_numbers_begin_with_the_first_match(
    speedups: Speedups | None, kind: type[list[bytes]]
) -> None:
    """The number of a chosen burst is that of its first packet, as in every other burst."""
    packets = [TCP, TCP, UDP, TCP, UDP]
    lengths = list(map(len, packets))
    whole = Burst(kind(packets), lengths, sum(lengths), 40, 7, injected=False, times=range(5))
    chosen = compiled("udp", speedups).matching(whole)
    assert chosen is not None
    assert list(chosen.packets) == [UDP, UDP]
    assert (chosen.sequence, list(chosen.offsets or ())) == (42, [0, 2])
    assert [chosen.time_ns + time for time in chosen.times or ()] == [9, 11]
    assert chosen.size == sum(chosen.lengths) == 2 * len(UDP)
    assert compiled("tcp or udp", speedups).matching(whole) is whole
    assert compiled("icmp", speedups).matching(whole) is None


def test_libpcap_is_loaded_beside_the_event_loop() -> None:
    """Its version is asked for once, on a thread of its own."""
    threads: list[str] = []

    def version() -> str:
        threads.append(threading.current_thread().name)
        return "1.10.6"

    async def body() -> list[str | None]:
        filters = Filters(version=version)
        return [await filters.version() for _ in range(2)]

    assert asyncio.run(body()) == ["1.10.6", "1.10.6"]
    assert threads == ["libpcap"]


class Resolver:
    """A compiler that waits where a filter has the name of a host, until it is told to go on."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self._asked = threading.Semaphore(0)

    async def asked(self, times: int) -> None:
        """Wait until so many names are looked up."""
        for _ in range(times):
            await soon(asyncio.to_thread(self._asked.acquire))

    def compile(self, expression: str) -> Program:
        """Compile a filter into nothing."""
        if "host" in expression:
            self._asked.release()
            self.answers.wait()
        return Program(expression, b"")

    def check(self, expression: str) -> None:
        """Look no name up."""
        if "prot" in expression.split():
            raise InvalidFilter(expression, "syntax error", 0)


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    """It answers when the test has ended, so that no thread is left."""
    one = Resolver()
    yield one
    one.answers.set()


def test_filters_without_names_do_not_wait_for_the_resolver(resolver: Resolver) -> None:
    """However many names are looked up, another filter is compiled at once."""

    async def body() -> None:
        filters, tasks = Filters(compiler=resolver.compile, checker=resolver.check), TaskSet()
        waiting = [
            tasks.spawn(filters.compile(f"host b{number}.example.com"), name="compile")
            for number in range(LOOKING_UP + 4)
        ]
        await asyncio.sleep(0)
        for expression in ("tcp", "udp port domain", "net 10.0.0.0/8"):
            assert await filters.compile(expression) is not None
        with pytest.raises(InvalidFilter, match="syntax error"):
            await filters.compile("tcp prot 80 and host c.example.com")
        assert not any(one.done() for one in waiting)
        resolver.answers.set()
        assert all(await asyncio.gather(*waiting))

    asyncio.run(body())


def test_too_many_names_at_once(resolver: Resolver) -> None:
    """A filter that finds no place to wait is refused as busy, which says nothing about it."""

    async def body() -> None:
        filters, tasks = Filters(compiler=resolver.compile, checker=resolver.check), TaskSet()
        asked = [
            tasks.spawn(filters.compile(f"host b{number}.example.com"), name="compile")
            for number in range(LOOKING_UP + WAITING + 1)
        ]
        done, others = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        assert [type(one.exception()) for one in done] == [FiltersBusy]
        resolver.answers.set()
        assert all(await asyncio.gather(*others))

    asyncio.run(body())


def test_a_name_that_nothing_resolves(resolver: Resolver) -> None:
    """Only the filter with the name is refused, and the error says which name it is."""

    async def body() -> None:
        filters = Filters(compiler=resolver.compile, checker=resolver.check)
        waiting = asyncio.ensure_future(filters.compile("tcp and host b.example.com"))
        await resolver.asked(1)
        pass_at_once(PATIENCE)
        with pytest.raises(InvalidFilter, match=r"b\.example\.com' was not resolved") as one:
            await waiting
        assert one.value.offset == 13

    run_passing(body())


def test_a_filter_that_only_waited_is_not_invalid(resolver: Resolver) -> None:
    """One whose turn does not come in time was not compiled, so nothing is wrong with it."""

    async def body() -> None:
        filters = Filters(compiler=resolver.compile, checker=resolver.check)
        names = [f"host b{number}.example.com" for number in range(LOOKING_UP + 1)]
        waiting = asyncio.gather(*map(filters.compile, names), return_exceptions=True)
        await resolver.asked(LOOKING_UP)
        pass_at_once(PATIENCE)
        ends = [type(one) for one in await waiting]
        assert ends == [InvalidFilter] * LOOKING_UP + [FiltersBusy]

    run_passing(body())
