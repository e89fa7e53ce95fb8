"""Named captures over REST: started, counted, rotated, downloaded, stopped and deleted."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.answers import problem
from tests.api.host import host_sends, start
from tests.api.scraping import scraped, value
from tests.capture.capinfos import Info, info_of
from tests.conftest import Rig
from tests.libpcap import need_libpcap
from tests.needs import needs
from tests.raw_websocket import open_websocket
from tests.waiting import until
from wintun_api.choices import Scope
from wintun_api.limits import MAX_CAPTURES

PATH = "/v1/captures"


def begin(rig: Rig, **body: Any) -> str:
    """Start a capture; return its path."""
    answer = rig.service.http.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{PATH}/{answer.json()['id']}"
    return f"{PATH}/{answer.json()['id']}"


def read(rig: Rig, path: str) -> dict[str, Any]:
    """Return what a capture is now."""
    answer = rig.service.http.get(path)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ended(rig: Rig, path: str) -> dict[str, Any]:
    """Wait until a capture has ended by itself."""
    until(lambda: read(rig, path)["state"] in ("stopped", "failed"))
    return read(rig, path)


def has(rig: Rig, path: str, packets: int) -> dict[str, Any]:
    """Wait until a capture has written so many packets."""
    until(lambda: read(rig, path)["packets"] >= packets)
    return read(rig, path)


def stopped(rig: Rig, path: str) -> dict[str, Any]:
    """Stop a capture."""
    answer = rig.service.http.post(f"{path}/stop")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def downloaded(rig: Rig, path: str, file: dict[str, Any], folder: Path) -> Info:
    """Download a file; return what capinfos says of it."""
    answer = rig.service.http.get(f"{path}/files/{file['number']}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-pcapng"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert file["name"] in answer.headers["content-disposition"]
    target = folder / file["name"]
    target.write_bytes(answer.content)
    return info_of(target)


@needs("capinfos")
def test_life(rig: Rig, tmp_path: Path) -> None:
    """A capture counts what it writes; its file has that, and is deleted with it."""
    start(rig)
    path = begin(rig, name="of the office")
    running = read(rig, path)
    assert (running["state"], running["packets"], len(running["files"])) == ("running", 0, 1)
    assert running["created_by"] == "admin"
    host_sends(rig, 5)
    has(rig, path, 5)
    said = stopped(rig, path)
    assert (said["state"], said["reason"], said["packets"]) == ("stopped", "request", 5)
    (file,) = said["files"]
    assert file["complete"]
    info = downloaded(rig, path, file, tmp_path)
    assert (info.packets, info.size) == (5, file["bytes"])
    assert file["name"].startswith("of_the_office-00001-")
    kept = tmp_path / "data" / "captures" / said["id"]
    assert {stat.S_IMODE(one.stat().st_mode) for one in kept.iterdir()} == {0o600}
    assert rig.service.http.delete(path).json()["packets"] == 5
    assert not kept.exists()
    problem(rig.service.http.get(path), 404, "capture-not-found")


def test_metrics(rig: Rig) -> None:
    """They have the captures by state, and what each has written and lost."""
    start(rig)
    path = begin(rig, name="of the office")
    begin(rig, trigger={"on": "call"})
    host_sends(rig, 5)
    said = has(rig, path, 5)
    samples = scraped(rig.service.http)
    assert value(samples, "captures", state="running") == 1
    assert value(samples, "captures", state="waiting") == 1
    who = {"capture": said["id"]}
    assert value(samples, "capture_packets_total", fate="written", **who) == 5
    assert value(samples, "capture_packets_total", fate="lost", **who) == 0
    assert value(samples, "capture_packets_total", fate="unwritten", **who) == 0
    assert value(samples, "capture_bytes", **who) == read(rig, path)["bytes"]
    assert value(samples, "capture_stored_bytes") >= said["bytes"]
    assert value(samples, "capture_limit_bytes") == 10 * 1024**3
    assert {dict(labels).get("name") for _, labels in samples} >= {"of the office", "capture"}


def audited(rig: Rig, since: int) -> list[tuple[str, str]]:
    """Return the changes since an event: the operation, and what it was about."""
    found: list[tuple[str, str]] = []
    with open_websocket(rig.service, f"/v1/events?since={since}") as socket:
        while since < rig.service.service.context.registry.events.last_id:
            event = json.loads(socket.recv(30))
            since = event["id"]
            if event["type"] == "audit.change":
                found.append((event["data"]["operation"], event["data"]["subject"]))
    return found


def test_the_audit_names_the_capture(rig: Rig) -> None:
    """Who started, triggered, stopped and deleted a capture is in the audit, with its name."""
    since = rig.service.service.context.registry.events.last_id
    path = begin(rig, name="office", trigger={"on": "call"})
    assert rig.service.http.post(f"{path}/trigger").json()["state"] == "running"
    stopped(rig, path)
    assert rig.service.http.delete(path).status_code == 200
    subject = f"capture {path.rpartition('/')[2]} named office"
    assert audited(rig, since) == [
        ("create_capture", subject),
        ("trigger_capture", subject),
        ("stop_capture", subject),
        ("delete_capture", subject),
    ]


def test_another_token_stops_and_deletes(rig: Rig) -> None:
    """A capture outlives its token; any token with the scope may end it, and others see it."""
    token = rig.service.api.create_token([Scope.CAPTURE])
    with rig.service.client(token.token) as http:
        answer = http.post(PATH, json={"name": "a"})
        assert answer.status_code == 201
        path = f"{PATH}/{answer.json()['id']}"
    rig.service.api.revoke_token(token.id)
    with rig.service.client(rig.service.token(Scope.READ)) as http:
        assert http.get(path).json()["name"] == "a"
        assert [one["name"] for one in http.get(PATH).json()] == ["a"]
        problem(http.get(f"{path}/files/1"), 403, "missing-scope")
        problem(http.post(f"{path}/stop"), 403, "missing-scope")
        problem(http.delete(path), 403, "missing-scope")
    assert read(rig, path)["state"] == "running"
    with rig.service.client(rig.service.token(Scope.CAPTURE)) as http:
        assert http.post(f"{path}/stop").json()["state"] == "stopped"
        assert http.delete(path).status_code == 200
        problem(http.post(f"{path}/stop"), 404, "capture-not-found")
        problem(http.get(f"{path}/files/1"), 404, "capture-not-found")


def test_a_wrong_filter(rig: Rig) -> None:
    """It is refused with the place that is wrong, before anything is written."""
    need_libpcap()
    body = {"filter": "udp", "trigger": {"on": "filter", "filter": "tcp prot 80"}}
    found = problem(rig.service.http.post(PATH, json=body), 422, "invalid-filter")
    assert (found["filter"], found["offset"]) == ("tcp prot 80", 4)
    assert rig.service.http.get(PATH).json() == []


def test_what_cannot_be_started(rig: Rig) -> None:
    """Bad input is refused with what is wrong, and leaves nothing."""
    for body, status, kind in (
        ({"adapters": ["00000000-0000-0000-0000-000000000000"]}, 404, "adapter-not-found"),
        ({"rotate": {"seconds": 1e-9}}, 422, "invalid-request"),
        ({"keep": {"files": 10_000}, "rotate": {"seconds": 60}}, 422, "invalid-request"),
        ({"keep": {"files": 3}}, 422, "invalid-argument"),
        ({"name": ""}, 422, "invalid-request"),
        ({"name": "a\0b"}, 422, "invalid-request"),
        ({"name": "a\nb"}, 422, "invalid-request"),
        ({"name": "a\u202eb"}, 422, "invalid-request"),
        ({"name": "a\u200bb"}, 422, "invalid-request"),
        ({"name": "a\u2028b"}, 422, "invalid-request"),
        ({"trigger": {"on": "event"}}, 422, "invalid-request"),
        ({"trigger": {"on": "call", "event": "session.loss"}}, 422, "invalid-request"),
        ({"pool": "A", "adapters": []}, 422, "invalid-request"),
    ):
        problem(rig.service.http.post(PATH, json=body), status, kind)
    said = rig.service.http.post(PATH, json={"trigger": {"on": "loss", "before": 1e9}}).json()
    assert [one["field"] for one in said["errors"]] == ["trigger.before"]
    assert rig.service.http.get(PATH).json() == []


def test_a_name_in_another_script(rig: Rig) -> None:
    """A download has its letters, and beside them a name of ASCII with the id (RFC 8187)."""
    path = begin(rig, name="会議室 \u00fc/4: हिन्दी")
    file = read(rig, path)["files"][0]
    assert file["name"].startswith("会議室_\u00fc_4_हिन्दी-00001-")
    header = rig.service.http.get(f"{path}/files/1").headers["content-disposition"]
    plain, _, other = header.removeprefix("attachment; filename=").partition("; filename*=UTF-8''")
    assert plain.startswith(f'"u_4-{path.rpartition("/")[2]}-00001-')
    assert unquote(other) == file["name"]


def test_a_file_that_was_cut(rig: Rig, tmp_path: Path) -> None:
    """A download of a file that another program has cut is refused, with a sentence."""
    start(rig)
    path = begin(rig)
    host_sends(rig, 5)
    has(rig, path, 5)
    stopped(rig, path)
    (file,) = (tmp_path / "data").glob("captures/*/00001.pcapng")
    os.truncate(file, 200)
    told = problem(rig.service.http.get(f"{path}/files/1"), 503, "storage-failed")
    assert "it has only 200 of the" in told["detail"]


def test_only_so_many_are_listed(rig: Rig) -> None:
    """Beyond the limit none is started until one was deleted."""
    made = [begin(rig, trigger={"on": "call"}) for _ in range(MAX_CAPTURES)]
    problem(rig.service.http.post(PATH, json={}), 503, "too-many-captures")
    listed = rig.service.http.get(PATH).json()
    assert [f"{PATH}/{one['id']}" for one in listed] == made[::-1]
    assert rig.service.http.delete(made[0]).status_code == 200
    begin(rig)
