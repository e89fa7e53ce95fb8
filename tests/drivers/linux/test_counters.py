"""drivers.linux.counters: what the kernel says about a link, read without a library."""

from __future__ import annotations

import os
from pathlib import Path

from tests.drivers.linux import kernel
from wintun_api.drivers.linux.counters import (
    Place,
    find_link,
    is_own,
    number_of,
    parse_link,
    read_link,
)
from wintun_api.drivers.linux.headers import RTM_NEWLINK
from wintun_api.drivers.linux.rtnetlink import RouteSocket

pytestmark = kernel.needs_kernel

ALIAS = "wintun-api/1/deadbabe-cafe-beef-0123-456789abcdef/Example/read"


def test_read_as_the_library_reads(namespace: None) -> None:
    """Index, alias and counters are those that pyroute2 gives."""
    kernel.ip("tuntap", "add", "read", "mode", "tun")
    kernel.ip("link", "set", "read", "alias", ALIAS)
    with RouteSocket() as route:
        (link,) = route.links()
    for found in (read_link(Place(link.index)), find_link("read", None)):
        assert found is not None
        assert (found.kind, found.index, found.alias) == (RTM_NEWLINK, link.index, ALIAS.encode())
        assert found.counters == link.counters
        assert not found.moved


def test_what_is_not_there(namespace: None) -> None:
    """A link or a namespace that is not there is None, and no error."""
    assert read_link(Place(4711)) is None
    assert find_link("nobody", None) is None
    assert find_link("lo", 4711) is None
    with Path("/dev/null").open() as file:
        assert number_of(file.fileno()) is None
        assert not is_own(file.fileno())


def test_in_another_namespace(namespace: None) -> None:
    """A link of another network namespace is read under the number that this one has for it."""
    with kernel.namespace():
        kernel.ip("tuntap", "add", "far", "mode", "tun")
        there = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        assert is_own(there)
    try:
        assert not is_own(there)
        number = number_of(there)
        assert number is not None
        assert number_of(there) == number
        found = find_link("far", number)
        assert found is not None
        assert read_link(Place(found.index, number)) == found
        assert find_link("far", None) is None
    finally:
        os.close(there)


def test_cut_messages_do_not_crash() -> None:
    """A message that ends early says as much as it has."""
    header = bytes([40, 0, 0, 0, 16, 0]) + bytes(26)
    for attribute in (b"", b"\x00", b"\x01\x00\x14\x00", b"\x08\x00\x14\x00ab"):
        found = parse_link(header + attribute)
        assert found is not None
        assert found.counters.received_packets == 0
    assert parse_link(bytes([16, 0, 0, 0, 2, 0]) + bytes(10)) is None
