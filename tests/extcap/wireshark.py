"""Wireshark's side of an extcap program: what it runs, and the pipe that it reads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.capture import tshark
from tests.posix import mkfifo
from tests.running import TOKEN, RunningService
from tests.waiting import until
from wintun_api.packet import build

PROGRAM = [sys.executable, "-P", "-m", "wintun_api.extcap"]
PATIENCE = 60.0
ADDRESS = "10.6.7.7"
PINGS = [
    build.icmp_echo("10.6.7.9", ADDRESS, identifier=1, sequence=number, data=bytes(number))
    for number in range(10)
]
UDP = [build.udp("10.6.7.9", ADDRESS, 40000, 7, bytes([number])) for number in range(10)]


def variables(service: RunningService | None = None, **more: str) -> dict[str, str]:
    """This process's environment without settings of wintun-api, but for those of a service."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WINTUN_API_")}
    if service is not None:
        kept |= {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    return kept | more


def office(service: RunningService) -> str:
    """Make the adapter OfficeNet, and return the id of its session."""
    adapter = service.adapter(name="OfficeNet", addresses=[f"{ADDRESS}/24"])
    return str(service.session(adapter)["id"])


def subscribed(service: RunningService, session: str, process: subprocess.Popen[str]) -> None:
    """Wait until a program captures from a session."""

    def captured() -> bool:
        assert process.poll() is None, process.communicate()
        return bool(service.http.get(f"/v1/sessions/{session}").json()["subscribers"])

    until(captured)


def alone(service: RunningService, session: str) -> None:
    """Wait until no program captures from a session."""
    path = f"/v1/sessions/{session}"
    until(lambda: not service.http.get(path).json()["subscribers"])


def inject(service: RunningService, session: str, packets: Sequence[bytes]) -> None:
    """Send packets to the host."""
    with service.packets(session, direction="none") as stream:
        stream.put(packets)


@contextmanager
def extcap(
    pipe: Path, interface: str, *options: str, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """Run a capture into a pipe, which is made; it has ended at the end."""
    mkfifo(pipe)
    arguments = ["--capture", "--extcap-interface", interface, "--fifo", str(pipe), *options]
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:

        def release() -> None:
            """Let go on who waits for a program that has ended to open a pipe."""
            process.wait()
            for one in (pipe, *map(Path, options)):
                if one.is_fifo():
                    os.close(os.open(one, os.O_RDWR))

        threading.Thread(target=release, daemon=True).start()
        try:
            yield process
        finally:
            process.kill()


def run_tshark(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run tshark in a home of its own, until it ends by itself."""
    # What -G asks for must be the first argument.
    return subprocess.run(
        [str(tshark.TSHARK), *arguments, "-n"],
        env={**environment, "HOME": str(home), "TMPDIR": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@contextmanager
def capturing(home: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Let tshark capture in a home of its own; it has ended at the end."""
    with subprocess.Popen(
        [str(tshark.TSHARK), "-n", *arguments],
        env={**environment, "HOME": str(home), "TMPDIR": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
