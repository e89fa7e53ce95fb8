"""The native part: built from its source, the same to its caller as Python, refused when old."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wintun_api.drivers.linux import native
from wintun_api.drivers.linux.calls import PacketCalls, PythonCalls
from wintun_api.errors import InvalidSettings
from wintun_api.packet.block import Block

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the native part is for Linux"),
    pytest.mark.skipif(not any(map(shutil.which, native.COMPILERS)), reason="no C compiler"),
]

PACKETS = [b"one", b"second", b"3rd"]


@pytest.fixture(params=["python", "native"])
def calls(request: pytest.FixtureRequest, native_library: Path) -> PacketCalls:
    """Both kinds of calls."""
    return PythonCalls() if request.param == "python" else native.NativeCalls(native_library)


@pytest.fixture
def datagrams() -> Iterator[tuple[int, int]]:
    """Two descriptors that keep messages apart, as a TUN device does."""
    import socket

    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        one.setblocking(False)
        other.setblocking(False)
        yield one.fileno(), other.fileno()


def test_reads_what_waits(calls: PacketCalls, datagrams: tuple[int, int]) -> None:
    """All that waits is read, and EAGAIN says that there is no more."""
    near, far = datagrams
    for packet in PACKETS:
        os.write(far, packet)
    packets, failure, filled = calls.read(near, 100, 2048)
    assert packets == PACKETS
    assert (failure, filled) == (errno.EAGAIN, False)
    assert list(calls.read(near, 100, 2048)[0]) == []


def test_reads_up_to_the_limit(calls: PacketCalls, datagrams: tuple[int, int]) -> None:
    """A limit leaves the rest where it is, and is no failure."""
    near, far = datagrams
    for packet in PACKETS:
        os.write(far, packet)
    assert calls.read(near, 2, 2048) == (PACKETS[:2], 0, False)
    assert calls.read(near, 1, 2048) == (PACKETS[2:], 0, False)


def test_reads_a_burst_larger_than_its_room(
    native_library: Path, datagrams: tuple[int, int]
) -> None:
    """What does not fit into one call comes with the next one, and nothing is cut."""
    near, far = datagrams
    calls = native.NativeCalls(native_library)
    sent = [bytes([number]) * 60000 for number in range(3)]
    got: list[bytes] = []
    for _ in range(2):  # the first burst is read by Python
        for packet in sent:
            os.write(far, packet)
        while packets := calls.read(near, 100, 65536)[0]:
            got += packets
    assert got == sent * 2


def test_a_full_buffer_is_told(calls: PacketCalls, datagrams: tuple[int, int]) -> None:
    """A read that takes all it could may have lost the end of its packet, and says so."""
    near, far = datagrams
    for size in (1, 1, 100, 100, 60, 60):
        for _ in range(2):
            os.write(far, bytes(size))
        packets, _, filled = calls.read(near, 100, 100)
        assert filled is (size == 100)
        assert len(packets) == 2


@pytest.mark.parametrize("start", [0, 1, 3])
@pytest.mark.parametrize("kind", [list, Block.of])
def test_writes_from_a_packet_on(
    calls: PacketCalls, datagrams: tuple[int, int], start: int, kind: type[list[bytes]]
) -> None:
    """Packets are written one by one, from the one that was asked for."""
    near, far = datagrams
    assert calls.write(far, kind(PACKETS), start) == (3 - start, 0)
    assert list(calls.read(near, 10, 100)[0]) == PACKETS[start:]


def test_writes_until_there_is_no_room(calls: PacketCalls, datagrams: tuple[int, int]) -> None:
    """The first packet that is not taken ends it, and says why."""
    _, far = datagrams
    packets = [bytes(1000)] * 2000
    taken, failure = calls.write(far, packets, 0)
    assert 0 < taken < 2000
    assert failure == errno.EAGAIN


def test_a_failure_is_a_value(calls: PacketCalls, tmp_path: Path) -> None:
    """What the kernel refuses comes back as its number."""
    (tmp_path / "file").write_bytes(b"x")
    descriptor = os.open(tmp_path / "file", os.O_WRONLY)
    assert list(calls.read(descriptor, 1, 10)[0]) == []
    assert calls.read(descriptor, 1, 10)[1] == errno.EBADF
    os.close(descriptor)
    assert calls.write(descriptor, PACKETS, 0) == (0, errno.EBADF)


def test_many_packets_come_in_one_piece(native_library: Path, datagrams: tuple[int, int]) -> None:
    """Behind a first burst the next ones lie in one piece, and hold no more room than they need."""
    near, far = datagrams
    calls = native.NativeCalls(native_library)
    for _ in range(2):
        for packet in PACKETS:
            os.write(far, packet)
        packets, _, _ = calls.read(near, 512, 2048)
        assert packets == PACKETS
    assert isinstance(packets, Block)
    assert packets.memory == b"".join(PACKETS)


def test_a_packet_alone_needs_no_foreign_call(
    native_library: Path, datagrams: tuple[int, int]
) -> None:
    """At a low rate packets are read as Python reads them."""
    near, far = datagrams
    calls = native.NativeCalls(native_library)
    for _ in range(3):
        os.write(far, b"one")
        assert calls.read(near, 512, 2048) == ([b"one"], errno.EAGAIN, False)


def test_auto_is_what_was_built(native_library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word the library beside its source is used, where there is one."""
    monkeypatch.setattr(native, "LIBRARY", native_library)
    assert native.load("auto") is not None
    monkeypatch.setattr(native, "LIBRARY", native_library.with_name("missing.so"))
    assert native.load("auto") is None


def test_off(native_library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be switched off."""
    monkeypatch.setattr(native, "LIBRARY", native_library)
    assert native.load("off") is None


def test_another_source_is_refused(
    native_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library of another version is not used; one that was named is refused with a sentence."""
    changed = tmp_path / "burst.c"
    changed.write_bytes(native.SOURCE.read_bytes() + b"\n")
    monkeypatch.setattr(native, "SOURCE", changed)
    monkeypatch.setattr(native, "LIBRARY", native_library)
    assert native.load("auto") is None
    with pytest.raises(InvalidSettings, match="built from another source"):
        native.load(native_library)


def test_a_file_that_is_no_library(tmp_path: Path) -> None:
    """Something else is refused by name."""
    path = tmp_path / "burst.so"
    path.write_text("no library")
    with pytest.raises(InvalidSettings, match=r"burst\.so"):
        native.load(path)


def test_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a compiler nothing is built, and that is what is said."""
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(native, "COMPILERS", ("no-such-compiler",))
    with pytest.raises(FileNotFoundError, match="No C compiler"):
        native.build(tmp_path / "burst.so")


def test_a_compiler_that_fails(tmp_path: Path) -> None:
    """A failing compiler leaves nothing behind."""
    with pytest.raises(subprocess.CalledProcessError):
        native.build(tmp_path / "burst.so", "false")
    assert list(tmp_path.iterdir()) == []
