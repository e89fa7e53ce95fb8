"""Something dies while datagrams flow both ways: every packet has one end, which all agree on.

A server, two services on kernel TUN devices, two agents, each a program of its own. Each test lets
one thing fail, in a network that the tests before it have left whole.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.drivers.linux.kernel import needs_kernel
from tests.fleet.places import ADAPTER, Network, Place
from tests.fleet.server.servers import need_server
from tests.fleet.traffic import Traffic, Way
from tests.needs import needs
from tests.posix import go_on, send_user_signal, stop
from tests.waiting import let_pass, until
from wintun_api.fleet.packets.accounts import Cause
from wintun_api.fleet.packets.losses import totals_of

pytest.importorskip("nats", reason="not installed: nats")

pytestmark = [*needs_kernel, needs("ip", "ping", "iptables", "tc", "curl")]

LONGER_THAN_A_CARD = 42.0  # seconds
FAST = 20_000  # datagrams a second
Places = tuple[Place, Place]


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """Two hosts that have joined, for all tests here."""
    need_server()
    with ExitStack() as stack:
        network = Network(tmp_path_factory.mktemp("network"), stack)
        yield Place(network, 1), Place(network, 2)


@pytest.fixture
def places(joined: Places) -> Places:
    """The two hosts, with everything that runs."""
    first, second = joined
    if first.network.bus.process.poll() is not None:
        first.network.run_bus()
    for place in joined:
        if place.service.process.poll() is not None:
            place.serve()
        if place.agent.process.poll() is not None:
            place.join()
    until(lambda: first.ping(second, 2) == second.ping(first, 2) == 2)
    return joined


def ended(traffic: Traffic) -> tuple[Way, ...]:
    """End traffic that flows, see that the accounts add up, and return them."""
    traffic.must_flow()
    ways = traffic.end()
    for way in ways:
        print(way)  # a row of the table of failures
        way.must_add_up()
    return ways


def bus_again(places: Places) -> None:
    """Start the bus, and wait until both hosts have it."""
    told = [len(place.events("bus.connected")) for place in places]
    places[0].network.run_bus()
    for place, before in zip(places, told, strict=True):
        until(lambda place=place, before=before: len(place.events("bus.connected")) > before)  # type: ignore[misc]


@contextmanager
def cut_off(place: Place) -> Iterator[None]:
    """Let nothing pass between a host and the bus, in neither direction."""
    for chain, end in (("INPUT", "-i"), ("OUTPUT", "-o")):
        assert not place.space.run("iptables", "-A", chain, end, "eth0", "-j", "DROP").returncode
    yield
    assert not place.space.run("iptables", "-F").returncode


def service_again(place: Place) -> None:
    """Start a service that was killed, and wait until the agent exchanges packets with it."""
    told = len(place.events("service.connected"))
    place.serve()
    until(lambda: len(place.events("service.connected")) > told)


# The bus


@pytest.mark.heavy
def test_the_server_is_killed(places: Places) -> None:
    """What waits for the server longer than it fits is `bus_out`, what it had is `bus`."""
    traffic = Traffic(*places)
    places[0].network.kill_bus()
    let_pass(5.0)
    bus_again(places)
    for place in places:
        assert place.events("bus.disconnected")
    for way in ended(traffic):
        assert way.near[Cause.BUS_OUT]
        assert not way.far[Cause.UNKNOWN]


@pytest.mark.heavy
def test_the_server_ends_in_order(places: Places) -> None:
    """A server that was told to end, and starts again, loses nothing silently."""
    traffic = Traffic(*places)
    places[0].network.bus.end(signal.SIGTERM)
    bus_again(places)
    for way in ended(traffic):
        assert not way.near[Cause.UNKNOWN]
        assert not way.far[Cause.UNKNOWN]


@pytest.mark.heavy
def test_the_server_leaves_as_a_lame_duck(places: Places) -> None:
    """A server that sends its clients away one by one, and starts again, loses nothing silently."""
    traffic = Traffic(*places)
    network = places[0].network
    send_user_signal(network.server)
    network.bus.process.wait(120)
    bus_again(places)
    ended(traffic)


@pytest.mark.heavy
def test_a_host_is_cut_off_for_a_while(places: Places) -> None:
    """A line that is gone for 15 seconds costs packets, but no claim."""
    first, second = places
    traffic = Traffic(first, second)
    deaths = len(first.events("host.died"))
    with cut_off(second):
        let_pass(15.0)
    ended(traffic)
    assert second.events("bus.disconnected")
    assert len(first.events("host.died")) == deaths


@pytest.mark.heavy
def test_a_host_is_cut_off_for_longer_than_its_card_lives(places: Places) -> None:
    """It is dead for the other then, and claims its address anew when it is back."""
    first, second = places
    traffic = Traffic(first, second)
    with cut_off(second):
        let_pass(LONGER_THAN_A_CARD)
    forth, _ = ended(traffic)
    assert first.events("host.died")
    assert forth.near[Cause.NO_ROUTE]


# Agents


def test_the_agent_of_the_sender_is_killed(places: Places) -> None:
    """What its service got meanwhile is `away`, what it had itself is `unknown`."""
    first, second = places
    traffic = Traffic(first, second)
    first.agent.process.kill()
    first.agent.process.wait()
    first.join()
    forth, _ = ended(traffic)
    assert forth.before[Cause.AWAY]


def test_the_agent_of_the_receiver_is_killed(places: Places) -> None:
    """What was sent to it meanwhile is `bus`, and the sender is told so when it is back."""
    first, second = places
    traffic = Traffic(first, second, back=False)
    second.agent.process.kill()
    second.agent.process.wait()
    second.join()
    (forth,) = ended(traffic)
    assert forth.told[Cause.BUS]
    assert not forth.told[Cause.BAD_SOURCE]


@pytest.mark.heavy
def test_an_agent_is_too_slow_for_the_server(places: Places) -> None:
    """An agent that stands still is cut off by the server, says so, and comes back."""
    first, second = places
    traffic = Traffic(first, second, rate=FAST, size=1200, back=False)
    stop(second.agent.process.pid)
    let_pass(15.0)
    go_on(second.agent.process.pid)
    until(lambda: second.events("bus.slow"))
    (forth,) = ended(traffic)
    assert forth.far[Cause.BUS]


@pytest.mark.heavy
@pytest.mark.parametrize("seconds", [20.0, 34.0, LONGER_THAN_A_CARD])
def test_an_agent_stands_still_without_traffic(places: Places, seconds: float) -> None:
    """Packets flow again when it goes on, whether its card has lapsed meanwhile or not."""
    first, second = places
    stop(second.agent.process.pid)
    let_pass(seconds)
    go_on(second.agent.process.pid)
    ended(Traffic(first, second))


@pytest.mark.heavy
@pytest.mark.parametrize("back", [True, False])
def test_an_agent_stands_still_under_load_until_its_card_lapses(places: Places, back: bool) -> None:
    """The server cuts it off; it comes back, claims anew, and packets flow again."""
    first, second = places
    traffic = Traffic(first, second, back=back)
    stop(second.agent.process.pid)
    let_pass(LONGER_THAN_A_CARD)
    go_on(second.agent.process.pid)
    ended(traffic)


def test_an_agent_leaves_in_order(places: Places) -> None:
    """What is sent to a host that has left has no route, and nothing is unknown."""
    first, second = places
    traffic = Traffic(first, second)
    second.agent.end(signal.SIGTERM)
    until(lambda: first.events("host.left"))
    second.join()
    forth, back = ended(traffic)
    assert forth.near[Cause.NO_ROUTE]
    assert back.before[Cause.AWAY]
    for way in (forth, back):
        assert not way.near[Cause.UNKNOWN]
        assert not way.far[Cause.UNKNOWN]


# Services


@pytest.mark.heavy
def test_the_service_of_the_receiver_is_killed(places: Places) -> None:
    """What it was given and did not answer is `unknown`, what came until it was back `failed`."""
    first, second = places
    traffic = Traffic(first, second, back=False)
    second.service.process.kill()
    second.service.process.wait()
    until(lambda: second.events("service.lost"))
    service_again(second)
    (forth,) = ended(traffic)
    assert forth.far[Cause.FAILED]


@pytest.mark.heavy
def test_the_service_of_the_receiver_ends_in_order(places: Places) -> None:
    """A service that is told to end answers for all that it was given."""
    first, second = places
    traffic = Traffic(first, second)
    second.service.end(signal.SIGTERM)
    until(lambda: second.events("service.lost"))
    service_again(second)
    for way in ended(traffic):
        assert not way.near[Cause.UNKNOWN]
        assert not way.far[Cause.UNKNOWN]


@pytest.mark.heavy
def test_the_service_of_the_sender_is_killed(places: Places) -> None:
    """What it had read, and what came while it was dead, is `away`, by the counter of the host."""
    first, second = places
    traffic = Traffic(first, second, back=False)
    first.service.process.kill()
    first.service.process.wait()
    until(lambda: first.events("service.lost"))
    service_again(first)
    (forth,) = ended(traffic)
    assert forth.before[Cause.AWAY]
    assert not forth.far[Cause.UNKNOWN]


# Load


@pytest.mark.parametrize(
    ("policy", "cause"),
    [("drop_oldest", Cause.BUS_OUT), ("drop_newest", Cause.BUS_OUT), ("block", Cause.RING)],
)
@pytest.mark.heavy
def test_a_sender_is_faster_than_the_bus(places: Places, policy: str, cause: Cause) -> None:
    """What does not fit is dropped where the policy says, or before, and nowhere else."""
    first, second = places
    first.agent.end(signal.SIGTERM)
    first.join("--bus-bytes", "256kb", "--policy", policy)
    until(lambda: first.ping(second, 2) == 2)
    traffic = Traffic(first, second, rate=FAST, size=1200, back=False)
    with slow_line(first):
        let_pass(4.0)
    (forth,) = ended(traffic)
    lost = {one for one, count in {**forth.before, **forth.near}.items() if count}
    assert cause in lost
    assert lost <= {cause, Cause.RING, Cause.QUEUE}


@contextmanager
def slow_line(place: Place) -> Iterator[None]:
    """Let a host send 4 Mbit/s at most to the bus."""
    shape = ("tbf", "rate", "4mbit", "burst", "32kb", "latency", "50ms")
    assert not place.space.run("tc", "qdisc", "add", "dev", "eth0", "root", *shape).returncode
    yield
    assert not place.space.run("tc", "qdisc", "del", "dev", "eth0", "root").returncode


@pytest.mark.heavy
def test_the_receiver_stands_still(places: Places) -> None:
    """What its service does not take in time is `bus_in` at its agent, and known to the sender."""
    first, second = places
    traffic = Traffic(first, second, rate=FAST, size=1200, back=False)
    stop(second.service.process.pid)
    let_pass(6.0)
    go_on(second.service.process.pid)
    (forth,) = ended(traffic)
    assert forth.far[Cause.BUS_IN]
    assert not forth.far[Cause.BUS]


def test_the_system_of_the_receiver_refuses(places: Places) -> None:
    """What comes while the adapter is set down is `refused`."""
    first, second = places
    traffic = Traffic(first, second, back=False)
    second.space.ip("link", "set", ADAPTER, "down")
    let_pass(1.0)
    second.space.ip("link", "set", ADAPTER, "up")
    (forth,) = ended(traffic)
    assert forth.far[Cause.REFUSED]


# Everything


@pytest.mark.heavy
def test_everything_is_killed_at_once(places: Places) -> None:
    """Server, services and agents die together, and come back with accounts that add up."""
    first, second = places
    traffic = Traffic(first, second)
    for place in places:
        place.agent.process.kill()
        place.service.process.kill()
    first.network.kill_bus()
    for place in places:
        place.agent.process.wait()
        place.service.process.wait()
    first.network.run_bus()
    for place in places:
        place.serve()
        place.join()
    ended(traffic)


@pytest.mark.heavy
def test_one_thing_after_the_other_is_killed(places: Places) -> None:
    """However often something dies, also before everything is back, the accounts add up."""
    first, second = places
    traffic = Traffic(first, second)
    for one, other in ((first, second), (second, first)) * 2:
        one.agent.process.kill()
        one.agent.process.wait()
        other.service.process.kill()
        other.service.process.wait()
        one.join()
        first.network.kill_bus()
        other.serve()
        other.agent.process.kill()
        other.agent.process.wait()
        first.network.run_bus()
        other.join()
    ended(traffic)


# What users see


@pytest.mark.heavy
def test_another_host_takes_over(places: Places) -> None:
    """A host that claims the same address waits, has it when the first is dead, and keeps it."""
    first, second = places
    third = Place(first.network, 3, address=second.address)
    third.agent.wait_for("claim.refused")
    (refused,) = third.events("claim.refused")
    prefix = f"{second.address}/32"
    hosts = first.network.hosts()
    assert refused == {"prefix": prefix, "owner": hosts["host2"]["id"], "rival": prefix}
    with cut_off(second):
        until(lambda: third.events("claim.taken_over"))
        assert f"host2 ({refused['owner']}) is gone" in third.agent.stdout
        until(lambda: first.ping(third, 2) == 2)
    until(lambda: second.events("claim.refused"))
    assert second.events("claim.refused")[-1]["owner"] == hosts["host3"]["id"]
    assert first.ping(third, 2) == 2
    third.agent.end(signal.SIGTERM)
    until(lambda: second.events("claim.taken_over"))


@pytest.mark.heavy
def test_all_who_show_the_accounts_agree(places: Places) -> None:
    """The list of hosts, the service, its metrics and the agent's last words have one number."""
    first, second = places
    Traffic(first, second).end()
    counts = totals_of(first.last_accounts())

    def shown() -> dict[str, int]:
        return dict(first.network.hosts()["host1"]["counts"])

    until(lambda: shown()["taken"] == counts["taken"])
    card = shown()  # without the zeros of what agents count beside packets
    assert {name: card.get(name, 0) for name in counts} == counts

    def reported() -> dict[str, Any]:
        hosts = json.loads(first.ask("/v1/networks"))[0]["hosts"]
        return next(dict(host) for host in hosts if host["name"] == "host1")

    until(lambda: reported()["sent"] == counts["sent"])
    assert reported()["delivered"] == counts["delivered"]
    lost = {name.removeprefix("lost_"): n for name, n in counts.items() if name[:5] == "lost_"}
    assert reported()["lost"] == lost
    metrics = first.ask("/metrics")
    for direction, name in (("sent", "sent"), ("injected", "delivered")):
        line = rf'network_packets_total{{.*direction="{direction}".*}} (.+)'
        (found,) = re.findall(line, metrics)
        assert float(found) == counts[name]
    first.agent.end(signal.SIGTERM)
    last = first.events("agent.ended")[-1]["counts"]
    assert {name: last[name] for name in counts} == counts
