"""The log of a service, in pieces."""

from __future__ import annotations

from pathlib import Path

from wintun_api.testing.log import SHOWN, ServiceLog


def test_what_came_since(tmp_path: Path) -> None:
    """A position divides the log into what came before and after it."""
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    log = ServiceLog(path)
    position = log.position()
    with path.open("ab") as file:
        file.write(b"two\n")
    assert log.text(position) == "two\n"
    assert log.text() == "one\ntwo\n"


def test_a_long_log_is_cut(tmp_path: Path) -> None:
    """Of a long log the end is shown in whole lines, and it is said how much is missing."""
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"line %08d\n" % number for number in range(10_000)))
    first, *lines = ServiceLog(path).text().splitlines()
    missing = 140_000 - SHOWN
    assert first == f"({missing} bytes of the log are left out.)"
    assert lines[-1] == "line 00009999"
    assert all(line.startswith("line ") and len(line) == 13 for line in lines)


def test_a_log_that_is_gone(tmp_path: Path) -> None:
    """A log that was removed is not an error."""
    log = ServiceLog(tmp_path / "log")
    assert log.position() == 0
    assert "cannot be read" in log.text()
