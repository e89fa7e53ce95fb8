"""drivers.linux.addresses: exactly these addresses, whatever was there."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

import pytest

from tests.drivers.linux import kernel
from wintun_api.drivers.base import Adapter, Driver
from wintun_api.errors import DriverError, InvalidArgument

pytestmark = kernel.needs_kernel


@pytest.fixture
def adapter(driver: Driver) -> Iterator[Adapter]:
    """An adapter without addresses."""
    adapter = driver.create_adapter("addresses", "Example")
    yield adapter
    adapter.delete(force=True)


def interfaces(*texts: str) -> list[IPv4Interface | IPv6Interface]:
    return [ip_interface(text) for text in texts]


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
