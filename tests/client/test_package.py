"""The package `wintun_api.client` as its users see it: light to import, and with an example."""

from __future__ import annotations

import re
import subprocess
import sys
from inspect import cleandoc, getdoc
from typing import Any

import pytest

import wintun_api.client
from tests.running import TOKEN, RunningService
from wintun_api.packet import build

# What a program does not pay for before it needs it.
HEAVY = (
    "anyio",
    "asyncio",
    "ctypes",
    "fastapi",
    "httpx",
    "pydantic",
    "pydantic_settings",
    "pyroute2",
    "ssl",
    "starlette",
    "typer",
    "uvicorn",
    "websockets",
    "wintun_api.api",
    "wintun_api.cli",
    "wintun_api.drivers",
    "wintun_api.hub",
    "wintun_api.schemas",
    "wintun_api.speedups",
)


def test_the_import_is_light() -> None:
    """Importing the client imports neither HTTP nor models, and nothing of the service."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys, wintun_api.client; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = set(done.stdout.split())
    assert "wintun_api.client.asynchronous" in loaded
    assert not loaded & set(HEAVY)


def public() -> dict[str, Any]:
    """What the package gives its users, by name."""
    return {name: getattr(wintun_api.client, name) for name in wintun_api.client.__all__}


def test_the_public_names_are_listed_once() -> None:
    """No name is listed twice, and each can be imported."""
    assert len(public()) == len(wintun_api.client.__all__)


@pytest.mark.parametrize("name", [name for name, one in public().items() if callable(one)])
def test_every_public_name_is_described(name: str) -> None:
    """Every class and function, and each of its public methods, has a docstring of its own."""
    found = public()[name]
    assert found.__doc__
    for member, one in vars(found).items() if isinstance(found, type) else ():
        if not member.startswith("_") and (callable(one) or isinstance(one, property)):
            assert getdoc(one), f"{name}.{member}"


def test_the_example_works(
    service: RunningService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program in the package's docstring does what it says, and leaves nothing."""
    monkeypatch.setenv("WINTUN_API_URL", service.url)
    monkeypatch.setenv("WINTUN_API_TOKEN", TOKEN)
    text = wintun_api.client.__doc__ or ""
    found = re.search(
        r"^    from wintun_api.client import .*?(?=^\S)", text, re.MULTILINE | re.DOTALL
    )
    assert found
    example = cleandoc(f"\n{found[0]}")
    packet = build.icmp_echo("10.9.0.2", "10.9.0.1", identifier=1, sequence=1)
    exec(compile(example, "example", "exec"), {"packet": packet})
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("['10.9.0.1/24']")
    assert said[1] == f"1 {len(packet)}"
    assert service.http.get("/v1/adapters").json() == []
