"""README does what it says: its commands and programs are run, its tables are whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drivers.linux.kernel import needs_kernel
from tests.running import TOKEN, RunningService
from wintun_api.drivers.wintun.abi import PROTOTYPES

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


def block(name: str) -> str:
    """Return the code block marked with `<!-- test: name -->`."""
    match = re.search(rf"<!-- test: {name} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert match is not None
    return match[1]


def environment(service: RunningService) -> dict[str, str]:
    """The variables that the examples read."""
    return {**os.environ, "API": service.url, "TOKEN": TOKEN}


@pytest.mark.skipif(sys.platform == "win32", reason="the walk is for a POSIX shell")
def test_the_walkthrough(service: RunningService) -> None:
    """Every line of the walk with curl works when pasted."""
    script = re.sub(r"^(API|TOKEN)=.*\n", "", block("walkthrough"), flags=re.MULTILINE)
    done = subprocess.run(
        ["sh", "-eux", "-c", script],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(service),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"accepted":1' in done.stdout
    assert '"received":{"packets":1,' in done.stdout  # the host answered
    assert '"name":"HomeNet"' in done.stdout
    assert service.http.get("/v1/adapters").json() == []


@pytest.mark.kernel
@needs_kernel[1]
def test_the_client(kernel_service: RunningService, tmp_path: Path) -> None:
    """The program in README answers ping."""
    program = tmp_path / "client.py"
    program.write_text(block("client"))
    adapter = kernel_service.adapter(name="Readme", addresses=["10.6.7.7/24"])
    session = kernel_service.session(adapter)["id"]
    client = subprocess.Popen(
        [sys.executable, str(program), session], env=environment(kernel_service)
    )
    try:
        while not kernel_service.http.get(f"/v1/sessions/{session}").json()["subscribers"]:
            assert client.poll() is None
        ping = subprocess.run(
            ["ping", "-c", "5", "-i", "0.1", "-W", "2", "10.6.7.99"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert "5 received" in ping.stdout, ping
    finally:
        client.terminate()
        client.wait()


def test_the_client_is_short() -> None:
    """It is what a newcomer reads first."""
    assert len(block("client").splitlines()) <= 15


def test_the_client_for_node_is_the_one_that_is_run() -> None:
    """README shows the program that tests/clients runs, whole."""
    program = Path(__file__).parent / "clients" / "node" / "raw.mjs"
    assert block("client-node") == program.read_text("utf-8")


def test_links_lead_to_files() -> None:
    """Files that README links to are there."""
    for name in re.findall(r"\]\(([^):#]+)\)", README):
        assert (Path(__file__).parent.parent / name).exists(), name


def test_every_function_has_its_route() -> None:
    """The table of Wintun's functions leaves none out and invents none."""
    table = README.split("## Every function of Wintun")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"Wintun\w+", row)}
    assert named == {row.name for row in PROTOTYPES}


def test_every_route_of_the_tables_exists(service: RunningService) -> None:
    """Routes that README names are routes of the service."""
    paths = set(service.service.api.openapi()["paths"])
    named = set(re.findall(r"`(?:GET|POST|PATCH|DELETE|WS) (/[^`?]*)", README))
    for path in named:
        known = {re.sub(r"\{[^}]+\}", "{}", one) for one in paths}
        assert re.sub(r"\{[^}]+\}", "{}", path) in known, path


def commands() -> list[str]:
    """Every command line of ours in README."""
    found = re.findall(r"(?:^|`|\$\()wintun-api ([^`\n|)]+)", README, re.MULTILINE)
    return sorted(set(found))


@pytest.mark.parametrize("command", commands())
def test_every_command_exists(command: str) -> None:
    """Commands that README names are commands, and their options are options."""
    words = [word for word in command.split() if re.fullmatch(r"[a-z]+", word)]
    for count in (2, 1):  # a second word may be an argument
        done = subprocess.run(
            [sys.executable, "-m", "wintun_api", *words[:count], "--help"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={**os.environ, "COLUMNS": "200", "TERM": "dumb"},
        )
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stderr
    for option in re.findall(r"--[a-z-]+", command):
        assert option in done.stdout
