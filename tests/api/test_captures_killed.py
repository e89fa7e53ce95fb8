"""Named captures of a service that is killed while packets flood: kill -9, and the next start."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from tests.attack.target import Target
from tests.capture.capinfos import infos_of
from tests.capture.tshark import needs_tshark, rows
from tests.waiting import until

KIB = 1024


def client(target: Target) -> httpx.Client:
    """Return a client of a service, as admin."""
    headers = {"Authorization": f"Bearer {target.admin}"}
    return httpx.Client(base_url=f"http://{target.authority}", headers=headers, timeout=30)


def listed(http: httpx.Client) -> dict[str, dict[str, Any]]:
    """Return all captures by name."""
    return {one["name"]: one for one in http.get("/v1/captures").json()}


def ended(http: httpx.Client) -> bool:
    """Say whether all captures have ended and their files have been repaired."""
    return all(one["ended_at"] for one in http.get("/v1/captures").json())


def begin(http: httpx.Client, name: str, **body: Any) -> str:
    """Start a capture, and return its id."""
    answer = http.post("/v1/captures", json={"name": name, **body})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def start_again(target: Target) -> None:
    """Start a service on any port: its own may have been taken since it was killed."""
    target.port = 0
    target.start()


def clutter(captures: Path) -> list[Path]:
    """Put what the service did not write beside its captures; return where it is."""
    made: list[Path] = []
    for name, content in (("0123456789aa", "{"), ("0123456789ab", "\0" * 5000)):
        (captures / name).mkdir(mode=0o700)
        made.append(captures / name / "capture.json")
        made[-1].write_text(content)
    if sys.platform != "win32":
        (captures / "0123456789ac").mkdir()
        os.mkfifo(captures / "0123456789ac" / "capture.json")
    for name in ("0123456789ad", "notes.txt"):
        made.append(captures / name)
        made[-1].write_text("notes")
    for folder in captures.glob("*/*.pcapng"):
        made.append(folder.parent / "99999.pcapng")
        made[-1].write_bytes(folder.read_bytes())
    return list(dict.fromkeys(made))


@needs_tshark
@pytest.mark.parametrize("times", [1, 2])
def test_killed_in_a_flood(tmp_path: Path, times: int) -> None:
    """Every file opens, and the next start ends the captures with counts that capinfos has too."""
    target = Target(tmp_path, TRAFFIC="2000")
    try:
        target.start()
        with client(target) as http:
            adapter = http.post("/v1/adapters", json={"name": "A", "addresses": ["10.6.7.7/24"]})
            session = {"adapter": adapter.json()["guid"]}
            assert http.post("/v1/sessions", json=session).status_code == 201
            begin(http, "one file")
            rotation = {"rotate": {"bytes": 32 * KIB}, "keep": {"files": 4}}
            begin(http, "rotated", **rotation)
            begin(http, "waiting", trigger={"on": "call", "before": 10})
            until(lambda: listed(http)["rotated"]["deleted_files"] >= 3)
            before = listed(http)
        for _ in range(times):
            target.kill()
            files = sorted((target.data / "captures").glob("*/*.pcapng"))
            assert len(files) >= 3
            newest = {max(file.parent.glob("*.pcapng")) for file in files}
            for file in files:
                read, complaints = rows(file, "frame.number")
                assert read or file in newest  # which may have just begun
                assert "malformed" not in complaints
            start_again(target)
        with client(target) as http:
            until(lambda: ended(http))
            after = listed(http)
        for name, one in after.items():
            assert (one["state"], one["reason"]) == ("stopped", "service")
            assert one["packets"] >= before[name]["packets"]
            folder = target.data / "captures" / one["id"]
            paths = sorted(folder.glob("*.pcapng"))
            assert [int(path.stem) for path in paths] == [file["number"] for file in one["files"]]
            for info, file in zip(infos_of(paths), one["files"], strict=True):
                assert (info.packets, info.size) == (file["packets"], file["bytes"])
                assert info.statistics == info.interfaces
            assert one["interfaces"] == (name != "waiting")
        whole = after["one file"]
        assert whole["packets"] == sum(file["packets"] for file in whole["files"])
        assert after["waiting"]["files"] == []
        assert target.trouble() == {}
    finally:
        target.stop()


def test_what_the_service_did_not_write(tmp_path: Path) -> None:
    """Whatever lies beside the captures, the next start succeeds and leaves it as it is."""
    target = Target(tmp_path, TRAFFIC="2000")
    try:
        target.start()
        with client(target) as http:
            adapter = http.post("/v1/adapters", json={"name": "A", "addresses": ["10.6.7.7/24"]})
            http.post("/v1/sessions", json={"adapter": adapter.json()["guid"]})
            begin(http, "one")
            until(lambda: listed(http)["one"]["packets"] > 100)
        target.kill()
        theirs = {path: path.read_bytes() for path in clutter(target.data / "captures")}
        start_again(target)
        with client(target) as http:
            until(lambda: ended(http))
            (one,) = http.get("/v1/captures").json()
            assert one["reason"] == "service"
            assert [file["number"] for file in one["files"]] == [1]
            assert http.get(f"/v1/captures/{one['id']}/files/1").status_code == 200
            begin(http, "another")
        assert {path: path.read_bytes() for path in theirs} == theirs
        assert target.trouble() == {}
    finally:
        target.stop()


@pytest.fixture
def quick_disk(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory where there is one: the end of a service waits a second for a disk."""
    memory = Path("/dev/shm")
    if not (memory.is_dir() and os.access(memory, os.W_OK)):
        yield tmp_path
        return
    with TemporaryDirectory(dir=memory) as directory:
        yield Path(directory)


@needs_tshark
def test_stopped_in_a_flood(quick_disk: Path) -> None:
    """SIGTERM ends captures in order: complete files, the reason, and all packets counted."""
    target = Target(quick_disk, TRAFFIC="2000")
    try:
        target.start()
        with client(target) as http:
            adapter = http.post("/v1/adapters", json={"name": "A", "addresses": ["10.6.7.7/24"]})
            http.post("/v1/sessions", json={"adapter": adapter.json()["guid"]})
            begin(http, "one")
            until(lambda: listed(http)["one"]["packets"] > 2000)
        target.stop()
        start_again(target)
        with client(target) as http:
            one = listed(http)["one"]
        assert (one["state"], one["reason"]) == ("stopped", "service")
        assert one["detail"] == "The service stopped."
        (path,) = (target.data / "captures" / one["id"]).glob("*.pcapng")
        (info,) = infos_of([path])
        assert (info.packets, info.size) == (one["packets"], one["bytes"])
        assert info.statistics == info.interfaces == 1
    finally:
        target.stop()
