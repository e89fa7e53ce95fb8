"""The counters of the device of a session: its own wherever it is, and its last when it is gone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import astuple
from ipaddress import ip_interface
from pathlib import Path
from uuid import UUID

import pytest

from tests.drivers.linux import kernel
from tests.needs import need
from wintun_api.drivers.base import Adapter, Driver, LinkCounters, Session
from wintun_api.errors import SessionEnded
from wintun_api.packet import build

pytestmark = kernel.needs_kernel

CAPACITY = 0x20000  # 91 packets can wait
OWN = "10.6.41.1"
PEER = "10.6.41.2"
GUID = UUID("deadbabe-cafe-beef-0123-456789abcdef")
SENT = build.udp(PEER, "10.6.41.99", 1, 9, bytes(50))  # no answer comes to it


@pytest.fixture
def adapter(driver: Driver) -> Adapter:
    """An adapter with an address, to which the kernel sends nothing by itself."""
    for every in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{every}/disable_ipv6").write_text("1")
    adapter = driver.create_adapter("tracked", "Example", GUID)
    adapter.set_mtu(1420)
    adapter.set_addresses([ip_interface(f"{OWN}/24")])
    return adapter


@pytest.fixture
def session(adapter: Adapter) -> Iterator[Session]:
    """A running session."""
    session = adapter.start_session(CAPACITY)
    yield session
    session.end()


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """Another network namespace without IPv6, by the id of the one process in it."""
    need("unshare", "ip")
    quiet = "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"
    command = ["unshare", "--net", "sh", "-c", f"{quiet}; echo ready; exec sleep 600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process.pid
        process.kill()


def flood(count: int) -> None:
    """Let the host send datagrams, one packet each."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((PEER, 9))
        for _ in range(count):
            sender.send(b"flood")


def drain(session: Session) -> int:
    count = 0
    while more := len(session.receive_packets(256)):
        count += more
    return count


def move(pid: int) -> None:
    """Move the device to the namespace of a process, and set it up there."""
    kernel.ip("link", "set", "tracked", "netns", str(pid))
    with kernel.namespace_of(pid):
        kernel.ip("addr", "add", f"{OWN}/24", "dev", "tracked")
        kernel.ip("link", "set", "tracked", "up")


def occupy(name: str) -> None:
    """Let another device have a name here, and carry packets."""
    kernel.ip("tuntap", "add", name, "mode", "tun")
    kernel.ip("addr", "add", "10.6.42.1/24", "dev", name)
    kernel.ip("link", "set", name, "up")


REMOVALS: dict[str, Callable[[Driver, Adapter], object]] = {
    "ip link del": lambda driver, adapter: kernel.ip("link", "del", "tracked"),
    "delete": lambda driver, adapter: adapter.delete(),
    "delete of another handle": lambda driver, adapter: driver.open_adapter(
        "tracked", "Example"
    ).delete(),
    "delete_pool": lambda driver, adapter: driver.delete_pool("Example"),
}


@pytest.mark.parametrize("remove", REMOVALS.values(), ids=REMOVALS)
@pytest.mark.parametrize("ended", [False, True])
def test_losses_before_a_removal(
    driver: Driver,
    adapter: Adapter,
    session: Session,
    remove: Callable[[Driver, Adapter], object],
    ended: bool,
) -> None:
    """What the ring lost up to a removal is known after it, to the packet."""
    drain(session)
    before = adapter.counters().received_dropped
    flood(3000)
    received = drain(session)
    session.send_packets([SENT] * 4)
    flood(500)
    received += drain(session)
    remove(driver, adapter)
    if ended:
        session.end()
    after = adapter.counters()
    assert received + after.received_dropped - before == 3500
    assert after.sent_packets == 4
    session.end()
    assert adapter.counters() == after


def test_counters_of_a_removed_device_are_not_its_successors(
    adapter: Adapter, session: Session
) -> None:
    """A device that gets name, index and alias of the removed one does not pass for it."""
    flood(400)
    session.send_packets([SENT] * 3)
    index = adapter.info().interface_index
    kernel.ip("link", "del", "tracked")
    link = ("link", "add", "name", "tracked", "index", str(index), "type")
    try:
        kernel.ip(*link, "veth", "peer", "name", "other")
    except subprocess.CalledProcessError:
        pytest.skip("the kernel makes no device with an index that is asked for")
    kernel.ip("link", "set", "tracked", "alias", f"wintun-api/1/{GUID}/Example/tracked")
    after = adapter.counters()
    assert after.received_dropped >= 300
    assert after.sent_packets == 3


def test_counters_of_a_successor_are_its_own(
    driver: Driver, adapter: Adapter, session: Session
) -> None:
    """An adapter that is created again counts from 0, the old handle knows the old counters."""
    session.send_packets([SENT] * 3)
    kernel.ip("link", "del", "tracked")
    again = driver.create_adapter("tracked", "Example", GUID)
    assert again.counters().sent_packets == 0
    assert adapter.counters().sent_packets == 3
    later = again.start_session(CAPACITY)
    later.send_packets([SENT] * 2)
    assert again.counters().sent_packets == 2
    assert adapter.counters().sent_packets == 3
    later.end()
    assert again.counters().sent_packets == 2


def test_a_name_that_passes_on(adapter: Adapter, session: Session) -> None:
    """A renamed device keeps its counters, whoever has its name now."""
    session.send_packets([SENT] * 3)
    before = adapter.counters().sent_packets
    kernel.ip("link", "set", "tracked", "down")
    kernel.ip("link", "set", "tracked", "name", "renamed")
    occupy("tracked")
    kernel.ip("link", "set", "renamed", "up")
    assert adapter.counters().sent_packets == before
    session.send_packets([SENT] * 2)
    assert adapter.counters().sent_packets == before + 2


def test_moved_to_another_namespace(adapter: Adapter, session: Session, elsewhere: int) -> None:
    """A device that was moved keeps its counters, though another one here has its name."""
    flood(300)
    received = drain(session)
    before = adapter.counters()
    move(elsewhere)
    occupy("tracked")
    drain(session)
    session.send_packets([SENT] * 5)
    assert adapter.counters().sent_packets == before.sent_packets + 5
    with kernel.namespace_of(elsewhere):
        flood(1000)
    received = drain(session)
    after = adapter.counters()
    assert after.received_dropped - before.received_dropped == 1000 - received


@pytest.mark.parametrize("read_there", [False, True])
def test_moved_and_back(
    adapter: Adapter, session: Session, elsewhere: int, read_there: bool
) -> None:
    """A device that comes back has the counters that it left with, and more."""
    session.send_packets([SENT] * 3)
    before = adapter.counters().sent_packets
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    move(elsewhere)
    if read_there:
        assert adapter.counters().sent_packets == before
    occupy("tracked")
    kernel.ip("link", "del", "tracked")
    with kernel.namespace_of(elsewhere):
        kernel.move("tracked", home)
    os.close(home)
    kernel.ip("link", "set", "tracked", "up")
    session.send_packets([SENT] * 2)
    assert adapter.counters().sent_packets == before + 2


def test_moved_on(adapter: Adapter, session: Session, elsewhere: int) -> None:
    """A device that was moved twice is still followed."""
    session.send_packets([SENT] * 3)
    before = adapter.counters().sent_packets
    move(elsewhere)
    session.send_packets([SENT] * 3)
    command = ["unshare", "--net", "sh", "-c", "echo ready; exec sleep 600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with kernel.namespace_of(elsewhere):
            move(process.pid)
        session.send_packets([SENT] * 2)
        assert adapter.counters().sent_packets == before + 5
        process.kill()


@pytest.mark.parametrize("read_there", [False, True])
def test_removed_in_another_namespace(
    adapter: Adapter, session: Session, elsewhere: int, read_there: bool
) -> None:
    """What the ring lost up to a removal elsewhere is known after it."""
    drain(session)
    before = adapter.counters().received_dropped
    move(elsewhere)
    if read_there:
        adapter.counters()
    drain(session)
    with kernel.namespace_of(elsewhere):
        flood(1000)
        received = drain(session)
        kernel.ip("link", "del", "tracked")
    assert adapter.counters().received_dropped - before == 1000 - received


def test_removed_with_its_namespace(adapter: Adapter, session: Session) -> None:
    """A device whose namespace vanishes leaves the counters that were last read."""
    with kernel.namespace():
        inside = os.getpid(), threading.get_native_id()
        here = f"/proc/{inside[0]}/task/{inside[1]}/ns/net"
        there = os.open(here, os.O_RDONLY)
    kernel.move("tracked", there)
    known = adapter.counters()
    os.close(there)  # the last that held it
    with pytest.raises(SessionEnded):
        while True:  # it vanishes some time after
            session.receive_packets(256)
    assert adapter.counters() == known
    session.end()
    assert adapter.counters() == known


def test_abandoned_device(adapter: Adapter, session: Session, elsewhere: int) -> None:
    """A device that vanishes with its session's end leaves its last counters."""
    move(elsewhere)
    session.send_packets([SENT] * 3)
    assert adapter.delete() is False
    sent = adapter.counters().sent_packets
    assert sent >= 3
    session.end()
    assert adapter.counters().sent_packets == sent


@pytest.mark.thorough
def test_other_devices_are_not_heard(adapter: Adapter, session: Session) -> None:
    """However many other devices are removed, the last counters of this one are not missed."""
    flood(500)
    received = drain(session)
    kernel.ip_batch("\n".join(f"tuntap add x{n} mode tun\nlink del x{n}" for n in range(300)))
    kernel.ip("link", "del", "tracked")
    assert adapter.counters().received_dropped >= 500 - received > 0


def test_counters_from_any_thread(driver: Driver, adapter: Adapter) -> None:
    """Counters that are read while sessions end are never those of another device."""
    occupy("busy")
    other = driver.create_adapter("other", "Example")
    seen: list[LinkCounters] = []
    failures: list[BaseException] = []
    quit_ = threading.Event()

    def read() -> None:
        try:
            while not quit_.is_set():
                seen.append(adapter.counters())
        except BaseException as error:
            failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(30):
            session = adapter.start_session(CAPACITY)
            session.send_packets([SENT])
            session.end()
            foreign = other.start_session(CAPACITY)  # has the descriptor's number
            foreign.send_packets([SENT] * 5)
            foreign.end()
    finally:
        quit_.set()
        reader.join()
    assert failures == []
    numbers = [one.sent_packets for one in seen]
    assert numbers == sorted(numbers)
    assert adapter.counters().sent_packets == 30
    assert all(number >= 0 for one in seen for number in astuple(one))


def test_quiesce_makes_the_last_drain_finite(adapter: Adapter, session: Session) -> None:
    """After it nothing more comes, so that what was received and lost is all that was sent."""
    drain(session)
    before = adapter.counters().received_dropped
    sent = 0
    quit_ = threading.Event()
    started = threading.Event()

    def send() -> None:
        nonlocal sent
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect((PEER, 9))
            while not quit_.is_set():
                sender.send(b"endless")
                sent += 1
                started.set()

    # The thread is of this network namespace too.
    flooding = threading.Thread(target=send)
    flooding.start()
    started.wait()
    try:
        received = drain_some(session, 200)
        session.quiesce()
        session.quiesce()
        received += drain(session)
        assert session.receive_packets(256) == []
    finally:
        quit_.set()
        flooding.join()
    assert drain(session) == 0
    assert received + adapter.counters().received_dropped - before == sent
    session.end()
    session.quiesce()


def drain_some(session: Session, count: int) -> int:
    received = 0
    while received < count:
        received += len(session.receive_packets(64))
    return received


def test_a_session_after_quiesce_has_its_carrier(adapter: Adapter, session: Session) -> None:
    """The next session gets the host's packets as ever."""
    session.quiesce()
    flood(10)
    assert drain(session) == 0
    session.end()
    again = adapter.start_session(CAPACITY)
    drain(again)
    flood(10)
    assert drain(again) == 10
    again.end()


def test_quiesce_in_another_namespace(adapter: Adapter, session: Session, elsewhere: int) -> None:
    """A device that was moved is stopped too."""
    move(elsewhere)
    with kernel.namespace_of(elsewhere):
        flood(10)
        assert drain(session) >= 10
    session.quiesce()
    with kernel.namespace_of(elsewhere):
        flood(10)
        assert drain(session) == 0


ALIASES = {"text": "uplink", "empty": "", "of another": f"wintun-api/1/{UUID(int=7)}/Example/x"}


@pytest.mark.parametrize("alias", ALIASES.values(), ids=ALIASES)
@pytest.mark.parametrize("marked", [True, False], ids=["marks", "no marks"])
def test_a_changed_alias(
    driver: Driver, adapter: Adapter, session: Session, alias: str, marked: bool
) -> None:
    """The counters are the device's own, up to its last packet, whatever it is labelled."""
    session.send_packets([SENT] * 3)
    before = adapter.counters()
    relabel(alias, marked)
    session.send_packets([SENT] * 2)
    assert adapter.counters().sent_packets == before.sent_packets + 2
    drain(session)
    lost = adapter.counters().received_dropped
    flood(1000)
    received = drain(session)
    kernel.ip("link", "del", "tracked")
    after = adapter.counters()
    assert after.received_dropped - lost == 1000 - received
    session.end()
    assert adapter.counters() == after


@pytest.mark.parametrize("marked", [True, False], ids=["marks", "no marks"])
def test_a_changed_alias_in_another_namespace(
    adapter: Adapter, session: Session, elsewhere: int, marked: bool
) -> None:
    """A device that is moved and relabelled is followed, and its last counters are known."""
    relabel("uplink", marked)
    drain(session)
    before = adapter.counters()
    move(elsewhere)
    occupy("tracked")
    session.send_packets([SENT] * 5)
    assert adapter.counters().sent_packets == before.sent_packets + 5
    with kernel.namespace_of(elsewhere):
        flood(1000)
        received = drain(session)
        kernel.ip("link", "del", "tracked")
    after = adapter.counters()
    assert after.received_dropped - before.received_dropped >= 1000 - received > 0


def test_an_alias_that_is_copied(adapter: Adapter, session: Session) -> None:
    """The removal of a foreign device with the alias of this one is not taken for its own."""
    session.send_packets([SENT] * 3)
    kernel.ip("tuntap", "add", "copy", "mode", "tun")
    kernel.ip("link", "set", "copy", "alias", f"wintun-api/1/{GUID}/Example/tracked")
    kernel.ip("link", "del", "copy")
    session.send_packets([SENT] * 2)
    assert adapter.counters().sent_packets == 5


def relabel(alias: str, marked: bool) -> None:
    """Change the alias of the device, and take its alternative names."""
    kernel.ip("link", "set", "tracked", "alias", alias)
    if not marked:
        (shown,) = json.loads(kernel.ip("-j", "link", "show", "tracked"))
        for mark in shown["altnames"]:
            kernel.ip("link", "property", "del", "dev", "tracked", "altname", mark)
