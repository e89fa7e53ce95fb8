"""`wintun-api captures` against a real service: start, list, stop and delete."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.captures import PACKETS, begin, inject, made
from tests.cli.conftest import Cli
from tests.libpcap import need_libpcap
from tests.running import RunningService
from wintun_api.choices import Scope
from wintun_api.cli.capture_options import in_options
from wintun_api.limits import MAX_CAPTURES
from wintun_api.schemas.captures import CaptureCreate, Keep, Rotate, Stop, Trigger


def test_life(cli: Cli, service: RunningService, session: str) -> None:
    """A capture is listed with its counts, shown with its files, stopped and deleted."""
    started = made(cli("captures", "start", "office", "--adapter", "lab", "--json"))
    assert (started["name"], started["state"], len(started["adapters"])) == ("office", "running", 1)
    inject(service, session, started["id"])
    (listed,) = made(cli("captures", "list", "--json"))
    assert listed["packets"] >= len(PACKETS)
    stopped = made(cli("captures", "stop", "office", "--json"))
    assert (stopped["state"], stopped["reason"]) == ("stopped", "request")
    assert made(cli("captures", "show", started["id"][:5], "--json")) == stopped
    assert made(cli("captures", "delete", "office", "--json")) == stopped
    assert made(cli("captures", "list", "--json")) == []


def test_what_people_read(cli: Cli, service: RunningService, session: str) -> None:
    """Without --json there are a table of captures, and one of the files of each."""
    assert cli("captures", "list").stderr == "No captures.\n"
    capture = begin(cli, "office")
    inject(service, session, capture)
    cli("captures", "stop", "office")
    head, row = cli("captures", "ls").stdout.splitlines()
    assert head.split() == ["Id", "Name", "State", "Packets", "Lost", "Bytes", "Files", "Started"]
    assert row.startswith(f"{capture}  office  stopped (request)")
    record, files = cli("captures", "show", "office").stdout.split("\n\n")
    assert ["reason", "request"] in [line.split() for line in record.splitlines()]
    assert files.splitlines()[1].startswith("office-00001-")
    said = cli("captures", "rm", capture).stdout
    assert said.startswith(f"Deleted {capture} (office): 1 file, ")


def test_every_member_has_an_option(cli: Cli) -> None:
    """Everything that the API takes can be said, with sizes and times as people write them."""
    asked: dict[str, Any] = {
        "pool": "Pool",
        "direction": "received",
        "snaplen": 96,
        "marks": True,
        "stop": {"packets": 1000, "bytes": 1024**3, "seconds": 3600},
        "rotate": {"bytes": 100 * 1024**2, "seconds": 600},
        "keep": {"files": 5, "bytes": 300 * 1024**2},
        "trigger": {"on": "event", "event": "session.started", "before": 30, "after": 90},
    }
    options = (
        *("--pool", "Pool", "--direction", "received", "-s", "96", "--marks"),
        *("--stop-packets", "1000", "--stop-bytes", "1gb", "--stop-after", "1h"),
        *("--rotate-bytes", "100mb", "--rotate-every", "10m"),
        *("--keep-files", "5", "--keep-bytes", "300MB"),
        *("--on", "event:session.started", "--before", "30s", "--after", "1.5m"),
    )
    started = made(cli("captures", "start", "all of it", *options, "--json"))
    assert {name: started[name] for name in asked} == asked
    assert (started["name"], started["state"]) == ("all of it", "waiting")
    known = {*asked, "name", "adapters", "filter"}
    assert set(CaptureCreate.model_fields) == known
    assert set(Stop.model_fields) == set(asked["stop"])
    assert set(Rotate.model_fields) == set(asked["rotate"])
    assert set(Keep.model_fields) == set(asked["keep"])
    assert set(Trigger.model_fields) == {*asked["trigger"], "filter"}


@pytest.mark.parametrize("kind", ["loss", "call"])
def test_a_trigger(cli: Cli, service: RunningService, session: str, kind: str) -> None:
    """A capture waits for what --on says, and `trigger` begins it whatever that is."""
    capture = begin(cli, "waits", "--on", kind)
    assert made(cli("captures", "show", "waits", "--json"))["state"] == "waiting"
    refused = cli("captures", "download", "waits")
    assert refused.exit_code == 5
    assert "wintun-api captures trigger" in refused.stderr
    assert made(cli("captures", "trigger", "waits", "--json"))["state"] == "running"
    inject(service, session, capture)


def test_filters(cli: Cli, service: RunningService, session: str) -> None:
    """A filter chooses packets, and another one begins the capture."""
    need_libpcap()
    capture = begin(cli, "-f", "udp dst port 7", "--on", "filter:udp src port 40000")
    inject(service, session, capture)
    found = made(cli("captures", "stop", "capture", "--json"))
    assert (found["filter"], found["trigger"]["filter"]) == ("udp dst port 7", "udp src port 40000")
    assert found["packets"] == len(PACKETS)


@pytest.mark.parametrize(
    ("options", "wrong", "mark"),
    [
        (("-f", "tcp prot 80"), "tcp prot 80", "    ^"),
        (("--on", "filter:tcp prot 80"), "tcp prot 80", "    ^"),
        (("-f", "udp", "--on", "filter:ip or xyz"), "ip or xyz", "      ^"),
        (("-f", "ip or xyz", "--on", "filter:udp"), "ip or xyz", "      ^"),
    ],
)
def test_a_wrong_filter(cli: Cli, options: tuple[str, ...], wrong: str, mark: str) -> None:
    """The filter that is wrong is shown with a mark below the place, and what to do."""
    need_libpcap()
    result = cli("captures", "start", *options)
    said, *shown, hint = result.stderr.splitlines()
    assert result.exit_code == 2
    assert said.startswith("The filter is not valid at character")
    assert shown == [f"  {wrong}", f"  {mark}"]
    assert hint.startswith("Correct the filter at the mark.")
    problem = json.loads(cli("captures", "start", *options, "--json").stderr)
    assert problem["offset"] == len(mark) - 1
    assert made(cli("captures", "list", "--json")) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--stop-after", "soon"), "'soon' is not a length of time"),
        (("--rotate-bytes", "much"), "'much' is not a size"),
        (("--stop-packets", "0"), "'--stop-packets'"),
        (("--stop-bytes", "4095"), "It must be at least 4kb."),
        (("--rotate-every", "0.9"), "It must be from 1 s to 10,000,000 s."),
        (("--stop-after", "116d"), "It must be at most 10,000,000 s."),
        (("--keep-files", "2001", "--rotate-bytes", "1mb"), "It must be at most 2000."),
        (("--on", "loss", "--before", "2d"), "It must be at most 86,400 s."),
        (("-f", "x" * 4097), "a filter has at most 4096"),
        (("--on", "filter:" + "x" * 4097), "a filter has at most 4096"),
        (("n" * 65,), "A name has from 1 to 64 characters."),
        (("",), "A name has from 1 to 64 characters."),
        (("--snaplen", "70000"), "It must be at most 65535."),
        (("--keep-files", "3"), "--keep-files needs --rotate-bytes or --rotate-every"),
        (("--before", "30s"), "--before needs --on"),
        (("--after", "30s"), "--after needs --on"),
        (("--on", "rain"), "'rain' is not loss, call, event:TYPE or filter:EXPRESSION"),
        (("--on", "loss:1"), "'loss:1' is not loss"),
        (("--on", "filter:"), "'filter:' is not loss"),
        (("--on", "event:rain"), "'rain' is not a type of event"),
        (("--adapter", "Lab", "--pool", "Pool"), "--adapter and --pool cannot be used together"),
        (("--quiet",), "--json and --quiet cannot be used together"),
    ],
)
def test_usage(cli: Cli, options: tuple[str, ...], said: str) -> None:
    """What is no value, or contradicts itself, is refused before the service is asked."""
    result = cli("captures", "start", *options, "--json")
    assert result.exit_code == 2
    assert said in json.loads(result.stderr)["detail"]
    assert made(cli("captures", "list", "--json")) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--rotate-bytes", "8kb", "--keep-bytes", "9kb"),
            "The value of --keep-bytes must be at least twice",
        ),
    ],
)
def test_what_the_service_refuses(cli: Cli, options: tuple[str, ...], said: str) -> None:
    """What the service refuses is said with the option, and is wrong usage too."""
    result = cli("captures", "start", *options)
    assert result.exit_code == 2
    assert said in result.stderr


def test_members_in_options() -> None:
    """A sentence about a member names its option; other words stay."""
    assert in_options("stop.packets: Too small.") == "--stop-packets: Too small."
    assert in_options("trigger.event: Unknown.") == "--on: Unknown."
    assert in_options("name: It stops. keep calm") == "name: It stops. keep calm"


def test_ids_and_names(cli: Cli) -> None:
    """A name that several have needs an id; to stop and trigger, the one that runs is meant."""
    first, second = begin(cli, "office"), begin(cli, "office")
    result = cli("captures", "show", "office")
    assert result.exit_code == 6
    assert all(f"{one} (office, running)" in result.stderr for one in (first, second))
    cli("captures", "stop", first)
    assert cli("captures", "delete", "office").exit_code == 6
    assert made(cli("captures", "stop", "office", "--json"))["id"] == second
    assert made(cli("captures", "delete", first[:6], second, "--json"))[0]["id"] == first
    result = cli("captures", "show", "office")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        5,
        "No capture has the id or the name 'office'.",
    )


def test_several_or_none(cli: Cli) -> None:
    """If one of several captures is not there, none is stopped or deleted; one counts once."""
    first, second = begin(cli, "a"), begin(cli, "b")
    assert cli("captures", "delete", "a", "c").exit_code == 5
    assert len(cli("captures", "list", "-q").stdout.split()) == 2
    stopped = made(cli("captures", "stop", "a", "b", first, "--json"))
    assert [one["id"] for one in stopped] == [first, second]


def test_one_that_has_ended(cli: Cli) -> None:
    """It cannot be triggered; the hint says what can be done with it."""
    capture = begin(cli, "a")
    cli("captures", "stop", "a")
    result = cli("captures", "trigger", "a")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        6,
        f"The capture {capture} has ended.",
    )
    assert "can still be downloaded" in result.stderr


def test_too_many(cli: Cli, service: RunningService) -> None:
    """Where there are as many as there may be, the hint says how to make room."""
    for _ in range(MAX_CAPTURES):
        service.http.post("/v1/captures", json={"trigger": {"on": "call"}})
    result = cli("captures", "start")
    assert result.exit_code == 1
    assert "wintun-api captures delete" in result.stderr


def test_a_token_that_may_not(cli: Cli, service: RunningService) -> None:
    """A token that may only read lists captures; to start one, the scope that it lacks is named."""
    token = service.token(Scope.READ)
    assert cli("captures", "list", WINTUN_API_TOKEN=token).exit_code == 0
    result = cli("captures", "start", WINTUN_API_TOKEN=token)
    assert result.exit_code == 4
    assert "capture" in result.stderr


def test_an_empty_pool(cli: Cli) -> None:
    """No adapter is in it, so that nothing is started."""
    result = cli("captures", "start", "--pool", "")
    assert result.exit_code == 2
    assert "It is empty." in result.stderr
    assert cli("captures", "list", "--quiet").stdout == ""
