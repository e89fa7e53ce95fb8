"""The client commands against a real service."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from tests.cli.commands import COMMAND, environment, invoke
from tests.conftest import Rig
from tests.running import TOKEN, RunningService, receive
from wintun_api.choices import Scope
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.packet import build

Cli = Callable[..., Result]


@pytest.fixture
def cli(service: RunningService) -> Cli:
    """Run a command against the service, as admin unless the variables say otherwise."""

    def run_command(*arguments: str, **env: str) -> Result:
        variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN, **env}
        return invoke(*arguments, **variables)

    return run_command


def made(result: Result) -> Any:
    """What a command that worked wrote as JSON."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refusal(result: Result, code: int = 1) -> list[str]:
    """The lines of a command that did not work."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    return result.stderr.splitlines()


# Adapters


def test_create_and_list(cli: Cli) -> None:
    """An adapter is created with its settings and then listed."""
    settings = ("--mtu", "1420", "--address", "10.6.7.7/24", "--address", "fd06:7::7/64")
    guid = "deadbabe-cafe-beef-0123-456789abcdef"
    created = made(
        cli("adapters", "create", "OfficeNet", "--pool", "P", "--guid", guid, *settings, "--json")
    )
    assert (created["guid"], created["pool"], created["mtu"]) == (guid, "P", 1420)
    assert created["addresses"] == ["10.6.7.7/24", "fd06:7::7/64"]
    assert made(cli("adapters", "list", "--json")) == [created]
    assert made(cli("adapters", "list", "--pool", "Q", "--json")) == []


def test_table(cli: Cli, service: RunningService) -> None:
    """The table has a line per adapter, whole in a pipe however long, without colours."""
    for name in ("A" * 120, "[red]B"):
        service.adapter(name=name)
    lines = cli("adapters", "list", COLUMNS="40").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["Name", "A" * 120, "[red]B"]
    assert "\x1b" not in "".join(lines)


def test_empty_lists(cli: Cli) -> None:
    """Nothing there is no failure, and nothing on standard output."""
    for group in ("adapters", "sessions", "tokens"):
        result = cli(group, "list")
        assert (result.exit_code, result.stdout) == (0, "")
        assert made(cli(group, "list", "--json")) == []


@pytest.mark.parametrize("word", ["OfficeNet", "officenet", "guid", "GUID"])
def test_names_and_guids(cli: Cli, service: RunningService, word: str) -> None:
    """An adapter is named by its GUID or its name, in capitals or not."""
    adapter = service.adapter(name="OfficeNet")
    words = {"guid": adapter["guid"], "GUID": adapter["guid"].upper()}
    assert made(cli("adapters", "show", words.get(word, word), "--json")) == adapter


def test_show(cli: Cli, service: RunningService) -> None:
    """Without --json an adapter is shown as names and values."""
    service.adapter(name="OfficeNet", mtu=1420)
    shown = cli("adapters", "show", "OfficeNet").stdout
    rows = dict(line.split(maxsplit=1) for line in shown.splitlines())
    assert (rows["name"].strip(), rows["mtu"].strip()) == ("OfficeNet", "1420")


def test_rename_and_set(cli: Cli, service: RunningService) -> None:
    """Name, MTU and addresses change by themselves; the rest stays."""
    service.adapter(name="OfficeNet", mtu=1420, addresses=["10.1.1.1/24"])
    assert made(cli("adapters", "rename", "OfficeNet", "Home", "--json"))["name"] == "Home"
    changed = made(cli("adapters", "set", "Home", "--mtu", "1300", "--json"))
    assert (changed["mtu"], changed["addresses"]) == (1300, ["10.1.1.1/24"])
    changed = made(cli("adapters", "set", "Home", "--address", "10.1.1.2/24", "--json"))
    assert (changed["mtu"], changed["addresses"]) == (1300, ["10.1.1.2/24"])
    assert made(cli("adapters", "set", "Home", "--no-addresses", "--json"))["addresses"] == []


def test_create_what_exists(cli: Cli) -> None:
    """The hint names both ways; one applies the given settings, the other one begins anew."""
    create = ("adapters", "create", "OfficeNet", "--json")
    first = made(cli(*create, "--mtu", "1420", "--metric", "7"))
    (_, refused) = cli("adapters", "create", "OfficeNet").stderr.splitlines()
    assert "--if-exists open" in refused
    assert "--if-exists replace" in refused
    opened = made(cli(*create, "--if-exists", "open", "--address", "10.6.7.7/24"))
    assert opened == {**first, "addresses": ["10.6.7.7/24"]}
    opened = made(cli(*create, "--if-exists", "open", "--metric", "auto"))
    assert (opened["metric"], opened["mtu"]) == (None, 1420)
    replaced = made(cli(*create, "--if-exists", "replace"))
    assert (replaced["mtu"], replaced["addresses"]) != (1420, ["10.6.7.7/24"])
    assert len(made(cli("adapters", "list", "--json"))) == 1


def test_the_hint_of_a_name_that_is_taken(cli: Cli, service: RunningService) -> None:
    """Someone who renames is told to choose another name, not to open or replace an adapter."""
    service.adapter(name="OfficeNet")
    service.adapter(name="Home")
    result = cli("adapters", "rename", "Home", "OfficeNet")
    assert result.stderr.splitlines()[-1].endswith(
        "Choose another name, or delete the adapter that has this one."
    )
    elsewhere = cli("adapters", "create", "Home", "--pool", "Other", "--if-exists", "open")
    assert "Name that pool to use the adapter" in elsewhere.stderr.splitlines()[-1]


def test_metric_routes_and_dns(cli: Cli) -> None:
    """Metric, routes and DNS are set when an adapter is created, changed and taken away."""
    routes = ("--route", "10.0.0.0/8", "--route", "::/0 via fd06::1 metric 5")
    dns = ("--dns", "10.6.7.1", "--dns-search", "example.com")
    created = made(
        cli("adapters", "create", "OfficeNet", "--metric", "25", *routes, *dns, "--json")
    )
    assert created["metric"] == 25
    assert created["routes"] == [
        {"destination": "10.0.0.0/8", "next_hop": None, "metric": 0},
        {"destination": "::/0", "next_hop": "fd06::1", "metric": 5},
    ]
    assert (created["dns"], created["dns_search"]) == (["10.6.7.1"], ["example.com"])
    shown = cli("adapters", "show", "OfficeNet").stdout
    assert "10.0.0.0/8, ::/0 via fd06::1 metric 5" in shown
    changed = made(cli("adapters", "set", "OfficeNet", "--metric", "auto", *routes[:2], "--json"))
    assert (changed["metric"], len(changed["routes"])) == (None, 1)
    changed = made(cli("adapters", "set", "OfficeNet", "--no-routes", "--no-dns", "--json"))
    assert (changed["routes"], changed["dns"], changed["dns_search"]) == ([], [], [])


@pytest.mark.parametrize(
    "options",
    [
        ("--metric", "low"),
        ("--metric", "-1"),
        ("--route", ""),
        ("--route", "10.0.0.0/8 via"),
        ("--route", "10.0.0.0/8 dev wt0"),
        ("--route", "10.0.0.0/8 metric x"),
        ("--route", "10.0.0.0/8 via 10.6.7.1 via 10.6.7.2"),
    ],
)
def test_wrong_words(cli: Cli, options: tuple[str, ...]) -> None:
    """A metric or a route that cannot be read is wrong usage, or refused by the service."""
    result = cli("adapters", "create", "OfficeNet", *options)
    assert result.exit_code in (1, 2)
    assert made(cli("adapters", "list", "--json")) == []


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--no-addresses", "--address", "10.1.1.1/24"),
        ("--no-routes", "--route", "10.0.0.0/8"),
        ("--no-dns", "--dns", "10.6.7.1"),
    ],
)
def test_set_needs_something(cli: Cli, options: tuple[str, ...]) -> None:
    """Setting nothing, or two opposites, is wrong usage."""
    refusal(cli("adapters", "set", "OfficeNet", *options), 2)


def test_release_open_delete(cli: Cli, service: RunningService) -> None:
    """An adapter is released, opened again and deleted."""
    service.adapter(name="OfficeNet", pool="P")
    assert made(cli("adapters", "release", "OfficeNet", "--json")) == {"exists": True}
    assert made(cli("adapters", "open", "OfficeNet", "--pool", "P", "--json"))["managed"]
    result = cli("adapters", "delete", "OfficeNet", "--force")
    assert (result.exit_code, result.stdout) == (0, "Deleted.\n")
    assert service.http.get("/v1/adapters").json() == []


def test_unknown_adapter(cli: Cli) -> None:
    """A name that no adapter has is told, with what to do."""
    lines = refusal(cli("adapters", "delete", "Nowhere"), 5)
    assert lines == ["No adapter has the name 'Nowhere'.", "See wintun-api adapters list."]


def test_strange_names(cli: Cli) -> None:
    """A name reaches the service as it is, whatever its characters."""
    name = "Büro & 50% #1 'näh' 网"
    assert made(cli("adapters", "create", name, "--json"))["name"] == name
    assert made(cli("adapters", "show", name, "--json"))["name"] == name
    assert name in cli("adapters", "list").stdout


# Sessions


def test_session_life(cli: Cli, service: RunningService) -> None:
    """A session is started, listed, shown by its adapter's name, and ended."""
    adapter = service.adapter(name="OfficeNet")
    capacity = ("--capacity", "0x20000")
    session = made(cli("sessions", "start", "OfficeNet", *capacity, "--json"))
    assert (session["adapter"], session["capacity"]) == (adapter["guid"], 0x20000)
    (listed,) = made(cli("sessions", "list", "--json"))
    assert listed["id"] == session["id"]
    table = cli("sessions", "list").stdout.splitlines()
    assert table[1].split()[:3] == [session["id"], "OfficeNet", "running"]
    for word in (session["id"], "OfficeNet", adapter["guid"]):
        assert made(cli("sessions", "show", word, "--json"))["id"] == session["id"]
    assert "counters.lost.rejected" in cli("sessions", "show", "OfficeNet").stdout
    assert made(cli("sessions", "end", "OfficeNet", "--json"))["state"] == "ended"
    assert service.http.get("/v1/sessions").json() == []


def test_default_capacity(cli: Cli, service: RunningService) -> None:
    """Without a capacity the service chooses it."""
    service.adapter(name="OfficeNet")
    assert made(cli("sessions", "start", "OfficeNet", "--json"))["capacity"] == 0x400000


def test_capacity_is_a_number(cli: Cli) -> None:
    """A capacity that is no number is wrong usage."""
    refusal(cli("sessions", "start", "OfficeNet", "--capacity", "4M"), 2)


def test_offload(cli: Cli) -> None:
    """Offload is asked for by an option, and refused where the driver has none."""
    made(cli("adapters", "create", "OfficeNet", "--json"))
    refused = cli("sessions", "start", "OfficeNet", "--offload")
    assert refused.exit_code != 0
    assert "no segmentation offload" in refused.output
    assert "Start the session without offload." in refused.output
    for option in ("--no-offload", "--quiet"):
        assert cli("sessions", "start", "OfficeNet", option).exit_code == 0
        assert made(cli("sessions", "end", "OfficeNet", "--json"))["offload"] is False


def test_unknown_session(cli: Cli) -> None:
    """A word that names no session is told, with what to do."""
    assert "wintun-api sessions list" in refusal(cli("sessions", "end", "nothing"), 5)[1]


# Packets

PING = build.icmp_echo("10.6.7.9", "10.6.7.7", identifier=1, sequence=1, data=b"hello")


@pytest.fixture
def session(service: RunningService) -> str:
    """A session on 10.6.7.7/24."""
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    return str(service.session(adapter)["id"])


@pytest.mark.parametrize("separator", ["", " ", ":", "0x"])
def test_inject_hex(cli: Cli, service: RunningService, session: str, separator: str) -> None:
    """A packet in hexadecimal is injected, and the emulated host answers it."""
    digits = separator + PING.hex(separator) if len(separator) == 1 else separator + PING.hex()
    with service.packets(session) as stream:
        report = made(cli("inject", "OfficeNet", "--hex", digits, "--json"))
        assert report == {"accepted": 1, "rejected": {}, "ring_full": 0, "refused": {}}
        assert receive(stream, 1) == [build.echo_reply(PING)]


def test_inject_file(cli: Cli, service: RunningService, session: str, tmp_path: Path) -> None:
    """A packet in a file is injected."""
    file = tmp_path / "packet"
    file.write_bytes(PING)
    assert cli("inject", session, "--file", str(file)).stdout == f"Injected {len(PING)} bytes.\n"
    assert service.counters(session)["injected"]["packets"] == 1


def test_inject_standard_input(service: RunningService, session: str, tmp_path: Path) -> None:
    """A packet on standard input is injected."""
    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    done = subprocess.run(
        [*COMMAND, "inject", session],
        input=PING,
        env=environment(tmp_path, **variables),
        check=True,
        capture_output=True,
    )
    assert done.stdout.decode().split() == ["Injected", str(len(PING)), "bytes."]
    assert service.counters(session)["injected"]["packets"] == 1


def test_inject_no_packet(cli: Cli, session: str) -> None:
    """Bytes that are no packet are refused with a sentence and a hint."""
    assert len(refusal(cli("inject", session, "--hex", "4500"), 2)) == 2


@pytest.mark.parametrize("options", [("--hex", "xyz"), ("--hex", "45", "--file", "f")])
def test_inject_usage(cli: Cli, options: tuple[str, ...]) -> None:
    """Digits that are none, and two packets at once, are wrong usage."""
    refusal(cli("inject", "OfficeNet", *options), 2)


def test_inject_missing_file(cli: Cli, tmp_path: Path) -> None:
    """A file that cannot be read is a sentence."""
    (line,) = refusal(cli("inject", "OfficeNet", "--file", str(tmp_path / "none")))
    assert line.startswith("Cannot read ")


# Tokens

COME_AND_GO = ("created", "expires")


def test_tokens(cli: Cli) -> None:
    """A token is made, allows what it may and no more, is listed, and is revoked."""
    secret = cli("tokens", "create", "read", "--label", "grafana").stdout.strip()
    assert made(cli("adapters", "list", "--json", WINTUN_API_TOKEN=secret)) == []
    refused = refusal(cli("adapters", "create", "X", WINTUN_API_TOKEN=secret), 4)
    assert "scope admin" in refused[0]
    (listed,) = made(cli("tokens", "list", "--json"))
    assert (listed["label"], listed["scopes"]) == ("grafana", ["read"])
    assert secret not in cli("tokens", "list").stdout
    assert cli("tokens", "revoke", listed["id"]).exit_code == 0
    refusal(cli("adapters", "list", WINTUN_API_TOKEN=secret), 4)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5m", 90), ("12h", 43_200), ("7d", 604_800), ("1w", 604_800)],
)
def test_a_token_expires_after_a_time(cli: Cli, text: str, seconds: int) -> None:
    """The time until a token is void is given in seconds or with a unit."""
    token = made(cli("tokens", "create", "read", "--expires-in", text, "--json"))
    created, expires = (datetime.fromisoformat(token[f"{what}_at"]) for what in COME_AND_GO)
    assert (expires - created).total_seconds() == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["soon", "0", "-5", "7 years", "nan"])
def test_no_time(cli: Cli, text: str) -> None:
    """What is no length of time is wrong usage, with how to write one."""
    lines = refusal(cli("tokens", "create", "read", f"--expires-in={text}"), 2)
    assert "12h, 7d" in "".join(lines)


def test_expiry_is_readable(cli: Cli) -> None:
    """The list says when a token ends, and how long that is from now."""
    cli("tokens", "create", "read", "--label", "short", "--expires-in", "7d")
    cli("tokens", "create", "read", "--label", "endless")
    short, endless = sorted(cli("tokens", "list").stdout.splitlines()[1:], key=len, reverse=True)
    assert short.rstrip().endswith(" UTC, in 7 days")
    assert endless.rstrip().endswith(" never")


def test_unknown_scope(service: RunningService) -> None:
    """An unknown scope is wrong usage, told with the good ones before anything is sent."""
    service.stop()
    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    said = "".join(refusal(invoke("tokens", "create", "write", **variables), 2))
    assert all(scope.value in said for scope in Scope)


def test_help_names_every_scope() -> None:
    """The help of `tokens create` has all scopes."""
    said = invoke("tokens", "create", "--help").stdout
    assert all(scope.value in said for scope in Scope)


def test_token_is_tokens(cli: Cli) -> None:
    """`token` is a second name of `tokens`, which the help does not show."""
    assert made(cli("token", "list", "--json")) == []
    assert " token " not in invoke("--help").stdout


def test_path_of_the_token(tmp_path: Path) -> None:
    """The path of the token file is printed for scripts, whether there is one or not."""
    result = invoke("tokens", "path", WINTUN_API_DATA_DIR=str(tmp_path))
    assert result.stdout == f"{tmp_path / 'token'}\n"


# Finding the service, and what goes wrong


def test_sources_of_the_token(service: RunningService, tmp_path: Path) -> None:
    """A flag beats the variable, the variable the default file."""
    good, bad = tmp_path / "token", tmp_path / "bad"
    good.write_text(TOKEN + "\n")
    bad.write_text("wrong\n")

    def code(*arguments: str, **env: str) -> int:
        variables = {"WINTUN_API_URL": service.url, "WINTUN_API_DATA_DIR": str(tmp_path), **env}
        return invoke("adapters", "list", *arguments, **variables).exit_code

    assert code() == 0
    assert code(WINTUN_API_TOKEN="wrong") == 4
    assert code("--token-file", str(good), WINTUN_API_TOKEN="wrong") == 0
    assert code("--token", TOKEN, "--token-file", str(bad)) == 0
    assert code(WINTUN_API_TOKEN_FILE=str(bad)) == 4


@pytest.mark.thorough
@pytest.mark.parametrize("around", ["\n", "\r\n", " ", "\t", "\ufeff"])
def test_a_token_with_something_around_it(
    service: RunningService, tmp_path: Path, around: str
) -> None:
    """What came along when the token was pasted, piped or written is not part of it."""
    file = tmp_path / "token"
    file.write_bytes(f"{around}{TOKEN}{around}".encode())
    wide = tmp_path / "wide"
    wide.write_bytes(f"{TOKEN}{around}".encode("utf-16"))  # as PowerShell writes
    where = {"WINTUN_API_URL": f" {service.url}{around}", "WINTUN_API_DATA_DIR": str(tmp_path)}
    for arguments, env in (
        ((), {"WINTUN_API_TOKEN": f"{around}{TOKEN}{around}"}),
        (("--token", f"{around}{TOKEN}{around}"), {}),
        ((f"--token={around}{TOKEN}{around}",), {}),
        (("--token-file", f" {file}{around}"), {}),
        (("--token-file", str(wide)), {}),
        ((), {}),
    ):
        result = invoke("adapters", "list", *arguments, **where, **env)
        assert result.exit_code == 0, (arguments, env, result.output)


@pytest.mark.parametrize("text", ["", " ", f'"{TOKEN}"', f"'{TOKEN}'", f"{TOKEN} {TOKEN}"])
def test_a_token_that_is_ambiguous(service: RunningService, text: str) -> None:
    """Quotation marks, several words and nothing at all are refused with a sentence."""
    lines = refusal(invoke("adapters", "list", "--url", service.url, "--token", text), 4)
    assert lines[0].startswith("The token from --token ")


def test_a_token_file_without_end(service: RunningService) -> None:
    """No more is read of a token file than a token can have."""
    result = invoke("adapters", "list", "--url", service.url, "--token-file", "/dev/zero")
    assert refusal(result, 4)


def test_arguments_with_something_around_them(cli: Cli, service: RunningService) -> None:
    """Names, numbers, addresses and GUIDs are taken without what was pasted around them."""
    guid = "deadbabe-cafe-beef-0123-456789abcdef"
    created = cli("adapters", "create", " A1\n", "--guid", f" {{{guid.upper()}}} ", "--mtu= 1400 ")
    assert created.exit_code == 0, created.output
    for word in ("A1 ", "\ta1", f" {guid}", f"{{{guid.upper()}}}\n", guid.replace("-", "")):
        found = made(cli("adapters", "show", word, "--json"))
        assert (found["name"], found["guid"], found["mtu"]) == ("A1", guid, 1400)
    for word in (" a1 ", f"{{{guid}}}\r\n", guid.upper()):
        assert cli("sessions", "start", word).exit_code == 0
        assert cli("sessions", "end", word).exit_code == 0


def test_the_configuration_names_the_token(service: RunningService, tmp_path: Path) -> None:
    """The service's configuration file tells the client where the token is."""
    config = tmp_path / "settings.toml"
    config.write_text(f"token_file = '{tmp_path / 'here'}'\n")
    (tmp_path / "here").write_text(TOKEN)
    result = invoke("adapters", "list", "--url", service.url, WINTUN_API_CONFIG=str(config))
    assert result.exit_code == 0


def test_wrong_token(service: RunningService, tmp_path: Path) -> None:
    """A token that the service does not know is told by where it came from."""
    (tmp_path / "token").write_text("wrong")
    result = invoke("adapters", "list", "--url", service.url, WINTUN_API_DATA_DIR=str(tmp_path))
    lines = refusal(result, 4)
    assert str(tmp_path / "token") in lines[0]
    assert "--token-file" in lines[1]


def test_missing_token(service: RunningService, tmp_path: Path) -> None:
    """A missing token file is named."""
    result = invoke("adapters", "list", "--url", service.url, WINTUN_API_DATA_DIR=str(tmp_path))
    assert refusal(result, 4)[0] == f"There is no token file {tmp_path / 'token'}."


@pytest.mark.parametrize("content", ["", "two words", "naïve"])
def test_no_token_in_the_file(service: RunningService, tmp_path: Path, content: str) -> None:
    """A file that holds no token is a sentence, and nothing is sent."""
    (tmp_path / "token").write_text(content, "utf-8")
    result = invoke("adapters", "list", "--url", service.url, WINTUN_API_DATA_DIR=str(tmp_path))
    assert "token" in refusal(result, 4)[0]


def test_no_service(cli: Cli, service: RunningService) -> None:
    """Where nothing answers, the sentence says how to start it."""
    service.stop()
    lines = refusal(cli("adapters", "list"), 3)
    assert lines[0] == f"Nothing answers at {service.url}."
    assert "wintun-api serve" in lines[1]


@pytest.mark.parametrize("url", ["localhost:9886", "ftp://127.0.0.1", "http://", "http://[::1"])
def test_wrong_url(cli: Cli, url: str) -> None:
    """An address that is none is wrong usage."""
    assert refusal(cli("adapters", "list", "--url", url), 2)[0].startswith("--url: ")


@contextmanager
def stranger(*answer: bytes) -> Iterator[str]:
    """Run another program, whose health is well and which answers all else with the same bytes."""
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
    healthy = (b"", b'{"status": "ok"}')

    def answering() -> None:
        with suppress(OSError):  # the listener is closed at the end
            while True:
                with listener.accept()[0] as opened, suppress(OSError):
                    looks = b"/noauth/health" in opened.recv(65536)
                    opened.sendall(head + b"\r\n".join(healthy if looks else answer))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answering, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


GUID = "deadbabe-cafe-beef-0123-456789abcdef"
ASKING = [
    ("adapters", "list"),
    ("adapters", "show", GUID),
    ("adapters", "delete", GUID),
    ("sessions", "show", "abc"),
    ("tokens", "create", "read"),
    ("events",),
    ("capture", "abc"),
    ("inject", "abc", "--hex", "45"),
]
STRANGE = {
    "numbers": (b"", b"[1, 2]"),
    "an empty object": (b"", b"{}"),
    "null": (b"", b"null"),
    "objects of another kind": (b"", b'[{"id": 5}]'),
    "data that are not gzip": (b"Content-Encoding: gzip", b"", b"abcd"),
    "endless nesting": (b"", b"[" * 100_000),
    "a page": (b"Content-Type: text/html", b"", b"<html>"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("answer", STRANGE)
def test_another_program(cli: Cli, answer: str) -> None:
    """Whatever another program answers, no command ends in a traceback."""
    with stranger(*STRANGE[answer]) as url:
        for command in ASKING:
            result = cli(*command, WINTUN_API_URL=url)
            assert isinstance(result.exception, SystemExit | None), (command, result.exception)
            if answer in ("numbers", "data that are not gzip", "endless nesting", "a page"):
                assert result.exit_code == ExitCode.NOT_REACHABLE
                assert url in result.stderr


def test_a_capture_that_is_none(cli: Cli) -> None:
    """A stream of something else is said to be that."""
    with stranger(b"", b'[{"id": "abc", "adapter": "a", "state": "running"}]') as url:
        lines = refusal(cli("capture", "abc", WINTUN_API_URL=url), ExitCode.NOT_REACHABLE)
    assert "neither pcap nor pcapng" in " ".join(lines)


def test_a_proxy_is_not_asked(cli: Cli) -> None:
    """Proxies of the environment do not come between: loopback is this machine's."""
    proxy = "http://127.0.0.1:1"
    assert made(cli("adapters", "list", "--json", http_proxy=proxy)) == []


def test_driver_errors(rig: Rig) -> None:
    """A driver's failure is its sentence, its hint and its log lines."""
    rig.library.fail_next("WintunCreateAdapter", 1450)
    variables = {"WINTUN_API_URL": rig.service.url, "WINTUN_API_TOKEN": TOKEN}
    sentence, hint, *log = refusal(invoke("adapters", "create", "OfficeNet", **variables))
    assert "WintunCreateAdapter: win32 error 1450" in sentence
    assert hint
    assert any(line.startswith("driver: ") and "made to fail" in line for line in log)


def test_full_ring(rig: Rig) -> None:
    """A packet that the full ring did not take is a failure."""
    adapter = rig.service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    session = rig.service.session(adapter, capacity=0x20000)
    rig.library.hold_consumer("OfficeNet")
    path = f"/v1/sessions/{session['id']}/packets"
    big = build.udp("10.6.7.9", "10.6.7.7", 1, 2, bytes(60_000))
    headers = {"Content-Type": "application/octet-stream"}
    for packet in (big, PING):
        full = 0
        while not full:
            answer = rig.service.http.post(path, content=packet, headers=headers)
            full = answer.json()["ring_full"]
    variables = {"WINTUN_API_URL": rig.service.url, "WINTUN_API_TOKEN": TOKEN}
    lines = refusal(invoke("inject", "OfficeNet", "--hex", PING.hex(), **variables))
    assert lines[0] == "The send ring is full; the packet was dropped."


def test_control_characters_are_not_written(cli: Cli) -> None:
    """What the service says cannot steer the terminal."""
    lines = refusal(cli("adapters", "create", "a\x1b[31m"), 2)
    assert "\x1b" not in "".join(lines)


def test_narrow_code_page(service: RunningService, tmp_path: Path) -> None:
    """A name that the console's code page lacks is no error."""
    service.adapter(name="网")
    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    done = subprocess.run(
        [sys.executable, "-m", "wintun_api", "adapters", "list"],
        env=environment(
            tmp_path, **variables, PYTHONIOENCODING="cp1252", PYTHONUTF8="0", LC_ALL="C.UTF-8"
        ),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"? " in done.stdout
