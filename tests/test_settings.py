"""Settings: precedence, forms and what is said about wrong ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wintun_api.choices import Native
from wintun_api.errors import InvalidSettings
from wintun_api.settings import Settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("WINTUN_API_"):
            monkeypatch.delenv(name)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "wintun-api.toml"


def refusal(config: Path | None = None, **flags: object) -> tuple[str, ...]:
    with pytest.raises(InvalidSettings) as caught:
        Settings.load(config, **flags)
    return caught.value.problems


def test_precedence(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag beats a variable, a variable the file, the file the default."""
    config.write_text('port = 1\nhost = "::1"\nlog_level = "error"\n')
    monkeypatch.setenv("WINTUN_API_PORT", "2")
    monkeypatch.setenv("WINTUN_API_HOST", "localhost")
    settings = Settings.load(config, port=3)
    assert (settings.port, settings.host, settings.log_level) == (3, "localhost", "error")
    assert settings.event_history == 1000


def test_flags_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag that is None overrides nothing; one that is 0 or False does."""
    monkeypatch.setenv("WINTUN_API_PORT", "2")
    monkeypatch.setenv("WINTUN_API_ALLOW_INSECURE_BIND", "true")
    assert Settings.load(port=None).port == 2
    assert Settings.load(port=0).port == 0
    assert Settings.load(allow_insecure_bind=False).allow_insecure_bind is False


def test_names_in_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable holds several names, separated by commas."""
    monkeypatch.setenv("WINTUN_API_POOLS", "WireGuard, My Pool,")
    monkeypatch.setenv("WINTUN_API_ALLOWED_HOSTS", "box.lan")
    settings = Settings.load()
    assert settings.pools == ("WireGuard", "My Pool")
    assert settings.allowed_hosts == ("box.lan",)


def test_names_in_a_file(config: Path) -> None:
    """The file holds several names as an array."""
    config.write_text('pools = ["WireGuard", "A, B"]\n')
    assert Settings.load(config).pools == ("WireGuard", "A, B")


def test_client_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the client commands are no settings, and no errors."""
    monkeypatch.setenv("WINTUN_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("WINTUN_API_TOKEN", "secret")
    monkeypatch.setenv("WINTUN_API_CONFIG", "somewhere")
    assert Settings.load().port == 9886


def test_token_path(tmp_path: Path) -> None:
    """The token is in the data directory unless a file is named."""
    assert Settings.load(data_dir=tmp_path).token_path == tmp_path / "token"
    named = tmp_path / "elsewhere"
    assert Settings.load(data_dir=tmp_path, token_file=named).token_path == named


def test_wrong_flag() -> None:
    """A wrong flag is named as it was typed."""
    (problem,) = refusal(port=99999)
    assert problem.startswith("--port: ")
    assert "65535" in problem


def test_wrong_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong variable is named."""
    monkeypatch.setenv("WINTUN_API_PORT", "many")
    (problem,) = refusal()
    assert problem.startswith("WINTUN_API_PORT: ")


def test_wrong_key(config: Path) -> None:
    """A wrong key is named with its file, and so is one that does not exist."""
    config.write_text('driver = "tap"\nprot = 1\n')
    problems = refusal(config)
    assert any(p.startswith(f"driver in {config}: ") for p in problems)
    assert any(p.startswith("There is no setting prot") for p in problems)


def test_every_problem_at_once(config: Path) -> None:
    """Every wrong value is told at once."""
    config.write_text("traffic = -1\n")
    assert len(refusal(config, port=-1, management_timeout=0)) == 3


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe"])
def test_broken_file(config: Path, content: bytes) -> None:
    """A file that is not TOML is refused by its name."""
    config.write_bytes(content)
    (problem,) = refusal(config)
    assert str(config) in problem


def test_missing_file(config: Path) -> None:
    """A file that was named must exist."""
    (problem,) = refusal(config)
    assert problem == f"The configuration file {config} does not exist."


def test_relative_dll() -> None:
    """A relative path of wintun.dll is refused; a Windows path passes on any system."""
    assert refusal(wintun_dll="wintun.dll") == ("--wintun-dll: must be an absolute path.",)
    assert Settings.load(wintun_dll=r"C:\wintun\wintun.dll").wintun_dll is not None


def test_native() -> None:
    """The extension is used where it is there, unless it is switched off."""
    assert Settings.load().native is Native.AUTO
    assert Settings.load(native="off").native is Native.OFF
    assert refusal(native="on") == ("--native: Input should be 'auto' or 'off'.",)


def test_key_without_certificate(tmp_path: Path) -> None:
    """A TLS key without its certificate is refused: it would not turn TLS on."""
    assert refusal(tls_key=tmp_path / "key.pem") == ("tls_key needs tls_certificate.",)


@pytest.mark.parametrize(
    "name",
    [
        *("socket_bytes", "event_history", "queue_packets", "queue_bytes", "max_message"),
        *("burst_bytes", "message_bytes", "max_connections"),
        *("management_timeout", "request_timeout", "idle_timeout"),
    ],
)
def test_numbers_beyond_reason(name: str) -> None:
    """A number that the system or the event loop cannot take is refused by its name."""
    (problem,) = refusal(None, **{name: 99_999_999_999})
    assert problem.startswith(f"--{name.replace('_', '-')}: ")


@pytest.mark.parametrize("value", ["inf", "nan", "-inf"])
def test_no_number_of_seconds(value: str) -> None:
    """What is not a number of seconds is refused."""
    assert len(refusal(management_timeout=value)) == 1


def test_problems_hold_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said about a wrong value does not repeat it."""
    monkeypatch.setenv("WINTUN_API_PORT", "hunter2")
    assert "hunter2" not in str(refusal())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_a_user_without_a_home() -> None:
    """Where no place for data is known, as in a container that runs as a number, that is said."""
    program = """
import os
from wintun_api.errors import InvalidSettings
from wintun_api.settings import Settings
import wintun_api.configuration  # while this user may read it
os.setgroups([])
os.setuid(54321)
os.environ.pop("HOME", None)
print(Settings.load(data_dir=".").data_dir)
try:
    Settings.load()
except InvalidSettings as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    place, said = done.stdout.splitlines()
    assert place == "."
    assert "has no home directory" in said
    assert "WINTUN_API_DATA_DIR" in said


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("[::1]", "::1"),
        ("[fd00::1]", "fd00::1"),
        ("[::]", "::"),
        ("::1", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("wintun.example.com", "wintun.example.com"),
    ],
)
def test_host(config: Path, monkeypatch: pytest.MonkeyPatch, given: str, host: str) -> None:
    """The host is an address or a name; an IPv6 address may have the brackets of a URL."""
    assert Settings.load(host=given).host == host
    config.write_text(f'host = "{given}"\n')
    assert Settings.load(config).host == host
    monkeypatch.setenv("WINTUN_API_HOST", given)
    assert Settings.load().host == host


@pytest.mark.parametrize("given", ["[::1", "::1]", "[::1]:80", "[localhost]", "[127.0.0.1]", "[]"])
def test_brackets_in_wrong_places(given: str) -> None:
    """Brackets around anything else are a sentence that says where they may be."""
    (sentence,) = refusal(host=given)
    assert "only an IPv6 address may have brackets, such as [::1]" in sentence
