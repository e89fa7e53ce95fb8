"""What packet.build makes, and packet.decode says, against Wireshark's dissectors."""

from __future__ import annotations

import itertools
import shutil
import struct
import subprocess
from pathlib import Path

from tests.needs import needs
from wintun_api.packet import build
from wintun_api.packet.decode import decode

TSHARK = shutil.which("tshark")
LINKTYPE_RAW = 101
FIELDS = (
    "ip.checksum.status",
    "tcp.checksum.status",
    "udp.checksum.status",
    "icmp.checksum.status",
    "icmpv6.checksum.status",
    "ip.src",
    "ipv6.src",
    "ip.dst",
    "ipv6.dst",
    "tcp.srcport",
    "udp.srcport",
    "tcp.dstport",
    "udp.dstport",
    "_ws.malformed",
)

pytestmark = needs("tshark")


def packets() -> list[bytes]:
    made = []
    for number, (pair, size) in enumerate(
        itertools.product(
            (("10.6.1.1", "192.0.2.255"), ("fd06:0:0:1::ffff", "2001:db8::8000:1")),
            (0, 1, 2, 7, 64, 1401),
        )
    ):
        data = bytes((number * 37 + at * 11) & 0xFF for at in range(size))
        made.append(build.udp(*pair, 40000 + number, 9, data))
        made.append(build.tcp(*pair, 40000, 40001 + number, sequence=number, payload=data))
        request = build.icmp_echo(*pair, identifier=number, sequence=size, data=data)
        reply = build.echo_reply(request)
        assert reply is not None
        error = build.port_unreachable(made[-2])
        assert error is not None
        made += [request, reply, error]
    return made


def dissect(path: Path, made: list[bytes]) -> list[dict[str, str]]:
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LINKTYPE_RAW))
        for packet in made:
            file.write(struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet)
    command = [str(TSHARK), "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=f"]
    for protocol in ("ip", "tcp", "udp"):
        command += ["-o", f"{protocol}.check_checksum:TRUE"]
    for field in FIELDS:
        command += ["-e", field]
    # A home of its own: no profile of the user's may change what is printed.
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        env={"HOME": str(path.parent), "PATH": "/usr/bin:/bin"},
        timeout=60,
    )
    return [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


def test_wireshark_agrees(tmp_path: Path) -> None:
    """Wireshark finds every checksum right and reads the same addresses and ports."""
    made = packets()
    found = dissect(tmp_path / "made.pcap", made)
    assert len(found) == len(made)
    for packet, seen in zip(made, found, strict=True):
        summary = decode(packet)
        name = summary.protocol_name.lower()
        assert seen[f"{name}.checksum.status"] == "1", (summary, seen)
        assert seen["ip.checksum.status"] == ("1" if summary.version == 4 else "")
        assert seen["_ws.malformed"] == ""
        assert (seen["ip.src"] or seen["ipv6.src"]) == summary.source
        assert (seen["ip.dst"] or seen["ipv6.dst"]) == summary.destination
        if summary.source_port is not None:
            assert seen[f"{name}.srcport"] == str(summary.source_port)
            assert seen[f"{name}.dstport"] == str(summary.destination_port)
