"""cli.recording: what a signal leaves of a capture that goes into a file or a pipe."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from tests.capture.samples import interface_statistics
from tests.cli.commands import PATIENCE
from wintun_api.capture import pcapng
from wintun_api.cli.recording import record

BEGIN = pcapng.section(os="Linux", application="test") + b"".join(map(pcapng.interface, "AB"))
STALLED = """
import sys
from pathlib import Path
import typer
from wintun_api.capture import pcapng
from wintun_api.cli.recording import record

packets = pcapng.packets([bytes(1000)] * 4000, [1000] * 4000, 1, injected=False)
begin = pcapng.section(os="Linux", application="test") + pcapng.interface("A")
try:
    record(Path("-"), iter([begin + packets]))
except typer.Exit as error:
    sys.exit(error.exit_code)
"""


def packets(interface: int, dropped: int) -> bytes:
    """Return blocks of two packets, the first after a loss."""
    return pcapng.packets(
        [b"a" * 20, b"b" * 40],
        [20, 40],
        10**18,
        injected=False,
        original_lengths=[50, 50],
        interface=interface,
        dropped=dropped,
    )


def test_each_interface_is_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a signal, those have statistics too that did not end before, and all loss is told."""
    path = tmp_path / "f.pcapng"
    ended = pcapng.statistics(start_ns=1, end_ns=2, received=9, dropped=7, interface=0)

    def chunks() -> Iterator[bytes]:
        file = BEGIN + packets(0, 3) + ended + packets(1, 5)
        yield file[:200]
        yield file[200:] + packets(0, 0)[:50]
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(typer.Exit) as exit_:
        record(path, chunks())
    assert exit_.value.exit_code == 130
    assert interface_statistics(path.read_bytes()) == {0: (9, 7), 1: (7, 5)}
    assert capsys.readouterr().err == "4 packets captured, 200 bytes, 12 lost.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals of POSIX")
def test_a_reader_that_stalls() -> None:
    """A program that stops to read does not keep the capture from ending with a second signal."""
    with subprocess.Popen(
        [sys.executable, "-c", STALLED],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.read(1)
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 143
        finally:
            process.kill()
