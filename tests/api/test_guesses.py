"""Wrong tokens are limited per address; a right one always passes."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.raw import ask, upgrade
from tests.running import TOKEN, RunningService, running
from wintun_api.api import guesses as module
from wintun_api.api.guesses import Guesses
from wintun_api.api.tally import Tally
from wintun_api.settings import Settings

LIMIT = 5


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[RunningService]:
    """A service that allows few wrong tokens a minute."""
    with running(tmp_path, guesses_per_minute=LIMIT) as service:
        yield service


def offer(prefix: str, secret: str) -> str:
    """Return the header that offers a credential."""
    encoded = base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")
    return f"Sec-WebSocket-Protocol: {prefix}{encoded}"


def guess(service: RunningService, way: str) -> tuple[int, str]:
    """Make one wrong guess."""
    cookie = f"Cookie: wintun-api-{service.port}=wrong"
    origin = f"Origin: {service.url}"
    match way:
        case "bearer":
            return ask(service, "GET /v1/system", token="wrong")
        case "basic":
            headers = ["Authorization: Basic YWRtaW46YWRtaW4="]
            return ask(service, "GET /v1/system", headers, token=None)
        case "change":
            return ask(service, "POST /v1/driver", token="wrong")
        case "unknown path":
            return ask(service, "GET /v1/nope", token="wrong")
        case "cookie":
            return ask(service, "GET /v1/system", [cookie], token=None)
        case "page":
            return ask(service, "GET /", [cookie], token=None)
        case "key":
            return ask(service, "GET /v1/system", [cookie, "X-Wintun-Api-Key: x"], token=None)
        case "address":
            return ask(service, "GET /?token=wrong", token=None)
        case "socket":
            return upgrade(service, "/v1/events", token="wrong")
        case "offered token":
            return upgrade(service, "/v1/events", [offer("bearer.wintun-api.", "x")], None)
        case "offered key":
            headers = [cookie, offer("key.wintun-api.", "x")]
            return upgrade(service, "/v1/events", headers, None)
    raise AssertionError((way, origin))


WAYS = [
    "bearer",
    "basic",
    "change",
    "unknown path",
    "cookie",
    "page",
    "key",
    "address",
    "socket",
    "offered token",
    "offered key",
]


@pytest.mark.parametrize("way", WAYS)
def test_the_limit(strict: RunningService, way: str) -> None:
    """Beyond it a wrong credential of any kind gets 429, and when to try again."""
    assert [guess(strict, way)[0] for _ in range(LIMIT)] == [401] * LIMIT
    status, text = guess(strict, way)
    assert status == 429
    assert "application/problem+json" in text
    (retry,) = [line for line in text.split("\r\n") if line.lower().startswith("retry-after:")]
    assert 1 <= int(retry.partition(":")[2]) <= 60 // LIMIT


def test_all_ways_share_the_limit(strict: RunningService) -> None:
    """Somebody who guesses in several ways has no more guesses."""
    statuses = [guess(strict, way)[0] for way in WAYS]
    assert statuses == [401] * LIMIT + [429] * (len(WAYS) - LIMIT)


def test_a_right_credential_passes(strict: RunningService) -> None:
    """Any local program can use up the limit of 127.0.0.1; the owner is not locked out by that."""
    with strict.browser() as http:
        for _ in range(3 * LIMIT):
            guess(strict, "bearer")
        assert guess(strict, "socket")[0] == 429
        assert ask(strict, "GET /v1/system")[0] == 200
        assert upgrade(strict, "/v1/events")[0] == 101
        assert http.get("/v1/system").status_code == 200
        assert http.get("/").status_code == 200
        assert http.get("/?token=wrong").status_code == 200
    assert ask(strict, f"GET /?token={TOKEN}", token=None)[0] == 303
    assert ask(strict, "GET /noauth/health", token=None)[0] == 200


def test_a_missing_token_does_not_count_as_a_guess(strict: RunningService) -> None:
    """Who sends no token at all gets 401 every time, and costs others nothing."""
    for _ in range(3 * LIMIT):
        assert ask(strict, "GET /v1/system", token=None)[0] == 401
        assert upgrade(strict, "/v1/events", token=None)[0] == 401
    assert guess(strict, "bearer")[0] == 401


def test_a_browser_gets_the_page_to_sign_in(strict: RunningService) -> None:
    """Also beyond the limit a browser shows where to enter the right token."""
    for _ in range(LIMIT):
        guess(strict, "bearer")
    cookie = f"Cookie: wintun-api-{strict.port}=old"
    status, text = ask(strict, "GET /", [cookie, "Accept: text/html"], token=None)
    assert status == 429
    assert "text/html" in text
    assert "retry-after" in text.lower()


def test_the_limit_is_told(strict: RunningService) -> None:
    """Clients see it among the limits."""
    assert strict.http.get("/v1/system").json()["limits"]["guesses_per_minute"] == LIMIT


def test_many_guesses_are_few_lines(
    strict: RunningService, caplog: pytest.LogCaptureFixture
) -> None:
    """The first is logged at once, with the address; the others as one count."""
    caplog.set_level(logging.DEBUG)
    for _ in range(50):
        guess(strict, "bearer")
    strict.stop()
    lines = [one.getMessage() for one in caplog.records if one.name == module.__name__]
    assert lines == [
        "A request from 127.0.0.1 carried a wrong token or sign-in.",
        "49 requests carried a wrong token or sign-in, the last one from 127.0.0.1.",
    ]


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


async def _run(guesses: Guesses, *addresses: str) -> list[bool]:
    allowed = [guesses.wrong(address) is None for address in addresses]
    guesses.tally.close()
    return allowed


def test_the_bucket_fills_again() -> None:
    """After a minute the whole limit is there again, after a part of it a part."""
    clock = Clock()
    guesses = Guesses(6, clock)
    assert asyncio.run(_run(guesses, *["::1"] * 8)) == [True] * 6 + [False] * 2
    clock.now += 10
    assert asyncio.run(_run(guesses, "::1", "::1")) == [True, False]
    clock.now += 3600
    assert asyncio.run(_run(guesses, *["::1"] * 8)) == [True] * 6 + [False] * 2


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("unknown", "unknown", True),
    ],
)
def test_what_counts_as_one_address(first: str, second: str, *, same: bool) -> None:
    """An IPv6 host may use all addresses of its /64."""
    allowed = asyncio.run(_run(Guesses(1, Clock()), first, second))
    assert allowed == [True, not same]


def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many addresses take no more memory, and make no address forget what it has used up."""
    monkeypatch.setattr(module, "MAX_ADDRESSES", 10)
    clock = Clock()
    guesses = Guesses(1, clock)
    many = [f"192.0.2.{number}" for number in range(100)]
    allowed = asyncio.run(_run(guesses, *many))
    assert allowed == [True] * 11 + [False] * 89  # ten of their own, one shared by the others
    assert len(guesses) <= 11
    assert asyncio.run(_run(guesses, many[0])) == [False]
    clock.now += 61
    assert asyncio.run(_run(guesses, *many[50:60])) == [True] * 10
    assert len(guesses) <= 11


def test_the_tally() -> None:
    """One line at once, one per interval with a count, none while nothing happens."""

    async def run() -> list[int]:
        told: list[int] = []
        seen = asyncio.Event()

        def tell(count: int) -> None:
            told.append(count)
            if len(told) == 2:
                seen.set()

        tally = Tally(tell, interval=0.05)
        for _ in range(1000):
            tally.add()
        assert told == [1]
        await asyncio.wait_for(seen.wait(), 10)
        tally.add()
        tally.close()
        return told

    assert asyncio.run(run()) == [1, 999, 1]


def test_the_default() -> None:
    """Without a setting the limit is far above what an honest client needs."""
    assert Settings.declared()["guesses_per_minute"].default == 100
