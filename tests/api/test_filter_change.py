"""api.filter_change: one compile at a time, and an answer for each filter that counts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from wintun_api.api.filter_change import FilterChange, Wanted, wanted_filter
from wintun_api.errors import FilterUnavailable, InvalidFilter
from wintun_api.hub.filters import Filter
from wintun_api.schemas.control import FilterChanged


class Client:
    """A client that reads its answers or does not, and a compiler that a test lets go on."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: list[dict[str, Any]] = []
        self.applied: list[Filter | None] = []
        self.reads = True
        self.failure: Exception | None = None
        self.go_on = asyncio.Semaphore(0)
        self.change = FilterChange(self.compile, self.apply, self.answers.append, self.writable)

    async def compile(self, expression: str) -> Filter | None:
        """Compile, when the test says so."""
        self.asked.append(expression)
        await self.go_on.acquire()
        if self.failure is not None:
            raise self.failure
        return None

    def apply(self, chosen: Filter | None) -> tuple[int, int]:
        """Use it."""
        self.applied.append(chosen)
        return 17, 4

    def writable(self) -> bool:
        """Whether it reads."""
        return self.reads


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_the_newest_filter_wins() -> None:
    """While one is compiled, only the newest of those that come is kept, and all of it is told."""

    async def body() -> None:
        client = Client()
        for expression in ("first", "second", "third", "fourth"):
            client.change.ask(Wanted(expression))
            await settled()
        assert client.asked == ["first"]
        client.go_on.release()
        client.go_on.release()
        await settled()
        assert client.asked == ["first", "fourth"]
        assert [answer["filter"] for answer in client.answers] == ["first", "fourth"]
        client.change.ask(Wanted("fifth"))
        client.go_on.release()
        await settled()
        assert client.answers[-1]["filter"] == "fifth"

    asyncio.run(body())


def test_an_answer_waits_until_the_client_reads() -> None:
    """A client that sends and does not read gets no second answer, and costs no second compile."""

    async def body() -> None:
        client = Client()
        client.reads = False
        for number in range(100):
            client.change.ask(Wanted(str(number)))
            client.go_on.release()
            await settled()
            client.change.now_writable()
        assert (client.asked, client.answers) == (["0"], [])
        client.reads = True
        client.change.now_writable()
        await settled()
        assert [answer["filter"] for answer in client.answers] == ["0", "99"]

    asyncio.run(body())


@pytest.mark.parametrize(
    ("failure", "message", "offset"),
    [
        (InvalidFilter("udp prot", "syntax error", 4), "syntax error", 4),
        (FilterUnavailable("No libpcap is installed.", hint=""), "No libpcap is installed.", 0),
    ],
)
def test_a_filter_that_cannot_be_used(failure: Exception, message: str, offset: int) -> None:
    """The answer says what is wrong and where, and the filter before stays."""

    async def body() -> None:
        client = Client()
        client.failure = failure
        client.change.ask(Wanted("udp prot"))
        client.go_on.release()
        await settled()
        (said,) = client.answers
        answer = FilterChanged.model_validate(said)
        assert (answer.valid, answer.next_sequence) == (False, None)
        assert answer.error is not None
        assert (answer.error.message, answer.error.offset) == (message, offset)
        assert client.applied == []
        client.failure = None
        client.change.ask(Wanted("udp"))
        client.go_on.release()
        await settled()
        answer = FilterChanged.model_validate(client.answers[-1])
        assert answer.valid
        assert answer.next_sequence is not None
        assert (answer.next_sequence.received, answer.next_sequence.injected) == (17, 4)

    asyncio.run(body())


def test_nothing_is_changed_after_the_end() -> None:
    """A filter that is compiled when the connection ends is neither used nor told."""

    async def body() -> None:
        client = Client()
        client.change.ask(Wanted("udp"))
        await settled()
        client.change.stop()
        client.go_on.release()
        await settled()
        assert (client.applied, client.answers) == ([], [])

    asyncio.run(body())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "udp",
        "[]",
        "{}",
        '{"type": "other", "filter": "udp"}',
        "[" * 10_000,
    ],
)
def test_other_texts(text: str) -> None:
    """A text message that does not ask for a filter is none, whatever it is."""
    assert wanted_filter(text) is None


@pytest.mark.parametrize(
    ("members", "expression", "fault", "offset"),
    [
        ("", "", "filter: Field required", 0),
        (', "filter": 7', "", "filter: Input should be a valid string", 0),
        (', "filter": "udp", "more": 1', "udp", "more: Extra inputs are not permitted", 0),
        (
            ', "filter": "' + "u" * 5000 + '"',
            "u" * 4096,
            "it is longer than 4,096 characters",
            4096,
        ),
    ],
)
def test_a_message_that_asks_wrongly(
    members: str, expression: str, fault: str, offset: int
) -> None:
    """It is a request all the same, with what is wrong and a bounded part of the filter."""
    asked = wanted_filter('{"type": "filter"' + members + "}")
    assert asked == Wanted(expression, fault, offset)


def test_a_filter_is_found_in_its_message() -> None:
    """An empty filter is one, too: it lets everything through."""
    assert wanted_filter('{"type": "filter", "filter": "udp port 53"}') == Wanted("udp port 53")
    assert wanted_filter('{"filter": "", "type": "filter"}') == Wanted("")
