"""What a word means: a whole id, a whole name, or the beginning of an id that is long enough."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from wintun_api.cli.lookup import capture_id, session_of, token_id
from wintun_api.cli.output import write_errors_as_json

CAPTURES = [
    {"id": "3ab45678", "name": "office", "state": "running"},
    {"id": "3ab49999", "name": "Café", "state": "stopped"},
    {"id": "beef0000", "name": "3ab4", "state": "stopped"},
    {"id": "beef1111", "name": "beef0000", "state": "stopped"},
    {"id": "feed0000", "name": "feed", "state": "running"},
    {"id": "feed1111", "name": "feed", "state": "stopped"},
]
TOKENS = [{"id": "12345678", "label": "grafana"}, {"id": "12349999", "label": ""}]
GUID = "deadbabe-cafe-beef-0123-456789abcdef"
OTHER = "00000000-cafe-beef-0123-456789abcdef"


@pytest.fixture(autouse=True)
def sentences() -> None:
    """Errors are sentences, whatever the command before was given."""
    write_errors_as_json(False)


def session(name: str, of: str, adapter: str, state: str = "running") -> dict[str, Any]:
    """A session as the service lists it."""
    ended = None if state == "running" else "2026-11-29T12:00:00Z"
    return {"id": name, "name": of, "adapter": adapter, "state": state, "ended_at": ended}


def refused(capsys: pytest.CaptureFixture[str], error: pytest.ExceptionInfo[typer.Exit]) -> str:
    """The exit code and what is said."""
    return f"{int(error.value.exit_code)} {capsys.readouterr().err}"


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("3ab45678", "3ab45678"),
        ("3ab45", "3ab45678"),
        ("3AB45", "3ab45678"),
        ("3ab4", "beef0000"),  # a name comes before the beginning of an id
        ("beef0000", "beef0000"),  # an id comes before a name
        ("beef1", "beef1111"),
        ("office", "3ab45678"),
        ("OFFICE", "3ab45678"),
        ("CAFÉ", "3ab49999"),
    ],
)
def test_a_capture(word: str, found: str) -> None:
    """A whole id comes first, then a name, then four characters of an id."""
    assert capture_id(CAPTURES, word) == found


@pytest.mark.parametrize("word", ["3", "3a", "3ab"])
def test_too_short(capsys: pytest.CaptureFixture[str], word: str) -> None:
    """Fewer characters of an id mean nothing, even if only one begins so, and those are named."""
    with pytest.raises(typer.Exit) as error:
        capture_id(CAPTURES[:1], word)
    said = refused(capsys, error)
    assert said.startswith(f"5 {word!r} is too short")
    assert "3ab45678 (office, running)" in said


@pytest.mark.parametrize("word", ["offic", "ab45", "", " ", "x"])
def test_nothing_is_meant(capsys: pytest.CaptureFixture[str], word: str) -> None:
    """Part of a name, the middle of an id and nothing at all mean no capture."""
    with pytest.raises(typer.Exit) as error:
        capture_id(CAPTURES, word)
    assert refused(capsys, error).startswith(f"5 No capture has the id or the name {word!r}.")


@pytest.mark.parametrize("word", ["feed", "FEED"])
def test_several(capsys: pytest.CaptureFixture[str], word: str) -> None:
    """What stands for several is refused with all of them, unless one has the state that counts."""
    with pytest.raises(typer.Exit) as error:
        capture_id(CAPTURES, word)
    said = refused(capsys, error)
    assert said.startswith("6 ")
    assert all(one in said for one in ("feed0000", "feed1111"))
    assert capture_id(CAPTURES, word, {"running"}) == "feed0000"


def test_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    """A token has a label or none; the beginning of two ids is refused."""
    assert token_id(TOKENS, "grafana") == token_id(TOKENS, "12345") == "12345678"
    with pytest.raises(typer.Exit) as error:
        token_id(TOKENS, "1234")
    assert "12345678 (grafana), 12349999 (without a label)" in refused(capsys, error)


def test_sessions() -> None:
    """A session is found by the present name of its adapter, its GUID or its id."""
    sessions = [session("aaaa0000", "Old", GUID), session("bbbb0000", "Home", OTHER)]
    adapters = [{"guid": GUID, "name": "New"}, {"guid": OTHER, "name": "Old"}]
    for word, found in (
        ("New", "aaaa0000"),
        ("old", "bbbb0000"),
        (GUID.upper(), "aaaa0000"),
        ("bbbb", "bbbb0000"),
    ):
        assert session_of(sessions, adapters, word)["id"] == found


def test_the_session_of_an_adapter_that_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    """It is found by the name that its adapter had; of several that ended, the ids are told."""
    ended = [session(f"aaaa{at}000", "Kern", GUID, "ended") for at in range(2)]
    assert session_of(ended[:1], [], "Kern")["id"] == "aaaa0000"
    running = session("bbbb0000", "Kern", OTHER)
    assert (
        session_of([*ended, running], [{"guid": OTHER, "name": "Kern"}], "Kern")["id"] == "bbbb0000"
    )
    with pytest.raises(typer.Exit) as error:
        session_of(ended, [], "Kern")
    said = refused(capsys, error)
    assert said.startswith("6 'Kern' stands for several sessions.")
    assert "aaaa1000 (Kern, ended at 2026-11-29T12:00:00Z)" in said
