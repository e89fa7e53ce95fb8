"""What Wireshark asks for and gets on standard output, and what goes to standard error."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest

from tests.libpcap import need_libpcap
from tests.running import TOKEN, RunningService
from wintun_api.choices import Scope
from wintun_api.extcap import service as asked
from wintun_api.extcap.answers import DONE, FAILED, WRONG, answer
from wintun_api.extcap.options import OPTIONS

Ask = Callable[..., tuple[int, list[str], str]]
OFFICE = ("--extcap-interface", "wintun-api:OfficeNet")


@pytest.fixture
def ask(
    service: RunningService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Ask:
    """Ask as Wireshark does: the exit code, the lines, and what was complained about."""
    monkeypatch.setenv("WINTUN_API_URL", service.url)
    monkeypatch.setenv("WINTUN_API_TOKEN", TOKEN)

    def ask(*arguments: str) -> tuple[int, list[str], str]:
        code = answer([*arguments, "--extcap-version=4.6"])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return ask


def names(lines: list[str]) -> list[str]:
    """The names of the interfaces."""
    found = [line for line in lines if line.startswith("interface ")]
    return [line.partition("{value=")[2].partition("}")[0] for line in found]


def test_interfaces(ask: Ask, service: RunningService) -> None:
    """The first line says the version; then come the interfaces, and the control of the toolbar."""
    service.adapter(name="OfficeNet")
    code, lines, complaint = ask("--extcap-interfaces")
    assert (code, complaint) == (DONE, "")
    assert lines[0].startswith("extcap {version=")
    assert lines[-1].startswith("control {number=0}{type=string}")
    assert lines[1:-1] == [
        "interface {value=wintun-api:all}{display=all adapters of wintun-api}",
        "interface {value=wintun-api:OfficeNet}{display=adapter OfficeNet}",
    ]


@pytest.mark.parametrize("name", ["all", "{x}", "50%", "a&b"])
def test_names_that_are_not_usable(ask: Ask, service: RunningService, name: str) -> None:
    """What a field or a command line cannot hold is known by its GUID."""
    guid = service.adapter(name=name)["guid"]
    _, lines, _ = ask("--extcap-interfaces")
    assert names(lines) == ["wintun-api:all", f"wintun-api:{guid}"]


def test_a_token_that_may_only_capture(
    ask: Ask, service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence says that the token must allow to read as well."""
    monkeypatch.setenv("WINTUN_API_TOKEN", service.token(Scope.CAPTURE))
    code, lines, complaint = ask("--extcap-interfaces")
    assert (code, names(lines)) == (DONE, ["wintun-api:all"])
    assert "to read and to capture" in complaint


def test_a_token_that_reads_and_captures(
    ask: Ask, service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two scopes are enough for the list and for the check of a filter."""
    need_libpcap()
    service.adapter(name="OfficeNet")
    monkeypatch.setenv("WINTUN_API_TOKEN", service.token(Scope.READ, Scope.CAPTURE))
    assert len(names(ask("--extcap-interfaces")[1])) == 2
    assert ask(*OFFICE, "--extcap-capture-filter", "icmp") == (DONE, [], "")


def test_a_service_that_does_not_answer(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wireshark does not wait for long, and the sentence names the address."""
    monkeypatch.setattr(asked, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        code, lines, complaint = ask("--extcap-interfaces", "--url", url)
    assert (code, names(lines)) == (DONE, ["wintun-api:all"])
    assert url in complaint


def test_link_types(ask: Ask) -> None:
    """The link type has the number of libpcap, so that Wireshark can check filters for it."""
    assert ask(*OFFICE, "--extcap-dlts") == (
        DONE,
        ["dlt {number=12}{name=RAW}{display=Raw IP}"],
        "",
    )


def test_config(ask: Ask) -> None:
    """Each option is a line, numbered in order, and a selector has one default."""
    code, lines, complaint = ask(*OFFICE, "--extcap-config")
    assert (code, complaint) == (DONE, "")
    found = [line for line in lines if line.startswith("arg ")]
    numbers = [int(re.findall(r"\{number=(\d+)\}", line)[0]) for line in found]
    assert numbers == list(range(len(OPTIONS)))
    assert {re.findall(r"\{call=--([^}]*)\}", line)[0] for line in found} >= {
        "direction",
        "snaplen",
        "last",
        "url",
        "token-file",
    }
    assert len([line for line in lines if "{default=true}" in line and "{arg=0}" in line]) == 1


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("tcp port 443", []),
        ("", []),
        ("-1", ["can't parse filter expression: syntax error (at character 3)"]),
        ("tcp prot 80", ["can't parse filter expression: syntax error (at character 5)"]),
    ],
)
def test_filters(ask: Ask, expression: str, said: list[str]) -> None:
    """A valid filter is answered by nothing, and another by what is wrong and where."""
    need_libpcap()
    assert ask(*OFFICE, "--extcap-capture-filter", expression) == (DONE, said, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--extcap-interfaces", "--snaplen", "-1"),
        ("--extcap-interfaces", "--snaplen", "many"),
        ("--extcap-interfaces", "--last", "86401"),
        ("--extcap-interfaces", "--direction", "sideways"),
        ("--capture",),
        ("--capture", *OFFICE),
        (),
    ],
)
def test_wrong_arguments(ask: Ask, arguments: tuple[str, ...]) -> None:
    """What Wireshark would not ask is refused in one sentence."""
    code, lines, complaint = ask(*arguments)
    assert (code, lines) == (WRONG, [])
    assert len(complaint.splitlines()) == 1


def test_a_wrong_address(ask: Ask) -> None:
    """An address that cannot be one ends a capture with a sentence."""
    arguments = ("--capture", *OFFICE, "--fifo", "/dev/null", "--url", "nonsense")
    code, _, complaint = ask(*arguments)
    assert code == FAILED
    assert complaint.startswith("The address 'nonsense'")
