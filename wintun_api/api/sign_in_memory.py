"""Remember which browsers are signed in, so that they stay signed in over a restart.

Two files in the data directory, which only the service's user can read and write:

    sign-in-key      the key from which cookies and keys of browsers are derived
    sign-ins.json    the ids of the sign-ins of each token; no secret

Neither of them contains a cookie or a key of a browser. Those are derived from the key, the token
and the id of the sign-in, so another admin token, or the loss of either file, ends them all.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import re
import secrets
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from wintun_api import files
from wintun_api.api.data_directory import is_private, read_private, write_private
from wintun_api.errors import OutOfThreads
from wintun_api.files import UntrustedFile
from wintun_api.hub.aside import aside

logger = logging.getLogger(__name__)

KEY_FILE, LIST_FILE = "sign-in-key", "sign-ins.json"
KEY_BYTES = 32
MAX_KEY_FILE = 1024
MAX_LIST_FILE = 1 << 20  # room for 32 sign-ins of each of 1024 tokens
_ID = re.compile("[0-9a-f]{16}")


class SignInMemory:
    """Derive the secrets of sign-ins, and keep the ids of those that have not ended.

    Event loop thread only.

    Args:
        directory: The data directory; None keeps nothing, and another key is used in each run.

    Raises:
        UntrustedFile: The key is broken, or another user may have written one of the files.
        OSError: A file cannot be read or created.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._path = None if directory is None else directory / LIST_FILE
        self._key = secrets.token_bytes(KEY_BYTES)
        self._saved: Mapping[str, Mapping[str, object]] = {}
        if directory is not None:
            self._key = load_key(directory / KEY_FILE)
            self._saved = load_list(directory / LIST_FILE)
        self._wanted = self._saved
        self._writing: asyncio.Task[None] | None = None

    def derive(self, purpose: str, token: str, sign_in: str) -> str:
        """Return the secret of a sign-in for a purpose; `token` is the digest of its token."""
        return base64.urlsafe_b64encode(self._mac(purpose, token, sign_in)).rstrip(b"=").decode()

    def kept(self, token_id: str, token: str) -> list[str]:
        """Return the ids of a token's sign-ins in the last run, from the least recently made.

        There are none if another token, with another digest, has this id now.
        """
        row = self._saved.get(token_id, {})
        ids, proof = row.get("ids"), row.get("token")
        if proof != self._proof(token) or not isinstance(ids, list):
            return []
        return [one for one in ids if isinstance(one, str) and _ID.fullmatch(one)]

    def keep(self, sign_ins: Mapping[str, tuple[str, Iterable[str]]]) -> None:
        """Write these: for the id of each token its digest and the ids of its sign-ins.

        Several changes at once are written together. If that fails, it is logged, and the next
        change writes all of it.
        """
        if self._path is None:
            return
        self._wanted = {
            token_id: {"token": self._proof(token), "ids": list(ids)}
            for token_id, (token, ids) in sign_ins.items()
        }
        if self._writing is None or self._writing.done():
            writing = self._write(self._path)
            self._writing = asyncio.get_running_loop().create_task(writing, name="sign_ins:write")

    async def written(self) -> None:
        """Wait until what `keep` was given is on the disk, or its failure was logged."""
        if self._writing is not None:
            await asyncio.shield(self._writing)

    async def _write(self, path: Path) -> None:
        while self._wanted != self._saved:
            wanted = self._wanted
            text = json.dumps(wanted, separators=(",", ":"))
            try:
                await aside("sign_ins", partial(write_private, path, text))
            except (OSError, ValueError, OutOfThreads) as error:
                reason = getattr(error, "strerror", None) or error
                logger.error(  # noqa: TRY400
                    "Cannot write the signed-in browsers to %s: %s. After a restart, browsers may "
                    "have to sign in again, and one that signed out may be signed in.",
                    path,
                    reason,
                )
                return
            self._saved = wanted

    def _proof(self, token: str) -> str:
        return self._mac("token", token, "").hex()[:32]

    def _mac(self, *parts: str) -> bytes:
        content = "\0".join(("wintun-api sign-in", *parts))
        return hmac.digest(self._key, content.encode(), hashlib.sha256)


def load_key(path: Path) -> bytes:
    """Read the key; make another one if there is none, or if other users could read it.

    Raises:
        UntrustedFile: The file is broken, or another user may have written it.
        OSError: The file cannot be read or created.
    """
    try:
        content = read_private(path, MAX_KEY_FILE)
        known = is_private(path)
        if not known:
            logger.warning(
                "Other users could read %s, so it is replaced. Every browser has to sign in again.",
                path,
            )
    except FileNotFoundError:
        known = False
    if not known:
        key = secrets.token_bytes(KEY_BYTES)
        write_private(path, key.hex() + "\n")
        return key
    try:
        key = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) < KEY_BYTES:
        raise UntrustedFile(
            f"The file {path}, from which the sign-ins of browsers are derived, is broken.",
            hint="Delete it. Every browser then has to sign in again.",
        )
    return key


def load_list(path: Path) -> Mapping[str, Mapping[str, object]]:
    """Read the sign-ins; a broken file counts as empty, which only signs browsers out.

    Raises:
        UntrustedFile: Another user may have written the file.
        OSError: The file cannot be read.
    """
    try:
        rows = json.loads(read_private(path, MAX_LIST_FILE))
        if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
            raise ValueError("it is not a list of sign-ins")
    except FileNotFoundError:
        return {}
    except UntrustedFile:
        raise
    except files.BROKEN as error:
        logger.warning("The file %s is broken (%s). Browsers have to sign in again.", path, error)
        return {}
    return rows
