"""drivers.linux.addresses: exactly these addresses, whatever was there."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from pathlib import Path
from uuid import UUID

import pytest

from tests.drivers.linux import kernel
from wintun_api.drivers.base import Adapter, Driver, LinkCounters
from wintun_api.drivers.linux.identity import Identity
from wintun_api.drivers.linux.netlink import Refusal
from wintun_api.drivers.linux.refusals import address_refused
from wintun_api.drivers.linux.rtnetlink import Link
from wintun_api.errors import (
    AccessDenied,
    AdapterNotFound,
    DriverError,
    InvalidArgument,
    SettingRefused,
)

pytestmark = kernel.needs_kernel


@pytest.fixture
def adapter(driver: Driver) -> Iterator[Adapter]:
    """An adapter without addresses."""
    adapter = driver.create_adapter("addresses", "Example")
    yield adapter
    adapter.delete(force=True)


def interfaces(*texts: str) -> list[IPv4Interface | IPv6Interface]:
    return [ip_interface(text) for text in texts]


def sysctl(name: str, value: str) -> None:
    # A file of the network namespace of the thread that opens it.
    Path(f"/proc/sys/net/{name}").write_text(value)


def texts(adapter: Adapter) -> set[str]:
    return {str(address) for address in adapter.info().addresses}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], ["10.6.30.1/24", "fd06:30::1/64"]),
        (["10.6.30.1/24", "fd06:30::1/64"], []),
        (["10.6.30.1/24"], ["10.6.30.1/16"]),
        (["fd06:30::1/64"], ["fd06:30::1/48"]),
        (["10.6.30.1/24", "10.6.30.2/24", "10.6.30.3/24"], ["10.6.30.3/24"]),
        (["10.6.30.1/32"], ["10.6.30.1/32", "fe80::6/64"]),
        (["fe80::6/64"], ["fe80::7/64"]),
        (["10.6.30.1/24", "fd06:30::1/128"], ["10.6.30.1/24", "fd06:30::1/128"]),
    ],
)
def test_exactly_these(adapter: Adapter, before: list[str], after: list[str]) -> None:
    """Prefixes change, secondaries survive their primary, own link-local ones come and go."""
    adapter.set_addresses(interfaces(*before))
    assert texts(adapter) == set(before)
    adapter.set_addresses(interfaces(*after))
    assert texts(adapter) == set(after)


def test_addresses_of_the_kernel_stay(adapter: Adapter) -> None:
    """The link-local address that the kernel makes at the session's start stays, and may go on."""
    session = adapter.start_session(0x20000)
    try:
        (by_kernel,) = texts(adapter)
        assert by_kernel.startswith("fe80:")
        adapter.set_addresses(interfaces("fd06:30::1/64"))
        assert texts(adapter) == {by_kernel, "fd06:30::1/64"}
        adapter.set_addresses(interfaces(by_kernel))
        assert texts(adapter) == {by_kernel}
        adapter.set_addresses([])
        assert texts(adapter) == {by_kernel}
    finally:
        session.end()


def test_addresses_from_outside_go(adapter: Adapter) -> None:
    """What ip(8) added is not among these."""
    kernel.ip("address", "add", "10.6.31.1/24", "dev", "addresses")
    adapter.set_addresses(interfaces("10.6.30.1/24"))
    assert texts(adapter) == {"10.6.30.1/24"}


def test_twice_is_once(adapter: Adapter) -> None:
    """The same address twice is one."""
    adapter.set_addresses(interfaces("10.6.30.1/24", "10.6.30.1/24"))
    assert texts(adapter) == {"10.6.30.1/24"}


@pytest.mark.parametrize("wrong", ["0.0.0.0/0", "::/64", "224.0.0.1/24", "ff02::1/64"])
def test_no_addresses_of_an_adapter(adapter: Adapter, wrong: str) -> None:
    """Group addresses and the unspecified one are refused before anything changes."""
    adapter.set_addresses(interfaces("10.6.30.1/24"))
    with pytest.raises(InvalidArgument):
        adapter.set_addresses(interfaces("10.6.30.2/24", wrong))
    assert texts(adapter) == {"10.6.30.1/24"}


def test_refused_by_the_kernel(adapter: Adapter) -> None:
    """An address that the kernel refuses leaves those that were there."""
    before = interfaces("10.6.30.1/24", "fd06:30::1/64")
    adapter.set_addresses(before)
    with pytest.raises(DriverError) as refusal:
        adapter.set_addresses(interfaces("10.6.30.2/24", "fd06:30::1/48", "::1/128"))
    assert refusal.value.function == "RTM_NEWADDR"
    assert texts(adapter) == {str(one) for one in before}


def shown(device: str = "addresses") -> str:
    return kernel.ip("address", "show", "dev", device)


@pytest.mark.parametrize("after", [[], ["10.6.30.1/32", "fd06:30::1/128"]], ids=["none", "plain"])
def test_addresses_with_a_peer(adapter: Adapter, after: list[str]) -> None:
    """An address that has a peer is another one than the same address without, in both families."""
    kernel.ip("address", "add", "10.6.30.1", "peer", "10.6.30.2/32", "dev", "addresses")
    kernel.ip("address", "add", "fd06:30::1", "peer", "fd06:30::2/128", "dev", "addresses")
    adapter.set_addresses(interfaces(*after))
    assert texts(adapter) == set(after)
    assert "peer" not in shown()


@pytest.mark.parametrize("peer", ["10.6.30.2/24", "10.6.31.2/24"])
def test_a_peer_with_a_network(adapter: Adapter, peer: str) -> None:
    """A peer whose network is that of the address, or another one, goes too."""
    kernel.ip("address", "add", "10.6.30.1", "peer", peer, "dev", "addresses")
    adapter.set_addresses(interfaces("10.6.30.1/24"))
    assert texts(adapter) == {"10.6.30.1/24"}
    assert "peer" not in shown()
    assert "10.6.30.0/24 proto kernel" in kernel.ip("route", "show", "dev", "addresses")


def test_a_peer_beside_the_plain_one(adapter: Adapter) -> None:
    """Of two addresses that differ by their peer, the one without stays."""
    adapter.set_addresses(interfaces("10.6.30.1/32"))
    kernel.ip("address", "add", "10.6.30.1", "peer", "10.6.30.2/32", "dev", "addresses")
    adapter.set_addresses(interfaces("10.6.30.1/32"))
    assert shown().count("inet ") == 1
    assert "peer" not in shown()


@pytest.mark.parametrize("lifetimes", [("60", "60"), ("forever", "0")])
def test_addresses_that_end(adapter: Adapter, lifetimes: tuple[str, str]) -> None:
    """An address that would end, or is deprecated, is made to last: so it was asked for."""
    valid, preferred = lifetimes
    for text in ("10.6.30.1/24", "fd06:30::1/64"):
        more = ("dev", "addresses", "valid_lft", valid, "preferred_lft", preferred)
        kernel.ip("address", "add", text, *more)
    adapter.set_addresses(interfaces("10.6.30.1/24", "fd06:30::1/64"))
    assert texts(adapter) == {"10.6.30.1/24", "fd06:30::1/64"}
    assert "sec" not in shown()
    assert "deprecated" not in shown()


@pytest.mark.parametrize(
    "more",
    [("label", "addresses:1"), ("noprefixroute",), ("scope", "link"), ("broadcast", "10.6.31.255")],
)
def test_addresses_of_every_kind_go(adapter: Adapter, more: tuple[str, ...]) -> None:
    """An address goes whatever else it is, and stays where it is wanted."""
    kernel.ip("address", "add", "10.6.31.1/24", "dev", "addresses", *more)
    adapter.set_addresses(interfaces("10.6.31.1/24", "10.6.30.1/24"))
    assert texts(adapter) == {"10.6.31.1/24", "10.6.30.1/24"}
    adapter.set_addresses(interfaces("10.6.30.1/24"))
    assert texts(adapter) == {"10.6.30.1/24"}


def test_link_local_addresses_of_others_go(adapter: Adapter) -> None:
    """Only the kernel's own link-local address stays: what ip(8) added is among exactly these."""
    session = adapter.start_session(0x20000)
    try:
        (by_kernel,) = texts(adapter)
        kernel.ip("address", "add", "fe80::99/64", "dev", "addresses")
        adapter.set_addresses(interfaces("10.6.30.1/24"))
        assert texts(adapter) == {by_kernel, "10.6.30.1/24"}
    finally:
        session.end()


@pytest.mark.parametrize("promote", ["0", "1"])
def test_secondary_addresses(adapter: Adapter, promote: str) -> None:
    """Addresses survive the first one of their network, whatever promote_secondaries says."""
    sysctl("ipv4/conf/addresses/promote_secondaries", promote)
    before = ["10.6.30.1/24", "10.6.30.2/24", "10.6.30.3/24", "10.6.30.4/24"]
    adapter.set_addresses(interfaces(*before))
    adapter.set_addresses(interfaces("10.6.30.4/24", "10.6.30.3/24"))
    assert texts(adapter) == {"10.6.30.4/24", "10.6.30.3/24"}


def test_a_refusal_leaves_everything(adapter: Adapter) -> None:
    """What is refused leaves addresses as they were: peers, labels and lifetimes too."""
    adapter.set_addresses(interfaces("10.6.30.1/24", "fd06:30::1/64"))
    kernel.ip("address", "add", "10.6.31.1", "peer", "10.6.31.2/32", "dev", "addresses")
    kernel.ip("address", "add", "10.6.32.1/24", "dev", "addresses", "label", "addresses:1")
    before = shown()
    with pytest.raises(SettingRefused, match="::1/128"):
        adapter.set_addresses(
            interfaces("10.6.30.1/16", "10.6.31.1/32", "fd06:30::1/48", "::1/128")
        )
    assert sorted(lines(shown())) == sorted(lines(before))


def test_two_prefix_lengths(adapter: Adapter) -> None:
    """An address can have one prefix length: which of two was meant is not guessed."""
    with pytest.raises(InvalidArgument, match="two prefix lengths"):
        adapter.set_addresses(interfaces("fd06:30::1/64", "fd06:30::1/48"))


def test_without_ipv6(adapter: Adapter) -> None:
    """IPv6 that is disabled, or impossible by the MTU, is named; IPv4 addresses go on."""
    sysctl("ipv6/conf/addresses/disable_ipv6", "1")
    with pytest.raises(SettingRefused, match=r"net\.ipv6\.conf\.addresses\.disable_ipv6"):
        adapter.set_addresses(interfaces("10.6.30.1/24", "fd06:30::1/64"))
    assert texts(adapter) == set()
    sysctl("ipv6/conf/addresses/disable_ipv6", "0")
    adapter.set_mtu(1000)
    with pytest.raises(SettingRefused, match="needs an MTU of 1280 bytes"):
        adapter.set_addresses(interfaces("fd06:30::1/64"))
    adapter.set_addresses(interfaces("10.6.30.1/24"))
    assert texts(adapter) == {"10.6.30.1/24"}


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (errno.EOPNOTSUPP, SettingRefused, "runs without IPv6"),
        (errno.EAFNOSUPPORT, SettingRefused, "runs without IPv6"),
        (errno.EINVAL, SettingRefused, "The kernel says: Words"),
        (errno.ENODEV, AdapterNotFound, ""),
        (errno.EPERM, AccessDenied, ""),
        (errno.ENOMEM, DriverError, ""),
    ],
)
def test_what_refusals_mean(code: int, kind: type[DriverError], says: str) -> None:
    """Each errno of an address has its exception; a kernel without IPv6 is named."""
    identity = Identity(UUID(int=1), "Example", "addresses")
    link = Link(
        index=7,
        kernel_name="addresses",
        identity=identity,
        mtu=1500,
        up=True,
        carrier=False,
        counters=LinkCounters(),
    )
    error = address_refused(Refusal(0, code, "Words"), link, ip_interface("fd06:30::1/64"))
    assert type(error) is kind
    assert says in str(error)


def test_none_of_many_others(adapter: Adapter) -> None:
    """Addresses of other devices are neither read nor taken for the adapter's."""
    kernel.ip("tuntap", "add", "other", "mode", "tun")
    kernel.ip_batch("".join(f"address add 10.7.{n}.1/24 dev other\n" for n in range(200)))
    adapter.set_addresses(interfaces("10.6.30.1/24"))
    assert texts(adapter) == {"10.6.30.1/24"}


def lines(text: str) -> list[str]:
    # Neither seconds that are left nor who made what is put back.
    return [line.strip() for line in text.splitlines()[1:] if "valid_lft" not in line]
