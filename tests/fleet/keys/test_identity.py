"""The key of a host: made, written as one line, read again, and never shown."""

from __future__ import annotations

import base64
import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import nkeys
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api.files import UntrustedFile
from wintun_api.fleet.keys.identity import (
    MAX_LINE,
    PREFIX,
    Identity,
    KeyLine,
    read_key,
    write_key,
)
from wintun_api.fleet.network import Network, is_host
from wintun_api.fleet.problems import KeyRefused

SEED = nkeys.encode_seed(bytes(range(32)), nkeys.PREFIX_BYTE_USER)  # the same in all workers
IDENTITY = Identity.from_seed(SEED)
LINE = KeyLine(Network("lab"), ("nats://127.0.0.1:4222",), IDENTITY)


def line_of(said: Any) -> str:
    """Return a line with this content."""
    return PREFIX + base64.urlsafe_b64encode(json.dumps(said).encode()).decode()


def changed(**changes: Any) -> str:
    """Return a good line but for these fields."""
    good = {
        "network": "lab",
        "servers": ["nats://127.0.0.1:4222"],
        "seed": IDENTITY.seed.decode(),
        "ca": None,
    }
    return line_of({**good, **changes})


def refusal(text: str) -> str:
    """Return why a line is refused."""
    with pytest.raises(KeyRefused) as caught:
        KeyLine.parse(text)
    assert caught.value.hint
    assert IDENTITY.seed.decode() not in str(caught.value)
    return caught.value.detail


def test_a_new_key_is_one_of_its_own() -> None:
    """Each key differs, and its public part names a host."""
    one, other = Identity.make(), Identity.make()
    assert one.seed != other.seed
    assert one.public_key.startswith("U")
    assert is_host(one.host)


def test_a_signature_holds_for_what_was_signed() -> None:
    """What a key signs is verified with its public part, and nothing else is."""
    verify = nkeys.from_seed(IDENTITY.seed).verify
    assert verify(b"nonce", IDENTITY.sign(b"nonce"))
    with pytest.raises(nkeys.ErrInvalidSignature):
        verify(b"other", IDENTITY.sign(b"nonce"))


def test_the_seed_is_not_shown() -> None:
    """The texts that Python makes of a key and of a line lack the seed."""
    seed = IDENTITY.seed.decode()
    for one in (IDENTITY, LINE):
        for text in (repr(one), str(one), f"{one}", f"{one!r}"):
            assert seed not in text
            assert IDENTITY.public_key in text


def test_a_line_is_read_as_it_was_written() -> None:
    """A line has everything, in one line of printable characters."""
    text = LINE.encode()
    assert text.startswith("wintun-api-key:")
    assert text.isprintable()
    assert KeyLine.parse(f"\ufeff  {text}\r\n") == LINE
    assert pickle.loads(pickle.dumps(LINE)) == LINE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not begin with wintun-api-key:"),
        (IDENTITY.public_key, "does not begin with wintun-api-key:"),
        (PREFIX, "Nothing comes after the colon"),
        (PREFIX + "a b", "has characters other than"),
        (PREFIX + "é", "has characters other than"),
        (LINE.encode()[:-9], "missing or was changed"),
        (PREFIX + "AAAA", "missing or was changed"),
        (line_of([]), "is not an object"),
        (PREFIX + base64.urlsafe_b64encode(b"[" * 20_000).decode(), "missing or was changed"),
        (PREFIX + "A" * MAX_LINE, "more than"),
        (line_of({}), "has no `network`"),
        (changed(network=1), "has no `network`"),
        (changed(network="Lab"), "'Lab' is not the name of a network"),
        (changed(servers="nats://127.0.0.1"), "has no list of `servers`"),
        (changed(servers=[]), "There are 0 servers"),
        (changed(servers=["nats://hub:4222"]), "without encryption"),
        (changed(seed=None), "has no `seed`"),
        (changed(seed="SUé"), "characters that no seed has"),
        (changed(seed="SUABC"), "seed is not the NKEY of a user"),
        (changed(seed=IDENTITY.public_key), "seed is not the NKEY of a user"),
        (changed(ca="-----BEGIN CERTIFICATE-----"), "not certificates in PEM"),
        (changed(ca=1), "not certificates in PEM"),
        (changed(ca="é"), "not certificates in PEM"),
        (changed(ca=""), "not certificates in PEM"),
    ],
    ids=lambda one: one[:32],
)
def test_a_line_that_is_wrong(text: str, reason: str) -> None:
    """Each fault has a sentence of its own."""
    assert reason in refusal(text)


def test_a_seed_with_one_character_changed() -> None:
    """The checksum of a seed tells a mistake."""
    seed = IDENTITY.seed.decode()
    for at in (5, 30, len(seed) - 3):
        other = "A" if seed[at] != "A" else "B"
        assert "seed is not" in refusal(changed(seed=seed[:at] + other + seed[at + 1 :]))


def test_the_seed_of_a_server_is_not_one_of_a_host() -> None:
    """NKEYs of other kinds are refused."""
    seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_ACCOUNT)
    assert "seed is not" in refusal(changed(seed=seed.decode()))


@given(
    st.one_of(
        st.text(),
        st.text().map(lambda text: PREFIX + text),
        st.binary().map(lambda content: PREFIX + base64.urlsafe_b64encode(content).decode()),
        st.recursive(st.none() | st.text(), st.lists).map(line_of),
    )
)
def test_any_text_is_refused_with_a_sentence(text: str) -> None:
    """No text causes another error than the one that says what is wrong."""
    with pytest.raises(KeyRefused):
        KeyLine.parse(text)


def test_servers_get_their_port() -> None:
    """A URL without a port means 4222; IPv6 addresses keep their brackets."""
    line = KeyLine.parse(changed(servers=["tls://hub", "tls://[2001:db8::1]:5", "nats://[::1]/"]))
    assert line.servers == ("tls://hub:4222", "tls://[2001:db8::1]:5", "nats://[::1]:4222")


def test_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    """A key is written to a new private file, and read from there; none is overwritten."""
    path = tmp_path / "key"
    write_key(path, LINE)
    assert read_key(path) == LINE
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_key(path, LINE)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_a_file_that_others_can_read(tmp_path: Path) -> None:
    """A key that others can read is refused, with the command that makes it private."""
    path = tmp_path / "key"
    write_key(path, LINE)
    path.chmod(0o640)
    with pytest.raises(KeyRefused, match="Other users can read") as caught:
        read_key(path)
    assert f"chmod 600 {path}" in str(caught.value.hint)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_a_file_that_others_can_write(tmp_path: Path) -> None:
    """A key that others could have written is refused."""
    path = tmp_path / "key"
    write_key(path, LINE)
    path.chmod(0o622)
    with pytest.raises(UntrustedFile):
        read_key(path)


def test_a_file_that_is_not_a_key(tmp_path: Path) -> None:
    """Files with other content are refused as lines are."""
    path = tmp_path / "key"
    path.write_bytes(b"\xff\xfe\xff")
    path.chmod(0o600)
    with pytest.raises(KeyRefused, match="not text") as caught:
        read_key(path)
    assert str(path) in caught.value.detail
    path.write_bytes(b"x" * (MAX_LINE + 1))
    with pytest.raises(UntrustedFile):
        read_key(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_a_file_of_others_is_left_as_it_is(tmp_path: Path) -> None:
    """What is not a key is said to be none: nobody should delete it or change its mode."""
    path = tmp_path / "passwd"
    path.write_text("root:x:0:0\n", "utf-8")
    path.chmod(0o644)
    with pytest.raises(KeyRefused, match="not the key line of a host") as caught:
        read_key(path)
    assert "chmod" not in str(caught.value.hint)
    for other in (tmp_path, Path("/dev/null")):
        with pytest.raises(UntrustedFile, match="not a regular file") as refused:
            read_key(other)
        assert "elete" not in str(refused.value.hint)


def test_a_file_with_a_damaged_key_is_named(tmp_path: Path) -> None:
    """It may be one that a command has made itself, which its user does not know."""
    path = tmp_path / "key"
    write_key(path, LINE)
    path.write_text(path.read_text("utf-8")[:50], "utf-8")
    with pytest.raises(KeyRefused) as caught:
        read_key(path)
    assert caught.value.detail.startswith(f"{path}: ")
