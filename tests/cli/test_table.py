"""Tables on terminals of every width, in pipes, and with names that are hard to show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import COMMAND, environment, invoke
from tests.posix import open_terminal
from tests.running import TOKEN, RunningService
from wintun_api.cli.table import text_width

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ADDRESSES = ["10.6.7.7/24", "fd06:7:1234:5678:9abc:def0:1234:5678/64", "10.8.0.1/16"]


def on_a_terminal(
    service: RunningService, tmp_path: Path, width: int, *arguments: str, **env: str
) -> list[str]:
    """Run a command on a terminal of its own; return the lines that it wrote."""
    master, slave = open_terminal()
    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN, "COLUMNS": str(width)}
    try:
        done = subprocess.run(
            [*COMMAND, *arguments],
            env=environment(tmp_path, **{**variables, "TERM": "xterm", **env}),
            stdin=subprocess.DEVNULL,
            stdout=slave,
            stderr=subprocess.PIPE,
            timeout=60,
            check=True,
        )
        os.close(slave)
        slave = -1
        text = b""
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:  # Linux says so at the end
                break
            if not chunk:
                break
            text += chunk
    finally:
        os.close(master)
        if slave >= 0:
            os.close(slave)
    assert b"Traceback" not in done.stderr
    return text.decode().splitlines()


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("width", [200, 100, 80, 60, 40])
def test_no_guid_is_broken(service: RunningService, tmp_path: Path, width: int) -> None:
    """At every width each GUID is whole on one line, and no line is wider than the terminal."""
    adapter = service.adapter(name="OfficeNet", pool="WireGuard", addresses=ADDRESSES)
    service.session(adapter)
    for command in (("adapters", "list"), ("adapters", "show", "OfficeNet"), ("sessions", "list")):
        lines = on_a_terminal(service, tmp_path, width, *command)
        if command[0] == "adapters":
            assert any(adapter["guid"] in line for line in lines), lines
        assert all(text_width(line) <= max(width, 44) for line in lines), lines
        assert "\x1b" not in "".join(lines)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_presets_fit(service: RunningService, tmp_path: Path) -> None:
    """Only an address that is too long for a line is wider than 80 columns; nothing is left out."""
    lines = on_a_terminal(service, tmp_path, 80, "impair", "--presets")
    assert all(text_width(line) <= 80 or len(line.split()) == 1 for line in lines), lines
    shown = " ".join(" ".join(lines).split())
    for one in service.http.get("/v1/impairments/presets").json():
        assert f"{one['name']} {one['title']}" in shown
        assert one["source"] in shown


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_wide_names_keep_the_columns(service: RunningService, tmp_path: Path) -> None:
    """A name of wide characters takes two columns each, so that the next column is aligned."""
    for name in ("网络适配器", "Plain"):
        service.adapter(name=name, pool="P")
    lines = on_a_terminal(service, tmp_path, 160, "adapters", "list")
    places = {text_width(line[: GUID.search(line).start()]) for line in lines[1:]}  # type: ignore[union-attr]
    assert len(places) == 1


@pytest.mark.thorough
@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"LC_ALL": "C"}, {}])
def test_plain_terminals(service: RunningService, tmp_path: Path, env: dict[str, str]) -> None:
    """Colours are never needed: no escape is written with NO_COLOR, TERM=dumb or in a pipe."""
    service.adapter(name="Büro-网")
    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN, **env}
    for arguments in (("adapters", "list"), ("--help",), ("adapters", "show", "Nowhere")):
        done = subprocess.run(
            [*COMMAND, *arguments],
            env=environment(tmp_path, **variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert b"\x1b" not in done.stdout + done.stderr
        assert b"Traceback" not in done.stderr


def test_ids_only(service: RunningService) -> None:
    """-q writes one id per line: of lists, and of what was created or started."""
    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}

    def quiet(*arguments: str) -> list[str]:
        result = invoke(*arguments, "-q", **variables)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout.splitlines()

    created = quiet("adapters", "create", "OfficeNet") + quiet("adapters", "create", "HomeNet")
    assert quiet("adapters", "list") == [
        one["guid"] for one in service.http.get("/v1/adapters").json()
    ]
    assert sorted(quiet("adapters", "list")) == sorted(created)
    assert all(GUID.fullmatch(one) for one in created)
    assert quiet("adapters", "open", "OfficeNet") == created[:1]
    started = quiet("sessions", "start", created[0])
    assert quiet("sessions", "list") == started
    (secret,) = quiet("tokens", "create", "read")
    with service.client(secret) as http:
        assert http.get("/v1/adapters").status_code == 200
    assert quiet("tokens", "list") == [one["id"] for one in service.http.get("/v1/tokens").json()]


def test_ids_go_into_the_next_command(service: RunningService) -> None:
    """What -q writes is what delete, end and revoke take, several at once."""
    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}

    def ids(group: str) -> list[str]:
        return invoke(group, "list", "--quiet", **variables).stdout.split()

    for name in ("A", "B"):
        service.session(service.adapter(name=name))
        invoke("tokens", "create", "read", **variables)
    for group, command in (("sessions", "end"), ("adapters", "delete"), ("tokens", "revoke")):
        words = ids(group)
        assert len(words) == 2
        result = invoke(group, command, *words, **variables)
        assert result.exit_code == 0, result.output
        assert ids(group) == []


def test_empty_lists_are_empty(service: RunningService) -> None:
    """-q of an empty list writes nothing at all."""
    for group in ("adapters", "sessions", "tokens"):
        result = invoke(group, "list", "-q", WINTUN_API_URL=service.url, WINTUN_API_TOKEN=TOKEN)
        assert (result.exit_code, result.output) == (0, "")


def test_a_new_token_has_an_id(service: RunningService) -> None:
    """The token alone is on standard output; its id, by which it is revoked, beside it."""
    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    result = invoke("tokens", "create", "read", **variables)
    (issued,) = service.http.get("/v1/tokens").json()
    with service.client(result.stdout.strip()) as http:
        assert http.get("/v1/adapters").status_code == 200
    assert result.stderr == f"The id of this token is {issued['id']}.\n"
    assert invoke("tokens", "revoke", issued["id"], **variables).exit_code == 0


def test_short_names_of_commands(service: RunningService) -> None:
    """`ls` and `rm` do what fingers expect, and the help does not show them."""
    service.adapter(name="OfficeNet")
    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    assert "OfficeNet" in invoke("adapters", "ls", **variables).stdout
    assert invoke("adapters", "rm", "OfficeNet", **variables).exit_code == 0
    assert " ls " not in invoke("adapters", "--help").stdout
