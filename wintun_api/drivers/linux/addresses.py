"""Change a device's addresses to the wanted ones: add what is missing, remove what is extra."""

from __future__ import annotations

import errno
import os
import platform
import re
from collections.abc import Collection, Sequence
from functools import cache
from ipaddress import IPv4Interface, IPv6Interface

from wintun_api.drivers.base import IPInterface
from wintun_api.drivers.difference import difference, tell
from wintun_api.drivers.linux import address_messages
from wintun_api.drivers.linux.address_messages import AddressRow
from wintun_api.drivers.linux.netlink import Netlink
from wintun_api.drivers.linux.own_routes import OwnRoutes
from wintun_api.drivers.linux.refusals import address_refused, stayed
from wintun_api.drivers.linux.routes import keep_routes
from wintun_api.drivers.linux.rtnetlink import Link
from wintun_api.drivers.linux.transaction import Refused, Step, insist, run
from wintun_api.drivers.network_check import check_addresses
from wintun_api.errors import DriverError, FailedCall

_GONE = frozenset((errno.EADDRNOTAVAIL, errno.ENXIO))
_THERE = frozenset((errno.EEXIST,))


def set_addresses(own: OwnRoutes, link: Link, addresses: Sequence[IPInterface]) -> None:
    """Replace the link's addresses with these, all or none, without touching correct ones.

    Link-local IPv6 addresses that the kernel added stay. Addresses with a peer, with a limited
    lifetime or without the route to their network are replaced. Our routes that the kernel removes
    together with an address are restored.

    Raises:
        InvalidArgument: A multicast address, the unspecified one, or one with two prefix lengths.
        SettingRefused: The kernel refuses one, for example because IPv6 is disabled; or another
            program has changed the addresses meanwhile.
        DriverError: The process is not allowed to, or the kernel did not answer.
    """
    wanted = {one.ip: one for one in check_addresses(addresses)}
    netlink, index = own.netlink, link.index
    present = address_messages.rows_of(netlink, index)
    ours = [row for row in present if not row.by_kernel(_tells_protocol())]
    networks = own.networks(index)

    def right(row: AddressRow, one: IPInterface) -> bool:
        # A device that is set down has no routes; those of its addresses come back with it.
        there = not link.up or row.reached(networks)
        return row.peer is None and row.interface == one and there and (row.plain or row in ours)

    # The kernel has an IPv6 address only once, whatever its prefix, and in places treats an IPv4
    # address and one with a peer as the same: a conflicting one must be removed first.
    found = difference(present, wanted, place=lambda row: row.interface.ip, right=right)
    first = found.displaced
    then = [row for row in found.surplus if row in ours]
    renewed = [row for row in found.kept if not row.plain]

    steps = [_deletion(row) for row in first]
    steps += [
        Step(
            address_messages.add_request(row.interface, index, replace=True),
            row.restore_request(),
            row.interface,
        )
        for row in renewed
    ]
    steps += [
        Step(
            address_messages.add_request(interface, index),
            address_messages.delete_request(interface, index),
            interface,
            _THERE,
            _GONE,
        )
        for interface in found.missing
    ]
    steps += [_deletion(row) for row in then]
    if not steps:
        return
    if first or then:
        # Removing a network's first IPv4 address removes the others, unless promote_secondaries.
        kept = [row for row in found.kept if row.plain]
        steps += [Step(row.add_request(), None, row.interface, _THERE) for row in kept]
        steps += [
            Step(address_messages.add_request(one, index), None, one, _THERE)
            for one in wanted.values()
        ]
    routes = list(own.of(index)) if first or then else []
    try:
        run(netlink, "RTM_NEWADDR", steps)
        _verify(netlink, index, wanted.values())
    except Refused as refused:
        error = _error(refused, link)
        tell(error, _restore(netlink, index, present))
        raise error from None
    except DriverError as error:
        tell(error, _restore(netlink, index, present))
        raise
    finally:
        own.own_changes.note()
        if routes:
            keep_routes(own, link, routes)


def _error(refused: Refused, link: Link) -> DriverError:
    subject, refusal = refused.step.subject, refused.refusal
    if isinstance(subject, IPv4Interface | IPv6Interface):
        return address_refused(refusal, link, subject)
    reason = refusal.reason or os.strerror(refusal.code)
    error = stayed(f"{subject} was not removed from {link.kernel_name}: {reason}.")
    error.failed = FailedCall("RTM_DELADDR", refusal.code, "errno")
    return error


def _verify(netlink: Netlink, index: int, wanted: Collection[IPInterface]) -> None:
    found = address_messages.rows_of(netlink, index)
    left = [
        str(row)
        for row in found
        if not row.by_kernel(_tells_protocol())
        and (row.peer is not None or row.interface not in wanted)
    ]
    there = {row.interface for row in found if row.peer is None}
    gone = [str(one) for one in wanted if one not in there]
    if left or gone:
        parts = [f"{', '.join(left)} stayed"] if left else []
        parts += [f"{', '.join(gone)} did not stay"] if gone else []
        raise stayed(f"{' and '.join(parts)} on the adapter.")


def _restore(netlink: Netlink, index: int, before: Sequence[AddressRow]) -> list[str]:
    """Restore the former addresses, because undoing single steps has side effects.

    Return a sentence for each difference that is left.
    """
    known = {(row.interface, row.peer): row for row in before}
    try:
        found = address_messages.rows_of(netlink, index)
        surplus = [row for row in found if (row.interface, row.peer) not in known]
        insist(netlink, "RTM_DELADDR", (row.delete_request() for row in surplus))
        insist(netlink, "RTM_NEWADDR", (row.add_request() for row in before))
        now = {(row.interface, row.peer): row for row in address_messages.rows_of(netlink, index)}
    except DriverError as error:
        return [f"the addresses cannot be read: {error}"]
    left = [f"{row} is missing" for key, row in known.items() if key not in now]
    return left + [f"{row} stayed" for key, row in now.items() if key not in known]


def _deletion(row: AddressRow) -> Step:
    return Step(row.delete_request(), row.add_request(), row, _GONE, _THERE)


@cache
def _tells_protocol() -> bool:
    """Return whether the kernel says who added an address (IFA_PROTO, Linux 5.18)."""
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    return version is not None and (int(version[1]), int(version[2])) >= (5, 18)
