"""Who may do what: the admin token, and issued tokens with scopes.

Tokens are kept and compared as SHA-256, in constant time: no file holds an issued one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import secrets
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from wintun_api.drivers.wintun import acl

logger = logging.getLogger(__name__)

TOKEN_BYTES = 32
MAX_TOKENS = 1024


class Scope(StrEnum):
    """What a token allows. Each by itself, but that admin allows all."""

    READ = "read"
    CAPTURE = "capture"
    INJECT = "inject"
    METRICS = "metrics"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever presented a good token.

    Attributes:
        id: The token's id; "admin" for the token file's own.
        scopes: What it allows.
        expires: Unix time after which it is void; None for never.
        sign_in: The id of the browser's sign-in it came by; None where the token itself came.
    """

    id: str
    scopes: frozenset[Scope]
    expires: float | None = None
    sign_in: str | None = None

    def allows(self, scope: Scope) -> bool:
        """Say whether the scope is granted."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    @property
    def valid(self) -> bool:
        """Whether it has not expired."""
        return self.expires is None or time.time() < self.expires


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token made for a client; the secret itself is not kept.

    Attributes:
        id: Names it in lists and for revocation.
        label: What its maker called it.
        digest: SHA-256 of the token, hexadecimal.
        created: Unix time.
    """

    id: str
    label: str
    scopes: tuple[Scope, ...]
    digest: str
    created: float
    expires: float | None

    def principal(self) -> Principal:
        """Return whoever presents this token."""
        return Principal(self.id, frozenset(self.scopes), self.expires)


class TokenStore:
    """Authenticates tokens; issues and revokes tokens. Event loop thread only."""

    def __init__(self, admin_token: str, path: Path | None = None) -> None:
        self._admin = Principal("admin", frozenset(Scope))
        self._admin_digest = _digest(admin_token)
        self._path = path
        self._issued: dict[str, IssuedToken] = {}
        if path is not None and path.is_file():
            try:
                for row in json.loads(path.read_text("utf-8")):
                    scopes = tuple(Scope(scope) for scope in row.pop("scopes"))
                    self._issued[row["id"]] = IssuedToken(scopes=scopes, **row)
            except (OSError, ValueError, TypeError, KeyError) as error:
                logger.warning("Cannot read the issued tokens from %s: %s", path, error)

    def authenticate(self, token: str) -> Principal | None:
        """Return who presents this token, None when nobody known does."""
        digest = _digest(token)
        found = self._admin if hmac.compare_digest(digest, self._admin_digest) else None
        for issued in self._issued.values():
            if hmac.compare_digest(digest, issued.digest):
                found = issued.principal()
        return found if found is not None and found.valid else None

    def current(self, principal: Principal) -> bool:
        """Say whether the principal's token is neither expired nor revoked."""
        return principal.valid and (principal.id == self._admin.id or principal.id in self._issued)

    def issue(
        self, scopes: Iterable[Scope], label: str = "", lifetime: float | None = None
    ) -> tuple[str, IssuedToken]:
        """Make a token; return the secret, which is shown only now, and its record.

        Raises:
            ValueError: There are too many tokens; revoke some.
        """
        self._drop_expired()
        if len(self._issued) >= MAX_TOKENS:
            raise ValueError(f"There are {MAX_TOKENS} tokens; revoke some first.")
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = time.time()
        issued = IssuedToken(
            id=secrets.token_hex(4),
            label=label,
            scopes=tuple(sorted(set(scopes))),
            digest=_digest(token),
            created=now,
            expires=None if lifetime is None else now + lifetime,
        )
        self._issued[issued.id] = issued
        self._save()
        return token, issued

    def issued(self) -> list[IssuedToken]:
        """Return the issued tokens that have not expired."""
        self._drop_expired()
        return list(self._issued.values())

    def revoke(self, token_id: str) -> bool:
        """Make an issued token void; return whether there was one."""
        found = self._issued.pop(token_id, None) is not None
        if found:
            self._save()
        return found

    def _drop_expired(self) -> None:
        for token in list(self._issued.values()):
            if not token.principal().valid:
                del self._issued[token.id]

    def _save(self) -> None:
        if self._path is not None:
            rows = [asdict(token) for token in self._issued.values()]
            write_private(self._path, json.dumps(rows, indent=1))


def load_admin_token(path: Path) -> str:
    """Read the admin token from its file; a missing file is made, for its owner alone.

    Raises:
        OSError: The file cannot be read or made.
        ValueError: The file is empty.
    """
    try:
        token = path.read_text("utf-8").strip()
    except FileNotFoundError:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        write_private(path, token + "\n")
        return token
    if not token:
        raise ValueError(f"The token file {path} is empty; delete it and start again.")
    return token


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, private from its first byte on."""
    _make_private_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if sys.platform == "win32":  # the mode of os.open means nothing there
            acl.protect(temporary, owner=True)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def is_private(path: Path) -> bool:
    """Say whether the file is closed to other users, as far as its mode can tell."""
    return sys.platform == "win32" or path.stat().st_mode & 0o077 == 0


def _make_private_directory(path: Path) -> None:
    # In ProgramData anybody could write a file of issued tokens into a directory made as usual.
    if sys.platform == "win32":
        acl.make_directory(path)
    else:
        path.mkdir(parents=True, exist_ok=True)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
