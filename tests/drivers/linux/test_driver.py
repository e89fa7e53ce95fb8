"""drivers.linux.driver: devices that outlive it, and everybody else's left alone."""

from __future__ import annotations

import errno
import json
import os
import threading
from ipaddress import ip_interface
from pathlib import Path
from uuid import uuid4

import pytest

from tests.drivers.linux import kernel
from wintun_api.drivers.base import Driver, LogLine
from wintun_api.drivers.linux.driver import LinuxDriver
from wintun_api.errors import (
    AdapterExists,
    AdapterNotFound,
    DriverError,
    InvalidArgument,
    SessionExists,
)

pytestmark = kernel.needs_kernel

CAPACITY = 0x20000


def test_restart(driver: Driver) -> None:
    """A new driver finds the adapters of an old one: name, pool, GUID, addresses and MTU."""
    guid = uuid4()
    adapter = driver.create_adapter("Büro 1", "Example", guid)
    adapter.set_addresses([ip_interface("10.6.20.1/24"), ip_interface("fd06:20::1/64")])
    adapter.set_mtu(1420)
    info = adapter.info()
    driver.close()

    later = LinuxDriver()
    assert later.adapters() == later.adapters("Example") == [info]
    opened = later.open_adapter("BÜRO 1", "Example")
    assert opened.info() == info
    assert (info.guid, info.name, info.mtu) == (guid, "Büro 1", 1420)
    with pytest.raises(AdapterExists):
        later.create_adapter("büro 1", "Other")
    opened.set_name("Büro 2")
    assert adapter.info().name == "Büro 2"
    opened.delete()
    assert later.adapters() == []
    later.close()


@pytest.mark.parametrize("state", ["up", "down"])
def test_renamed_by_another(driver: Driver, state: str) -> None:
    """What another process renames is listed by its new name, in whatever state the device is."""
    adapter = driver.create_adapter("Before", "Example")
    kernel.ip("link", "set", str(adapter.info().interface_name), state)
    assert [info.name for info in driver.adapters()] == ["Before"]
    other = LinuxDriver()
    other.open_adapter("Before", "Example").set_name("After")
    assert [info.name for info in driver.adapters()] == ["After"]


def test_what_was_just_changed_is_listed(driver: Driver) -> None:
    """A listing has an address and a session's end at once, whenever the kernel tells of them."""
    adapter = driver.create_adapter("Now", "Example")
    for number in range(1, 20):
        wanted = ip_interface(f"fd06:90::{number}/64")
        adapter.set_addresses([wanted])
        (info,) = driver.adapters()
        assert wanted in info.addresses
        session = adapter.start_session(CAPACITY)
        assert driver.adapters() == [adapter.info()]
        session.end()
        assert driver.adapters() == [adapter.info()]


def test_foreign_devices_are_not_ours(driver: Driver) -> None:
    """Devices of others are neither listed nor opened nor deleted with a pool."""
    kernel.ip("tuntap", "add", "dev", "foreign0", "mode", "tun")
    kernel.ip("tuntap", "add", "dev", "foreign1", "mode", "tun")
    kernel.ip("link", "set", "foreign1", "alias", "wintun-api/1/broken/Example/x")
    kernel.ip("tuntap", "add", "dev", "foreign2", "mode", "tap")
    kernel.ip("link", "set", "foreign2", "alias", f"wintun-api/1/{uuid4()}/Example/x")
    # pyroute2 gives bytes for what is no UTF-8.
    kernel.ip("tuntap", "add", "dev", "foreign3", "mode", "tun")
    kernel.ip("link", "set", "foreign3", "alias", os.fsdecode(b"\xff\xfe"))
    assert driver.adapters() == []
    with pytest.raises(AdapterNotFound):
        driver.open_adapter("x", "Example")
    assert driver.delete_pool("Example") is False
    for name in ("foreign0", "foreign1", "foreign2", "foreign3"):
        assert kernel.ip("link", "show", name)


def test_kernel_names(driver: Driver) -> None:
    """The device has the adapter's name where that is free, and another one elsewhere."""
    kernel.ip("tuntap", "add", "dev", "office", "mode", "tap")
    taken = driver.create_adapter("office", "Example")
    assert taken.info().interface_name.startswith("wt")
    assert driver.create_adapter("office2", "Example").info().interface_name == "office2"
    long = driver.create_adapter("A name with blanks", "Example")
    assert long.info().interface_name.startswith("wt")
    long.set_name("office3")
    assert long.info().interface_name.startswith("wt")
    assert "office" in kernel.ip("link", "show", "office")


def test_device_renamed_from_outside(driver: Driver) -> None:
    """The adapter is found whatever ip(8) calls its device."""
    adapter = driver.create_adapter("before", "Example")
    kernel.ip("link", "set", "before", "down")
    kernel.ip("link", "set", "before", "name", "after")
    assert (adapter.info().name, adapter.info().interface_name) == ("before", "after")
    session = adapter.start_session(CAPACITY)
    assert "UP" in kernel.ip("link", "show", "after")
    session.end()


def test_carrier_is_the_session(driver: Driver) -> None:
    """As with Wintun, the link is up exactly while a session runs."""
    adapter = driver.create_adapter("carrier", "Example")
    assert "NO-CARRIER" in kernel.ip("link", "show", "carrier")
    session = adapter.start_session(CAPACITY)
    assert "LOWER_UP" in kernel.ip("link", "show", "carrier")
    session.end()
    assert "NO-CARRIER" in kernel.ip("link", "show", "carrier")


def test_deleted_from_outside(driver: Driver) -> None:
    """An adapter that ip(8) deletes is gone for every call."""
    adapter = driver.create_adapter("gone", "Example")
    kernel.ip("link", "del", "gone")
    for call in (adapter.info, adapter.delete):
        with pytest.raises(AdapterNotFound):
            call()
    with pytest.raises(AdapterNotFound):
        adapter.start_session(CAPACITY)
    assert "gone" not in kernel.ip("link", "show")


def test_attaching_makes_no_device(driver: Driver) -> None:
    """A device that takes the name of a deleted one is not taken for it."""
    adapter = driver.create_adapter("same", "Example")
    kernel.ip("link", "del", "same")
    kernel.ip("tuntap", "add", "dev", "same", "mode", "tun")
    with pytest.raises(AdapterNotFound):
        adapter.start_session(CAPACITY)


def test_session_of_another_process(driver: Driver) -> None:
    """Another driver's session is refused to us, and not deleted without force."""
    adapter = driver.create_adapter("busy", "Example")
    elsewhere = LinuxDriver().open_adapter("busy", "Example")
    session = elsewhere.start_session(CAPACITY)
    with pytest.raises(SessionExists) as refusal:
        adapter.start_session(CAPACITY)
    assert (refusal.value.function, refusal.value.code) == ("TUNSETIFF", errno.EBUSY)
    with pytest.raises(SessionExists):
        adapter.delete()
    assert adapter.info().name == "busy"
    assert adapter.delete(force=True) is False
    session.end()


def test_capacity_becomes_the_queue_length(driver: Driver) -> None:
    """The transmit queue holds as many packets of MTU size as the ring would."""
    adapter = driver.create_adapter("queue", "Example")
    adapter.set_mtu(1420)
    adapter.start_session(0x400000, offload=False).end()
    assert "qlen 2945" in kernel.ip("link", "show", "queue")
    adapter.set_mtu(576)
    adapter.start_session(0x4000000, offload=False).end()
    assert "qlen 65536" in kernel.ip("link", "show", "queue")


def test_failed_creation_leaves_nothing(driver: Driver) -> None:
    """What is refused leaves no device behind."""
    before = kernel.ip("link", "show")
    with pytest.raises(InvalidArgument):
        driver.create_adapter("ü" * 120, "Example")
    driver.create_adapter("once", "Example").delete()
    assert kernel.ip("link", "show") == before


def test_log(driver: Driver) -> None:
    """What the driver does to the kernel is in its log."""
    kernel.keep_quiet()  # what the kernel sends by itself would be lost at the end and logged
    lines: list[LogLine] = []
    driver.set_logger(lines.append)
    adapter = driver.create_adapter("logged", "Example")
    session = adapter.start_session(CAPACITY)
    session.end()
    adapter.delete()
    words = ("Created", "attached", "detached", "Deleted")
    assert len(lines) == len(words)
    for line, word in zip(lines, words, strict=True):
        assert word in line.message
        assert "logged" in line.message


def test_ipv6_disabled(driver: Driver) -> None:
    """Where IPv6 is off the refusal says so, and the addresses stay as they were."""
    adapter = driver.create_adapter("nosix", "Example")
    before = [ip_interface("10.6.21.1/24")]
    adapter.set_addresses(before)
    Path("/proc/sys/net/ipv6/conf/nosix/disable_ipv6").write_text("1")
    with pytest.raises(DriverError, match=r"IPv6 is disabled .*nosix") as refusal:
        adapter.set_addresses([ip_interface("10.6.21.2/24"), ip_interface("fd06:21::1/64")])
    assert (refusal.value.function, refusal.value.domain) == ("RTM_NEWADDR", "errno")
    assert list(adapter.info().addresses) == before


def test_ipv6_needs_its_mtu(driver: Driver) -> None:
    """An MTU below 1280 and IPv6 addresses exclude each other, in words."""
    adapter = driver.create_adapter("small", "Example")
    adapter.set_mtu(576)
    with pytest.raises(DriverError, match="IPv6 needs an MTU of 1280 bytes; the adapter has 576"):
        adapter.set_addresses([ip_interface("fd06:22::1/64")])


def test_an_adapter_of_an_earlier_version(driver: Driver) -> None:
    """One that has an alias alone is found by it, and gets its alternative names when opened."""
    guid = uuid4()
    kernel.ip("tuntap", "add", "old", "mode", "tun")
    kernel.ip("link", "set", "old", "alias", f"wintun-api/1/{guid}/Example/Old one")
    (info,) = driver.adapters()
    assert (info.guid, info.lost_marks) == (guid, ())
    driver.open_adapter("Old one", "Example")
    kernel.ip("link", "set", "old", "alias", "uplink")
    later = LinuxDriver()
    (info,) = later.adapters()
    assert (info.guid, info.name, len(info.lost_marks)) == (guid, "Old one", 1)
    later.close()


def test_a_rename_renames_every_mark(driver: Driver) -> None:
    """After a rename nothing on the device says the old name."""
    adapter = driver.create_adapter("n" * 100, "Example")
    device = adapter.info().interface_name
    before = altnames(device)
    adapter.set_name("short")
    after = altnames(device)
    assert (len(before), len(after)) == (2, 1)
    assert not set(before) & set(after)
    kernel.ip("link", "set", device, "alias", "")
    assert adapter.info().name == "short"
    adapter.restore()
    assert adapter.info().lost_marks == ()
    adapter.set_name("m" * 120)
    kernel.ip("link", "set", device, "alias", "")
    assert adapter.info().name == "m" * 120


def altnames(device: str) -> list[str]:
    (shown,) = json.loads(kernel.ip("-j", "link", "show", device))
    return list(shown.get("altnames", []))


@pytest.mark.parametrize("moved", [False, True])
def test_changed_alias_of_a_device_that_comes_back(driver: Driver, moved: bool) -> None:
    """A device whose alias was changed elsewhere is the adapter again when it comes back."""
    adapter = driver.create_adapter("away", "Example")
    before = adapter.info()
    with kernel.namespace():
        thread = f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net"
        there = os.open(thread, os.O_RDONLY)
    with Path("/proc/thread-self/ns/net").open() as home:
        if moved:
            kernel.move("away", there)
            with pytest.raises(AdapterNotFound):
                adapter.info()
            assert driver.adapters() == []
        with kernel.inside(there if moved else home.fileno()):
            kernel.ip("link", "set", "away", "alias", "uplink")
            if moved:
                kernel.move("away", home.fileno())
    os.close(there)
    after = adapter.info()
    assert (after.guid, after.name, len(after.lost_marks)) == (before.guid, "away", 1)
    adapter.delete()
    assert driver.adapters() == []


def test_memory_forgets_a_deleted_device(driver: Driver) -> None:
    """A device without marks is remembered until it is deleted, however many others are."""
    adapter = driver.create_adapter("known", "Example")
    other = driver.create_adapter("other", "Example")
    for name in ("known", "other"):
        kernel.ip("link", "set", name, "alias", "")
        for mark in altnames(name):
            kernel.ip("link", "property", "del", "dev", name, "altname", mark)
    assert [info.name for info in driver.adapters()] == ["known", "other"]
    kernel.ip("link", "del", "known")
    assert [info.name for info in driver.adapters()] == ["other"]
    with pytest.raises(AdapterNotFound):
        adapter.info()
    other.restore()
    assert other.info().lost_marks == ()
