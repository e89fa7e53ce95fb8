"""`wintun-api serve` ends at a signal, whatever hangs in its driver."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Start
from tests.cli.test_serve import EMULATED, token_of

HOLDING = """
import os
from wintun_api.drivers.emulated.library import EmulatedLibrary

begin = EmulatedLibrary.__init__

def begin_and_hold(self, *arguments, **options):
    begin(self, *arguments, **options)
    self.hold_next(os.environ["HELD_FUNCTION"])

EmulatedLibrary.__init__ = begin_and_hold
"""


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
            assert used.wait(10)
        else:
            while not http.get("/v1/driver").json()["calls"]:
                pass
    code, seconds = program.end(number)
    user.join(10)
    assert code == 0
    assert seconds < 5
    print(f"{function}: {seconds:.2f} s")
    assert "Traceback" not in program.stderr, program.stderr
