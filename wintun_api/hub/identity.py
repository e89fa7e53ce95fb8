"""Derive the GUID of an adapter that is created without one: the same for the same name.

Windows ties the network profile, firewall rules and DNS state to the GUID, so every random GUID
leaves another "Network 2" behind. A GUID derived from the name alone would be the same on every
machine of a network, so a random salt of this installation is included.
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
    """Derive GUIDs from pool and name.

    Args:
        salt: The salt of this installation. Without one, a random salt is used and the GUIDs are
            stable only for the life of this object.
    """

    def __init__(self, salt: bytes | None = None) -> None:
        self._salt = salt or secrets.token_bytes(SALT_BYTES)

    def guid(self, pool: str, name: str) -> UUID:
        """Return the GUID for a name in a pool; upper and lower case are not distinguished.

        It is a UUID of version 8 (RFC 9562): the first 16 bytes of SHA-256 over salt, pool and
        name.
        """
        parts = (self._salt, pool.encode(), name.casefold().encode())
        # Lengths are included so that no two pairs of pool and name give the same bytes.
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
    """Read the salt from its file, which is created the first time.

    With another salt every adapter would get another GUID, so a broken file is never replaced.

    Args:
        path: The file; it contains hexadecimal digits.
        write: Writes a file that only its owner can read.
        read: Reads a file, up to a number of bytes, that only its owner can have written.

    Raises:
        UntrustedFile: The file is broken, or another user may have written it.
        OSError: The file cannot be read or created.
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
            f"The file {path}, from which GUIDs are derived, is broken ({error}).",
            hint="Restore the file from a backup. If there is none, delete it: adapters that are "
            "created without a GUID then get a different GUID than before.",
        ) from None


def _parse(content: bytes) -> bytes:
    try:
        salt = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        raise ValueError("it does not consist of hexadecimal digits") from None
    if len(salt) < MIN_SALT_BYTES:
        raise ValueError(f"it contains less than {MIN_SALT_BYTES} bytes")
    return salt
