"""Issued tokens on the disk: durable before they are answered, or refused."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.disk import fill, mounts
from tests.running import TOKEN, RunningService, running
from wintun_api.api import problems
from wintun_api.api import tokens as room
from wintun_api.api.tokens import MAX_TOKENS, TokenStore, load_admin_token
from wintun_api.choices import Scope
from wintun_api.errors import StorageFailed, TooManyTokens
from wintun_api.files import UntrustedFile
from wintun_api.hub.tasks import TaskSet

GOOD: dict[str, Any] = {
    "id": "9f86d081",
    "label": "grafana",
    "scopes": ["read"],
    "digest": "0" * 64,
    "created": 1.0,
    "expires": None,
}


def works(service: RunningService, secret: str) -> bool:
    with service.client(secret) as http:
        return http.get("/v1/system").status_code == 200


def stored(path: Path) -> list[str]:
    return [row["id"] for row in json.loads(path.read_text())]


@mounts
def test_a_full_disk_refuses_a_revocation(small_disk: Path) -> None:
    """A token that cannot be revoked durably keeps working, now and after a restart."""
    data = small_disk / "data"
    with running(data, data_dir=data) as service:
        made = service.http.post("/v1/tokens", json={"scopes": ["read"]}).json()
        filler = fill(small_disk)
        for _ in range(2):
            answer = service.http.delete(f"/v1/tokens/{made['id']}")
            assert answer.status_code == 503
            assert answer.json()["type"] == "urn:wintun-api:problem:storage-failed"
            assert "No space left on device" in answer.json()["detail"]
            assert works(service, made["token"])
        assert stored(data / "tokens.json") == [made["id"]]
        assert sorted(path.name for path in data.iterdir()) == ["sign-in-key", "tokens.json"]
        filler.unlink()
        assert service.http.delete(f"/v1/tokens/{made['id']}").status_code == 204
        assert not works(service, made["token"])
    with running(data, data_dir=data) as service:
        assert not works(service, made["token"])


@mounts
def test_a_full_disk_refuses_a_new_token(small_disk: Path) -> None:
    """A token that cannot be kept is neither listed nor answered."""
    data = small_disk / "data"
    with running(data, data_dir=data) as service:
        first = service.http.post("/v1/tokens", json={"scopes": ["read"]}).json()
        filler = fill(small_disk)
        answer = service.http.post("/v1/tokens", json={"scopes": ["admin"]})
        assert answer.status_code == 503
        assert [row["id"] for row in service.http.get("/v1/tokens").json()] == [first["id"]]
        filler.unlink()
        second = service.http.post("/v1/tokens", json={"scopes": ["read"]}).json()
        assert stored(data / "tokens.json") == [first["id"], second["id"]]


@mounts
def test_a_disk_that_became_read_only(small_disk: Path) -> None:
    """A disk that takes no writes refuses both changes, and they work once it takes them again."""
    data = small_disk / "data"
    with running(data, data_dir=data) as service:
        made = service.http.post("/v1/tokens", json={"scopes": ["read"]}).json()
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
        assert service.http.post("/v1/tokens", json={"scopes": ["read"]}).status_code == 503
        assert service.http.delete(f"/v1/tokens/{made['id']}").status_code == 503
        assert works(service, made["token"])
        subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
        assert service.http.delete(f"/v1/tokens/{made['id']}").status_code == 204


def test_changes_at_once(service: RunningService) -> None:
    """Of changes that come together none is lost, in memory or in the file."""

    async def run() -> None:
        path = service.settings.data_dir / "many.json"
        store = TokenStore(TOKEN, path)
        made = await asyncio.gather(*(store.issue([Scope.READ]) for _ in range(20)))
        ids = [token.id for _, token in made]
        gone = await asyncio.gather(*(store.revoke(name) for name in [*ids[:10], *ids[:10]]))
        assert gone.count(True) == 10
        assert sorted(stored(path)) == sorted(ids[10:])
        assert sorted(token.id for token in store.issued()) == sorted(ids[10:])

    asyncio.run(run())


def test_a_change_whose_request_goes(tmp_path: Path) -> None:
    """A change is made to its end when its request is cancelled: memory and file stay equal."""

    async def run() -> None:
        path = tmp_path / "tokens.json"
        store = TokenStore(TOKEN, path)
        _, kept = await store.issue([Scope.READ])
        tasks = TaskSet()
        changes: list[asyncio.Task[Any]] = [
            tasks.spawn(store.issue([Scope.READ]), name="issue"),
            tasks.spawn(store.revoke(kept.id), name="revoke"),
        ]
        await asyncio.sleep(0)
        for change in changes:
            change.cancel()
        await asyncio.gather(*changes, return_exceptions=True)
        await store.issue([Scope.READ])
        assert kept.id not in stored(path)
        assert stored(path) == [token.id for token in store.issued()]
        assert len(stored(path)) == 2

    asyncio.run(run())


def test_without_a_directory(tmp_path: Path) -> None:
    """A data directory that has become a file is a refusal with a hint."""
    folder = tmp_path / "folder"
    folder.mkdir()

    async def run() -> None:
        store = TokenStore(TOKEN, folder / "tokens.json")
        folder.rmdir()
        folder.write_text("")
        with pytest.raises(StorageFailed) as failed:
            await store.issue([Scope.READ])
        assert problems.hint_of(failed.value)
        assert store.issued() == []

    asyncio.run(run())


def test_the_most_tokens_can_be_read_again(tmp_path: Path) -> None:
    """A file of as many tokens as there may be, with the longest labels, is read at a restart."""
    path = tmp_path / "tokens.json"
    rows = [
        {**GOOD, "id": f"{number:08x}", "digest": f"{number:064x}", "label": "\U0001f600" * 100}
        for number in range(MAX_TOKENS - 1)
    ]
    path.write_text(json.dumps(rows, ensure_ascii=False))

    async def run() -> None:
        store = TokenStore(TOKEN, path)
        _, token = await store.issue(list(Scope), "\x01" * 100, 1e9)
        with pytest.raises(TooManyTokens, match="1024"):
            await store.issue([Scope.READ])
        assert TokenStore(TOKEN, path).issued()[-1] == token

    asyncio.run(run())
    assert path.stat().st_size < room.MAX_FILE


WRONG: list[dict[str, object]] = [
    {"id": 7},
    {"id": ""},
    {"id": "admin"},
    {"id": "a/b"},
    {"label": None},
    {"scopes": []},
    {"scopes": ["root"]},
    {"scopes": "admin"},
    {"digest": "0" * 63},
    {"digest": "0" * 64 + "\n"},
    {"digest": "\u0665" * 64},
    {"digest": "G" * 64},
    {"digest": None},
    {"created": "1"},
    {"created": True},
    {"created": float("nan")},
    {"expires": float("nan")},
    {"expires": float("inf")},
    {"expires": 1e300},
    {"expires": -1},
    {"more": 1},
]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[",
        "7",
        "null",
        "{}",
        "[1, 2]",
        "[[]]",
        "[" * 100_000,
        '"text"',
        "\ufeff[]",
        json.dumps([{key: value for key, value in GOOD.items() if key != "digest"}]),
        json.dumps([GOOD, {**GOOD, "digest": "1" * 64}]),
        *(json.dumps([{**GOOD, **wrong}]) for wrong in WRONG),
    ],
)
def test_a_broken_file_of_tokens(tmp_path: Path, content: str) -> None:
    """A file that does not hold tokens is refused with a sentence, and left as it is."""
    path = tmp_path / "tokens.json"
    path.write_text(content, "utf-8")
    with pytest.raises(UntrustedFile) as refused:
        TokenStore(TOKEN, path)
    assert str(path) in str(refused.value)
    assert refused.value.hint
    assert path.read_text("utf-8") == content


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"[]" + bytes(10), b"[" + b" " * (1 << 20) + b"]"]
)
def test_files_that_are_not_tokens(tmp_path: Path, content: bytes) -> None:
    """What is not text, or too much of it, is refused too."""
    path = tmp_path / "tokens.json"
    path.write_bytes(content)
    with pytest.raises(UntrustedFile):
        TokenStore(TOKEN, path)


@pytest.mark.parametrize("around", ["{}", "{}\n", "{}\r\n", " {} \n\n", "\t{}"])
def test_what_surrounds_a_token_is_cut_off(tmp_path: Path, around: str) -> None:
    """Editors and shells add newlines, which are not part of the token."""
    path = tmp_path / "token"
    path.write_bytes(around.format("correct-horse-battery").encode())
    path.chmod(0o600)
    assert load_admin_token(path) == "correct-horse-battery"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n \n",
        b"x",
        b"short-token",
        b"two words of a token",
        b"two-lines-of\na-token-file",
        b"\xff\xfe" * 10,
        "t\u00f6ken-with-umlauts".encode(),
        b"a-token-with\0nul-in-it",
        b"x" * 5000,
    ],
)
def test_what_is_not_a_token(tmp_path: Path, content: bytes) -> None:
    """An admin token that can be guessed or sent by no client is refused with a sentence."""
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UntrustedFile) as refused:
        load_admin_token(path)
    assert str(path) in str(refused.value)
    assert refused.value.hint
