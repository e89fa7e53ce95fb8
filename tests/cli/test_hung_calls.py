"""`wintun-api serve` ends at a signal, whatever hangs in its driver."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.cli.commands import EMULATED, token_of
from tests.cli.conftest import Start
from tests.posix import mkfifo
from tests.waiting import until

HOLDING = """
import os
from wintun_api.drivers.emulated.library import EmulatedLibrary

begin = EmulatedLibrary.__init__

def begin_and_hold(self, *arguments, **options):
    begin(self, *arguments, **options)
    self.hold_next(os.environ["HELD_FUNCTION"])

EmulatedLibrary.__init__ = begin_and_hold
"""


@pytest.mark.thorough(but_first=True)
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "function",
    [
        "WintunCreateAdapter",
        "WintunStartSession",
        "WintunEndSession",
        "GetIfEntry2",
        "WaitForMultipleObjects",
    ],
)
def test_signals_end_it_while_a_call_hangs(
    start: Start, tmp_path: Path, function: str, number: int
) -> None:
    """In about three seconds, with code 0 and without a traceback, though requests wait."""
    (tmp_path / "sitecustomize.py").write_text(HOLDING)
    program = start(*EMULATED, PYTHONPATH=str(tmp_path), HELD_FUNCTION=function)
    url = program.wait_for_url()
    headers = {"Authorization": f"Bearer {token_of(program)}"}

    def use() -> None:
        with suppress(httpx.HTTPError, KeyError):  # the service ends before it answers
            adapter = httpx.post(f"{url}/v1/adapters", json={"name": "A"}, headers=headers).json()
            body = {"adapter": adapter["guid"]}
            session = httpx.post(f"{url}/v1/sessions", json=body, headers=headers).json()
            used.set()
            httpx.delete(f"{url}/v1/sessions/{session['id']}", headers=headers)

    used = threading.Event()
    user = threading.Thread(target=use)
    user.start()
    with httpx.Client(base_url=url, headers=headers, trust_env=False) as http:
        if function == "WaitForMultipleObjects":
            assert used.wait(30)
        else:
            until(lambda: http.get("/v1/driver").json()["calls"])
    code, seconds = program.end(number)
    user.join(30)
    assert code == 0
    assert seconds < 15
    print(f"{function}: {seconds:.2f} s")
    assert "Traceback" not in program.stderr, program.stderr


STUCK_DISK = """
import os, threading

flush = os.fsync

def hang(number):
    if os.path.exists(os.environ["STUCK"]):
        print("The disk is stuck.", flush=True)
        threading.Event().wait()
    flush(number)

os.fsync = hang
"""


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_while_the_disk_hangs(start: Start, tmp_path: Path, number: int) -> None:
    """A write to the data directory that never comes back does not keep the service from ending."""
    (tmp_path / "sitecustomize.py").write_text(STUCK_DISK)
    stuck = tmp_path / "stuck"
    program = start(*EMULATED, PYTHONPATH=str(tmp_path), STUCK=str(stuck))
    url = program.wait_for_url()
    headers = {"Authorization": f"Bearer {token_of(program)}"}
    stuck.touch()

    answers: list[httpx.Response] = []

    def use() -> None:
        body = {"scopes": ["read"]}
        answers.append(httpx.post(f"{url}/v1/tokens", json=body, headers=headers, timeout=60))

    user = threading.Thread(target=use)
    user.start()
    program.wait_for("The disk is stuck")
    code, seconds = program.end(number)
    user.join(30)
    assert code == 0
    assert seconds < 20
    assert [(one.status_code, one.json()["type"]) for one in answers] == [
        (503, "urn:wintun-api:problem:stopping")
    ]
    assert "Traceback" not in program.stderr, program.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and FIFOs")
def test_a_signal_ends_the_demo_while_its_browser_is_open(start: Start, tmp_path: Path) -> None:
    """A browser of the terminal comes back only when it is left; the demo does not wait for it."""
    fifo, browser = tmp_path / "fifo", tmp_path / "browser"
    mkfifo(fifo)
    browser.write_text(f"#!/bin/sh\necho opened >&2\nexec cat {fifo}\n")
    browser.chmod(0o700)
    program = start("demo", "--port", "0", DISPLAY=":7", BROWSER=str(browser))
    try:
        program.wait_for("opened")
        code, seconds = program.end(signal.SIGINT)
    finally:
        with fifo.open("w"):
            pass
    assert code == 0
    assert seconds < 20
