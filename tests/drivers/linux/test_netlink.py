"""drivers.linux.netlink and transaction: batches of changes, all or nothing."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Sequence
from ipaddress import ip_interface, ip_network

import pytest

from tests.drivers.linux import kernel
from wintun_api.drivers.base import Route
from wintun_api.drivers.linux import address_messages
from wintun_api.drivers.linux.netlink import BATCH, Netlink, Refusal, Request
from wintun_api.drivers.linux.route_messages import (
    RTM_GETROUTE,
    Row,
    add_request,
    delete_request,
    find_owner,
    own_rows,
    row_of,
)
from wintun_api.drivers.linux.transaction import Refused, Step, insist, run
from wintun_api.errors import DriverError

pytestmark = kernel.needs_kernel

FUNCTION = "RTM_NEWROUTE"


@pytest.fixture
def netlink(namespace: None) -> Iterator[Netlink]:
    """A socket in a namespace with the device "seen"."""
    kernel.ip("tuntap", "add", "seen", "mode", "tun")
    kernel.ip("link", "set", "seen", "up")
    netlink = Netlink()
    yield netlink
    netlink.close()


@pytest.fixture
def index(netlink: Netlink) -> int:
    """The index of "seen"."""
    return socket.if_nametoindex("seen")


def rows(count: int, first: int = 0) -> list[Row]:
    return [
        row_of(Route(destination=ip_network(f"20.{n >> 8}.{n & 255}.0/24")))
        for n in range(first, first + count)
    ]


@pytest.mark.parametrize("count", [0, 1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH])
def test_batches(netlink: Netlink, index: int, count: int) -> None:
    """As many changes as are asked for are made, however they fall into batches."""
    wanted = rows(count)
    requests = [add_request(row, index) for row in wanted]
    assert netlink.change(FUNCTION, requests) == (count, [])
    assert list(own_rows(netlink, index)) == wanted


def test_every_refusal_is_told(netlink: Netlink, index: int) -> None:
    """Where a whole batch is refused, no answer is lost, and what follows is not asked for."""
    requests = [add_request(row, index) for row in rows(2 * BATCH)]
    netlink.change(FUNCTION, requests)
    asked, refusals = netlink.change(FUNCTION, requests)
    assert asked == BATCH
    assert [one.position for one in refusals] == list(range(BATCH))
    assert {one.code for one in refusals} == {errno.EEXIST}
    assert netlink.change(FUNCTION, [delete_request(rows(1)[0], index)]) == (1, [])


def test_all_or_nothing(netlink: Netlink, index: int) -> None:
    """A refusal far behind undoes what was done before it, and nothing else."""
    before, wanted = rows(3, 5000), rows(3 * BATCH)
    netlink.change(FUNCTION, [add_request(row, index) for row in before])
    steps = [
        Step(add_request(row, index), delete_request(row, index), row)
        for row in [*wanted, before[1]]
    ]
    with pytest.raises(Refused) as refused:
        run(netlink, FUNCTION, steps)
    assert refused.value.step.subject == before[1]
    assert list(own_rows(netlink, index)) == before


def test_forgiven(netlink: Netlink, index: int) -> None:
    """A step that may find nothing to do is told apart, and is not undone."""
    there, wanted = rows(1, 5000), rows(2)
    netlink.change(FUNCTION, [add_request(row, index) for row in there])
    steps = [
        Step(add_request(row, index), delete_request(row, index), row, frozenset((errno.EEXIST,)))
        for row in [*wanted, *there]
    ]
    assert run(netlink, FUNCTION, steps) == {2}
    again = Step(add_request(wanted[0], index), None, wanted[0])
    with pytest.raises(Refused):
        run(netlink, FUNCTION, [*steps, again])
    assert set(own_rows(netlink, index)) == {*there, *wanted}


class Silent(Netlink):
    """A kernel that makes the changes of some call, but does not answer."""

    silent_after = 0

    def change(self, function: str, requests: Sequence[Request]) -> tuple[int, list[Refusal]]:
        answer = super().change(function, requests)
        self.silent_after -= 1
        if self.silent_after == 0:
            raise DriverError(function, errno.EAGAIN, domain="errno")
        return answer


def test_without_an_answer_nothing_is_left(netlink: Netlink, index: int) -> None:
    """What all earlier batches have made is reverted, and what the silent one may have made."""
    before, wanted = rows(3, 5000), rows(4 * BATCH)
    netlink.change(FUNCTION, [add_request(row, index) for row in before])
    gone = frozenset((errno.ESRCH,))
    steps = [
        Step(add_request(row, index), delete_request(row, index), row, settled=gone)
        for row in wanted
    ]
    silent = Silent()
    silent.silent_after = 3
    with pytest.raises(DriverError) as failed:
        run(silent, FUNCTION, steps)
    assert failed.value.code == errno.EAGAIN
    assert "restored" not in str(failed.value)
    assert list(own_rows(netlink, index)) == before
    silent.close()


def test_what_stays_is_told(netlink: Netlink, index: int) -> None:
    """A change that the kernel does not revert is named by the refusal."""
    first, second, third = rows(3)
    steps = [
        Step(add_request(first, index), delete_request(first, index), "first"),
        Step(add_request(second, index), delete_request(third, index), "second"),
        Step(add_request(first, index), None, "first again"),
    ]
    with pytest.raises(Refused) as refused:
        run(netlink, FUNCTION, steps)
    assert refused.value.left == ("second: No such process",)
    assert list(own_rows(netlink, index)) == [second]


def test_insisting(netlink: Netlink, index: int) -> None:
    """What is refused holds up none of the others."""
    wanted = rows(2 * BATCH)
    netlink.change(FUNCTION, [add_request(row, index) for row in wanted[::2]])
    codes = insist(netlink, FUNCTION, [add_request(row, index) for row in wanted])
    assert codes == {errno.EEXIST}
    assert set(own_rows(netlink, index)) == set(wanted)


def test_the_kernels_words(netlink: Netlink) -> None:
    """A refusal has the kernel's sentence where it gives one."""
    route = Route(destination=ip_network("20.0.0.0/8"))
    _, (refusal,) = netlink.change(FUNCTION, [add_request(row_of(route), 999_999)])
    assert refusal.code == errno.ENODEV
    hop = Route(destination=route.destination, next_hop=ip_interface("127.0.0.1/8").ip)
    _, (refusal,) = netlink.change(FUNCTION, [add_request(row_of(hop), 2)])
    assert "invalid gateway" in refusal.reason


def test_a_dump_that_is_refused(netlink: Netlink) -> None:
    """What the kernel does not understand is an error with its function, not an empty list."""
    with pytest.raises(DriverError) as refusal:
        netlink.dump("RTM_GETROUTE", RTM_GETROUTE, b"")
    assert refusal.value.function == "RTM_GETROUTE"


def test_nothing_there(netlink: Netlink) -> None:
    """A device without addresses and routes, or none of this index, has none."""
    assert list(own_rows(netlink, 999_999)) == []
    assert address_messages.rows_of(netlink, 999_999) == []


@pytest.mark.parametrize("network", ["0.0.0.0/0", "20.1.2.0/24", "20.1.0.0/16", "::/0"])
def test_whose_it_is(netlink: Netlink, index: int, network: str) -> None:
    """Among many routes, the one of this destination and metric is found, and no other."""
    family = "-6" if ":" in network else "-4"
    kernel.ip_batch(
        "".join(
            f"route add 20.{n}.{m}.0/24 dev seen metric 9\n" for n in range(8) for m in range(256)
        )
    )
    kernel.ip(family, "route", "add", network, "dev", "seen", "metric", "7", "proto", "static")
    row = row_of(Route(destination=ip_network(network), metric=7))
    owner = find_owner(netlink, row)
    assert owner == (index, 4)
    assert find_owner(netlink, row._replace(metric=8)) is None
