"""`wintun-api events` against a real service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import Result

from tests.answers import wait_for
from tests.cli.commands import invoke
from tests.cli.conftest import Start
from tests.conftest import Rig
from tests.running import TOKEN, RunningService
from tests.waiting import until
from wintun_api.choices import DriverName
from wintun_api.client.events import Splitter
from wintun_api.drivers.base import LogLevel
from wintun_api.settings import Settings


def messages(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The messages of an answer."""
    splitter = Splitter()
    for chunk in chunks:
        yield from splitter.split(chunk)


def variables(service: RunningService) -> dict[str, str]:
    """What a command needs to find the service, as admin."""
    return {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}


def events(service: RunningService, *arguments: str) -> Result:
    """Run the command until it ends by itself."""
    return invoke("events", *arguments, **variables(service))


def objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects of lines."""
    return [json.loads(line) for line in text.splitlines()]


def told(service: RunningService, *arguments: str) -> list[dict[str, Any]]:
    """What a command that worked wrote with --json."""
    result = events(service, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return objects(result.stdout)


def own(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The kinds and names of events of adapters."""
    return [
        (one["type"], one["data"]["name"]) for one in messages if one["type"].startswith("adapter.")
    ]


# The past


def test_the_past(service: RunningService) -> None:
    """What happened is told in order, by consecutive ids, and then the command ends."""
    for name in ("First", "Second"):
        service.adapter(name=name)
    past = told(service)
    created = [name for kind, name in own(past) if kind == "adapter.created"]
    assert created == ["First", "Second"]
    assert [one["id"] for one in past] == list(range(1, len(past) + 1))


@pytest.mark.parametrize("kept", [4, 150])
def test_the_past_is_as_long_as_the_history(kept: int, tmp_path: Path) -> None:
    """What a service keeps is told from the oldest event on, whether it keeps few or many."""
    settings = Settings(driver=DriverName.EMULATED, port=0, data_dir=tmp_path, event_history=kept)
    service = RunningService(settings)
    try:
        for name in ("First", "Second", "Third"):
            service.adapter(name=name)
        for number in range(kept):
            made = service.http.post("/v1/tokens", json={"scopes": ["read"], "label": str(number)})
            assert made.status_code == 201
        last = newest(service)
        past = [one["id"] for one in told(service)]
    finally:
        service.stop()
    assert past == list(range(last - kept + 1 + kept // 100, last + 1))


def test_nothing_happened(service: RunningService) -> None:
    """A service without events is no failure, and nothing on standard output."""
    result = events(service, "--since", str(newest(service)))
    assert (result.exit_code, result.output) == (0, "")


def newest(service: RunningService) -> int:
    """The id of the newest event."""
    with service.http.stream("GET", "/v1/events") as answer:
        number: int = next(messages(answer.iter_raw()))["id"]
    return number


def test_lines(service: RunningService) -> None:
    """A line has the time, the id, the kind, and what it is about by name."""
    session = service.session(service.adapter(name="OfficeNet"))["id"]
    lines = events(service, "--type", "session").stdout.splitlines()
    (started,) = [line for line in lines if "session.started" in line]
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(rf"{stamp} +\d+  session\.started +{session} of OfficeNet running", started)


def test_the_line_of_a_change(service: RunningService) -> None:
    """It says what is different, if the change or what was before it was told."""
    guid = service.adapter(name="OfficeNet", mtu=1420)["guid"]
    since = newest(service)
    service.http.patch(f"/v1/adapters/{guid}", json={"mtu": 1300}).raise_for_status()
    line = events(service, "--type", "adapter.changed").stdout.splitlines()[-1]
    assert line.endswith(f"OfficeNet {guid}: MTU 1420 → 1300")
    line = events(service, "--type", "adapter.changed", "--since", str(since)).stdout
    assert line.endswith(f"OfficeNet {guid}: down, MTU 1300\n")


def test_the_lines_of_captures_and_recorders(service: RunningService) -> None:
    """They say what matters, not all that the API tells."""
    guid = service.adapter(name="OfficeNet")["guid"]
    session = service.session({"guid": guid})["id"]
    asked = {"name": "office", "adapters": [guid], "filter": "udp"}
    capture = service.http.post("/v1/captures", json=asked).raise_for_status().json()["id"]
    service.http.post(f"/v1/captures/{capture}/stop").raise_for_status()
    service.http.put(f"/v1/sessions/{session}/recorder", json={}).raise_for_status()
    service.http.delete(f"/v1/sessions/{session}/recorder").raise_for_status()
    lines = events(service, "--type", "capture", "--type", "recorder").stdout.splitlines()
    started, stopped, switched_on, switched_off = [line.split("  ")[-1] for line in lines]
    assert started.endswith(f"{capture} office running, OfficeNet, filter udp")
    assert f"{capture} office stopped, 0 packets, 0 lost: " in stopped
    assert re.search(rf"{session} of OfficeNet: the last \d+ s in \d+mb$", switched_on)
    assert switched_off.endswith(f"{session} of OfficeNet: request, 0 packets")


def test_since(service: RunningService) -> None:
    """The events after one are told."""
    service.adapter(name="Before")
    last = newest(service)
    service.adapter(name="After")
    later = told(service, "--since", str(last))
    assert later[0]["id"] == last + 1
    assert {name for _, name in own(later)} == {"After"}


def test_events_no_longer_kept(service: RunningService) -> None:
    """After an event that the service does not know there is a snapshot, and a word about it."""
    service.session(service.adapter(name="OfficeNet"))
    result = events(service, "--since", "999999")
    (line,) = result.stdout.splitlines()
    assert "adapters: OfficeNet; sessions: " in line
    assert "not kept" in result.stderr


@pytest.mark.parametrize("word", ["adapter.created", "adapter"])
def test_types(service: RunningService, word: str) -> None:
    """Only the kinds that were asked for are told, by name or by topic."""
    service.session(service.adapter(name="OfficeNet"))
    kinds = {one["type"] for one in told(service, "--type", word)}
    assert "adapter.created" in kinds
    assert all(kind.startswith(word) for kind in kinds)


def test_several_types(service: RunningService) -> None:
    """Several kinds are told together."""
    service.session(service.adapter(name="OfficeNet"))
    options = ("--type", "session.started", "--type", "adapter.created")
    assert [one["type"] for one in told(service, *options)] == [
        "adapter.created",
        "session.started",
    ]


def test_unknown_type(service: RunningService) -> None:
    """A kind that is none is wrong usage, told with the good ones."""
    result = events(service, "--type", "adapters")
    assert result.exit_code == 2
    assert "session.failed" in result.stderr


@pytest.mark.thorough
def test_level(rig: Rig, start: Start) -> None:
    """Of the driver's log only grave enough lines are told, each with its level."""
    rig.library.log_next("WintunCreateAdapter", "all is well")
    rig.service.adapter(name="First")
    rig.library.log_next("WintunCreateAdapter", "all is lost", LogLevel.ERR)
    rig.service.adapter(name="Second")
    program = start("events", "--follow", "--level", "err", **variables(rig.service))
    program.wait_for("err: .*all is lost")
    assert "all is well" not in program.stdout


def test_what_failed_late(rig: Rig) -> None:
    """An operation that failed after its 504 is told by its subject and cause."""
    service = rig.service
    adapter = service.adapter(name="OfficeNet")
    for function, path, body in (
        ("WintunCreateAdapter", "/v1/adapters", {"name": "HomeNet"}),
        ("WintunStartSession", "/v1/sessions", {"adapter": adapter["guid"]}),
    ):
        gate = rig.library.hold_next(function, then=5)
        try:
            with service.impatient():
                assert service.http.post(path, json=body).status_code == 504
        finally:
            gate.set()
    wait_for(service, "operation.failed")
    text = events(service).stdout
    denied = "failed: Access denied. "
    assert f"create_adapter of HomeNet {denied}(WintunCreateAdapter: win32 error 5)" in text
    assert f"start_session of OfficeNet {denied}(WintunStartSession: win32 error 5)" in text


def test_clients_that_go_and_come_back(service: RunningService) -> None:
    """The last holder that has gone, and one that came back, are told in words."""
    guid = service.adapter(name="OfficeNet")["guid"]
    for _ in range(2):
        with service.api.adapter(UUID(guid)).packets(ends="adapter", grace=3600):
            pass
        until(lambda: service.http.get("/v1/sessions").json()[0]["ends_at"])
    text = events(service, "--type", "session").stdout
    assert re.search(r"OfficeNet: the last client has gone; the adapter ends at \d{4}-", text)
    assert "OfficeNet: a client came back, so the adapter stays" in text


def test_no_service(service: RunningService) -> None:
    """Where nothing answers, the command ends with the sentence that says how to start it."""
    service.stop()
    result = events(service, "--follow")
    assert result.exit_code == 3
    assert "wintun-api serve" in result.stderr


def test_whole_messages_only() -> None:
    """A message that broke off is none; one that comes in pieces is one."""
    chunks = [b'id: 1\ndata: {"a"', b": 1}\n", b'\n: still here\n\ndata: {"a": 2']
    assert list(messages(chunks)) == [{"a": 1}]


# Following


def test_follow(service: RunningService, start: Start) -> None:
    """What happens is told as it happens, after the past, until Ctrl-C."""
    service.adapter(name="Before")
    program = start("events", "--follow", **variables(service))
    program.wait_for("adapter.created +Before")
    service.adapter(name="After")
    program.wait_for("adapter.created +After")
    assert program.end()[0] == 130


def test_follow_over_a_new_start(tmp_path: Path, start: Start) -> None:
    """After a new start of the service a snapshot is told, then its events, each once."""
    settings = Settings(driver=DriverName.EMULATED, port=0, data_dir=tmp_path)
    service = RunningService(settings)
    service.adapter(name="Before")
    program = start("events", "--follow", "--json", **variables(service))
    program.wait_for("adapter.created.*Before")
    port = service.port
    service.stop()
    program.wait_for("Trying to connect again")
    service = RunningService(Settings(driver=DriverName.EMULATED, port=port, data_dir=tmp_path))
    try:
        program.wait_for('"snapshot"')
        service.adapter(name="After")
        program.wait_for("adapter.created.*After")
        assert program.end()[0] == 130
    finally:
        service.stop()
    seen = objects(program.stdout)
    kinds = [one["type"] for one in seen]
    assert kinds.count("snapshot") == 1
    new = [one["id"] for one in seen[kinds.index("snapshot") :]]
    assert new == list(range(new[0], new[0] + len(new)))


def test_changes_are_told(service: RunningService) -> None:
    """A change is a line that says what was done, with what result, by whom and from where."""
    body = {"scopes": ["read"], "label": "ci"}
    issued = service.http.post("/v1/tokens", json=body).json()
    with service.client(issued["token"]) as http:
        http.delete("/v1/driver")
    made, refused = events(service, "--type", "audit").stdout.splitlines()
    assert made.endswith("POST /v1/tokens: 201, token admin from 127.0.0.1")
    assert refused.endswith(f"DELETE /v1/driver: 403, token {issued['id']} (ci) from 127.0.0.1")
