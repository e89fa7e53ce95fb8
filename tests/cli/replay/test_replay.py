"""`inject --pcap` against a real service: what is sent, what is left out, and what is said."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM, socket

import pytest

from tests.capture import capinfos, tshark
from tests.capture.reader.corpus import CORPUS
from tests.capture.reader.writer import LITTLE
from tests.cli.commands import invoke
from tests.cli.replay.conftest import Replay
from tests.cli.replay.files import PINGS, capture_file, timed_file
from tests.conftest import Rig
from tests.drivers.linux.kernel import needs_kernel
from tests.needs import needs
from tests.running import TOKEN, RunningService, receive
from wintun_api.capture import pcapng
from wintun_api.packet import build
from wintun_api.packet.decode import decode


def test_everything_is_counted(
    service: RunningService, session: str, replay: Replay, tmp_path: Path
) -> None:
    """Every packet of a capture is injected; what is refused or left out is counted by reason."""
    file = capture_file(tmp_path / "f", [*PINGS, b"\x45", bytes(30)], cut=3)
    with service.packets(session) as stream:
        totals = json.loads(replay(file, "--json").stdout)
        assert totals.pop("seconds") > 0
        assert totals == {
            "accepted": 40,
            "rejected": {"too_short": 1, "bad_version": 1},
            "ring_full": 0,
            "refused": {},
            "completed": 0,
            "left_out": {"cut by the snap length": 3},
            "unanswered": 0,
            "passes": 1,
        }
        assert receive(stream, 40) == [build.echo_reply(packet) for packet in PINGS]


def test_many_packets(
    service: RunningService, session: str, replay: Replay, tmp_path: Path
) -> None:
    """More packets than one request has are several requests; the totals are a sentence."""
    result = replay(capture_file(tmp_path / "f", PINGS * 50))
    assert (result.stdout, result.stderr) == ("2000 packets accepted.\n", "")
    assert service.counters(session)["injected"]["packets"] == 2000


def test_one_packet(replay: Replay, tmp_path: Path) -> None:
    """A single packet is counted in the singular."""
    assert replay(capture_file(tmp_path / "f", PINGS[:1])).stdout == "1 packet accepted.\n"


@tshark.needs_tshark
@pytest.mark.thorough
@pytest.mark.parametrize("name", CORPUS)
def test_every_kind_of_file(
    service: RunningService, session: str, replay: Replay, tmp_path: Path, name: str
) -> None:
    """Of every format and link type those packets arrive that tshark sees whole."""
    file = tmp_path / "f"
    file.write_bytes(CORPUS[name])
    rows, _ = tshark.rows(file, "udp.srcport", "frame.cap_len", "frame.len")
    expected = [int(port) for port, captured, length in rows if port and captured == length]
    with service.packets(session, direction="injected") as tap:
        totals = json.loads(replay(file, "--json").stdout)
        found = [decode(packet).source_port for packet in receive(tap, totals["accepted"])]
    assert found == expected
    accounted = totals["accepted"] + sum(
        count for kind in ("rejected", "left_out") for count in totals[kind].values()
    )
    assert accounted == capinfos.info_of(file).packets


@needs("editcap", "mergecap", "text2pcap")
@pytest.mark.thorough
@pytest.mark.parametrize(
    ("command", "count"),
    [
        ("editcap -F pcap a out", 40),
        ("editcap -F nsecpcap a out", 40),
        ("editcap -F modpcap a out", 40),
        ("editcap -t -3600 -a 1:hello a out", 40),
        ("editcap -c 8 a out", 8),
        ("mergecap -w out a b", 50),
        ("mergecap -F pcap -w out a b", 50),
        ("mergecap -I none -a -w out a b", 50),
        ("text2pcap -4 10.6.7.8,10.6.7.7 -u 1,2 text out", 1),
        ("text2pcap -6 fd06:7::8,fd06:7::7 -T 1,2 -F pcap text out", 1),
    ],
)
def test_what_wiresharks_tools_write(
    replay: Replay, tmp_path: Path, command: str, count: int
) -> None:
    """Converted, shifted, split, merged and typed captures are sent whole."""
    timed_file(tmp_path / "a", enumerate(PINGS))
    timed_file(tmp_path / "b", ((number + 0.5, packet) for number, packet in enumerate(PINGS[:10])))
    (tmp_path / "text").write_text("0000 68 65 6c 6c 6f\n")
    subprocess.run(command.split(), check=True, capture_output=True, cwd=tmp_path, timeout=60)
    made = sorted(tmp_path.glob("out*"))
    results = [json.loads(replay(file, "--json").stdout) for file in made]
    assert results[0]["accepted"] == count
    assert [one["accepted"] for one in results] == [capinfos.info_of(one).packets for one in made]


@pytest.mark.parametrize("direction", ["received", "injected", "both"])
def test_a_direction(
    service: RunningService, session: str, replay: Replay, tmp_path: Path, direction: str
) -> None:
    """Only packets that were captured in the direction are sent; the others are counted."""
    received, injected = PINGS[:5], PINGS[5:12]
    file = timed_file(tmp_path / "f", enumerate(received))
    with file.open("ab") as more:
        more.write(pcapng.packets(injected, list(map(len, injected)), 1, injected=True))
    wanted = {"received": received, "injected": injected, "both": received + injected}[direction]
    left_out = {"received": {"injected": 7}, "injected": {"received": 5}, "both": {}}[direction]
    with service.packets(session, direction="injected") as tap:
        totals = json.loads(replay(file, "--direction", direction, "--json").stdout)
        assert receive(tap, len(wanted)) == wanted
    assert (totals["accepted"], totals["left_out"]) == (len(wanted), left_out)


def test_a_direction_that_the_file_does_not_say(replay: Replay, tmp_path: Path) -> None:
    """The format pcap has no directions: the sentence says which option to leave out."""
    file = tmp_path / "f"
    file.write_bytes(LITTLE.pcap(101) + LITTLE.record(PINGS[0]))
    result = replay(file, "--direction", "received")
    assert result.exit_code == 1
    assert result.stdout == "0 packets accepted, 1 left out (without a direction).\n"
    assert result.stderr == (
        f"{file} does not say in which direction its packets were captured; "
        "leave out --direction.\n"
    )


def test_a_full_ring(rig: Rig, tmp_path: Path) -> None:
    """What found the ring full is counted, and the command says how to send slower."""
    service = rig.service
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    service.session(adapter, capacity=0x20000)
    rig.library.hold_consumer("OfficeNet")
    packet = build.udp("10.6.7.8", "10.6.7.200", 1, 2, bytes(1372))
    file = capture_file(tmp_path / "f", [packet] * 200)
    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    result = invoke("inject", "OfficeNet", "--pcap", str(file), "--json", **variables)
    totals = json.loads(result.stdout)
    assert totals["ring_full"] > 0
    assert totals["accepted"] + totals["ring_full"] == 200
    assert "--rate" in result.stderr
    rig.library.release_consumer("OfficeNet")


def test_packets_that_the_service_refuses(replay: Replay, tmp_path: Path) -> None:
    """A file of which every packet is refused is not a success."""
    file = capture_file(tmp_path / "f", [b"\x45" + bytes(9), b"\x15" + bytes(30)])
    result = replay(file)
    assert result.exit_code == 1
    assert result.stdout.startswith("0 packets accepted, 1 rejected (too_short), 1 rejected (bad_v")
    assert result.stderr == f"No packet of {file} was accepted.\n"


def test_an_unknown_link_type(replay: Replay, tmp_path: Path) -> None:
    """A file of which nothing can be injected fails, and its link type is named."""
    file = tmp_path / "f"
    file.write_bytes(LITTLE.pcap(147) + LITTLE.record(PINGS[0]))
    result = replay(file)
    assert result.exit_code == 1
    assert result.stdout == (
        "0 packets accepted, 1 left out (of link type 147 (USER0), which is not supported).\n"
    )
    assert "no packet that can be injected" in result.stderr


def test_a_packet_that_is_too_long(replay: Replay, tmp_path: Path) -> None:
    """What segmentation offload leaves may be longer than IP's length can say."""
    packet = build.udp("10.6.7.8", "10.6.7.7", 1, 2, bytes(9000))
    file = capture_file(tmp_path / "f", [packet[:2] + bytes(2) + packet[4:] + bytes(60000)])
    result = replay(file)
    assert result.exit_code == 1
    assert result.stdout == "0 packets accepted, 1 left out (longer than 65535 bytes).\n"


def test_a_packet_larger_than_the_mtu(
    service: RunningService, session: str, replay: Replay, tmp_path: Path
) -> None:
    """The MTU limits what the host sends, so that a packet larger than it arrives whole."""
    guid = service.http.get(f"/v1/sessions/{session}").json()["adapter"]
    assert service.http.patch(f"/v1/adapters/{guid}", json={"mtu": 1400}).status_code == 200
    packet = build.udp("10.6.7.8", "10.6.7.7", 1, 2, bytes(9000))
    with service.packets(session, direction="injected") as tap:
        assert replay(capture_file(tmp_path / "f", [packet])).exit_code == 0
        assert receive(tap, 1) == [packet]


def test_what_a_card_would_have_finished(
    service: RunningService, session: str, replay: Replay, tmp_path: Path
) -> None:
    """A length of 0, as segmentation offload leaves it, is filled in and counted."""
    packet = build.tcp("10.6.7.8", "10.6.7.7", 1, 2, payload=bytes(3000))
    left = packet[:2] + bytes(2) + packet[4:10] + bytes(2) + packet[12:]
    file = capture_file(tmp_path / "f", [left, packet])
    with service.packets(session, direction="injected") as tap:
        assert json.loads(replay(file, "--json").stdout)["completed"] == 1
        assert receive(tap, 2) == [packet, packet]


@needs_kernel[0]
@needs_kernel[1]
def test_a_program_of_the_host(kernel_service: RunningService, tmp_path: Path) -> None:
    """A socket of the kernel gets every datagram of a file, also those larger than the MTU."""
    adapter = kernel_service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"], mtu=1400)
    session = str(kernel_service.session(adapter)["id"])
    payloads = [bytes([number]) * size for number, size in enumerate([1, 1000, 1472, 9000] * 5)]
    packets = [build.udp("10.6.7.8", "10.6.7.7", 1000, 40000, payload) for payload in payloads]
    file = timed_file(tmp_path / "f", ((at / 100, packet) for at, packet in enumerate(packets)))
    variables = {"WINTUN_API_URL": kernel_service.url, "WINTUN_API_TOKEN": TOKEN}
    with socket(AF_INET, SOCK_DGRAM) as host:
        host.bind(("10.6.7.7", 40000))
        host.settimeout(30)
        result = invoke("inject", session, "--pcap", str(file), "--speed", "2x", **variables)
        assert (result.stdout, result.stderr) == ("20 packets accepted.\n", "")
        assert [host.recv(65536) for _ in packets] == payloads


@needs_kernel[0]
@needs_kernel[1]
@needs("ip")
def test_while_the_link_is_down(kernel_service: RunningService, tmp_path: Path) -> None:
    """A packet that the host refuses is not a success, and the sentence says why."""
    adapter = kernel_service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    session = str(kernel_service.session(adapter)["id"])
    (found,) = kernel_service.http.get("/v1/adapters").json()
    subprocess.run(["ip", "link", "set", found["interface_name"], "down"], check=True)
    file = capture_file(tmp_path / "f", PINGS[:3])
    variables = {"WINTUN_API_URL": kernel_service.url, "WINTUN_API_TOKEN": TOKEN}
    one = invoke("inject", session, "--hex", PINGS[0].hex(), **variables)
    many = invoke("inject", session, "--pcap", str(file), **variables)
    assert (one.exit_code, "link is set down" in one.stderr) == (1, True)
    assert many.stdout == "0 packets accepted, 3 refused by the host (link down).\n"
