from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import inf

import pytest

from tests.drivers.emulated.tcp_peer import ACK, FIN, PSH, RST, SYN, Peer
from wintun_api.drivers.emulated.connection import CAPACITY
from wintun_api.drivers.emulated.echo import EchoService
from wintun_api.drivers.emulated.segment import Segment

MTU = 1040  # 1000 bytes of data in IPv4


class Mtu:
    """An MTU that a test may change."""

    def __init__(self) -> None:
        self.value = MTU

    def __call__(self) -> int:
        return self.value


@pytest.fixture
def mtu() -> Mtu:
    return Mtu()


@pytest.fixture
def service(mtu: Mtu) -> EchoService:
    return EchoService(mtu)


@pytest.fixture
def peer(service: EchoService) -> Peer:
    return Peer(service).opens()


@pytest.mark.parametrize("version", [4, 6])
def test_handshake(service: EchoService, version: int) -> None:
    """The host acknowledges the SYN, and says its window and its largest segment."""
    peer = Peer(service, version)
    (answer,) = peer.asks()
    assert answer.flags == SYN | ACK
    assert peer.places(answer) == (0, 1)
    assert answer.mss == MTU - (40 if version == 4 else 60)
    assert answer.window == 65535
    assert peer.says(ACK) == []
    assert service.due() == inf


def test_echo(peer: Peer) -> None:
    """Data comes back in one segment that acknowledges it, and nothing is due when it arrived."""
    (answer,) = peer.says(ACK | PSH, 1, 1, b"hello")
    assert (answer.flags, answer.data) == (ACK | PSH, b"hello")
    assert peer.places(answer) == (1, 6)
    assert peer.says(ACK, 6, 6) == []
    assert peer.service.due() == inf
    (answer,) = peer.says(ACK, 6, 6, b"again")
    assert peer.places(answer) == (6, 11)


def test_data_with_the_last_handshake(service: EchoService) -> None:
    """The segment that ends the handshake may have data."""
    peer = Peer(service)
    peer.asks()
    (answer,) = peer.says(ACK, 1, 1, b"hello")
    assert answer.data == b"hello"


def test_numbers_wrap(peer: Peer) -> None:
    """A connection goes on when its sequence numbers pass 2 to the power of 32."""
    for place in range(1, 200, 10):
        (answer,) = peer.says(ACK, place, place, b"0123456789")
        assert (answer.data, peer.places(answer)) == (b"0123456789", (place, place + 10))


def test_close(peer: Peer) -> None:
    """The host closes when its peer has, and the connection ends with the last acknowledgement."""
    peer.says(ACK, 1, 1, b"hello")
    (answer,) = peer.says(FIN | ACK, 6, 6)
    assert answer.flags == FIN | ACK
    assert peer.places(answer) == (6, 7)
    assert len(peer.service) == 1
    assert peer.says(ACK, 7, 7) == []
    assert len(peer.service) == 0
    assert peer.service.accounts.finished == 1


def test_data_with_fin(peer: Peer) -> None:
    """Data and FIN in one segment come back in one."""
    (answer,) = peer.says(FIN | ACK, 1, 1, b"bye")
    assert (answer.flags, answer.data) == (FIN | ACK | PSH, b"bye")
    assert peer.places(answer) == (1, 5)


def test_fin_before_its_data(peer: Peer) -> None:
    """A FIN that overtakes data closes after the data."""
    (early,) = peer.says(FIN | ACK, 4, 1, b"def")
    assert (early.flags, peer.places(early)[1]) == (ACK, 1)
    answers = peer.says(ACK, 1, 1, b"abc")
    assert [peer.places(one)[1] for one in answers] == [8, 8]
    assert (answers[-1].data, answers[-1].flags) == (b"abcdef", FIN | ACK | PSH)


def test_fin_again(peer: Peer) -> None:
    """A FIN that comes twice is acknowledged twice."""
    peer.says(FIN | ACK)
    (answer,) = peer.says(FIN | ACK)
    assert (answer.flags, peer.places(answer)) == (ACK, (2, 2))


def test_out_of_order(peer: Peer) -> None:
    """A gap is told at once by the number that is missing; filled, all comes back in order."""
    for place, data in ((7, b"ghi"), (4, b"def"), (7, b"ghi")):
        (answer,) = peer.says(ACK, place, 1, data)
        assert (answer.flags, answer.data, peer.places(answer)) == (ACK, b"", (1, 1))
    first, answer = peer.says(ACK, 1, 1, b"abc")
    assert (first.data, peer.places(first)[1]) == (b"", 10)
    assert answer.data == b"abcdefghi"


def test_overlap(peer: Peer) -> None:
    """Of data that overlaps, what is new comes back."""
    peer.says(ACK, 1, 1, b"abcd")
    (answer,) = peer.says(ACK, 3, 5, b"cdef")
    assert (answer.data, peer.places(answer)) == (b"ef", (5, 7))


def test_old_data_is_acknowledged(peer: Peer) -> None:
    """A segment that was there before is acknowledged and not echoed again."""
    peer.says(ACK, 1, 1, b"abcd")
    (answer,) = peer.says(ACK, 1, 1, b"abcd")
    assert (answer.data, peer.places(answer)) == (b"", (5, 5))


def test_keep_alive(peer: Peer) -> None:
    """A probe with the number before the next one is answered (RFC 9293, section 3.8.4)."""
    (answer,) = peer.says(ACK, 0, 1)
    assert (answer.flags, peer.places(answer)) == (ACK, (1, 1))


def test_sent_again(peer: Peer) -> None:
    """What is not acknowledged is sent again, each time after twice as long."""
    peer.says(ACK, 1, 1, b"hello")
    times = []
    for _ in range(5):
        (again,) = peer.waits()
        assert (again.data, peer.places(again)) == (b"hello", (1, 6))
        times.append(peer.now)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps == pytest.approx([gaps[0] * 2**power for power in range(4)])
    assert peer.says(ACK, 6, 6) == []
    assert peer.service.due() == inf


def test_nothing_before_its_time(peer: Peer) -> None:
    """Before the timer ends nothing is sent again."""
    peer.says(ACK, 1, 1, b"hello")
    assert peer.waits(0.1) == []


def test_handshake_sent_again(service: EchoService) -> None:
    """The second segment of the handshake is repeated some times, then the half is given up."""
    peer = Peer(service)
    peer.asks()
    for _ in range(4):
        (again,) = peer.waits()
        assert (again.flags, again.mss, peer.places(again)) == (SYN | ACK, 1000, (0, 1))
    assert peer.waits() == []
    assert (len(service), service.accounts.timed_out) == (0, 1)


def test_syn_again(service: EchoService) -> None:
    """A SYN that is repeated, because the answer was lost, gets the same answer."""
    peer = Peer(service)
    (first,) = peer.asks()
    (again,) = peer.says(SYN, 0)
    assert again == first
    assert len(service) == 1


def test_fin_sent_again(peer: Peer) -> None:
    """The host's FIN is sent again as well."""
    peer.says(FIN | ACK)
    (again,) = peer.waits()
    assert (again.flags, peer.places(again)) == (FIN | ACK, (1, 2))


def test_given_up(peer: Peer) -> None:
    """A peer that is silent for long is given up; nothing is left."""
    peer.says(ACK, 1, 1, b"hello")
    begun = peer.now
    while len(peer.service):
        peer.waits()
    assert 100 < peer.now - begun < 300
    assert peer.service.accounts.timed_out == 1
    assert peer.service.due() == inf


def test_fast_retransmission(peer: Peer) -> None:
    """Three duplicate acknowledgements are enough to send the missing segment (RFC 5681)."""
    place = 1
    for _ in range(6):
        peer.says(ACK, place, 1, bytes(1000))
        place += 1000
    answers = [peer.says(ACK, place, 1001) for _ in range(4)]
    assert [len(one) for one in answers] == [0, 0, 0, 1]
    (again,) = answers[3]
    assert (len(again.data), peer.places(again)[0]) == (1000, 1001)
    (missing,) = peer.says(ACK, place, 3001)  # a part: the next one is lost too (RFC 6582)
    assert peer.places(missing)[0] == 3001
    assert peer.says(ACK, place, 6001) == []
    assert peer.service.due() == inf


@pytest.mark.parametrize(("mss", "largest"), [(300, 300), (None, 536), (5000, 1000)])
def test_segment_size(service: EchoService, mss: int | None, largest: int) -> None:
    """Segments are as long as the peer and the MTU allow; 536 bytes if the peer does not say."""
    peer = Peer(service).opens(mss)
    answers = peer.says(ACK, 1, 1, bytes(1500))
    assert sum(len(one.data) for one in answers) == 1500
    assert max(len(one.data) for one in answers) == largest


def test_mtu_changes(mtu: Mtu, peer: Peer) -> None:
    """A smaller MTU counts from then on, also for what is sent again."""
    peer.says(ACK, 1, 1, bytes(1000))
    mtu.value = 576
    assert [len(one.data) for one in peer.waits()] == [536]
    answers = peer.says(ACK, 1001, 1001, bytes(1000))
    answers += peer.says(ACK, 2001, 1537)
    assert [len(one.data) for one in answers] == [536, 464]


def test_peers_window(service: EchoService) -> None:
    """No more is sent than the peer's window takes."""
    peer = Peer(service).opens(window=2500)
    answers = peer.says(ACK, 1, 1, bytes(5000), window=2500)
    assert [len(one.data) for one in answers] == [1000, 1000]  # and no small one
    answers = peer.says(ACK, 5001, 2001, window=2500)
    assert [peer.places(one)[0] for one in answers] == [2001, 3001]


def test_closed_window(service: EchoService) -> None:
    """A closed window is probed with one byte, for as long as the peer answers."""
    peer = Peer(service).opens()
    (answer,) = peer.says(ACK, 1, 1, b"hello", window=0)
    assert (answer.data, peer.places(answer)[1]) == (b"", 6)
    for _ in range(12):
        (probe,) = peer.waits()
        assert (probe.data, peer.places(probe)) == (b"h", (1, 6))
        assert peer.says(ACK, 6, 1, window=0) == []
    assert peer.now > 1200  # and longer than a silent peer would get
    (answer,) = peer.says(ACK, 6, 1, window=100)
    assert answer.data == b"hello"


def test_probe_is_taken(service: EchoService) -> None:
    """If the peer takes the byte of the probe, the rest follows when the window opens."""
    peer = Peer(service).opens()
    peer.says(ACK, 1, 1, b"hello", window=0)
    peer.waits()
    assert peer.says(ACK, 6, 2, window=0) == []
    (answer,) = peer.says(ACK, 6, 2, window=100)
    assert (answer.data, peer.places(answer)[0]) == (b"ello", 2)


def test_own_window(service: EchoService) -> None:
    """A peer that takes nothing back can send only so much; beyond the window nothing is kept."""
    peer = Peer(service).opens(window=0)
    place, edge = 1, 65536
    while place < edge:
        size = min(1000, edge - place)
        (answer,) = peer.says(ACK, place, 1, bytes(size), window=0)
        place += size
        assert peer.places(answer)[1] == place
        assert place + answer.window >= edge  # it is never taken back
        edge = place + answer.window
    assert CAPACITY - 1000 < place - 1 == service.held <= CAPACITY
    (answer,) = peer.says(ACK, place, 1, bytes(1000), window=0)
    assert (peer.places(answer)[1], answer.window) == (place, 0)
    assert service.held == place - 1


def test_window_opens(service: EchoService) -> None:
    """When what waited is acknowledged, the peer is told that the window is open again."""
    peer = Peer(service).opens()
    sent = 1
    acknowledged = 1
    window = 65535
    while window:
        size = min(1000, window)
        answers = peer.says(ACK, sent, acknowledged, bytes(size), window=0)
        sent += size
        window = answers[-1].window
    everything = peer.says(ACK, sent, 1, window=65535)
    while everything:
        acknowledged = 1 + sum(len(one.data) for one in everything)
        more = peer.says(ACK, sent, acknowledged, window=65535)
        window = max([window, *(one.window for one in more)])
        if acknowledged == sent:
            break
        everything += [one for one in more if one.data]
    assert window == 65535


def unfit() -> dict[str, Callable[[Peer], list[Segment]]]:
    return {
        "RST elsewhere in the window": lambda peer: peer.says(RST, 5),
        "SYN": lambda peer: peer.says(SYN, 0),
        "SYN in the window": lambda peer: peer.says(SYN | ACK, 1),
        "acknowledges what was not sent": lambda peer: peer.says(ACK, 1, 2, b"x"),
        "acknowledges long ago": lambda peer: peer.says(ACK, 1, -70000, b"x"),
        "beyond the window": lambda peer: peer.says(ACK, 70000, 1, b"x"),
        "before the window": lambda peer: peer.says(ACK, -70000, 1, b"x"),
    }


@pytest.mark.parametrize("what", list(unfit()))
def test_challenge(peer: Peer, what: str) -> None:
    """What does not fit changes nothing and gets an acknowledgement (RFC 9293, RFC 5961)."""
    (answer,) = unfit()[what](peer)
    assert answer.flags == ACK
    (echo,) = peer.says(ACK, 1, 1, b"hello")
    assert (echo.data, peer.places(echo)) == (b"hello", (1, 6))


def test_challenges_are_limited(peer: Peer) -> None:
    """Of acknowledgements without need there are ten in five seconds; others are counted."""
    answers = [len(peer.says(RST, 5)) for _ in range(25)]
    assert answers == [1] * 10 + [0] * 15
    assert peer.service.accounts.withheld == 15
    peer.now += 6
    assert len(peer.says(RST, 5)) == 1


@pytest.mark.parametrize("half_open", [True, False])
def test_reset(service: EchoService, half_open: bool) -> None:
    """A reset with exactly the next number ends the connection, without a word."""
    peer = Peer(service)
    peer.asks()
    if not half_open:
        peer.says(ACK)
    assert peer.says(RST, 1) == []
    assert (len(service), service.accounts.reset) == (0, 1)


def test_reset_outside_the_window(peer: Peer) -> None:
    """A reset outside the window is dropped."""
    assert peer.says(RST, 0) == []
    assert peer.says(RST, 70000) == []
    assert len(peer.service) == 1


def test_wrong_acknowledgement_of_the_handshake(service: EchoService) -> None:
    """It gets a reset with its own number; the right one is still taken."""
    peer = Peer(service)
    peer.asks()
    (answer,) = peer.says(ACK, 1, 77)
    assert (answer.flags, peer.places(answer)[0]) == (RST, 77)
    assert peer.says(ACK, 1, 1) == []
    assert len(peer.service) == 1


def test_without_ack(peer: Peer) -> None:
    """A segment without ACK is dropped."""
    assert peer.says(PSH, 1, 1, b"hello") == []
    assert peer.says(0, 1, 1, b"hello") == []


def test_round_trip_time(peer: Peer) -> None:
    """The timer follows the time that acknowledgements take (RFC 6298), above 0.2 s."""
    place = 1
    for _ in range(30):
        peer.says(ACK, place, place, b"x")
        place += 1
        peer.now += 2
        peer.says(ACK, place, place)
    peer.says(ACK, place, place, b"x")
    assert 2 <= peer.service.due() - peer.now < 3
    place += 1
    peer.says(ACK, place, place)
    for _ in range(60):
        peer.says(ACK, place, place, b"x")
        place += 1
        peer.says(ACK, place, place)
    peer.says(ACK, place, place, b"x")
    assert peer.service.due() - peer.now < 0.5


def test_slow_start(service: EchoService) -> None:
    """At first ten segments are sent at once (RFC 6928), then as many more as arrive."""
    peer = Peer(service).opens(window=0)
    place = 1
    while place <= 40_000:
        peer.says(ACK, place, 1, bytes(1000), window=0)
        place += 1000
    first = peer.says(ACK, place, 1)
    assert 9 <= len(first) <= 11
    second = peer.says(ACK, place, 1 + sum(len(one.data) for one in first))
    assert len(first) < len(second) <= len(first) + 2
