"""Signals that come at any moment, also while an event loop runs."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.extcap.busy_network import CONNECTING
from tests.extcap.wireshark import PATIENCE, variables
from tests.posix import mkfifo
from tests.waiting import let_pass
from wintun_api.extcap.stopping import Stopped, Stopping

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its signals are of POSIX")

ROOT = Path(__file__).parents[2]
MOMENTS = 16


def stop(pipe: Path, number: signal.Signals, after: float) -> tuple[int, str, bool]:
    """Stop a capture some seconds after it has opened its pipe; say how it has ended.

    Return its exit code, its output, and whether its errors are at most one sentence.
    """
    mkfifo(pipe)
    arguments = ["--extcap-interface", "wintun-api-network:lab", "--fifo", str(pipe)]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.extcap.busy_network", "--capture", *arguments],
        cwd=ROOT,
        env=variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            with pipe.open("rb", buffering=0):
                let_pass(after)
                process.send_signal(number)
                out, err = process.communicate(timeout=PATIENCE)
                return process.returncode, out, len(err.splitlines()) < 2
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_capture_at_any_moment(tmp_path: Path, number: signal.Signals) -> None:
    """While it connects and while it reads, and while tasks run that nothing waits for."""

    def one(index: int) -> tuple[int, str, bool]:
        return stop(tmp_path / str(index), number, 2 * CONNECTING * index / MOMENTS)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(one, range(MOMENTS))) == [(0, "", True)] * MOMENTS


def test_a_signal_raises_where_nothing_is_told() -> None:
    """A program that waits for a pipe ends at once."""
    stopping = Stopping()
    stopping.listen()
    with pytest.raises(Stopped):
        signal.raise_signal(signal.SIGTERM)
    assert stopping.asked


def test_a_signal_is_told_and_not_raised() -> None:
    """It raises again where the program may wait for a pipe."""
    told: list[int] = []
    stopping = Stopping()
    stopping.listen()
    with stopping.told(lambda: told.append(1)):
        with pytest.raises(Stopped), stopping.raised():
            signal.raise_signal(signal.SIGTERM)
        assert not told
        signal.raise_signal(signal.SIGTERM)
    assert told == [1]


def test_a_signal_that_came_before_a_pipe_raises_there() -> None:
    """What is read no more is not waited for."""
    stopping = Stopping()
    stopping.listen()
    with stopping.told(lambda: None):
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Stopped), stopping.raised():
            pytest.fail("it goes on")
