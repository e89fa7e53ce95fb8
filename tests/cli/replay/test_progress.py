"""The line that says how far `inject --pcap` is: on a terminal, and nowhere else."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import PATIENCE
from tests.cli.replay.conftest import Start
from tests.cli.replay.files import PINGS, capture_file, timed_file
from tests.posix import open_terminal, set_columns

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of POSIX"),
]


def lines_of(start: Start, file: Path, *options: str, columns: int = 100) -> tuple[list[str], str]:
    """Replay with standard error on a terminal; return the lines it showed, and its totals."""
    ours, theirs = open_terminal()
    set_columns(theirs, columns)
    try:
        process = start(str(file), *options, stderr=theirs)
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # the program has closed the terminal
            pass
        out, _ = process.communicate(timeout=PATIENCE)
    finally:
        os.close(ours)
    return shown.decode().split("\r\x1b[K"), out.decode()


def test_on_a_terminal(start: Start, tmp_path: Path) -> None:
    """It has the percentage, the packets, the seconds, the rate and the pass, and is removed."""
    file = capture_file(tmp_path / "f", PINGS)
    lines, out = lines_of(start, file, "--rate", "100", "--loop", "2")
    assert out == "80 packets accepted.\n"
    assert (lines[0], lines[-1]) == ("", "")
    form = r"\d+ %, \d+ sent in \d s \(\d+ a second\), pass [12] of 2"
    shown = [line for line in lines if line]
    assert len(shown) >= 2
    assert all(re.fullmatch(form, line) for line in shown), shown


@pytest.mark.parametrize("packed", [False, True])
def test_the_percentage(start: Start, tmp_path: Path, packed: bool) -> None:
    """It counts the bytes whose packets were sent, not those that were read ahead."""
    file = capture_file(tmp_path / "f", PINGS[:1] * 40)
    if packed:
        file.write_bytes(gzip.compress(file.read_bytes()))
    lines, _ = lines_of(start, file, "--rate", "100")
    shown = [re.match(r"(\d+) %, (\d+) sent", line) for line in lines if line]
    assert len(shown) >= 2
    for found in shown:
        assert found is not None
        assert abs(int(found[1]) - 100 * int(found[2]) / 40) < 12


def test_while_it_waits(start: Start, tmp_path: Path) -> None:
    """During a long gap it counts down to the next packet."""
    file = timed_file(tmp_path / "f", zip([0, 300], PINGS, strict=False))
    lines, out = lines_of(start, file, "--speed", "100x")
    assert out == "2 packets accepted.\n"
    assert any(line.endswith(", the next in 2 s") for line in lines), lines


def test_what_is_left_out(start: Start, tmp_path: Path) -> None:
    """Packets that are left out are counted in it."""
    file = capture_file(tmp_path / "f", PINGS[:1], cut=7)
    with file.open("ab") as more:
        more.write(capture_file(tmp_path / "g", PINGS).read_bytes())
    lines, _ = lines_of(start, file, "--rate", "100")
    assert any(line.endswith(", 7 left out") for line in lines), lines


def test_a_narrow_terminal(start: Start, tmp_path: Path) -> None:
    """The line is cut before it wraps, because only one line can be written over."""
    file = capture_file(tmp_path / "f", PINGS)
    lines, _ = lines_of(start, file, "--rate", "100", columns=20)
    assert max(map(len, lines)) == 19


def test_in_a_pipe(start: Start, tmp_path: Path) -> None:
    """A program that reads standard error gets no such line."""
    file = capture_file(tmp_path / "f", PINGS)
    process = start(str(file), "--rate", "100", stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, b"40 packets accepted.\n", b"")
