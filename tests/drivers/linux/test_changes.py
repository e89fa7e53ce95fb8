"""Changes: anything that a listing depends on is seen, and silence is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.drivers.linux import kernel
from tests.drivers.linux.kernel import ip
from tests.waiting import until
from wintun_api.drivers.linux.changes import Changes

pytestmark = kernel.needs_kernel

CASES: dict[str, Callable[[], object]] = {
    "link": lambda: ip("tuntap", "add", "other", "mode", "tun"),
    "state": lambda: ip("link", "set", "seen", "up"),
    "mtu": lambda: ip("link", "set", "seen", "mtu", "1300"),
    "alias": lambda: ip("link", "set", "base", "alias", "words"),
    "name": lambda: ip("link", "set", "seen", "name", "seen2"),
    "gone": lambda: ip("link", "del", "seen"),
    "IPv4 address": lambda: ip("addr", "add", "10.6.70.1/24", "dev", "seen"),
    "IPv6 address": lambda: ip("addr", "add", "fd06:70::1/64", "dev", "seen", "nodad"),
    "IPv4 route": lambda: ip("route", "add", "10.6.71.0/24", "dev", "base"),
    "IPv6 route": lambda: ip("-6", "route", "add", "fd06:71::/64", "dev", "base"),
}


@pytest.fixture
def changes(namespace: None) -> Iterator[Changes]:
    """Somebody who listens, and knows what is there."""
    ip("tuntap", "add", "seen", "mode", "tun")
    ip("tuntap", "add", "base", "mode", "tun")
    ip("link", "set", "base", "up")
    ip("addr", "add", "10.6.72.1/24", "dev", "base")
    changes = Changes()
    yield changes
    changes.close()


@pytest.mark.parametrize("change", CASES.values(), ids=CASES)
def test_seen(changes: Changes, change: Callable[[], object]) -> None:
    """Every change is seen; of an IPv6 address the kernel tells when it is in use."""
    while changes.seen():  # the kernel gives the device that came up an address of its own
        pass
    change()
    until(changes.seen)


def test_silence(changes: Changes) -> None:
    """To look changes nothing."""
    while changes.seen():
        pass
    ip("addr", "show")
    assert not changes.seen()


def test_more_than_is_kept(changes: Changes) -> None:
    """Changes that the kernel could not keep for us are seen as changes."""
    commands = "\n".join(f"link set seen mtu {mtu}" for mtu in range(1000, 1600))
    kernel.ip_batch(commands)
    assert changes.seen()
    assert not changes.seen()
