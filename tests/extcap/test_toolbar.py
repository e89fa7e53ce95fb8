"""The toolbar in Wireshark's window, played by the test: two pipes with messages."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import ExitStack
from io import FileIO
from pathlib import Path

import pytest

from tests.capture import capinfos, tshark
from tests.extcap.wireshark import (
    PATIENCE,
    PINGS,
    UDP,
    alone,
    extcap,
    inject,
    office,
    subscribed,
    variables,
)
from tests.libpcap import need_libpcap
from tests.posix import mkfifo
from tests.running import RunningService
from tests.waiting import until
from wintun_api.capture import pcapng
from wintun_api.extcap.toolbar import FILTER, SET, STATUS, WARNING


@pytest.fixture
def session(service: RunningService) -> str:
    """The session of OfficeNet."""
    need_libpcap()
    return office(service)


def captures(service: RunningService, session: str) -> int:
    """How many captures the session has; after a change, one with each filter."""
    return int(service.http.get(f"/v1/sessions/{session}").json()["subscribers"])


class Window:
    """A window of Wireshark with a capture; `file` is what has come from it."""

    def __init__(self, reader: FileIO, outgoing: FileIO, incoming: FileIO) -> None:
        self._reader = reader
        self._outgoing = outgoing
        self._incoming = incoming
        self.file = b""

    def read_until(self, packet: bytes) -> None:
        """Read until a packet has come."""
        while packet not in self.file:
            part = self._reader.read(65536)
            assert part, "the capture has ended"
            self.file += part

    def send(self, text: str, *, control: int = FILTER, command: int = SET) -> None:
        """Send what the user has set."""
        payload = text.encode()
        header = struct.pack(">cBHBB", b"T", 0, len(payload) + 2, control, command)
        self._outgoing.write(header + payload)

    def shown(self) -> tuple[int, str]:
        """Return the next command to the window, and its text."""
        mark, high, length, control, command = struct.unpack(">cBHBB", self._incoming.read(6))
        assert (mark, high, control) == (b"T", 0, FILTER)
        return command, self._incoming.read(length - 2).decode()


@pytest.fixture
def window(service: RunningService, session: str, tmp_path: Path) -> Iterator[Window]:
    """A window that captures ICMP."""
    pipes = [tmp_path / name for name in ("control-in", "control-out")]
    for pipe in pipes:
        mkfifo(pipe)
    controls = ("--extcap-control-in", str(pipes[0]), "--extcap-control-out", str(pipes[1]))
    chosen = ("--direction", "injected", "--extcap-capture-filter", "icmp")
    with ExitStack() as stack:
        process = stack.enter_context(
            extcap(
                tmp_path / "pipe",
                "wintun-api:OfficeNet",
                *chosen,
                *controls,
                **variables(service),
            )
        )
        # Wireshark opens them in this order, and each waits for the program.
        outgoing = stack.enter_context(FileIO(pipes[0], "wb"))
        incoming = stack.enter_context(FileIO(pipes[1]))
        reader = stack.enter_context(FileIO(tmp_path / "pipe"))
        subscribed(service, session, process)
        yield Window(reader, outgoing, incoming)
        process.terminate()
        _, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (0, "")
    alone(service, session)


@tshark.needs_tshark
def test_another_filter(
    window: Window, service: RunningService, session: str, tmp_path: Path
) -> None:
    """After a change other packets come, in the same file and at the same interface."""
    assert window.shown() == (SET, "icmp")
    inject(service, session, UDP + PINGS)
    window.read_until(PINGS[-1])
    window.send("udp")
    assert window.shown() == (STATUS, "Filter: udp")
    taken = len(window.file)
    until(lambda: captures(service, session) == 2)
    inject(service, session, [*UDP, PINGS[0]])
    window.read_until(UDP[-1])
    assert UDP[0] not in window.file[:taken]
    assert pcapng.whole(window.file) == len(window.file)
    path = tmp_path / "file.pcapng"
    path.write_bytes(window.file)
    assert capinfos.info_of(path).interfaces == 1
    packets = tshark.contents(path)
    assert packets[:10] == PINGS
    assert set(packets[-10:]) <= set(UDP)
    inject(service, session, PINGS)  # the previous capture notices that it is over
    until(lambda: captures(service, session) == 1)


def test_a_wrong_filter(window: Window, service: RunningService, session: str) -> None:
    """A filter that is wrong is a warning, and the capture goes on as it was."""
    assert window.shown() == (SET, "icmp")
    window.send("tcp prot 80")
    command, text = window.shown()
    assert command == WARNING
    assert text == "can't parse filter expression: syntax error (at character 5)"
    inject(service, session, PINGS)
    window.read_until(PINGS[-1])


@pytest.mark.thorough
def test_no_filter(window: Window, service: RunningService, session: str) -> None:
    """An empty field lets all packets through."""
    assert window.shown() == (SET, "icmp")
    window.send("  ")
    assert window.shown() == (STATUS, "All packets are captured.")
    until(lambda: captures(service, session) == 2)
    inject(service, session, [UDP[0], PINGS[0]])
    window.read_until(UDP[0])


@pytest.mark.thorough
def test_other_messages(window: Window, service: RunningService, session: str) -> None:
    """What Wireshark says of other controls, or that it is ready, changes nothing."""
    assert window.shown() == (SET, "icmp")
    window.send("", control=255, command=0)
    window.send("udp", control=7)
    window.send("icmp or udp")
    assert window.shown() == (STATUS, "Filter: icmp or udp")
