"""Sign-ins outlive a restart of the service, and nothing else brings one back."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.api.raw import ask
from tests.api.signing_in import sign_in
from tests.running import TOKEN, RunningService, running
from wintun_api.api.sign_in_memory import KEY_FILE, LIST_FILE, SignInMemory, load_key
from wintun_api.api.sign_ins import KEY_HEADER, PER_TOKEN
from wintun_api.choices import Scope
from wintun_api.files import UntrustedFile

NAME = "wintun-api"


def works(service: RunningService, signed_in: tuple[str, str], path: str = "/v1/system") -> bool:
    """Return whether a browser of an earlier run is signed in: its cookie has another port."""
    value = signed_in[0].partition("=")[2]
    headers = [
        f"Origin: {service.url}",
        f"Cookie: {NAME}-{service.port}={value}",
        f"{KEY_HEADER}: {signed_in[1]}",
    ]
    return ask(service, f"GET {path}", headers, token=None)[0] == 200


def sign_out(service: RunningService, signed_in: tuple[str, str]) -> None:
    """Sign a browser out."""
    headers = {"Origin": service.url, "Cookie": signed_in[0], KEY_HEADER: signed_in[1]}
    answer = httpx.post(f"{service.url}/v1/sign-out", headers=headers)
    assert answer.status_code == 204, answer.text


@contextmanager
def later(tmp_path: Path) -> Iterator[RunningService]:
    """Run the service again with the same data directory."""
    with running(tmp_path) as service:
        yield service


def test_a_restart_signs_no_browser_out(tmp_path: Path) -> None:
    """Cookie and key of a browser work in the next run, of the admin and of an issued token."""
    with running(tmp_path) as service:
        issued = service.token(Scope.READ)
        browsers = [sign_in(service), sign_in(service), sign_in(service, issued)]
    with later(tmp_path) as service:
        assert all(works(service, one) for one in browsers)
        assert all(works(service, one, "/") for one in browsers)
        mixed = (browsers[0][0], browsers[1][1])
        assert not works(service, mixed)
    with later(tmp_path) as service:
        assert all(works(service, one) for one in browsers)


def test_a_sign_out_lasts(tmp_path: Path) -> None:
    """A browser that signed out is not signed in again by a restart; others stay."""
    with running(tmp_path) as service:
        out, stays = sign_in(service), sign_in(service)
        sign_out(service, out)
    with later(tmp_path) as service:
        assert not works(service, out)
        assert not works(service, out, "/")
        assert works(service, stays)


def test_a_revoked_token_ends_them_for_good(tmp_path: Path) -> None:
    """Its sign-ins do not come back with the next run."""
    with running(tmp_path) as service:
        issued = service.http.post("/v1/tokens", json={"scopes": ["read"]}).json()
        browser = sign_in(service, issued["token"])
        service.http.delete(f"/v1/tokens/{issued['id']}")
    with later(tmp_path) as service:
        assert not works(service, browser)


def test_a_token_revoked_between_runs(tmp_path: Path) -> None:
    """Where the list of tokens has lost it, its sign-ins have ended too."""
    with running(tmp_path) as service:
        browser = sign_in(service, service.token(Scope.READ))
    (tmp_path / "data" / "tokens.json").unlink()
    with later(tmp_path) as service:
        assert not works(service, browser)


@pytest.mark.parametrize("name", [KEY_FILE, LIST_FILE])
def test_without_a_file_everybody_signs_in_again(tmp_path: Path, name: str) -> None:
    """Neither file alone brings a sign-in back."""
    with running(tmp_path) as service:
        browser = sign_in(service)
    (tmp_path / "data" / name).unlink()
    with later(tmp_path) as service:
        assert not works(service, browser)
        again = sign_in(service)
        assert works(service, again)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"admin": 7}', '{"admin": {"token": 7, "ids": [3, "x"]}}', "null"]
)
def test_a_broken_list_signs_out(tmp_path: Path, content: str) -> None:
    """It does not keep the service from starting."""
    with running(tmp_path) as service:
        browser = sign_in(service)
    (tmp_path / "data" / LIST_FILE).write_text(content)
    with later(tmp_path) as service:
        assert not works(service, browser)


def test_a_broken_key_is_told(tmp_path: Path) -> None:
    """The service does not start with half a key."""
    (tmp_path / KEY_FILE).write_text("00ff")
    (tmp_path / KEY_FILE).chmod(0o600)
    with pytest.raises(UntrustedFile, match="is broken"):
        load_key(tmp_path / KEY_FILE)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_the_files_are_private(tmp_path: Path) -> None:
    """Only the service's user can read them, and they contain no secret of a browser."""
    with running(tmp_path) as service:
        cookie, key = sign_in(service)
    for name in (KEY_FILE, LIST_FILE):
        path = tmp_path / "data" / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        text = path.read_text()
        for secret in (cookie.partition("=")[2], key, TOKEN):
            assert secret not in text


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_a_key_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    """It is not believed to be secret any more."""
    before = load_key(tmp_path / KEY_FILE)
    (tmp_path / KEY_FILE).chmod(0o644)
    after = load_key(tmp_path / KEY_FILE)
    assert after != before
    assert load_key(tmp_path / KEY_FILE) == after
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_another_admin_token_ends_its_sign_ins() -> None:
    """The id "admin" stays the same; what is derived from it does not."""
    memory = SignInMemory()
    one, other = (memory.derive("cookie", digest, "0" * 16) for digest in ("a" * 64, "b" * 64))
    assert one != other
    assert len({one, memory.derive("key", "a" * 64, "0" * 16)}) == 2


def test_the_sign_ins_of_another_token_of_the_id(tmp_path: Path) -> None:
    """What was kept for a token is not given to another one of its id."""

    async def keep() -> None:
        memory = SignInMemory(tmp_path)
        memory.keep({"t": ("a" * 64, ["0" * 16])})
        await memory.written()

    asyncio.run(keep())
    rows = json.loads((tmp_path / LIST_FILE).read_text())
    rows["t"]["ids"] += ["not an id", 7]
    (tmp_path / LIST_FILE).write_text(json.dumps(rows))
    again = SignInMemory(tmp_path)
    assert again.kept("t", "a" * 64) == ["0" * 16]
    assert again.kept("t", "b" * 64) == []
    assert again.kept("other", "a" * 64) == []


def test_the_bound_holds_over_restarts(tmp_path: Path) -> None:
    """The least recently made one goes, in whatever run it was made."""
    with running(tmp_path) as service:
        first = sign_in(service)
        rest = [sign_in(service) for _ in range(PER_TOKEN - 1)]
    with later(tmp_path) as service:
        newest = sign_in(service)
        assert not works(service, first)
        assert works(service, newest)
        assert works(service, rest[-1])
    with later(tmp_path) as service:
        assert not works(service, first)
