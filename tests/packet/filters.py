"""Display filters that people type into Wireshark, and the packets that tshark finds with them.

`python -m tests.packet.filters` writes both to web/test/filter/wireshark.json, which the filters
of the dashboard are held to; test_filters.py holds that file to the tshark that is installed. The
packets are those of the corpus, a millisecond apart and ten in a second.
"""

from __future__ import annotations

import json
import struct
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.packet.corpus import LINKTYPE_RAW, ROOT, TSHARK, packets

LIST = Path(__file__).with_name("filters.txt")
ROWS = ROOT / "web" / "test" / "filter" / "wireshark.json"

START = 1_700_000_000
# Neither fragments nor segments are put together in the dashboard.
PREFERENCES = (
    "ip.check_checksum:TRUE",
    "tcp.check_checksum:TRUE",
    "udp.check_checksum:TRUE",
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "tcp.desegment_tcp_streams:FALSE",
)


def filters() -> list[str]:
    """Every filter of the list."""
    lines = LIST.read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def rows() -> dict[str, str | None]:
    """Numbers of the packets that tshark finds with each filter; None where it refuses it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.pcap"
        with path.open("wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LINKTYPE_RAW))
            for number, packet in enumerate(packets()):
                moment = (START + number // 10, number % 10 * 1000)
                file.write(struct.pack("<IIII", *moment, len(packet), len(packet)) + packet)
        with ThreadPoolExecutor(2) as pool:
            every = filters()
            return dict(zip(every, pool.map(lambda one: _found(path, one), every), strict=True))


def _found(path: Path, filter_: str) -> str | None:
    # Two passes, as the window has them: some fields are of packets that come later.
    command = [str(TSHARK), "-n", "-2", "-r", str(path), "-Y", filter_, "-T", "fields"]
    command += ["-e", "frame.number", *(part for one in PREFERENCES for part in ("-o", one))]
    # A home of its own: no profile of the user's may change what is found.
    env = {"HOME": str(path.parent), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=env, timeout=120
    )
    if done.returncode == 0:
        return _ranges([int(line) for line in done.stdout.split()])
    assert "tshark: " in done.stderr, done.stderr
    return None


def _ranges(numbers: list[int]) -> str:
    """Write numbers as `1-3 7`."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return " ".join(f"{low}-{high}" if low < high else str(low) for low, high in parts)


def write() -> None:
    """Write the list for the dashboard's tests."""
    lines = [json.dumps(pair, ensure_ascii=False) for pair in rows().items()]
    ROWS.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")


if __name__ == "__main__":
    write()
