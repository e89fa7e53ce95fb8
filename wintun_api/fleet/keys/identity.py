"""The key of a host (an NKEY), and the line that brings it to its host.

An operator makes the line with `wintun-api join keys` and copies it to the host:

    wintun-api-key:eyJuZXR3b3JrIjogImxhYiIsIC4uLn0

After the colon comes base64url of a JSON object: `network`, `servers`, `seed`, and `ca`, the
certificates in PEM that the servers' ones are checked with, or null for those of the system.

The seed is the secret of the host. It appears in the line and nowhere else: not in a text that
Python makes of an object, not in a message.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import ssl
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import nkeys

from wintun_api import files
from wintun_api.errors import InvalidArgument
from wintun_api.files import UntrustedFile
from wintun_api.fleet.network import Network, host_of
from wintun_api.fleet.problems import KeyRefused
from wintun_api.fleet.urls import check_servers
from wintun_api.paste import text_of, trimmed

PREFIX: Final = "wintun-api-key:"
MAX_LINE: Final = 32 << 10  # characters; certificates are most of it
SEED_BYTES: Final = 32

AGAIN: Final = "Make a new one with wintun-api join keys, and copy the whole line."

THE_FILE: Final = (
    "Give the file with the key that wintun-api join keys has made. Make a new key if another user "
    "may have changed this file."
)

_BASE64: Final = re.compile(r"[A-Za-z0-9_-]+={0,2}")


@dataclass(frozen=True, slots=True)
class Identity:
    """The key pair of a host.

    Attributes:
        seed: The secret, as an NKEY that begins with SU.
        public_key: What the server knows, as an NKEY that begins with U.
    """

    seed: bytes = field(repr=False)
    public_key: str

    @classmethod
    def make(cls) -> Self:
        """Make a new one."""
        seed = nkeys.encode_seed(os.urandom(SEED_BYTES), nkeys.PREFIX_BYTE_USER)
        return cls.from_seed(seed)

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Return the key pair of a seed.

        Raises:
            KeyRefused: It is not the seed of a user.
        """
        try:
            kind, raw = nkeys.decode_seed(seed)
            whole = kind == nkeys.PREFIX_BYTE_USER and nkeys.encode_seed(raw, kind) == seed
        except (nkeys.NkeysError, ValueError, TypeError):
            whole = False
        if not whole:
            raise KeyRefused(
                "The seed is not the NKEY of a user: such a seed begins with SU, and its last "
                "characters are a checksum of the others.",
                hint=AGAIN,
            )
        public_key: str = nkeys.from_seed(seed).public_key.decode()
        return cls(seed, public_key)

    @property
    def host(self) -> str:
        """The id of the host."""
        return host_of(self.public_key)

    def sign(self, nonce: bytes) -> bytes:
        """Return the signature of what a server has sent, 64 bytes."""
        signature: bytes = nkeys.from_seed(self.seed).sign(nonce)
        return signature


@dataclass(frozen=True, slots=True)
class KeyLine:
    """All that a host needs for one network.

    Attributes:
        network: The network.
        servers: The URLs of the servers: `tls://host:port`, or `nats://` on this machine.
        identity: The key of the host.
        ca: The certificates that the servers' are checked with, in PEM; None for the system's.
    """

    network: Network
    servers: tuple[str, ...]
    identity: Identity
    ca: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what a line says.

        Raises:
            KeyRefused: It is not such a line; the message says what is wrong.
        """
        said = _object_of(trimmed(text))
        try:
            network = Network(_text(said, "network"))
        except InvalidArgument as error:
            raise _wrong(str(error)) from None
        servers = said.get("servers")
        if not isinstance(servers, list) or not all(isinstance(one, str) for one in servers):
            raise _wrong("It has no list of `servers`.")
        ca = said.get("ca")
        if ca is not None:
            check_certificates(ca)
        seed = _text(said, "seed")
        if not seed.isascii():
            raise _wrong("Its seed has characters that no seed has.")
        try:
            checked = check_servers(servers)
        except InvalidArgument as error:
            raise _wrong(str(error).removeprefix(f"{error.field}: ")) from None
        return cls(network, checked, Identity.from_seed(seed.encode()), ca)

    def encode(self) -> str:
        """Return the line, without an end of line. It is a secret."""
        said = {
            "network": self.network.name,
            "servers": list(self.servers),
            "seed": self.identity.seed.decode(),
            "ca": self.ca,
        }
        return PREFIX + base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


def check_certificates(pem: object) -> ssl.SSLContext:
    """Return a context that believes these certificates and no others.

    Raises:
        KeyRefused: They are not certificates in PEM.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # What is not ASCII would be taken as DER.
        context.load_verify_locations(cadata=pem if isinstance(pem, str) else "")
    except (ssl.SSLError, ValueError, TypeError):
        raise _wrong("What it has for `ca` are not certificates in PEM.") from None
    return context


def read_key(path: Path) -> KeyLine:
    """Return the key line that a file has.

    A link is followed if others cannot change it, as containers get their secrets.

    Raises:
        KeyRefused: It has no such line, or other users can read it.
        UntrustedFile: Another user may have written it, or it is not a file.
        OSError: It cannot be read.
    """
    try:
        with files.opened(files.resolve(path)) as descriptor:
            status = os.fstat(descriptor)
            content = files.read_all(descriptor, path, MAX_LINE)
    except UntrustedFile as error:
        # It may be anything: --key was given another file.
        raise UntrustedFile(str(error), hint=THE_FILE) from None
    try:
        line = KeyLine.parse(text_of(content))
    except UnicodeDecodeError:
        raise _wrong(f"The file {path} is not text.") from None
    except KeyRefused as error:
        raise KeyRefused(f"{path}: {error.detail}", hint=error.hint) from None
    if sys.platform != "win32" and not path.is_symlink():
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o077 and status.st_uid == os.geteuid():
            raise KeyRefused(
                f"Other users can read the key in {path} (its mode is {mode:04o}).",
                hint=f"Make it private with chmod 600 {path}; make a new key if another user "
                "may have read it.",
            )
    return line


def write_key(path: Path, line: KeyLine) -> None:
    """Write a key line to a file that only its owner can read.

    Raises:
        FileExistsError: There is a file already; it may be the only copy of another key.
        OSError: It cannot be written.
    """
    if path.exists():
        raise FileExistsError(f"{path} is there already.")
    try:
        files.replace(path, (line.encode() + "\n").encode())
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk is told without it
        raise


def _object_of(text: str) -> dict[str, Any]:
    if len(text) > MAX_LINE:
        raise _wrong(f"It has more than {MAX_LINE} characters.")
    if not text.startswith(PREFIX):
        raise _wrong(f"It does not begin with {PREFIX}")
    encoded = text.removeprefix(PREFIX)
    if not _BASE64.fullmatch(encoded):
        raise _wrong(
            "After the colon it has characters other than A to Z, a to z, 0 to 9, - and _."
            if encoded
            else "Nothing comes after the colon."
        )
    encoded = encoded.rstrip("=")
    try:
        said = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        # What it has may be a part of the seed, so it is not shown, and no cause is kept.
        raise _wrong("A part of it is missing or was changed.") from None
    if not isinstance(said, dict):
        raise _wrong("It is not an object with `network`, `servers` and `seed`.")
    return said


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str):
        raise _wrong(f"It has no `{name}`.")
    return value


def _wrong(detail: str) -> KeyRefused:
    return KeyRefused(f"This is not the key line of a host. {detail}", hint=AGAIN)
