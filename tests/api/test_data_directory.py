"""Files on the disk: closed to other users, believed only when no other user could write them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.needs import leave_out
from wintun_api.api.data_directory import (
    DataDirectory,
    DataDirectoryInUse,
    read_private,
    read_secret,
    write_private,
)
from wintun_api.api.sign_in_memory import load_key, load_list
from wintun_api.api.tokens import TokenStore, load_admin_token
from wintun_api.files import UntrustedFile
from wintun_api.hub.identity import load_salt
from wintun_api.hub.pools import KnownPools

if sys.platform == "win32":
    leave_out("POSIX modes", module=True)
assert sys.platform != "win32"
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
OTHER = 65534
SECRET = "correct-horse-battery"


def quiet(sentence: str) -> None:
    """Take a warning that is not expected."""
    raise AssertionError(sentence)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def token_file(path: Path, mode: int = 0o600) -> Path:
    path.write_text(SECRET + "\n")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("umask", ["0", "0777", "027"])
def test_modes_whatever_the_umask(tmp_path: Path, umask: str) -> None:
    """Directory, parents and files are made for their owner alone, and can be used again."""
    code = (
        "import asyncio, os, sys; from pathlib import Path;"
        "from wintun_api.api.data_directory import DataDirectory, write_private;"
        "from wintun_api.api.tokens import *; from wintun_api.hub.pools import KnownPools;"
        "os.umask(int(sys.argv[1], 8)); data = Path(sys.argv[2]);"
        "directory = DataDirectory.open(data, 'here'); load_admin_token(data / 'token');"
        "asyncio.run(TokenStore('', data / 'tokens.json').issue([Scope.READ]));"
        "KnownPools(data / 'pools.json', (), write_private).add('P');"
        "assert load_admin_token(data / 'token'); TokenStore('', data / 'tokens.json')"
    )
    data = tmp_path / "a" / "b"
    subprocess.run([sys.executable, "-c", code, umask, data], check=True, timeout=30)
    assert mode_of(data) == mode_of(data.parent) == 0o700
    found = {path.name: mode_of(path) for path in data.iterdir()}
    assert found == dict.fromkeys(("lock", "token", "tokens.json", "pools.json"), 0o600)


def test_one_owner_at_a_time(tmp_path: Path) -> None:
    """A second service is told which one has the directory; after its end it is free."""
    first = DataDirectory.open(tmp_path / "data", "http://127.0.0.1:9886")
    with pytest.raises(DataDirectoryInUse) as refused:
        DataDirectory.open(tmp_path / "data", "http://127.0.0.1:1")
    assert f"http://127.0.0.1:9886 (pid {os.getpid()})" in str(refused.value)
    first.close()
    first.close()
    DataDirectory.open(tmp_path / "data", "http://127.0.0.1:1").close()


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b'{"pid": "x", "address": 1}', b"\xff" * 99])
def test_a_note_that_says_nothing(tmp_path: Path, note: bytes) -> None:
    """Whatever the lock file holds, the refusal is a sentence."""
    first = DataDirectory.open(tmp_path, "here")
    (tmp_path / "lock").write_bytes(note)
    with pytest.raises(DataDirectoryInUse, match="another service"):
        DataDirectory.open(tmp_path, "there")
    first.close()


def test_leftovers_are_removed(tmp_path: Path) -> None:
    """What a service left that was killed while it wrote is removed at the next start."""
    leftover = tmp_path / ".tokens.json.0badcafe.new"
    leftover.write_text("[")
    DataDirectory.open(tmp_path, "here").close()
    assert not leftover.exists()


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_directory(path: Path) -> None:
    path.mkdir()


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_link(path: Path) -> None:
    (path.parent / "target").write_text("[]")
    path.symlink_to(path.parent / "target")


KINDS = [make_fifo, make_directory, make_device, make_link]


@pytest.mark.parametrize("make", KINDS)
def test_other_kinds_of_files(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A FIFO, a directory, a device or a link is refused at once, not waited for."""
    path = tmp_path / "tokens.json"
    make(path)
    with pytest.raises(UntrustedFile):
        TokenStore("", path)
    for other in ("lock", "pools.json", "salt"):
        make_other = tmp_path / other
        path.rename(make_other)
        path = make_other
        if other == "lock":
            with pytest.raises(UntrustedFile):
                DataDirectory.open(tmp_path, "here")
        else:
            with pytest.raises(UntrustedFile):
                load_salt(path, write_private) if other == "salt" else KnownPools(path)


@pytest.mark.parametrize("make", [make_fifo, make_directory, make_device])
def test_other_kinds_of_token_files(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """So it is with the token file."""
    make(tmp_path / "token")
    with pytest.raises(UntrustedFile):
        load_admin_token(tmp_path / "token")


LOADS: dict[str, Callable[[Path], object]] = {
    "token": load_admin_token,
    "tokens.json": lambda path: TokenStore("", path),
    "pools.json": KnownPools,
    "salt": lambda path: load_salt(path, write_private),
    "sign-in-key": load_key,
    "sign-ins.json": load_list,
}


@root_only
@pytest.mark.parametrize("name", [*LOADS, "lock"])
def test_files_of_another_user(tmp_path: Path, name: str) -> None:
    """What another user owns is not believed, even if it is closed."""
    path = token_file(tmp_path / name)
    os.chown(path, OTHER, OTHER)
    with pytest.raises(UntrustedFile, match=f"another user .uid {OTHER}"):
        if name == "lock":
            DataDirectory.open(tmp_path, "here")
        else:
            LOADS[name](path)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
@pytest.mark.parametrize("name", LOADS)
def test_files_that_others_may_write(tmp_path: Path, name: str, mode: int) -> None:
    """What others may write is not believed; the hint says what to do."""
    path = token_file(tmp_path / name, mode)
    with pytest.raises(UntrustedFile, match="Other users may write") as refused:
        LOADS[name](path)
    assert "chmod" in refused.value.hint


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_directories_that_others_may_write(tmp_path: Path, mode: int) -> None:
    """A directory into which others may put files is refused; one like /tmp is not."""
    data = tmp_path / "data"
    data.mkdir()
    token_file(data / "token")
    data.chmod(mode)
    with pytest.raises(UntrustedFile, match="Other users may write"):
        DataDirectory.open(data, "here")
    with pytest.raises(UntrustedFile):
        load_admin_token(data / "token")
    data.chmod(mode | stat.S_ISVTX)
    assert load_admin_token(data / "token") == SECRET


@root_only
def test_a_directory_of_another_user(tmp_path: Path) -> None:
    """A directory of another user is refused, however closed it is."""
    os.chown(tmp_path, OTHER, OTHER)
    try:
        with pytest.raises(UntrustedFile):
            DataDirectory.open(tmp_path, "here")
    finally:
        os.chown(tmp_path, 0, 0)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o444])
def test_a_token_file_that_others_can_read(tmp_path: Path, mode: int) -> None:
    """Our own file that others can read is closed to them, with a warning."""
    path, said = token_file(tmp_path / "token", mode), list[str]()
    assert load_admin_token(path, said.append) == SECRET
    assert mode_of(path) == 0o600
    assert len(said) == 1
    assert f"other users could read the token file {path}" in said[0]
    assert load_admin_token(path, quiet) == SECRET


def test_a_link_to_a_public_file(tmp_path: Path) -> None:
    """A link to a file that everybody can read does not make it the secret."""
    public, path = tmp_path / "public", tmp_path / "data" / "token"
    path.parent.mkdir()
    token_file(public, 0o644)
    path.symlink_to(public)
    with pytest.raises(UntrustedFile, match="every user can read"):
        load_admin_token(path)
    assert mode_of(public) == 0o644
    public.chmod(0o600)
    assert load_admin_token(path, quiet) == SECRET


def test_a_hard_link_to_a_public_file(tmp_path: Path) -> None:
    """A second name of a public file does not make it the secret either."""
    public = token_file(tmp_path / "public", 0o644)
    (tmp_path / "token").hardlink_to(public)
    with pytest.raises(UntrustedFile, match="hard links"):
        load_admin_token(tmp_path / "token")
    assert mode_of(public) == 0o644


def test_secrets_of_kubernetes(tmp_path: Path) -> None:
    """A secret behind links of its own directory is read: token -> ..data/token."""
    version = tmp_path / "..2026"
    version.mkdir()
    token_file(version / "token", 0o400)
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "token").symlink_to("..data/token")
    assert load_admin_token(tmp_path / "token", quiet) == SECRET


@root_only
@pytest.mark.parametrize(("mode", "warnings"), [(0o444, 1), (0o440, 0)])
def test_secrets_of_containers(tmp_path: Path, mode: int, warnings: int) -> None:
    """A service that is not root reads root's file, with a warning if others can as well."""
    path = token_file(tmp_path / "token", mode)
    os.chown(path, 0, OTHER)
    code = (
        "import os, sys; from pathlib import Path;"
        "from wintun_api.api.tokens import load_admin_token; said = [];"
        f"os.setgroups([]); os.setgid({OTHER}); os.setuid({OTHER});"
        "print(load_admin_token(Path(sys.argv[1]), said.append), len(said))"
    )
    for one in (tmp_path, *tmp_path.parents):
        if one != Path("/tmp") and one.is_relative_to("/tmp"):
            one.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout == f"{SECRET} {warnings}\n", done.stderr


@root_only
def test_links_of_another_user(tmp_path: Path) -> None:
    """A link that another user can turn is not followed."""
    token_file(tmp_path / "real")
    (tmp_path / "token").symlink_to("real")
    os.chown(tmp_path / "token", OTHER, OTHER, follow_symlinks=False)
    with pytest.raises(UntrustedFile, match="link that belongs to another user"):
        load_admin_token(tmp_path / "token")


def test_links_in_a_circle(tmp_path: Path) -> None:
    """Links that lead nowhere, or round in circles, are a sentence."""
    (tmp_path / "token").symlink_to("other")
    with pytest.raises(UntrustedFile, match="does not exist"):
        load_admin_token(tmp_path / "token")
    (tmp_path / "other").symlink_to("token")
    with pytest.raises(UntrustedFile, match="more than"):
        load_admin_token(tmp_path / "token")


def test_the_length_is_bounded(tmp_path: Path) -> None:
    """A file of any size costs no more memory than its bound."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    path.chmod(0o600)
    with pytest.raises(UntrustedFile, match="larger than 4096 bytes"):
        read_private(path, 4096)
    with pytest.raises(UntrustedFile, match="larger than 4096 bytes"):
        read_secret(path, 4096, quiet)
    for load in LOADS.values():
        with pytest.raises(UntrustedFile, match="larger than"):
            load(path)
