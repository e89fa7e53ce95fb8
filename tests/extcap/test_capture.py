"""A capture into a pipe, as Wireshark starts, reads and ends it."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.commands import EMULATED, Program, token_of
from tests.extcap.wireshark import (
    PATIENCE,
    PINGS,
    PROGRAM,
    alone,
    extcap,
    inject,
    office,
    subscribed,
    variables,
)
from tests.posix import mkfifo, open_reader, was_left
from tests.running import RunningService
from wintun_api.capture import pcapng
from wintun_api.capture.reader import Reader
from wintun_api.client import Client

OFFICE = "wintun-api:OfficeNet"


@pytest.fixture
def session(service: RunningService) -> str:
    """The session of OfficeNet."""
    return office(service)


def test_packets(service: RunningService, session: str, tmp_path: Path) -> None:
    """What comes through the pipe is pcapng with the packets of the adapter."""
    pipe = tmp_path / "pipe"
    options = ("--direction", "injected")
    with (
        extcap(pipe, OFFICE, *options, **variables(service)) as process,
        pipe.open("rb", buffering=0) as reader,
    ):
        subscribed(service, session, process)
        inject(service, session, PINGS)
        file = b""
        while PINGS[-1] not in file:
            file += reader.read(65536)
    assert pcapng.whole(file) == len(file)
    assert [packet.data for packet in Reader([file])] == PINGS


def test_the_pipe_is_closed(service: RunningService, session: str, tmp_path: Path) -> None:
    """When Wireshark closes the pipe, the next packet ends the capture without a complaint."""
    pipe = tmp_path / "pipe"
    with extcap(pipe, OFFICE, **variables(service)) as process:
        with pipe.open("rb", buffering=0):
            subscribed(service, session, process)
        inject(service, session, PINGS)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, "", "")
    alone(service, session)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal(
    service: RunningService, session: str, tmp_path: Path, number: signal.Signals
) -> None:
    """A signal ends a capture that waits for packets; what has come is whole."""
    pipe = tmp_path / "pipe"
    with (
        extcap(pipe, OFFICE, **variables(service)) as process,
        pipe.open("rb", buffering=0) as reader,
    ):
        subscribed(service, session, process)
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
        file = reader.read()
    assert (process.returncode, err) == (0, "")
    assert pcapng.whole(file) == len(file)
    alone(service, session)


def test_an_adapter_that_is_gone(service: RunningService, tmp_path: Path) -> None:
    """An interface that Wireshark remembers and the service has not is a sentence."""
    pipe = tmp_path / "pipe"
    with (
        extcap(pipe, "wintun-api:Gone", **variables(service)) as process,
        pipe.open("rb", buffering=0) as reader,
    ):
        assert reader.read() == b""
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert err == (
        "No adapter is called wintun-api:Gone any more. Refresh the interfaces in Wireshark.\n"
    )


def test_the_adapter_is_deleted(service: RunningService, session: str, tmp_path: Path) -> None:
    """A capture of one adapter ends with a sentence; the deletion of another does not matter."""
    mine = service.http.get(f"/v1/sessions/{session}").json()["adapter"]
    other = service.adapter(name="Other")["guid"]
    pipe = tmp_path / "pipe"
    with (
        extcap(pipe, OFFICE, **variables(service)) as process,
        pipe.open("rb", buffering=0) as reader,
    ):
        subscribed(service, session, process)
        service.http.delete(f"/v1/adapters/{other}").raise_for_status()
        inject(service, session, PINGS)
        service.http.delete(f"/v1/adapters/{mine}").raise_for_status()
        file = reader.read()
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (1, "The adapter OfficeNet was deleted.\n")
    assert pcapng.whole(file) == len(file)


def test_the_service_is_killed(tmp_path: Path) -> None:
    """A service that dies is a sentence; what has come before is whole."""
    pipe = tmp_path / "pipe"
    with closing(Program(tmp_path / "service", *EMULATED, "--traffic", "500")) as service:
        url, token = service.wait_for_url(), token_of(service)
        with Client(url, token=token) as client:
            client.start_session(client.create_adapter("OfficeNet").guid)
        environment = variables(WINTUN_API_URL=url, WINTUN_API_TOKEN=token)
        with (
            extcap(pipe, OFFICE, **environment) as process,
            pipe.open("rb", buffering=0) as reader,
        ):
            file = b""
            while len(file) < 2000:
                file += reader.read(65536)
            service.process.kill()
            while more := reader.read(65536):
                file += more
            _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert url in err
    assert "Traceback" not in err
    assert len(list(Reader([file[: pcapng.whole(file)]]))) > 5


def test_no_pipe(service: RunningService, session: str, tmp_path: Path) -> None:
    """A capture without a pipe, as a person may try it, is refused with a sentence."""
    pipe = tmp_path / "pipe"
    with extcap(pipe, OFFICE, "--fifo", str(tmp_path / "no/pipe"), **variables(service)) as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (
        1,
        "Cannot write to Wireshark: No such file or directory.\n",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        ("--snaplen", "99999"),
        ("--snaplen", "many"),
        ("--direction", "none"),
        ("--token-file",),
        ("--extcap-interface",),
    ],
    ids=" ".join,
)
def test_a_wrong_argument(tmp_path: Path, wrong: tuple[str, ...]) -> None:
    """The pipe, for which Wireshark waits, is opened and closed; then comes the sentence."""
    pipe = tmp_path / "pipe"
    mkfifo(pipe)
    reader = open_reader(pipe)
    arguments = ["--capture", "--extcap-interface", OFFICE, "--fifo", str(pipe), *wrong]
    try:
        done = subprocess.run(
            [*PROGRAM, *arguments],
            env=variables(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert was_left(reader)
    finally:
        os.close(reader)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert wrong[0] in done.stderr
