"""The real tshark, with a launcher that `wintun-api extcap install` has put into its folder."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.capture import tshark
from tests.cli.commands import COMMAND
from tests.extcap import wireshark
from tests.extcap.wireshark import PINGS, UDP, inject, office, run_tshark, subscribed, variables
from tests.libpcap import need_libpcap
from tests.running import RunningService, running
from tests.waiting import within
from wintun_api import guide
from wintun_api.extcap.options import OPTIONS

pytestmark = tshark.needs_tshark

OFFICE = "wintun-api:OfficeNet"
ALL = "wintun-api:all"
# What `tshark -o` calls an option of the interface OfficeNet.
SETTING = "extcap.wintun_api_officenet"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory in which Wireshark finds the launcher."""
    path = tmp_path / "home"
    path.mkdir()
    subprocess.run(
        [*COMMAND, "extcap", "install"],
        env=variables(HOME=str(path)),
        check=True,
        capture_output=True,
        timeout=wireshark.PATIENCE,
    )
    return path


@pytest.fixture
def session(service: RunningService) -> str:
    """The session of OfficeNet."""
    return office(service)


def listed(home: Path, **environment: str) -> list[str]:
    """The lines of `tshark -D` about this project, without their numbers."""
    done = run_tshark(home, "-D", **environment)
    assert done.returncode == 0, done.stderr
    lines = [line.partition(" ")[2] for line in done.stdout.splitlines()]
    return [line for line in lines if line.startswith("wintun-api")]


def test_interfaces(home: Path, service: RunningService, session: str) -> None:
    """Every adapter is an interface, whether it has a session or not, and so are all together."""
    service.adapter(name="Idle")
    assert set(listed(home, **variables(service))) == {
        f"{ALL} (all adapters of wintun-api)",
        "wintun-api:Idle (adapter Idle)",
        f"{OFFICE} (adapter OfficeNet)",
    }


@pytest.mark.thorough
def test_link_type(home: Path, service: RunningService, session: str) -> None:
    """The only link type is that of packets without a header of their link."""
    done = run_tshark(home, "-i", OFFICE, "-L", **variables(service))
    assert "RAW (Raw IP)" in done.stdout


def test_filter(home: Path, service: RunningService, session: str, tmp_path: Path) -> None:
    """`-f icmp -c 5` is five packets of ICMP at the interface of the adapter."""
    need_libpcap()
    path = tmp_path / "five.pcapng"
    arguments = ("-i", OFFICE, "-f", "icmp", "-c", "5", "-w", str(path))
    with wireshark.capturing(home, *arguments, **variables(service)) as process:
        subscribed(service, session, process)
        inject(service, session, UDP + PINGS + UDP)
        assert process.wait(wireshark.PATIENCE) == 0
    assert all(packet[9] == 1 for packet in tshark.contents(path))
    assert [frame.interface for frame in tshark.read(path)] == ["OfficeNet"] * 5


def test_names_of_options(home: Path, service: RunningService, session: str) -> None:
    """The guide calls the options as tshark does, which changes the names of both their parts."""
    shown = run_tshark(home, "-G", "currentprefs", **variables(service)).stdout
    named = re.findall(r"^#?extcap\.(\w+)\.(\w+): ", shown, re.MULTILINE)
    theirs = [option for interface, option in named if interface == SETTING.partition(".")[2]]
    table = guide.read("wireshark").partition("| option |")[2]
    ours = re.findall(r"^\| [^|]+ \| `(\w+)` \|", table.partition("\n\n")[0], re.MULTILINE)
    assert len(theirs) == len(OPTIONS)
    assert ours == theirs


@pytest.mark.thorough
def test_options(home: Path, service: RunningService, session: str, tmp_path: Path) -> None:
    """Direction and snap length choose as in Wireshark's dialog."""
    path = tmp_path / "cut.pcapng"
    options = ("-o", f"{SETTING}.direction:injected", "-o", f"{SETTING}.snaplen:20")
    arguments = ("-i", OFFICE, *options, "-c", "10", "-w", str(path))
    with wireshark.capturing(home, *arguments, **variables(service)) as process:
        subscribed(service, session, process)
        inject(service, session, PINGS)
        assert process.wait(wireshark.PATIENCE) == 0
    frames = tshark.read(path)
    assert [(frame.direction, frame.captured) for frame in frames] == [("inbound", 20)] * 10
    assert [frame.length for frame in frames] == list(map(len, PINGS))


def test_last_seconds(home: Path, service: RunningService, session: str, tmp_path: Path) -> None:
    """A capture begins with what the recorder has, and goes on live; no packet is there twice."""
    service.http.put(f"/v1/sessions/{session}/recorder", json={"seconds": 300})
    inject(service, session, PINGS)
    path = tmp_path / "all.pcapng"
    options = ("-o", f"{SETTING}.last:300", "-o", f"{SETTING}.direction:injected")
    arguments = ("-i", OFFICE, *options, "-c", "20", "-w", str(path))
    with wireshark.capturing(home, *arguments, **variables(service)) as process:
        subscribed(service, session, process)
        inject(service, session, UDP)
        assert process.wait(wireshark.PATIENCE) == 0
    assert tshark.contents(path) == PINGS + UDP


@pytest.mark.thorough
def test_all_adapters(home: Path, service: RunningService, session: str, tmp_path: Path) -> None:
    """One interface has the packets of all adapters, those of later too."""
    path = tmp_path / "all.pcapng"
    arguments = ("-i", ALL, "-c", "10", "-w", str(path))
    with wireshark.capturing(home, *arguments, **variables(service)) as process:
        subscribed(service, session, process)
        later = service.session(service.adapter(name="Later"))["id"]
        inject(service, later, UDP[:5])
        with service.packets(session) as stream:
            stream.put(UDP[:5])
            assert process.wait(wireshark.PATIENCE) == 0
    assert {frame.interface for frame in tshark.read(path)} == {"OfficeNet", "Later"}


@pytest.mark.thorough
def test_stop(home: Path, service: RunningService, session: str, tmp_path: Path) -> None:
    """When tshark is interrupted, the capture ends at the service as well, without a complaint."""
    path = tmp_path / "some.pcapng"
    arguments = ("-i", OFFICE, "-w", str(path))
    with wireshark.capturing(home, *arguments, **variables(service)) as process:
        subscribed(service, session, process)
        inject(service, session, PINGS)
        assert within(wireshark.PATIENCE, lambda: path.exists() and path.stat().st_size > 500)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=wireshark.PATIENCE)
    assert "extcap" not in err
    wireshark.alone(service, session)


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("-f", "icmp prot"), "The filter is not valid at character 6"),
        (("-o", f"{SETTING}.last:60"), "wintun-api recorder ADAPTER on"),
        (("-o", f"{SETTING}.snaplen:99999"), "argument --snaplen: it must be from 0 to 65535"),
    ],
)
def test_refused(
    home: Path, service: RunningService, session: str, options: tuple[str, ...], sentence: str
) -> None:
    """What cannot be captured is a sentence that tshark shows, and Wireshark in a window."""
    need_libpcap()
    done = run_tshark(home, "-i", OFFICE, *options, "-c", "1", **variables(service))
    assert re.search(f"Error by extcap pipe: .*{sentence}", done.stderr)
    assert "Traceback" not in done.stderr


def test_no_service(home: Path) -> None:
    """Without a service one interface is left, from which a capture says what to do."""
    environment = variables(WINTUN_API_URL="http://127.0.0.1:1", WINTUN_API_TOKEN="x")
    assert listed(home, **environment) == [f"{ALL} (all adapters of wintun-api)"]
    done = run_tshark(home, "-i", ALL, "-c", "1", **environment)
    assert "Error by extcap pipe: Nothing answers at http://127.0.0.1:1." in done.stderr
    assert "wintun-api serve" in done.stderr


@pytest.mark.thorough
def test_no_token(home: Path, service: RunningService, session: str) -> None:
    """Without a valid token the sentence says where to set one."""
    environment = variables(service, WINTUN_API_TOKEN="wrong")
    done = run_tshark(home, "-i", ALL, "-c", "1", **environment)
    assert "Error by extcap pipe: The request does not carry a valid token." in done.stderr
    assert "in the options of the interface" in done.stderr


def test_the_service_stops(home: Path, tmp_path: Path) -> None:
    """When the service stops, the file is whole and tshark says why it ends."""
    path = tmp_path / "some.pcapng"
    with running(tmp_path) as service:
        session = office(service)
        arguments = ("-i", OFFICE, "-w", str(path))
        with wireshark.capturing(home, *arguments, **variables(service)) as process:
            subscribed(service, session, process)
            inject(service, session, PINGS)
            service.stop()
            _, err = process.communicate(timeout=wireshark.PATIENCE)
    assert "Error by extcap pipe: The service has ended the capture" in err
    found = tshark.contents(path)
    assert [packet for packet in found if packet in PINGS] == PINGS
