"""What happened to packets, as comments in captures that Wireshark reads."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.api.host import packet
from tests.api.live import GET, PATH, WAYS, live
from tests.capture import tshark
from tests.capture.samples import interface_statistics
from tests.running import RunningService, running
from tests.waiting import until
from wintun_api.wire import BATCH_TYPE, Batch, pack

BAD = [b"\x45short", b"\x65" + bytes(30), bytes(40)]
REASONS = ["rejected: too_short", "rejected: too_short", "rejected: bad_version"]


def start(service: RunningService) -> str:
    """Start a session on 10.6.7.7/24."""
    return str(service.session(service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"]))["id"])


def impair(service: RunningService, session: str, **body: Any) -> None:
    """Impair a session."""
    path = f"/v1/sessions/{session}/impairment"
    service.http.put(path, json={"seed": 7, **body}).raise_for_status()


def accounts(service: RunningService, session: str) -> dict[str, int]:
    """How many of the injected packets had each fate."""
    answer = service.http.get(f"/v1/sessions/{session}/impairment").raise_for_status()
    counted = answer.json()["injected"].items()
    return {fate: count["packets"] for fate, count in counted if isinstance(count, dict)}


def words(comments: list[str]) -> Counter[str]:
    """How often each comment is there, without the times in them."""
    texts = [text for comment in comments for text in comment.split("|") if text]
    return Counter(re.sub(r"delayed by [0-9]+\.[0-9]{3} ms", "delayed", text) for text in texts)


@tshark.needs_tshark
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", ["session", "adapters"])
def test_a_bad_network(service: RunningService, way: str, what: str, tmp_path: Path) -> None:
    """Wireshark reads as many comments of each kind as the impairment counts packets."""
    session = start(service)
    bad = {"corrupt": 0.2, "duplicate": 0.2, "loss": 0.2, "delay_ms": 3, "max_size": 300}
    impair(service, session, injected=bad)
    path = PATH
    if what == "session":
        path = f"/v1/sessions/{session}/" + ("capture.pcapng" if way == GET else "packets")
    with live(service, way, path, marks="true", direction="injected") as capture:
        service.api.inject_packets(session, [packet(number) for number in range(200)])
        service.api.inject_packets(session, [packet(200, 400)])
        until(lambda: not accounts(service, session)["delayed"])
        count = accounts(service, session)
        service.http.delete(f"/v1/sessions/{session}").raise_for_status()
        capture.until(statistics=1)
    file = tmp_path / "bad.pcapng"
    file.write_bytes(capture.file)
    rows, complaints = tshark.rows(file, "frame.comment")
    assert complaints == ""
    found = words([comment for (comment,) in rows])
    assert found == {
        "corrupted": count["corrupted"],
        "duplicated": count["duplicated"],
        "copy": count["duplicated"],
        "delayed": count["delivered"],
        "not delivered: lost": count["lost"],
        "not delivered: too_large": 1,
    }
    assert all(found.values())
    assert len(rows) == count["delivered"] + count["lost"] + 1
    assert interface_statistics(capture.file) == {0: (len(rows), 0)}


@tshark.needs_tshark
def test_marks_have_to_be_asked_for(service: RunningService, tmp_path: Path) -> None:
    """A capture without them has what is delivered, without comments, beside one that has them."""
    session = start(service)
    impair(service, session, injected={"corrupt": 1.0})
    path = f"/v1/sessions/{session}/capture.pcapng"
    with (
        live(service, path=path, packets=3, direction="injected") as plain,
        live(service, path=path, packets=4, direction="injected", marks="true") as marked,
    ):
        body = pack(Batch([packet(0), BAD[0], packet(1), packet(2)]))
        post(service, session, body)
        both = [plain.save(tmp_path / "plain.pcapng"), marked.save(tmp_path / "marked.pcapng")]
    (without, _), (comments, _) = (tshark.rows(file, "frame.comment") for file in both)
    assert without == [[""]] * 3
    assert comments == [["rejected: too_short"], *[["corrupted"]] * 3]


def post(service: RunningService, session: str, batch: bytes) -> None:
    """Inject a batch with a request."""
    headers = {"Content-Type": BATCH_TYPE}
    path = f"/v1/sessions/{session}/packets"
    service.http.post(path, content=batch, headers=headers).raise_for_status()


@tshark.needs_tshark
@pytest.mark.parametrize("protocol", ["v1.raw", "v1.batch", "POST"])
@pytest.mark.parametrize("native", ["auto", "off"])
@pytest.mark.parametrize("plain", [False, True])
def test_rejected_packets(tmp_path: Path, protocol: str, native: str, plain: bool) -> None:
    """Every way of sending shows their bytes and the reason, with the extension and without."""
    packets = [packet(0), BAD[0], packet(1), *BAD[1:]]
    with running(tmp_path, plain=plain, native=native) as service:
        session = start(service)
        path = f"/v1/sessions/{session}/capture.pcapng"
        with live(service, path=path, marks="true", direction="injected", packets=5) as capture:
            if protocol == "POST":
                post(service, session, pack(Batch(packets)))
            else:
                with service.packets(session, direction="none", protocol=protocol) as sender:
                    sender.put(packets)
            file = capture.save(tmp_path / "rejected.pcapng")
        counters = service.counters(session)
    rows, complaints = tshark.rows(file, "frame.comment", "frame.len")
    assert complaints == ""
    contents = tshark.contents(file)
    told = dict(zip(contents, [comment for comment, _ in rows], strict=True))
    assert told == {
        packet(0): "",
        packet(1): "",
        **dict(zip(BAD, REASONS, strict=True)),
    }
    assert [int(length) for _, length in rows] == list(map(len, contents))
    assert counters["injected"]["packets"] == 2
    assert counters["lost"]["rejected"] == {"too_short": 2, "bad_version": 1}


@tshark.needs_tshark
def test_a_named_capture(service: RunningService, tmp_path: Path) -> None:
    """Its files have the comments too."""
    session = start(service)
    impair(service, session, injected={"corrupt": 1.0, "duplicate": 1.0, "delay_ms": 1})
    made = service.http.post("/v1/captures", json={"marks": True, "direction": "injected"})
    assert made.status_code == 201, made.text
    assert made.json()["marks"] is True
    path = f"/v1/captures/{made.json()['id']}"
    post(service, session, pack(Batch([packet(0), BAD[2]])))
    until(lambda: service.http.get(path).json()["packets"] == 3)
    service.http.post(f"{path}/stop").raise_for_status()
    file = tmp_path / "named.pcapng"
    file.write_bytes(service.http.get(f"{path}/files/1").content)
    rows, complaints = tshark.rows(file, "frame.comment")
    assert complaints == ""
    assert words([comment for (comment,) in rows]) == {
        "rejected: bad_version": 1,
        "duplicated": 1,
        "copy": 1,
        "corrupted": 2,
        "delayed": 2,
    }
