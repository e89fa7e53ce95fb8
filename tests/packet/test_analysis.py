"""What the dashboard says of packets by those around them, against tshark, on real traffic."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.certificates import make_certificate
from tests.drivers.linux.kernel import needs_kernel
from tests.needs import need
from tests.packet.bad_wire import BadWire, Faults
from tests.packet.bundle import WEB, bundled
from tests.packet.talk import Peer, talk

pytestmark = [pytest.mark.heavy, *needs_kernel]

ANALYSIS = (
    *("retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order"),
    *("duplicate_ack", "duplicate_ack_num", "duplicate_ack_frame", "lost_segment"),
    *("ack_lost_segment", "keep_alive", "keep_alive_ack", "zero_window", "zero_window_probe"),
    *("zero_window_probe_ack", "window_update", "window_full", "reused_ports", "initial_rtt"),
    *("ack_rtt", "acks_frame", "bytes_in_flight", "push_bytes_sent", "rto", "rto_frame", "flags"),
)
FIELDS = (
    *("tcp.stream", "udp.stream", "tcp.seq", "tcp.nxtseq", "tcp.ack", "tcp.window_size"),
    "tcp.window_size_scalefactor",
    *("tcp.completeness", "tcp.time_relative", "tcp.time_delta"),
    *("udp.time_relative", "udp.time_delta", "tcp.analysis"),
    *(f"tcp.analysis.{name}" for name in ANALYSIS),
    *("dns.response_in", "dns.response_to", "dns.time", "dns.retransmit_request_in"),
    *("dns.retransmit_response_in", "icmp.resp_in", "icmp.resp_to", "icmp.resptime"),
    *("icmpv6.resp_in", "icmpv6.resp_to", "icmpv6.resptime", "ntp.request_in"),
    *("ntp.response_in", "ntp.delta_time", "http.request_in", "http.response_in", "http.time"),
    "tls",
)
# Times in the file are nanoseconds, and tshark prints no more than that.
TOLERANCE = 2e-6
# What may differ, and why.
LATER = "tshark waits for the whole body of an answer of HTTP; the page names where it begins"
STAMPS = "answers of NTP repeat the stamp of their question; tshark takes the last question"
DISORDER = "TLS where segments are missing or late, which tshark cannot put in order either"
EMPTY = "tshark makes an analysis that says nothing of the segment"
ABOUT = "an ICMP error belongs to the stream that it is about, whatever it quotes of it"

Row = dict[str, str]
Told = dict[str, Any]


@pytest.fixture(scope="module")
def teller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The analysis as a program: it tells of each packet of a file."""
    return bundled(WEB / "test/analysis/tell.ts", tmp_path_factory.mktemp("teller"))


def tell(teller: Path, record: Path) -> list[Told]:
    """Return what the analysis says of each packet."""
    done = subprocess.run(
        ["node", teller, record], check=True, capture_output=True, text=True, timeout=60
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def dissect(record: Path, *options: str, fields: tuple[str, ...]) -> list[Row]:
    """Return what tshark says of each packet; of fields that come twice, the first."""
    command = ["tshark", "-n", *options, "-r", str(record), "-T", "fields", "-E", "occurrence=f"]
    for field in fields:
        command += ["-e", field]
    home = {"HOME": str(record.parent), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=home, timeout=120
    )
    return [
        dict(zip(fields, line.split("\t"), strict=True)) for line in done.stdout.split("\n")[:-1]
    ]


def is_equal(theirs: str, ours: object) -> bool:
    """Compare a value of tshark with one of the analysis."""
    if ours is None or theirs == "":
        return ours is None and theirs == ""
    if ours is True:
        return True
    if isinstance(ours, float):
        return abs(float(theirs) - ours) < TOLERANCE
    return float(theirs) == ours


def differences(rows: list[Row], told: list[Told]) -> Iterator[tuple[int, str, str, object]]:
    """Return the number of each packet of which something differs, the field, and both values."""
    for number, (theirs, ours) in enumerate(zip(rows, told, strict=True), 1):
        for field in FIELDS:
            if not is_equal(theirs[field], ours.get(field)):
                yield number, field, theirs[field], ours.get(field)


def excuse(field: str, theirs: str, row: Row, told: Told, disordered: set[str]) -> str | None:
    """Return why this may differ, None if it may not."""
    if field.startswith("http."):
        return LATER
    if field.startswith("ntp."):
        return STAMPS
    if field == "tls" and row["tcp.stream"] in disordered:
        return DISORDER
    if field in {"tcp.analysis", "tcp.analysis.initial_rtt"} and theirs:
        known = {name for name, value in row.items() if value and name.startswith("tcp.analysis")}
        if known <= {"tcp.analysis", "tcp.analysis.initial_rtt"}:
            return EMPTY
    if field in {"tcp.stream", "udp.stream"} and theirs == "" and "tcp.seq" not in told:
        return ABOUT
    return None


@pytest.mark.parametrize(
    ("faults", "place"),
    [
        pytest.param(Faults(), "behind", id="a good wire"),
        pytest.param(Faults(loss=0.03, delay=0.005), "before", id="losses behind the record"),
        pytest.param(Faults(loss=0.03, delay=0.005), "behind", id="losses before the record"),
        pytest.param(Faults(doubled=0.05, delay=0.002), "behind", id="doubled packets"),
        pytest.param(
            Faults(loss=0.04, doubled=0.03, delay=0.008, jitter=0.004, overtaking=0.1, mtu=1400),
            "behind",
            id="everything at once",
        ),
    ],
)
def test_it_says_what_tshark_says(
    faults: Faults, place: Literal["before", "behind"], teller: Path, tmp_path: Path
) -> None:
    """Every field of every packet is tshark's, but for what the table of excuses has."""
    need("tshark", "ping")
    record = tmp_path / "record.pcap"
    peer = Peer(*make_certificate(tmp_path / "certificate"))
    with BadWire(record, faults, place) as wire:
        wire.run(1, peer.start)
        wire.run(0, talk)
        peer.stop()
    told = tell(teller, record)
    rows = dissect(record, "-2", fields=FIELDS)
    # In one pass, as in a list that packets are being added to.
    for row, one in zip(rows, dissect(record, fields=("tls",)), strict=True):
        row.update(one)
    assert len(rows) > 500
    late = ("out_of_order", "lost_segment", "retransmission", "spurious_retransmission")
    disordered = {
        row["tcp.stream"] for row in rows if any(row[f"tcp.analysis.{name}"] for name in late)
    }
    excused: Counter[str] = Counter()
    faulty = []
    for number, field, theirs, ours in differences(rows, told):
        why = excuse(field, theirs, rows[number - 1], told[number - 1], disordered)
        if why is None:
            faulty.append((number, field, theirs, ours))
        else:
            excused[why] += 1
    values = sum(1 for row in rows for value in row.values() if value)
    print(f"{len(rows)} packets, {values} values, {sum(excused.values())} excused")
    for why, count in excused.items():
        print(f"{count:5}  {why}")
    assert faulty == []
    assert sum(excused.values()) < values / 100


def test_an_answer_is_joined_to_its_request(teller: Path, tmp_path: Path) -> None:
    """A request of HTTP is answered by the same packet as tshark says, or by an earlier one."""
    need("tshark", "ping")
    record = tmp_path / "record.pcap"
    peer = Peer(*make_certificate(tmp_path / "certificate"))
    with BadWire(record, Faults()) as wire:
        wire.run(1, peer.start)
        wire.run(0, talk)
        peer.stop()
    told = tell(teller, record)
    answers = 0
    for theirs, ours in zip(dissect(record, "-2", fields=FIELDS), told, strict=True):
        if theirs["http.response_in"]:
            answers += 1
            assert ours["http.response_in"] <= int(theirs["http.response_in"])
    assert answers >= 4
