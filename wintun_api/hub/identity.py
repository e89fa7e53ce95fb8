"""The GUID of an adapter that was created without one: always the same for the same name.

Windows ties the network profile, firewall rules and DNS state to the GUID, so a random one leaves
another "Network 2" behind every time. A GUID made of the name alone would be the same on every
machine of a network; so a random salt of this installation goes into it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from wintun_api import files
from wintun_api.files import UntrustedFile

SALT_BYTES, MIN_SALT_BYTES = 32, 16
MAX_FILE = 1024


class StableGuids:
    """GUIDs by pool and name.

    Args:
        salt: Of this installation; random without one, so that GUIDs last as long as this object.
    """

    def __init__(self, salt: bytes | None = None) -> None:
        self._salt = salt or secrets.token_bytes(SALT_BYTES)

    def guid(self, pool: str, name: str) -> UUID:
        """Return the GUID of a name in a pool; the case of the name does not matter.

        A UUID of version 8 (RFC 9562): SHA-256 over the salt, pool and name, its first 16 bytes.
        """
        parts = (self._salt, pool.encode(), name.casefold().encode())
        # Lengths, so that no two pairs of pool and name give the same bytes.
        content = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        digest = bytearray(hashlib.sha256(content).digest()[:16])
        digest[6] = 0x80 | digest[6] & 0x0F  # version 8
        digest[8] = 0x80 | digest[8] & 0x3F  # variant of RFC 9562
        return UUID(bytes=bytes(digest))


def load_salt(
    path: Path,
    write: Callable[[Path, str], None],
    read: Callable[[Path, int], bytes] = files.read,
) -> bytes:
    """Read the salt from its file, which is made the first time.

    Another salt would give every adapter another GUID, so a broken file is never replaced.

    Args:
        path: The file; it holds hexadecimal digits.
        write: Writes a file for its owner alone.
        read: Reads a file of up to so many bytes that its owner alone can have written.

    Raises:
        UntrustedFile: The file is broken, or another user may have written it.
        OSError: The file cannot be read or made.
    """
    try:
        content = read(path, MAX_FILE)
    except FileNotFoundError:
        salt = secrets.token_bytes(SALT_BYTES)
        write(path, salt.hex() + "\n")
        return salt
    try:
        return _parse(content)
    except ValueError as error:
        raise UntrustedFile(
            f"The file {path}, of which GUIDs are made, is broken ({error}).",
            hint="Restore the file from a backup. If there is none, delete it: adapters that are "
            "created without a GUID get another one than before.",
        ) from None


def _parse(content: bytes) -> bytes:
    try:
        salt = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        raise ValueError("it does not hold hexadecimal digits") from None
    if len(salt) < MIN_SALT_BYTES:
        raise ValueError(f"it holds less than {MIN_SALT_BYTES} bytes")
    return salt
