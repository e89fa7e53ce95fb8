"""Where the packets of `capture` come from: filters, recorders, several adapters; with tshark."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from tests.capture import capinfos, tshark
from tests.cli.capturing import capturing, variables
from tests.cli.commands import PATIENCE, invoke
from tests.libpcap import need_libpcap
from tests.needs import needs
from tests.running import RunningService
from tests.waiting import until
from wintun_api.packet import build

HOST = "10.6.7.7"
PINGS = [build.icmp_echo("10.6.7.9", HOST, identifier=1, sequence=at) for at in range(10)]
NUMBERED = [build.udp("10.6.7.9", HOST, 40000, 9, at.to_bytes(4, "big")) for at in range(20)]


@pytest.fixture
def office(service: RunningService) -> str:
    """The session of OfficeNet, in the pool Work."""
    return session_of(service, "OfficeNet", pool="Work")


def session_of(service: RunningService, name: str, **more: str) -> str:
    """Make an adapter, and return the id of its session."""
    return str(service.session(service.adapter(name=name, **more))["id"])


def inject(service: RunningService, session: str, packets: list[bytes]) -> None:
    """Send packets to the host of the emulated machine."""
    with service.packets(session, direction="none") as stream:
        stream.put(packets)


def record(service: RunningService, session: str) -> None:
    """Switch the recorder of a session on."""
    answer = service.http.put(f"/v1/sessions/{session}/recorder", json={"seconds": 300})
    assert answer.status_code == 200, answer.text


@tshark.needs_tshark
@needs("tcpdump")
def test_filter(service: RunningService, office: str, tmp_path: Path) -> None:
    """The file has what the filter lets through, as tcpdump finds it."""
    need_libpcap()
    path = tmp_path / "some.pcapng"
    arguments = ("OfficeNet", "-f", "icmp", "-c", "10", "--direction", "injected", "-w", str(path))
    with capturing(service, tmp_path, [office], *arguments) as process:
        inject(service, office, NUMBERED + PINGS)
        assert process.wait(PATIENCE) == 0
    assert tshark.contents(path) == PINGS
    tcpdump = [str(shutil.which("tcpdump")), "--count", "-r", str(path), "icmp"]
    counted = subprocess.run(tcpdump, capture_output=True, text=True, check=True)
    assert counted.stdout.startswith("10 packets")


@pytest.mark.parametrize("which", [("OfficeNet",), ("--all",), ("OfficeNet", "--since", "-5s")])
def test_a_wrong_filter(service: RunningService, office: str, which: tuple[str, ...]) -> None:
    """A mark stands below the place that is wrong, and a hint says where examples are."""
    need_libpcap()
    record(service, office)
    result = invoke("capture", *which, "-f", "tcp prot 80", **variables(service))
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if "waiting for one" not in line]
    assert lines[0] == (
        "The filter is not valid at character 5: can't parse filter expression: syntax error."
    )
    assert lines[1:3] == ["  tcp prot 80", "      ^"]
    assert "wintun-api guide filters" in lines[3]


def test_a_wrong_filter_as_json(service: RunningService, office: str) -> None:
    """With --json the place is a number, for programs."""
    need_libpcap()
    result = invoke("capture", "OfficeNet", "-f", "tcp prot 80", "--json", **variables(service))
    problem = json.loads(result.stderr)
    assert problem["type"].endswith(":invalid-filter")
    assert problem["offset"] == 4


@tshark.needs_tshark
def test_since(service: RunningService, office: str, tmp_path: Path) -> None:
    """What was recorded comes before what is live, each packet once, while packets pass."""
    record(service, office)
    path = tmp_path / "some.pcapng"
    sent: list[bytes] = []
    enough = threading.Event()

    def send() -> None:
        with service.packets(office, direction="none") as stream:
            while not enough.wait(0.002):
                number = len(sent).to_bytes(4, "big")
                sent.append(build.udp("10.6.7.9", HOST, 40000, 9, number))
                stream.put(sent[-1:])

    sender = threading.Thread(target=send)
    sender.start()
    try:
        arguments = ("OfficeNet", "--since", "-5m", "--direction", "injected", "-w", str(path))
        with capturing(service, tmp_path, [office], *arguments) as process:
            before = len(sent)
            until(lambda: len(sent) > before + 100)
            enough.set()
            sender.join(PATIENCE)
            service.http.delete(f"/v1/sessions/{office}")
            _, err = process.communicate(timeout=PATIENCE)
    finally:
        enough.set()
        sender.join(PATIENCE)
    assert process.returncode == 0, err
    assert before > 0
    assert tshark.contents(path) == sent
    times = [frame.time_ns for frame in tshark.read(path)]
    assert times == sorted(times)
    assert capinfos.info_of(path).packets == len(sent)


def test_since_without_a_recorder(service: RunningService, office: str) -> None:
    """Where nothing was recorded that is said, and which command switches the recorder on."""
    for which in ("OfficeNet", "--all"):
        result = invoke("capture", which, "--since", "-60s", "-c", "1", **variables(service))
        assert result.exit_code == 5
        assert result.stderr.startswith("Nothing was recorded")
        assert "wintun-api recorder ADAPTER on" in result.stderr


@pytest.mark.thorough
@tshark.needs_tshark
def test_since_of_several(service: RunningService, office: str, tmp_path: Path) -> None:
    """Of several sessions those whose recorder is off begin now, which is said."""
    other = session_of(service, "Other")
    record(service, office)
    inject(service, office, PINGS)
    path = tmp_path / "some.pcapng"
    arguments = ("--all", "--since", "-5m", "--direction", "injected", "-c", "5", "-w", str(path))
    with capturing(service, tmp_path, [other], *arguments) as process:
        inject(service, other, NUMBERED[:5])
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "The recorder of Other is off; its packets begin now." in err
    found = [(frame.interface, frame.length) for frame in tshark.read(path)]
    assert found == [("OfficeNet", 28)] * 10 + [("Other", 32)] * 5


@pytest.mark.thorough(but_first=True)
@tshark.needs_tshark
@pytest.mark.parametrize(
    "which",
    [("OfficeNet", "Other"), ("--adapter", "OfficeNet", "--adapter", "Other"), ("--all",)],
)
def test_several(
    service: RunningService, office: str, tmp_path: Path, which: tuple[str, ...]
) -> None:
    """Each adapter is an interface of one file, with its own packets and statistics."""
    other = session_of(service, "Other")
    path = tmp_path / "some.pcapng"
    arguments = (*which, "--direction", "injected", "-c", "10", "-w", str(path))
    with capturing(service, tmp_path, [office, other], *arguments) as process:
        inject(service, office, PINGS[:5])
        inject(service, other, NUMBERED[:5])
        assert process.wait(PATIENCE) == 0
    names = [frame.interface for frame in tshark.read(path)]
    assert (names.count("OfficeNet"), names.count("Other")) == (5, 5)
    info = capinfos.info_of(path)
    assert (info.packets, info.interfaces, info.statistics) == (10, 2, 2)


@pytest.mark.thorough
def test_lines_of_several(service: RunningService, office: str, tmp_path: Path) -> None:
    """A line names the adapter of its packet, and with --json an object does."""
    for more in ((), ("--json",)):
        arguments = ("--all", "--direction", "injected", "-c", "1", *more)
        with capturing(service, tmp_path, [office], *arguments) as process:
            inject(service, office, PINGS[:1])
            out, _ = process.communicate(timeout=PATIENCE)
        if more:
            assert json.loads(out)["interface"] == "OfficeNet"
        else:
            assert " OfficeNet injected 10.6.7.9 > 10.6.7.7 ICMP: echo request" in out


@pytest.mark.thorough
@tshark.needs_tshark
def test_a_pool(service: RunningService, office: str, tmp_path: Path) -> None:
    """--pool has the adapters of a pool, those of later too, and no others."""
    other = session_of(service, "Other", pool="Private")
    path = tmp_path / "some.pcapng"
    arguments = ("--pool", "Work", "--direction", "injected", "-c", "10", "-w", str(path))
    with capturing(service, tmp_path, [office], *arguments) as process:
        later = session_of(service, "Later", pool="Work")
        inject(service, other, PINGS)
        inject(service, office, PINGS[:5])
        inject(service, later, PINGS[:5])
        assert process.wait(PATIENCE) == 0
    assert {frame.interface for frame in tshark.read(path)} == {"OfficeNet", "Later"}


@pytest.mark.parametrize(
    ("which", "said"),
    [
        (("--adapter", "Idle"), "No session of these adapters runs yet; waiting for one."),
        (("--all",), "No session of these adapters runs yet; waiting for one."),
        (("--pool", "Nope"), "No adapter is in the pool Nope yet; waiting for one."),
    ],
)
def test_nothing_yet(service: RunningService, which: tuple[str, ...], said: str) -> None:
    """A capture that waits for its first session says so: a name may be wrong."""
    service.adapter(name="Idle")
    result = invoke("capture", *which, "--seconds", "0.1", **variables(service))
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [said, "0 packets captured, 0 bytes, 0 lost."]


def test_marks(service: RunningService, office: str, tmp_path: Path) -> None:
    """--marks tells in brackets what an impairment did to a packet."""
    service.http.put(
        f"/v1/sessions/{office}/impairment", json={"injected": {"corrupt": 1}}
    ).raise_for_status()
    arguments = ("OfficeNet", "--marks", "--direction", "injected", "-c", "1")
    with capturing(service, tmp_path, [office], *arguments) as process:
        inject(service, office, PINGS[:1])
        out, _ = process.communicate(timeout=PATIENCE)
    assert out.rstrip().endswith("[corrupted]")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Name a session to capture from."),
        (("OfficeNet", "--all"), "or --pool, or --all."),
        (("--pool", "Work", "--adapter", "A"), "or --pool, or --all."),
        (("OfficeNet", "--since", "-5s", "--tap", "before"), "after an impairment"),
        (("OfficeNet", "--since", "yesterday"), "not a time"),
        (("OfficeNet", "--write", ""), "It is empty."),
        (("--pool", ""), "It is empty."),
        (("OfficeNet", "--count", "0"), "It must be at least 1."),
        (("OfficeNet", "--seconds", "1e8"), "It must be at most 10000000."),
    ],
)
def test_usage(service: RunningService, arguments: tuple[str, ...], said: str) -> None:
    """What does not go together is refused before anything is captured."""
    result = invoke("capture", *arguments, **variables(service))
    assert result.exit_code == 2
    assert said in result.stderr
