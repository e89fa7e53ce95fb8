"""`wintun-api captures` against a real service: start, list, stop, delete, and download files."""

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
from typer.testing import Result

from tests.capture.capinfos import info_of
from tests.capture.tshark import needs_tshark, rows
from tests.cli.commands import COMMAND, Program, environment, invoke
from tests.libpcap import need_libpcap
from tests.posix import fork_on_terminal
from tests.running import TOKEN, RunningService
from tests.strangers import Behaviour, http, other_server
from tests.waiting import until
from wintun_api.capture import pcapng
from wintun_api.capture.reader import Reader
from wintun_api.choices import Scope
from wintun_api.cli.capture_options import in_options
from wintun_api.limits import MAX_CAPTURES
from wintun_api.packet import build
from wintun_api.schemas.captures import CaptureCreate, Keep, Rotate, Stop, Trigger

Cli = Callable[..., Result]
Start = Callable[..., Program]
KIB = 1024
PACKETS = [build.udp("10.9.0.2", "10.9.0.1", 40000, 7, bytes([at]) * 200) for at in range(40)]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="devices of Linux")
MOUNTS = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="mounts a file system"
)


@pytest.fixture
def session(service: RunningService) -> str:
    """The id of the session of the adapter Lab."""
    adapter = service.adapter(name="Lab", pool="Pool", addresses=["10.9.0.1/24"])
    return str(service.session(adapter)["id"])


@pytest.fixture
def cli(service: RunningService, session: str) -> Cli:
    """Run a command against the service."""

    def run_command(*arguments: str, **env: str) -> Result:
        return invoke(*arguments, **variables(service, **env))

    return run_command


def variables(service: RunningService, **env: str) -> dict[str, str]:
    """Where the service is, and its token."""
    return {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN, **env}


def made(result: Result) -> Any:
    """What a command that worked wrote as JSON."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def begin(cli: Cli, *arguments: str) -> str:
    """Start a capture; return its id."""
    result = cli("captures", "start", *arguments, "-q")
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def inject(service: RunningService, session: str, capture: str) -> None:
    """Send the packets to the host, and wait until the capture has written them."""
    path = f"/v1/captures/{capture}"
    already = service.http.get(path).json()["packets"]
    with service.packets(session) as stream:
        for packet in PACKETS:
            stream.send([packet])
        until(lambda: service.http.get(path).json()["packets"] >= already + len(PACKETS))


def packets_in(path: Path) -> list[bytes]:
    """The packets of a file."""
    return [packet.data or b"" for packet in Reader([path.read_bytes()])]


# What people start, list and stop


def test_life(cli: Cli, service: RunningService, session: str) -> None:
    """A capture is listed with its counts, shown with its files, stopped and deleted."""
    started = made(cli("captures", "start", "office", "--adapter", "lab", "--json"))
    assert (started["name"], started["state"], len(started["adapters"])) == ("office", "running", 1)
    inject(service, session, started["id"])
    (listed,) = made(cli("captures", "list", "--json"))
    assert listed["packets"] >= len(PACKETS)
    stopped = made(cli("captures", "stop", "office", "--json"))
    assert (stopped["state"], stopped["reason"]) == ("stopped", "request")
    assert made(cli("captures", "show", started["id"][:5], "--json")) == stopped
    assert made(cli("captures", "delete", "office", "--json")) == stopped
    assert made(cli("captures", "list", "--json")) == []


def test_what_people_read(cli: Cli, service: RunningService, session: str) -> None:
    """Without --json there are a table of captures, and one of the files of each."""
    assert cli("captures", "list").stderr == "No captures.\n"
    capture = begin(cli, "office")
    inject(service, session, capture)
    cli("captures", "stop", "office")
    head, row = cli("captures", "ls").stdout.splitlines()
    assert head.split() == ["Id", "Name", "State", "Packets", "Lost", "Bytes", "Files", "Started"]
    assert row.startswith(f"{capture}  office  stopped (request)")
    record, files = cli("captures", "show", "office").stdout.split("\n\n")
    assert ["reason", "request"] in [line.split() for line in record.splitlines()]
    assert files.splitlines()[1].startswith("office-00001-")
    said = cli("captures", "rm", capture).stdout
    assert said.startswith(f"Deleted {capture} (office): 1 file, ")


def test_every_member_has_an_option(cli: Cli) -> None:
    """Everything that the API takes can be said, with sizes and times as people write them."""
    asked: dict[str, Any] = {
        "pool": "Pool",
        "direction": "received",
        "snaplen": 96,
        "marks": True,
        "stop": {"packets": 1000, "bytes": 1024**3, "seconds": 3600},
        "rotate": {"bytes": 100 * 1024**2, "seconds": 600},
        "keep": {"files": 5, "bytes": 300 * 1024**2},
        "trigger": {"on": "event", "event": "session.started", "before": 30, "after": 90},
    }
    options = (
        *("--pool", "Pool", "--direction", "received", "-s", "96", "--marks"),
        *("--stop-packets", "1000", "--stop-bytes", "1gb", "--stop-after", "1h"),
        *("--rotate-bytes", "100mb", "--rotate-every", "10m"),
        *("--keep-files", "5", "--keep-bytes", "300MB"),
        *("--on", "event:session.started", "--before", "30s", "--after", "1.5m"),
    )
    started = made(cli("captures", "start", "all of it", *options, "--json"))
    assert {name: started[name] for name in asked} == asked
    assert (started["name"], started["state"]) == ("all of it", "waiting")
    known = {*asked, "name", "adapters", "filter"}
    assert set(CaptureCreate.model_fields) == known
    assert set(Stop.model_fields) == set(asked["stop"])
    assert set(Rotate.model_fields) == set(asked["rotate"])
    assert set(Keep.model_fields) == set(asked["keep"])
    assert set(Trigger.model_fields) == {*asked["trigger"], "filter"}


@pytest.mark.parametrize("kind", ["loss", "call"])
def test_a_trigger(cli: Cli, service: RunningService, session: str, kind: str) -> None:
    """A capture waits for what --on says, and `trigger` begins it whatever that is."""
    capture = begin(cli, "waits", "--on", kind)
    assert made(cli("captures", "show", "waits", "--json"))["state"] == "waiting"
    refused = cli("captures", "download", "waits")
    assert refused.exit_code == 5
    assert "wintun-api captures trigger" in refused.stderr
    assert made(cli("captures", "trigger", "waits", "--json"))["state"] == "running"
    inject(service, session, capture)


def test_filters(cli: Cli, service: RunningService, session: str) -> None:
    """A filter chooses packets, and another one begins the capture."""
    need_libpcap()
    capture = begin(cli, "-f", "udp dst port 7", "--on", "filter:udp src port 40000")
    inject(service, session, capture)
    found = made(cli("captures", "stop", "capture", "--json"))
    assert (found["filter"], found["trigger"]["filter"]) == ("udp dst port 7", "udp src port 40000")
    assert found["packets"] == len(PACKETS)


@pytest.mark.parametrize(
    ("options", "wrong", "mark"),
    [
        (("-f", "tcp prot 80"), "tcp prot 80", "    ^"),
        (("--on", "filter:tcp prot 80"), "tcp prot 80", "    ^"),
        (("-f", "udp", "--on", "filter:ip or xyz"), "ip or xyz", "      ^"),
        (("-f", "ip or xyz", "--on", "filter:udp"), "ip or xyz", "      ^"),
    ],
)
def test_a_wrong_filter(cli: Cli, options: tuple[str, ...], wrong: str, mark: str) -> None:
    """The filter that is wrong is shown with a mark below the place, and what to do."""
    need_libpcap()
    result = cli("captures", "start", *options)
    said, *shown, hint = result.stderr.splitlines()
    assert result.exit_code == 2
    assert said.startswith("The filter is not valid at character")
    assert shown == [f"  {wrong}", f"  {mark}"]
    assert hint.startswith("Correct the filter at the mark.")
    problem = json.loads(cli("captures", "start", *options, "--json").stderr)
    assert problem["offset"] == len(mark) - 1
    assert made(cli("captures", "list", "--json")) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--stop-after", "soon"), "'soon' is not a length of time"),
        (("--rotate-bytes", "much"), "'much' is not a size"),
        (("--stop-packets", "0"), "'--stop-packets'"),
        (("--stop-bytes", "4095"), "It must be at least 4kb."),
        (("--rotate-every", "0.9"), "It must be from 1 s to 10,000,000 s."),
        (("--stop-after", "116d"), "It must be at most 10,000,000 s."),
        (("--keep-files", "2001", "--rotate-bytes", "1mb"), "It must be at most 2000."),
        (("--on", "loss", "--before", "2d"), "It must be at most 86,400 s."),
        (("-f", "x" * 4097), "a filter has at most 4096"),
        (("--on", "filter:" + "x" * 4097), "a filter has at most 4096"),
        (("n" * 65,), "A name has from 1 to 64 characters."),
        (("",), "A name has from 1 to 64 characters."),
        (("--snaplen", "70000"), "It must be at most 65535."),
        (("--keep-files", "3"), "--keep-files needs --rotate-bytes or --rotate-every"),
        (("--before", "30s"), "--before needs --on"),
        (("--after", "30s"), "--after needs --on"),
        (("--on", "rain"), "'rain' is not loss, call, event:TYPE or filter:EXPRESSION"),
        (("--on", "loss:1"), "'loss:1' is not loss"),
        (("--on", "filter:"), "'filter:' is not loss"),
        (("--on", "event:rain"), "'rain' is not a type of event"),
        (("--adapter", "Lab", "--pool", "Pool"), "--adapter and --pool cannot be used together"),
        (("--quiet",), "--json and --quiet cannot be used together"),
    ],
)
def test_usage(cli: Cli, options: tuple[str, ...], said: str) -> None:
    """What is no value, or contradicts itself, is refused before the service is asked."""
    result = cli("captures", "start", *options, "--json")
    assert result.exit_code == 2
    assert said in json.loads(result.stderr)["detail"]
    assert made(cli("captures", "list", "--json")) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rotate-bytes", "8kb", "--keep-bytes", "9kb"), "--keep-bytes: must be at least twice"),
    ],
)
def test_what_the_service_refuses(cli: Cli, options: tuple[str, ...], said: str) -> None:
    """What the service refuses is said with the option, and is wrong usage too."""
    result = cli("captures", "start", *options)
    assert result.exit_code == 2
    assert said in result.stderr


def test_members_in_options() -> None:
    """A sentence about a member names its option; other words stay."""
    assert in_options("stop.packets: Too small.") == "--stop-packets: Too small."
    assert in_options("trigger.event: Unknown.") == "--on: Unknown."
    assert in_options("name: It stops. keep calm") == "name: It stops. keep calm"


def test_ids_and_names(cli: Cli) -> None:
    """A name that several have needs an id; to stop and trigger, the one that runs is meant."""
    first, second = begin(cli, "office"), begin(cli, "office")
    result = cli("captures", "show", "office")
    assert result.exit_code == 6
    assert all(f"{one} (office, running)" in result.stderr for one in (first, second))
    cli("captures", "stop", first)
    assert cli("captures", "delete", "office").exit_code == 6
    assert made(cli("captures", "stop", "office", "--json"))["id"] == second
    assert made(cli("captures", "delete", first[:6], second, "--json"))[0]["id"] == first
    result = cli("captures", "show", "office")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        5,
        "No capture has the id or the name 'office'.",
    )


def test_several_or_none(cli: Cli) -> None:
    """If one of several captures is not there, none is stopped or deleted; one counts once."""
    first, second = begin(cli, "a"), begin(cli, "b")
    assert cli("captures", "delete", "a", "c").exit_code == 5
    assert len(cli("captures", "list", "-q").stdout.split()) == 2
    stopped = made(cli("captures", "stop", "a", "b", first, "--json"))
    assert [one["id"] for one in stopped] == [first, second]


def test_one_that_has_ended(cli: Cli) -> None:
    """It cannot be triggered; the hint says what can be done with it."""
    capture = begin(cli, "a")
    cli("captures", "stop", "a")
    result = cli("captures", "trigger", "a")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        6,
        f"The capture {capture} has ended.",
    )
    assert "can still be downloaded" in result.stderr


def test_too_many(cli: Cli, service: RunningService) -> None:
    """Where there are as many as there may be, the hint says how to make room."""
    for _ in range(MAX_CAPTURES):
        service.http.post("/v1/captures", json={"trigger": {"on": "call"}})
    result = cli("captures", "start")
    assert result.exit_code == 1
    assert "wintun-api captures delete" in result.stderr


def test_a_token_that_may_not(cli: Cli, service: RunningService) -> None:
    """A token that may only read lists captures; to start one, the scope that it lacks is named."""
    token = service.token(Scope.READ)
    assert cli("captures", "list", WINTUN_API_TOKEN=token).exit_code == 0
    result = cli("captures", "start", WINTUN_API_TOKEN=token)
    assert result.exit_code == 4
    assert "capture" in result.stderr


# Downloads


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
        env=environment(tmp_path, **variables(service)),
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


@MOUNTS
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


def test_an_empty_pool(cli: Cli) -> None:
    """No adapter is in it, so that nothing is started."""
    result = cli("captures", "start", "--pool", "")
    assert result.exit_code == 2
    assert "It is empty." in result.stderr
    assert cli("captures", "list", "--quiet").stdout == ""


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
