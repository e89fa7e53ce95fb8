"""The link between two hosts: it forwards, records, drops, delays, alters and tells what failed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.needs import need
from tests.testing.namespaces import needs_namespaces
from wintun_api.packet import build
from wintun_api.testing import Crossing, Delayed, Side, TunPair, Verdict

# Sends back what one client sends, then ends.
ECHO = """
import socket, sys
with socket.create_server((sys.argv[1], 7777)) as server:
    print("listening", flush=True)
    one, _ = server.accept()
    with one:
        while data := one.recv(65536):
            one.sendall(data)
"""
SEND = """
import socket, sys, threading
data = bytes(range(256)) * 4000
with socket.create_connection((sys.argv[1], 7777), 20) as one:
    sender = threading.Thread(target=lambda: (one.sendall(data), one.shutdown(socket.SHUT_WR)))
    sender.start()
    back = b"".join(iter(lambda: one.recv(65536), b""))
    sender.join()
print(back == data)
"""


def crosses(pair: TunPair, payload: bytes, source: Side = "left") -> Crossing:
    """Put a datagram on the link that the other host sends back."""
    near, far = pair.adapter(source), pair.adapter("right" if source == "left" else "left")
    return pair.link.put(build.udp(near.host, far.host, 40000, 7, payload), source)


def carries(payload: bytes) -> Callable[[Crossing], bool]:
    """Return a function that recognizes an answer."""
    return lambda crossing: crossing.source == "right" and crossing.packet.endswith(payload)


@pytest.mark.parametrize("source", ["left", "right"])
def test_hosts_reach_each_other(tun_pair: TunPair, source: Side) -> None:
    """A ping from either side is answered by the other one, and both packets are recorded."""
    assert 0 < tun_pair.ping(source, data=b"over the link") < 10
    request, reply = tun_pair.link.crossings
    assert (request.source, reply.source) == (source, "right" if source == "left" else "left")
    assert request.packet.endswith(b"over the link")
    assert reply.packet.endswith(b"over the link")
    assert (request.number, reply.number) == (0, 0)
    assert request.sent == (request.packet,)
    assert not request.dropped
    assert not request.altered
    assert request.time_ns <= tun_pair.link.deliveries[0].time_ns <= reply.time_ns + 10**9


def test_dropped(tun_pair: TunPair) -> None:
    """A rule that returns None drops, for one side or both, and a ping then times out."""
    tun_pair.link.rule = lambda packet, source: None if source == "right" else packet
    with pytest.raises(TimeoutError, match=r"No such packet came within 0\.2 s"):
        tun_pair.ping(timeout=0.2)
    reply = tun_pair.link.wait_for(lambda one: one.source == "right")
    assert reply.dropped
    tun_pair.link.rule = None
    tun_pair.ping()


def test_delayed(tun_pair: TunPair) -> None:
    """A delayed packet arrives no earlier, and those behind it overtake it."""
    tun_pair.link.rule = lambda packet, source: Delayed(0.15, packet)
    assert tun_pair.ping() >= 0.3

    def first_late(packet: bytes, source: Side) -> Verdict:
        return Delayed(0.2, packet) if packet.endswith(b"first") else packet

    tun_pair.link.rule = first_late
    crosses(tun_pair, b"first")
    crosses(tun_pair, b"second")
    late = tun_pair.link.wait_for_delivery(
        lambda one: one.destination == "left" and one.packet.endswith(b"first")
    )
    soon = tun_pair.link.wait_for_delivery(
        lambda one: one.destination == "left" and one.packet.endswith(b"second")
    )
    assert soon.time_ns < late.time_ns


def test_altered(tun_pair: TunPair) -> None:
    """A rule can put another packet in the place of one, and the host answers that."""
    left, right = tun_pair.left.host, tun_pair.right.host

    def alter(packet: bytes, source: Side) -> Verdict:
        if source == "left":
            return build.udp(left, right, 40000, 7, b"altered")
        return packet

    tun_pair.link.rule = alter
    crossing = crosses(tun_pair, b"original")
    assert crossing.altered
    assert crossing.packet.endswith(b"original")
    assert crossing.sent[0].endswith(b"altered")
    assert not tun_pair.link.wait_for(carries(b"altered")).altered


def test_several(tun_pair: TunPair) -> None:
    """A rule can double packets; the empty list drops."""
    tun_pair.link.rule = lambda packet, source: [packet, Delayed(0.05, packet)]
    assert crosses(tun_pair, b"twice").altered
    tun_pair.link.wait_for(lambda one: carries(b"twice")(one) and one.number == 1)
    tun_pair.link.rule = lambda packet, source: []
    assert crosses(tun_pair, b"none").dropped


def test_the_order_of_packets_stays(tun_pair: TunPair) -> None:
    """A thousand packets cross in their order, and all are answered."""
    for number in range(1000):
        crosses(tun_pair, b"%04d" % number)
    tun_pair.link.wait_for(carries(b"0999"))
    back = [one.packet[-4:] for one in tun_pair.link.crossings if one.source == "right"]
    assert back == [b"%04d" % number for number in range(1000)]
    assert tun_pair.link.lost == 0


def test_an_error_of_the_rule_is_raised(tun_pair: TunPair) -> None:
    """What the rule raises ends a wait at once, and drops the packet."""

    def wrong(packet: bytes, source: Side) -> Verdict:
        raise ZeroDivisionError("wrong rule")

    tun_pair.link.rule = wrong
    assert crosses(tun_pair, b"x").dropped
    with pytest.raises(ZeroDivisionError, match="wrong rule"):
        tun_pair.link.wait_for(lambda one: False)


def test_a_rule_that_returns_nonsense(tun_pair: TunPair) -> None:
    """A verdict that is not a packet is an error of the rule, not of the link."""
    wrong: Any = lambda packet, source: 7  # noqa: E731
    tun_pair.link.rule = wrong
    assert crosses(tun_pair, b"x").dropped
    with pytest.raises(TypeError, match="rule"):
        tun_pair.link.check()


def test_a_verdict_is_shown_whole(tun_pair: TunPair) -> None:
    """The error of a wrong verdict shows what the rule returned, and not a part of it."""
    wrong: Any = lambda packet, source: (packet[:2], "text")  # noqa: E731
    tun_pair.link.rule = wrong
    crosses(tun_pair, b"x")
    with pytest.raises(TypeError, match=r"returned \(b'E.x00', 'text'\)"):
        tun_pair.link.check()


def test_altered_in_place(tun_pair: TunPair) -> None:
    """A rule may return what it has altered in a bytearray; the record is not altered later."""
    mine = bytearray()

    def alter(packet: bytes, source: Side) -> Verdict:
        mine[:] = packet
        mine[8] -= 1  # the time to live
        return [mine, Delayed(0, bytes(mine))] if source == "left" else mine

    tun_pair.link.rule = alter
    sent = crosses(tun_pair, b"x").sent
    assert len(sent) == 2
    mine[:] = b"later"
    assert sent[0] == sent[1]
    assert sent[0] != b"later"


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e30])
def test_a_delay_that_nobody_can_wait_for(seconds: float) -> None:
    """Such a delay is an error where the rule makes it, and does not stop the delays of others."""
    with pytest.raises(ValueError, match="cannot be delayed"):
        Delayed(seconds, b"x")


def test_a_rule_fails_with_pytest(pytester: pytest.Pytester) -> None:
    """`pytest.fail` in a rule fails the test from any thread, and the link reads on."""
    pytester.makepyfile(
        """
        import pytest

        def only_once(packet, source):
            if source == "right" and not seen:
                seen.append(packet)
                pytest.fail("a wrong answer")
            return packet

        seen = []

        def test_it(tun_pair):
            tun_pair.link.rule = only_once
            with pytest.raises(pytest.fail.Exception):
                tun_pair.ping()
            assert tun_pair.ping() < 10
        """
    )
    result = pytester.runpytest_subprocess("-W", "error")
    result.assert_outcomes(passed=1)


def test_what_did_not_arrive(tun_pair: TunPair) -> None:
    """A wait in vain says that the service refused what the rule made of a packet."""
    tun_pair.link.rule = lambda packet, source: b"garbage"
    with pytest.raises(TimeoutError, match="did not reach a host: 1"):
        tun_pair.ping(timeout=0.5)
    assert tun_pair.link.undelivered == 1


def test_a_side_that_does_not_exist(tun_pair: TunPair) -> None:
    """A wrong side is refused by name."""
    wrong: Any = "up"
    for use in (tun_pair.ping, tun_pair.adapter, lambda side: tun_pair.link.put(b"x", side)):
        with pytest.raises(ValueError, match="no side 'up'"):
            use(wrong)


def test_an_error_of_the_rule_fails_the_test(pytester: pytest.Pytester) -> None:
    """An error that no wait has raised is raised at the end of the test."""
    pytester.makepyfile(
        """
        def test_it(tun_pair):
            tun_pair.link.rule = lambda packet, source: 1 // 0
            tun_pair.link.put(tun_pair.left.echo_request())
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, errors=1)
    assert "ZeroDivisionError" in result.stdout.str()


def test_the_records_are_bounded(tun_pair: TunPair) -> None:
    """The last 10,000 crossings are kept, and the others counted; so it is with delayed packets."""
    tun_pair.link.rule = lambda packet, source: None
    for number in range(10_003):
        tun_pair.link.put(b"%d" % number)
    assert tun_pair.link.forgotten == 3
    assert len(tun_pair.link.crossings) == 10_000
    assert tun_pair.link.crossings[0].packet == b"3"
    tun_pair.link.clear()
    assert tun_pair.link.crossings == ()
    tun_pair.link.rule = lambda packet, source: Delayed(3600, packet)
    assert not any(tun_pair.link.put(b"late").dropped for _ in range(10_000))
    assert tun_pair.link.put(b"too many").dropped
    assert tun_pair.link.discarded == 1


def test_a_session_that_the_test_ends(tun_pair: TunPair) -> None:
    """Packets for a session that was ended are counted as lost, and are not an error."""
    tun_pair.right_session.end()
    crosses(tun_pair, b"nowhere")
    assert tun_pair.link.lost == 1


def test_another_stream_reads_along(tun_pair: TunPair) -> None:
    """A test's own stream of a session gets what the link gets."""
    with tun_pair.right_session.packets(direction="received") as stream:
        tun_pair.ping(data=b"seen twice")
        item = next(iter(stream))
        assert item.packets[0].endswith(b"seen twice")  # type: ignore[union-attr,unused-ignore]


def test_from_an_event_loop(tun_pair: TunPair) -> None:
    """The asynchronous pair waits without holding the loop, and cancelling it is harmless."""

    async def main() -> None:
        async with tun_pair.asynchronous() as pair:
            assert await pair.ping() > 0
            assert pair.left.guid == tun_pair.left.guid
            waiting = asyncio.ensure_future(pair.wait_for(carries(b"async")))
            await asyncio.sleep(0)
            crosses(tun_pair, b"async")
            assert (await waiting).packet.endswith(b"async")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await pair.wait_for(lambda one: False, 0.2)

    asyncio.run(main())


@pytest.mark.parametrize("which", [pytest.param("kernel_pair", marks=needs_namespaces)])
def test_two_kernels(request: pytest.FixtureRequest, which: str) -> None:
    """Two kernels ping each other over the link, in IPv4 and IPv6, and feel its loss."""
    need("ping")
    pair: TunPair = request.getfixturevalue(which)
    pair.left.run(["ping", "-c1", "-W10", str(pair.right.host)])
    pair.right.run(["ping", "-c1", "-W10", str(pair.left.host)])
    assert pair.right.host_v6 is not None
    pair.left.run(["ping", "-c1", "-W10", str(pair.right.host_v6)])
    pair.link.rule = lambda packet, source: None
    done = pair.left.run(["ping", "-c1", "-W1", str(pair.right.host)], check=False)
    assert "100% packet loss" in done.stdout


@pytest.mark.parametrize("which", [pytest.param("kernel_pair", marks=needs_namespaces)])
def test_tcp_over_a_lossy_link(request: pytest.FixtureRequest, which: str) -> None:
    """A megabyte of TCP arrives whole over a link that drops, doubles and delays packets."""
    pair: TunPair = request.getfixturevalue(which)
    count = iter(range(10**9))

    def bad(packet: bytes, source: Side) -> Verdict:
        number = next(count)
        if number % 29 == 5:
            return None
        if number % 23 == 7:
            return [packet, packet]
        return Delayed(0.005, packet) if number % 31 == 9 else packet

    pair.link.rule = bad
    command = pair.right.service.command([sys.executable, "-c", ECHO, str(pair.right.host)])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "listening\n"
        done = pair.left.run([sys.executable, "-c", SEND, str(pair.right.host)])
        assert done.stdout == "True\n"
        assert server.wait(20) == 0
    assert any(one.dropped for one in pair.link.crossings)
