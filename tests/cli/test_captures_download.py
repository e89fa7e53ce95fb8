"""`wintun-api captures download`: the files of a real service, and of one that breaks off."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.capture.capinfos import info_of
from tests.capture.tshark import needs_tshark, rows
from tests.cli.captures import PACKETS, begin, inject, made
from tests.cli.commands import COMMAND, environment, invoke
from tests.cli.conftest import Cli, Start
from tests.disk import mounts
from tests.posix import fork_on_terminal
from tests.running import TOKEN, RunningService
from tests.strangers import Behaviour, http, other_server
from tests.waiting import until
from wintun_api.capture import pcapng
from wintun_api.capture.reader import Reader

KIB = 1024
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="devices of Linux")


def packets_in(path: Path) -> list[bytes]:
    """The packets of a file."""
    return [packet.data or b"" for packet in Reader([path.read_bytes()])]


def finished(cli: Cli, service: RunningService, session: str) -> dict[str, Any]:
    """Make a capture of several files that has ended; return what it is."""
    capture = begin(cli, "office", "--rotate-bytes", "4kb")
    inject(service, session, capture)
    found: dict[str, Any] = made(cli("captures", "stop", capture, "--json"))
    assert len(found["files"]) > 2
    return found


@needs_tshark
def test_download(cli: Cli, service: RunningService, session: str, tmp_path: Path) -> None:
    """All files come with their names, and capinfos counts what the service counts."""
    found = finished(cli, service, session)
    result = cli("captures", "download", "office", "-o", f"{tmp_path}/")
    paths = [Path(line) for line in result.stdout.splitlines()]
    assert [path.name for path in paths] == [one["name"] for one in found["files"]]
    for path, file in zip(paths, found["files"], strict=True):
        info = info_of(path)
        assert (info.packets, info.size) == (file["packets"], file["bytes"])
    size = sum(one["bytes"] for one in found["files"])
    assert result.stderr == f"{len(paths)} files downloaded, {size} bytes.\n"
    assert {one.suffix for one in tmp_path.iterdir() if one.is_file()} == {".pcapng"}


def test_download_into_this_folder(
    cli: Cli, service: RunningService, session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --output the files come into the folder in which the user is."""
    found = finished(cli, service, session)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    chosen = found["files"][1]
    saved = made(cli("captures", "download", "office", "--file", "2", "--json"))
    assert saved == [{"path": chosen["name"], "files": [2], "bytes": chosen["bytes"]}]
    assert [one.name for one in folder.iterdir()] == [chosen["name"]]


@needs_tshark
def test_download_as_one_file(
    cli: Cli, service: RunningService, session: str, tmp_path: Path
) -> None:
    """Joined files are one file that tshark reads from its beginning to its end."""
    found = finished(cli, service, session)
    path = tmp_path / "all.pcapng"
    (saved,) = made(cli("captures", "download", "office", "-o", str(path), "--json"))
    assert saved["bytes"] == found["bytes"] == path.stat().st_size
    read, complaints = rows(path, "frame.number")
    assert (len(read), complaints) == (found["packets"], "")
    assert [one for one in packets_in(path) if one in PACKETS] == PACKETS


def test_download_to_standard_output(
    cli: Cli, service: RunningService, session: str, tmp_path: Path
) -> None:
    """-o - writes nothing but the file there, for a pipe."""
    found = finished(cli, service, session)
    done = subprocess.run(
        [*COMMAND, "captures", "download", "office", "-o", "-"],
        env=environment(tmp_path, WINTUN_API_URL=service.url, WINTUN_API_TOKEN=TOKEN),
        capture_output=True,
        check=True,
    )
    said = f"{len(found['files'])} files downloaded, {found['bytes']} bytes.{os.linesep}"
    assert done.stderr.decode() == said
    (tmp_path / "out").write_bytes(done.stdout)
    assert len(done.stdout) == found["bytes"]
    assert [one for one in packets_in(tmp_path / "out") if one in PACKETS] == PACKETS


def test_download_while_it_runs(
    cli: Cli, service: RunningService, session: str, tmp_path: Path
) -> None:
    """A file that packets are added to comes as far as it is, in whole blocks."""
    capture = begin(cli, "office")
    inject(service, session, capture)
    path = tmp_path / "now.pcapng"
    assert cli("captures", "download", "office", "-o", str(path)).exit_code == 0
    assert pcapng.whole(path.read_bytes()) == path.stat().st_size
    assert [one for one in packets_in(path) if one in PACKETS] == PACKETS
    assert made(cli("captures", "show", "office", "--json"))["state"] == "running"


def test_download_replaces_nothing(
    cli: Cli, service: RunningService, session: str, tmp_path: Path
) -> None:
    """A file that is there stays as it was unless --force is given; nothing else comes either."""
    found = finished(cli, service, session)
    folder = tmp_path / "folder"
    folder.mkdir()
    last = folder / found["files"][-1]["name"]
    last.write_bytes(b"mine")
    result = cli("captures", "download", "office", "-o", str(folder))
    assert (result.exit_code, result.stdout) == (6, "")
    assert "--force" in result.stderr
    assert last.read_bytes() == b"mine"
    assert list(folder.iterdir()) == [last]
    assert cli("captures", "download", "office", "-o", str(folder), "--force").exit_code == 0
    assert last.stat().st_size == found["files"][-1]["bytes"]


def test_a_file_that_is_not_there(cli: Cli, service: RunningService, session: str) -> None:
    """A wrong number is refused with the numbers that there are."""
    finished(cli, service, session)
    result = cli("captures", "download", "office", "--file", "99")
    assert result.exit_code == 5
    assert "Its files are: 1, 2, 3" in result.stderr


@mounts
def test_a_disk_that_is_full(
    cli: Cli, service: RunningService, session: str, small_disk: Path
) -> None:
    """The command fails with a sentence and leaves nothing where it could not write all."""
    capture = begin(cli, "office")
    for _ in range(6):
        inject(service, session, capture)
    (small_disk / "mine").write_bytes(bytes(40 * KIB))
    path = small_disk / "office.pcapng"
    result = cli("captures", "download", "office", "-o", str(path))
    assert result.exit_code == 1
    assert result.stderr == f"Cannot write {path}: No space left on device.\n"
    assert [one.name for one in small_disk.iterdir()] == ["mine"]


@LINUX
def test_a_device_is_written_as_it_is(cli: Cli, service: RunningService, session: str) -> None:
    """/dev/null takes the file and stays what it is, also with --force."""
    finished(cli, service, session)
    assert cli("captures", "download", "office", "-o", "/dev/null", "--force").exit_code == 0
    assert not Path("/dev/null").is_file()
    result = cli("captures", "download", "office", "-o", "/dev/full")
    assert result.stderr == "Cannot write /dev/full: No space left on device.\n"


def test_a_folder_that_is_not_there(
    cli: Cli, service: RunningService, session: str, tmp_path: Path
) -> None:
    """It is not made; the command says so."""
    finished(cli, service, session)
    path = tmp_path / "none" / "x.pcapng"
    result = cli("captures", "download", "office", "-o", str(path))
    assert (result.exit_code, result.stderr) == (
        1,
        f"Cannot write {path}: No such file or directory.\n",
    )


@pytest.mark.parametrize(
    ("output", "said"), [("", "It is empty."), ("none/", "The folder none/ does not exist.")]
)
def test_a_place_that_is_none(cli: Cli, output: str, said: str) -> None:
    """An empty path is a mistake, and what is named as a folder has to be one."""
    begin(cli, "office")
    result = cli("captures", "download", "office", "-o", output)
    assert result.exit_code == 2
    assert said in result.stderr


# A service that does not send the whole file

FILE = {"number": 1, "name": "../../x.pcapng", "bytes": 1000, "packets": 1}
CAPTURE = {"id": "0123456789ab", "name": "office", "state": "running", "files": [FILE]}


def partly(then: Callable[[socket.socket], object]) -> Behaviour:
    """Answer as the service does, but send only the beginning of a file."""

    def behave(connection: socket.socket) -> None:
        request = connection.recv(4096).split(b" ")[1]
        if b"/files/" in request:
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/x-pcapng\r\n"
                b"Content-Length: 1000\r\n\r\n" + bytes(100)
            )
            then(connection)
        else:
            answers = {b"/noauth/health": {"status": "ok"}, b"/v1/captures": [CAPTURE]}
            body = json.dumps(answers.get(request, CAPTURE)).encode()
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
        connection.close()

    return behave


def test_a_file_that_was_deleted_meanwhile(tmp_path: Path) -> None:
    """A file that its capture did not keep any longer is left out, which is said."""
    problem = json.dumps({"type": "urn:wintun-api:problem:capture-not-found", "detail": "Gone."})

    def gone(connection: socket.socket) -> None:
        if b"/files/" not in connection.recv(4096, socket.MSG_PEEK).split(b" ")[1]:
            partly(lambda _: None)(connection)
            return
        kind = "Content-Type: application/problem+json"
        http("404 Not Found", problem.encode(), kind)(connection)

    with other_server(gone) as port:
        result = invoke(
            *("captures", "download", "office", "-o", str(tmp_path / "office.pcapng"), "--json"),
            WINTUN_API_URL=f"http://127.0.0.1:{port}",
            WINTUN_API_TOKEN=TOKEN,
        )
    assert made(result) == []
    assert result.stderr.splitlines()[0] == "The file 1 has been deleted meanwhile."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("output", ["office.pcapng", "folder"])
def test_a_download_that_breaks_off(tmp_path: Path, output: str) -> None:
    """Half a file is not kept, neither under its name nor under another."""
    folder = tmp_path / "folder"
    folder.mkdir()
    where = folder if output == "folder" else folder / output
    with other_server(partly(lambda _: None)) as port:
        result = invoke(
            *("captures", "download", "office", "-o", str(where), "--json"),
            WINTUN_API_URL=f"http://127.0.0.1:{port}",
            WINTUN_API_TOKEN=TOKEN,
        )
    assert (result.exit_code, result.stdout) == (3, "")
    assert json.loads(result.stderr)["detail"].startswith("The download broke off: ")
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_download_that_is_stopped(tmp_path: Path, start: Start, number: int) -> None:
    """Ctrl-C and SIGTERM leave nothing, and end the command with their code."""
    path = tmp_path / "office.pcapng"
    with other_server(partly(lambda connection: connection.recv(1))) as port:
        program = start(
            *("captures", "download", "office", "-o", str(path)),
            WINTUN_API_URL=f"http://127.0.0.1:{port}",
            WINTUN_API_TOKEN=TOKEN,
        )
        until(lambda: [one for one in tmp_path.glob(".office.pcapng.*") if one.stat().st_size])
        assert not path.exists()
        assert program.end(number)[0] == 128 + number
    assert program.stderr == ""
    assert list(tmp_path.glob("*office*")) == []


@POSIX
def test_progress_on_a_terminal(tmp_path: Path) -> None:
    """A line shows how much of the file has come."""
    with other_server(partly(lambda connection: connection.recv(1))) as port:
        child, terminal = fork_on_terminal()
        if child == 0:  # pragma: no cover
            variables = {
                **os.environ,
                "WINTUN_API_URL": f"http://127.0.0.1:{port}",
                "WINTUN_API_TOKEN": TOKEN,
                "WINTUN_API_DATA_DIR": str(tmp_path),
            }
            words = ["captures", "download", "office", "-o", str(tmp_path / "x.pcapng")]
            os.execve(sys.executable, [sys.executable, "-m", "wintun_api", *words], variables)
        shown = b""
        try:
            while b"x.pcapng: 100 of 1000 bytes" not in shown:
                shown += os.read(terminal, 65536)
        finally:
            os.kill(child, signal.SIGTERM)
            ended = os.waitpid(child, 0)[1]  # before the terminal hangs up
            os.close(terminal)
        assert os.waitstatus_to_exitcode(ended) == 143


def test_a_name_that_leads_elsewhere(tmp_path: Path) -> None:
    """A file has a name of the command's own where the service's would leave the folder."""

    def whole(connection: socket.socket) -> None:
        connection.sendall(bytes(900))

    with other_server(partly(whole)) as port:
        result = invoke(
            *("captures", "download", "office", "-o", f"{tmp_path}/"),
            WINTUN_API_URL=f"http://127.0.0.1:{port}",
            WINTUN_API_TOKEN=TOKEN,
        )
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / '0123456789ab-00001.pcapng'}\n"
