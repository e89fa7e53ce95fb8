"""What people paste is taken without what came along with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from wintun_api.paste import text_of, trimmed, trimmed_values
from wintun_api.settings import Settings

AROUND = ["\n", "\r\n", " ", "\t", "\ufeff", "\u00a0", " \r\n\t", "\u200b", "\u2028"]


@pytest.mark.parametrize("around", AROUND)
def test_what_is_around_is_removed(around: str) -> None:
    """Line ends, white space and marks that are not seen are removed; what is inside stays."""
    assert trimmed(f"{around}a b{around}{around}") == "a b"


@pytest.mark.parametrize("text", ['"token"', "'token'", "{guid}", "a\u00a0b"])
def test_the_rest_stays(text: str) -> None:
    """Quotation marks and braces may be meant."""
    assert trimmed(text) == text


def test_values_are_trimmed_wherever_they_are() -> None:
    """Texts in lists and objects are trimmed, and nothing else changes."""
    given = {"name": " A1\n", "mtu": 1400, "dns": [" 10.6.7.1 "], "routes": [{"metric": 1}]}
    assert trimmed_values(given) == {**given, "name": "A1", "dns": ["10.6.7.1"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_may_have_a_byte_order_mark(encoding: str) -> None:
    """PowerShell and Notepad write UTF-16 and byte order marks."""
    assert text_of("token\r\n".encode(encoding)) == "token"


@pytest.mark.parametrize("source", ["variable", "file", "flag"])
def test_settings_are_trimmed(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers and names of the service's own settings too, wherever they come from."""
    flags: dict[str, str] = {}
    config = None
    if source == "variable":
        monkeypatch.setenv("WINTUN_API_PORT", " 9000\r\n")
        monkeypatch.setenv("WINTUN_API_DRIVER", " emulated\n")
    elif source == "flag":
        flags = {"port": " 9000 ", "driver": " emulated "}
    else:
        config = tmp_path / "config.toml"
        config.write_text('port = " 9000 "\ndriver = " emulated "\n', "utf-8")
    settings = Settings.load(config, **flags)
    assert (settings.port, settings.driver) == (9000, "emulated")
