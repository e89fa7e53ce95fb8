"""Two hosts with a bad network between them: the fixture `impaired_link`."""

from __future__ import annotations

import asyncio
from typing import Any, get_type_hints

import pytest

from tests.testing.namespaces import needs_namespaces
from wintun_api import netem
from wintun_api.client import ProblemError
from wintun_api.packet import build
from wintun_api.testing import Delivery, ImpairedLink, ImpairedLinks, Network, Side

# What two runs with one seed have in common.
COUNT = 200
IDENTIFIER = 0x5755


def send(link: ImpairedLink, source: Side, payload: bytes) -> None:
    """Put a packet on the link that the other host does not answer: a reply to no request."""
    other: Side = "right" if source == "left" else "left"
    near, far = link.adapter(source), link.adapter(other)
    packet = build.icmp_echo(
        near.host, far.host, identifier=IDENTIFIER, sequence=1, data=payload, reply=True
    )
    link.link.put(packet, source)


def pass_by(link: ImpairedLink, source: Side) -> None:
    """Send a datagram and wait for it: all that was sent before has passed the network."""
    other: Side = "right" if source == "left" else "left"
    link.link.put(link.adapter(other).datagram(b"passed", port=9), source)

    def is_it(one: Delivery) -> bool:
        is_datagram = one.packet[9] == 17  # RFC 791: the protocol; the answer by ICMP has it too
        return is_datagram and one.destination == other and one.packet.endswith(b"passed")

    link.wait_for_arrival(is_it)


def arrived(link: ImpairedLink, destination: Side, source: Side) -> list[int]:
    """The numbers of the packets that a host got, in their order; waits for the last one."""
    send(link, source, b"last")
    link.wait_for_arrival(lambda one: one.packet.endswith(b"last"))
    return [
        int.from_bytes(one.packet[28:30], "big")
        for one in link.arrivals.found
        if one.destination == destination and len(one.packet) == 30
    ]


def test_a_good_network(impaired_link: ImpairedLinks) -> None:
    """Without words the hosts reach each other as on a link that does nothing."""
    link = impaired_link()
    assert 0 < link.ping("left", data=b"from the left") < 10
    assert 0 < link.ping("right") < 10
    request = link.wait_for_arrival(lambda one: one.destination == "right")
    assert request.packet.endswith(b"from the left")
    assert link.counters("left").lost.packets == 0


@pytest.mark.parametrize("delay", [60, "60ms", "0.06s"])
def test_delay(impaired_link: ImpairedLinks, delay: Any) -> None:
    """A delay holds on the way there and on the way back, from either side."""
    link = impaired_link(delay=delay)
    for source in ("left", "right"):
        assert 0.12 <= link.ping(source) < 5


def test_each_direction(impaired_link: ImpairedLinks) -> None:
    """A direction can have more than the other one, or something in its place."""
    link = impaired_link(delay=20, from_right={"delay": "80ms"})
    assert 0.1 <= link.ping() < 5
    link = impaired_link(from_left={"loss": 1})
    send(link, "right", b"arrives")
    link.wait_for_arrival(lambda one: one.destination == "left")
    with pytest.raises(TimeoutError) as caught:
        link.ping(timeout=0.2)
    assert "No such packet arrived within 0.2 s." in str(caught.value)
    assert "From the left to the network: 1 came, 0 left, 1 lost." in str(caught.value)
    assert f"Seed: {link.seed}." in str(caught.value)


def test_counters(impaired_link: ImpairedLinks) -> None:
    """Each side has counters of what happened to its packets."""
    link = impaired_link(blackout=True)
    for _ in range(3):
        send(link, "left", b"lost")
    with pytest.raises(TimeoutError):
        link.wait_for_arrival(lambda one: one.packet.endswith(b"lost"), timeout=0.2)
    assert link.counters("left").blackout.packets == 3
    assert link.counters("right").offered.packets == 0
    with pytest.raises(ValueError, match="no side 'above'"):
        link.counters("above")  # type: ignore[arg-type]


def test_the_same_seed(impaired_link: ImpairedLinks) -> None:
    """With one seed the same packets are lost, and the two directions have chances of their own."""

    def fates(seed: int) -> tuple[list[int], list[int]]:
        link = impaired_link(loss="50%", seed=seed, match={"protocol": "icmp"})
        for number in range(COUNT):
            send(link, "left", number.to_bytes(2, "big"))
            send(link, "right", number.to_bytes(2, "big"))
        pass_by(link, "left")
        pass_by(link, "right")
        link.repair()
        return arrived(link, "right", "left"), arrived(link, "left", "right")

    first, second, third = fates(7), fates(7), fates(8)
    assert first == second
    assert first[0] != first[1]
    assert first != third
    for one in first:
        assert COUNT / 4 < len(one) < 3 * COUNT / 4


def test_a_seed_is_chosen(impaired_link: ImpairedLinks) -> None:
    """Without a seed each link has another one, which can be read."""
    assert impaired_link(loss=0.5).seed != impaired_link(loss=0.5).seed
    assert impaired_link(seed=7).seed == 7


def test_rate(impaired_link: ImpairedLinks) -> None:
    """A rate makes packets wait for those before them."""
    link = impaired_link(rate="100kbit")
    for _ in range(5):
        send(link, "left", bytes(1222))  # 1250 bytes, which take 0.1 s
    send(link, "left", b"behind")
    sent = link.link.wait_for(lambda one: one.packet.endswith(b"behind"))
    came = link.wait_for_arrival(lambda one: one.packet.endswith(b"behind"))
    assert (came.time_ns - sent.time_ns) / 1e9 >= 0.4


def test_a_match(impaired_link: ImpairedLinks) -> None:
    """Only the packets that are chosen suffer."""
    link = impaired_link(loss=1, match={"protocol": "udp", "port": 9})
    assert link.ping() < 5
    link.link.put(link.right.datagram(b"lost", port=9), "left")
    assert link.counters("left").lost.packets == 1


def test_presets(impaired_link: ImpairedLinks) -> None:
    """The left host is the one that uses the preset: it sends what the preset calls received."""
    link = impaired_link(preset="satellite-geo")
    presets = {one.name: one for one in link.left_session.client.list_impairment_presets()}
    geo = presets["satellite-geo"]
    assert link.ping() >= (geo.received.delay_ms + geo.injected.delay_ms) / 2000
    set_right, set_left = link.right_session.impairment(), link.left_session.impairment()
    assert set_right is not None
    assert set_left is not None
    assert set_right.rules[0].injected == geo.received
    assert set_left.rules[0].injected == geo.injected
    with pytest.raises(ValueError, match=r"There is no preset 'nowhere'\. The presets: .*3g"):
        impaired_link(preset="nowhere")
    with pytest.raises(ValueError, match="Give either it or the words"):
        impaired_link(preset="3g", delay=5)


def test_changing_and_repairing(impaired_link: ImpairedLinks) -> None:
    """The network can become another one during the test, and a good one."""
    link = impaired_link(blackout=True, seed=7)
    with pytest.raises(TimeoutError):
        link.ping(timeout=0.1)
    link.change(delay=50)
    assert link.seed == 7
    assert link.ping() >= 0.1
    link.change(seed=9)
    assert link.seed == 9
    link.repair()
    link.repair()
    assert link.right_session.impairment() is None
    assert link.ping() < 5
    assert link.counters("left").blackout.packets == 1


@pytest.mark.parametrize(
    "refused",
    [{"seed": -1}, {"seed": 8, "from_right": {"reorder": 0.5}}, {"seed": 8, "delay": "soon"}],
    ids=["seed", "right", "word"],
)
def test_a_refused_change(impaired_link: ImpairedLinks, refused: dict[str, Any]) -> None:
    """A change that is refused leaves the network and the seed of both sides as they were."""
    link = impaired_link(delay=5, seed=7)
    with pytest.raises((ProblemError, ValueError)):
        link.change(**refused)
    assert link.seed == 7
    for number, session in enumerate((link.right_session, link.left_session)):
        found = session.impairment()
        assert found is not None
        assert found.seed == 7 ^ number
        assert found.rules[0].injected is not None
        assert found.rules[0].injected.delay_ms == 5
    link.change(loss=1)
    assert link.seed == 7


def test_one_side_in_place_of_both(impaired_link: ImpairedLinks) -> None:
    """The words of one side take the place of those of both, by whichever name."""
    right: Any = {"delay_ms": 6}
    link = impaired_link(delay=5, loss=0.5, from_right=right)
    found = link.left_session.impairment()
    assert found is not None
    assert found.rules[0].injected is not None
    assert (found.rules[0].injected.delay_ms, found.rules[0].injected.loss) == (6, 0.5)


@pytest.mark.parametrize("end", ["session", "impairment"])
def test_ping_where_nothing_is_left(impaired_link: ImpairedLinks, end: str) -> None:
    """A ping that gets no reply ends with what is promised, also where there are no counters."""
    link = impaired_link(blackout=True)
    if end == "session":
        link.right_session.client.end_session(link.right_session.id)
    else:
        link.right_session.repair()  # the way back stays black
    with pytest.raises(TimeoutError) as caught:
        link.ping(timeout=0.2)
    assert "From the left there are no counters: " in str(caught.value)
    assert f"Seed: {link.seed}." in str(caught.value)


def test_repaired_by_the_session(impaired_link: ImpairedLinks) -> None:
    """Where the test has removed the impairment of a session itself, the counters are there."""
    link = impaired_link(blackout=True)
    assert link.right_session.repair() is not None
    with pytest.raises(RuntimeError, match="`repair` of the link removes it"):
        link.counters("left")


def test_rules_of_the_link_come_first(impaired_link: ImpairedLinks) -> None:
    """A rule of the link sees the packets as their host has sent them."""
    link = impaired_link(loss=1)
    link.link.rule = lambda packet, source: None
    send(link, "left", b"dropped before")
    assert link.link.crossings[-1].dropped
    assert link.counters("left").offered.packets == 0


def test_an_event_loop(impaired_link: ImpairedLinks) -> None:
    """In a coroutine the same link has coroutines."""

    async def work() -> None:
        async with impaired_link(delay=20).asynchronous() as link:
            assert await link.ping() >= 0.04
            assert (await link.counters("left")).lost.packets == 0
            await link.change(loss=1)
            with pytest.raises(TimeoutError):
                await link.ping(timeout=0.1)
            await link.repair()
            ping = asyncio.ensure_future(link.ping(data=b"found"))
            found = await link.wait_for_arrival(lambda one: one.packet.endswith(b"found"))
            assert isinstance(found, Delivery)
            await ping

    asyncio.run(work())


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        ({"dealy": 5}, TypeError, "no word 'dealy'. Its words: delay, jitter"),
        ({"loss": 2}, ValueError, "loss: 2 is not from 0 to 1"),
        ({"delay": "soon"}, ValueError, "delay: 'soon' is not a time"),
        ({"from_left": {"x": 1}}, TypeError, "no word 'x'"),
        ({"max_size": 1}, ValueError, "max_size: 1 is too little; it must be 68b at least"),
        ({"delay": 5, "delay_ms": 600}, ValueError, "delay_ms: means the same as delay"),
        ({"from_left": "delay 5ms"}, TypeError, "from_left must have words with values"),
        ({"reorder": 0.5}, ProblemError, "reorder"),
        ({"seed": "7"}, TypeError, "The seed must be a whole number, not '7'"),
        ({"seed": -1}, ProblemError, "seed"),
    ],
)
def test_wrong_words(
    impaired_link: ImpairedLinks, words: dict[str, Any], error: type[Exception], said: str
) -> None:
    """An argument that cannot be is refused by name."""
    with pytest.raises(error, match=said):
        impaired_link(**words)


def test_all_words_are_typed() -> None:
    """The words that a type checker knows are those of netem."""
    assert set(get_type_hints(Network)) == set(netem.WORDS)


FILE = """
def test_one(impaired_link):
    link = impaired_link(delay="50ms", jitter="5ms", rate="10mbit", seed=7)
    assert link.ping() >= 0.08
    assert link.ping("right") >= 0.08

def test_two(impaired_link):
    link = impaired_link(from_left={"loss": 1})
    try:
        link.ping(timeout=0.5)
    except TimeoutError as error:
        assert "lost" in str(error)
    else:
        raise AssertionError

def test_three(tun_service, impaired_link):
    names = [one.name for one in tun_service.client.list_adapters()]
    assert names == []
    impaired_link()
    assert tun_service.client.list_adapters()
"""
DRIVERS = ["emulated", pytest.param("rootless", marks=needs_namespaces)]


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_driver(pytester: pytest.Pytester, driver: str) -> None:
    """It works on the emulated machine and on kernels, and nothing of a test is left behind it."""
    pytester.makepyfile(FILE)
    result = pytester.runpytest_subprocess("--tun-driver", driver, "-p", "no:xdist")
    result.assert_outcomes(passed=3)


@pytest.mark.parametrize("driver", [pytest.param("linux", marks=needs_namespaces)])
def test_the_machine_itself(pytester: pytest.Pytester, driver: str) -> None:
    """It works on the devices of a machine's own network."""
    from tests.drivers.linux.kernel import namespace

    pytester.makepyfile(FILE)
    with namespace():
        result = pytester.runpytest_subprocess("--tun-driver", driver, "-p", "no:xdist")
    result.assert_outcomes(passed=3)


def test_side_by_side(pytester: pytest.Pytester) -> None:
    """It works in several workers at once."""
    for number in range(3):
        pytester.makepyfile(**{f"test_{number}": FILE})
    pytester.runpytest_subprocess("-n", "2").assert_outcomes(passed=9)


def test_wintun(pytester: pytest.Pytester) -> None:
    """On Windows it is skipped as the pair is, with what to use in its place."""
    pytester.makepyfile(FILE)
    result = pytester.runpytest_subprocess("--tun-driver", "wintun", "-rs", "-p", "no:xdist")
    result.assert_outcomes(skipped=3)


def test_the_report_names_the_seed(pytester: pytest.Pytester) -> None:
    """A test that fails says with which seed it can be repeated."""
    pytester.makepyfile(
        """
        def test_fails(impaired_link):
            link = impaired_link(loss=0.5)
            print("chosen", link.seed)
            assert False
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:xdist")
    result.assert_outcomes(failed=1)
    chosen = next(line.split()[1] for line in result.outlines if line.startswith("chosen "))
    assert f"seed={chosen}" in result.stdout.str()
