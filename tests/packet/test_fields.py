"""The dashboard's decoder against Wireshark's, field by field, over packets of every protocol."""

from __future__ import annotations

import json
import struct
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.needs import need
from tests.packet import corpus, protocols
from tests.packet.bundle import WEB, bundled

LEAST = 0.98
MUTATIONS = 1_000_000
PREFERENCES = (*corpus.PREFERENCES, "tls.desegment_ssl_records:FALSE")
# Protocols that say themselves whether a packet is of them are looked for on every port.
HEURISTICS = ("quic", "wg", "stun_udp")

pytestmark = pytest.mark.heavy


def packets() -> list[bytes]:
    """Every packet that is compared."""
    return [*corpus.known(), *protocols.crafted()]


def ours(made: list[bytes], folder: Path) -> list[dict[str, Any]]:
    """Return what the dashboard's decoder says of each packet."""
    module = bundled(WEB / "src/packet/decode.ts", folder)
    lines = "".join(f"{packet.hex()}\n" for packet in made)
    said = subprocess.run(
        ["node", WEB / "test/packet/fields-node.mjs", module],
        input=lines, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return [json.loads(line) for line in said.stdout.splitlines()]


def theirs(made: list[bytes], folder: Path) -> list[dict[str, Any]]:
    """Return what tshark says of each packet."""
    path = folder / "fields.pcap"
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, corpus.LINKTYPE_RAW))
        for number, packet in enumerate(made):
            # So far apart that nothing is a retransmission of what came before.
            file.write(struct.pack("<IIII", number * 600, 0, len(packet), len(packet)) + packet)
    command = [str(corpus.TSHARK), "-n", "-r", str(path), "-T", "pdml"]
    command += [part for one in PREFERENCES for part in ("-o", one)]
    command += [part for one in HEURISTICS for part in ("--enable-heuristic", one)]
    env = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, check=True, capture_output=True, env=env, timeout=300)
    found = []
    for element in ET.fromstring(done.stdout).iter("packet"):
        fields: dict[str, list[str]] = {}
        hidden: dict[str, list[str]] = {}
        for field in element.iter("field"):
            if "." in field.get("name", ""):
                into = hidden if field.get("hide") == "yes" else fields
                into.setdefault(str(field.get("name")), []).append(str(field.get("show")))
        for name in ("tcp.seq", "tcp.ack"):  # not relative, as the preferences say
            if name in fields:
                fields[f"{name}_raw"] = fields.pop(name)
        layers = [str(proto.get("name")) for proto in element.iter("proto")]
        found.append(
            {
                "fields": fields,
                "hidden": hidden,
                "layers": layers,
                "malformed": "_ws.malformed" in layers,
            }
        )
    assert len(found) == len(made)
    return found


def plain(values: list[str] | None) -> list[str]:
    """Write values in one way: numbers in decimal, bytes without colons."""
    found = []
    for value in values or []:
        if value in ("True", "False"):
            found.append(str(int(value == "True")))
        elif value.startswith("0x"):
            found.append(str(int(value, 16)))
        else:
            found.append(value.replace(":", "").strip().lower())
    return found


def compared() -> tuple[Counter[str], Counter[str], list[str]]:
    """Return how often each field was there, how often it was equal, and what was not."""
    made = packets()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mine, expected = ours(made, folder), theirs(made, folder)
    known = {name for one in mine for name in one["fields"]}
    seen: Counter[str] = Counter()
    equal: Counter[str] = Counter()
    wrong = []
    for number, (one, other) in enumerate(zip(mine, expected, strict=True)):
        for name in sorted((one["fields"].keys() | other["fields"].keys()) & known):
            said = plain(other["fields"].get(name) or other["hidden"].get(name))
            mine_said = plain(one["fields"].get(name))
            seen[name] += 1
            equal[name] += mine_said == said
            if mine_said != said:
                wrong.append(f"{number} {name}: {mine_said} not {said}")
        seen["_ws.malformed"] += 1
        equal["_ws.malformed"] += one["malformed"] == other["malformed"]
        if one["malformed"] != other["malformed"]:
            wrong.append(f"{number} malformed: {one['malformed']} {one['info']}")
    return seen, equal, wrong


def test_fields_are_those_of_wireshark() -> None:
    """At least 98 % of the fields that either finds have the same values."""
    for program in ("node", "tshark"):
        need(program)
    seen, equal, wrong = compared()
    ratio = equal.total() / seen.total()
    print(f"{equal.total()} of {seen.total()} fields are equal: {ratio:.2%}")
    assert len(packets()) >= 800
    assert ratio >= LEAST, "\n".join(wrong[:50])


def test_a_million_broken_packets_are_decoded(tmp_path: Path) -> None:
    """No mutated packet makes the decoder throw, or contradict the filter's view of headers."""
    need("node")
    module = bundled(WEB / "test/packet/fuzz.ts", tmp_path)
    lines = "".join(f"{packet.hex()}\n" for packet in packets())
    done = subprocess.run(
        ["node", WEB / "test/packet/fuzz-node.mjs", module, str(MUTATIONS)],
        input=lines, capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    assert done.stdout == f"{MUTATIONS} packets\n"
