"""Decide who may do what: the admin token, and issued tokens with scopes.

Tokens are stored and compared as SHA-256, in constant time; no file contains an issued token.

A change is written to the disk before it takes effect in memory and is answered; otherwise it is
refused as a whole. So a token whose revocation was confirmed stays revoked after a crash, and one
that could not be written never works.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from wintun_api.api import data_directory
from wintun_api.api.data_directory import is_private, write_private
from wintun_api.choices import Scope
from wintun_api.errors import StorageFailed, TooManyTokens
from wintun_api.files import UntrustedFile
from wintun_api.hub.aside import aside
from wintun_api.paste import text_of

__all__ = [
    "IssuedToken",
    "Principal",
    "Scope",
    "TokenStore",
    "draft",
    "is_private",
    "load_admin_token",
    "parse_admin_token",
    "write_private",
]

logger = logging.getLogger(__name__)

T = TypeVar("T")

TOKEN_BYTES = 32
MAX_TOKENS = 1024
MAX_FILE = 1 << 20  # 1024 tokens with the longest labels need less
LAST_SECOND = 253_402_300_799.0  # the end of 9999, the last year that datetime can represent

# Limits for the admin token in its file.
MIN_LENGTH, MAX_LENGTH = 12, 4096


@dataclass(frozen=True, slots=True)
class Principal:
    """Identify the sender of a valid token.

    Attributes:
        id: The token's id; "admin" for the token in the token file.
        scopes: What the token allows.
        expires: Unix time at which the token expires; None for never.
        sign_in: The id of the browser's sign-in; None if the token itself was sent.
    """

    id: str
    scopes: frozenset[Scope]
    expires: float | None = None
    sign_in: str | None = None

    def allows(self, scope: Scope) -> bool:
        """Return whether the token grants a scope."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    @property
    def valid(self) -> bool:
        """Whether the token has not expired."""
        return self.expires is None or time.time() < self.expires


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """Record an issued token; the secret itself is not kept.

    Attributes:
        id: The id used in lists and for revocation.
        label: The label that was chosen when it was created.
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
        """Return the principal of this token."""
        return Principal(self.id, frozenset(self.scopes), self.expires)


class _Row(BaseModel):
    """Hold an issued token of the file. Unknown fields are refused: they could limit the token."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: Annotated[str, Field(pattern="^[0-9A-Za-z_-]{1,64}$")]
    label: Annotated[str, Field(max_length=100)]
    scopes: Annotated[list[Annotated[Scope, Field(strict=False)]], Field(min_length=1)]
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    created: Annotated[float, Field(ge=0, le=LAST_SECOND, allow_inf_nan=False)]
    expires: Annotated[float, Field(ge=0, le=LAST_SECOND, allow_inf_nan=False)] | None


_ROWS = TypeAdapter(Annotated[list[_Row], Field(max_length=MAX_TOKENS)])


class TokenStore:
    """Authenticate, issue and revoke tokens. Event loop thread only.

    Args:
        admin_token: The token in the token file.
        path: The file of issued tokens; None keeps them in memory only.
        issued: Issued tokens in addition to those in the file.

    Attributes:
        ended: Called with the id of each token that was revoked or has expired.

    Raises:
        UntrustedFile: The file is broken, or another user may have written it.
        OSError: The file cannot be read.
    """

    def __init__(
        self, admin_token: str, path: Path | None = None, issued: Iterable[IssuedToken] = ()
    ) -> None:
        self._admin = Principal("admin", frozenset(Scope))
        self._admin_digest = _digest(admin_token)
        self._path = path
        self._issued = {} if path is None else _load(path)
        self._issued.update((token.id, token) for token in issued)
        self._changing = asyncio.Lock()
        self._changes: set[asyncio.Task[Any]] = set()
        self.ended: list[Callable[[str], None]] = []

    @property
    def lasting(self) -> bool:
        """Whether issued tokens outlive this process."""
        return self._path is not None

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of every token, by its id."""
        issued = {token.id: token.digest for token in self._issued.values()}
        return {self._admin.id: self._admin_digest, **issued}

    def principal(self, token_id: str) -> Principal | None:
        """Return the principal of a token; None if there is none, or if it has expired."""
        if token_id == self._admin.id:
            return self._admin
        issued = self._issued.get(token_id)
        found = None if issued is None else issued.principal()
        return found if found is not None and found.valid else None

    def authenticate(self, token: str) -> Principal | None:
        """Return the principal of a token; None if the token is unknown."""
        digest = _digest(token)
        found = self._admin if hmac.compare_digest(digest, self._admin_digest) else None
        for issued in self._issued.values():
            if hmac.compare_digest(digest, issued.digest):
                found = issued.principal()
        return found if found is not None and found.valid else None

    def current(self, principal: Principal) -> bool:
        """Return whether the principal's token is neither expired nor revoked.

        This is cheap enough for every request, but not for every packet: streams hold a lease.
        """
        return principal.valid and (principal.id == self._admin.id or principal.id in self._issued)

    async def issue(
        self, scopes: Iterable[Scope], label: str = "", lifetime: float | None = None
    ) -> tuple[str, IssuedToken]:
        """Create a token; return its secret, which is available only now, and its record.

        Raises:
            TooManyTokens: There are as many as there may be.
            StorageFailed: The token could not be written and was therefore not created.
        """
        secret, token = draft(scopes, label, lifetime)

        async def change() -> None:
            self._drop_expired()
            if len(self._issued) >= MAX_TOKENS:
                raise TooManyTokens(MAX_TOKENS)
            await self._save({**self._issued, token.id: token}, "The token was not created")
            self._issued[token.id] = token

        await self._alone(change())
        return secret, token

    def issued(self) -> list[IssuedToken]:
        """Return the issued tokens that have not expired."""
        self._drop_expired()
        return list(self._issued.values())

    def label_of(self, token_id: str) -> str:
        """Return what a token is for; empty for the admin token, and if nothing was said."""
        return next((token.label for token in self.issued() if token.id == token_id), "")

    async def revoke(self, token_id: str) -> bool:
        """Revoke an issued token and end what it opened; return whether the token existed.

        Raises:
            StorageFailed: The change could not be written, so the token is still valid.
        """

        async def change() -> bool:
            if token_id not in self._issued:
                return False
            left = {key: token for key, token in self._issued.items() if key != token_id}
            await self._save(left, "The token was not revoked and still works")
            if self._issued.pop(token_id, None) is not None:
                _tell(self.ended, token_id)
            return True

        return await self._alone(change())

    async def _alone(self, change: Coroutine[Any, Any, T]) -> T:
        """Make one change at a time, and finish it even if its request is cancelled."""

        async def run() -> T:
            async with self._changing:
                return await change

        task = asyncio.get_running_loop().create_task(run(), name="tokens:change")
        self._changes.add(task)
        task.add_done_callback(self._changed)
        return await asyncio.shield(task)

    def _changed(self, task: asyncio.Task[Any]) -> None:
        self._changes.discard(task)
        if not task.cancelled():
            task.exception()  # a cancelled request does not retrieve it

    async def _save(self, tokens: dict[str, IssuedToken], consequence: str) -> None:
        path = self._path
        if path is None:
            return
        rows = [asdict(token) for token in tokens.values() if token.principal().valid]
        text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        try:
            await aside("tokens", partial(write_private, path, text))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            logger.error("Cannot write the issued tokens to %s: %s", path, reason)  # noqa: TRY400
            raise StorageFailed(
                f"{consequence}: the file of issued tokens could not be written ({reason})."
            ) from error

    def _drop_expired(self) -> None:
        for token in list(self._issued.values()):
            if not token.principal().valid:
                del self._issued[token.id]
                _tell(self.ended, token.id)


def draft(
    scopes: Iterable[Scope], label: str = "", lifetime: float | None = None
) -> tuple[str, IssuedToken]:
    """Return a new secret and the record of its token, without storing it."""
    secret = secrets.token_urlsafe(TOKEN_BYTES)
    now = time.time()
    return secret, IssuedToken(
        id=secrets.token_hex(4),
        label=label,
        scopes=tuple(sorted(set(scopes))),
        digest=_digest(secret),
        created=now,
        expires=None if lifetime is None else now + lifetime,
    )


def load_admin_token(path: Path, warn: Callable[[str], None] = logger.warning) -> str:
    """Read the admin token from its file; create a missing file that only its owner can read.

    A newline and spaces around the token are removed.

    Args:
        path: The file. It may be a link, as containers' secrets are.
        warn: Called with a sentence if other users can or could read the file.

    Raises:
        OSError: The file cannot be read or created.
        UntrustedFile: Another user may have written the file, others can read it, or its content
            is not a token.
    """
    try:
        content = data_directory.read_secret(path, MAX_LENGTH, warn)
    except FileNotFoundError:
        if path.is_symlink():
            raise UntrustedFile(
                f"The token file {path} is a link to a file that does not exist.",
                hint="Delete the link, or create the file that it points to.",
            ) from None
        token = secrets.token_urlsafe(TOKEN_BYTES)
        write_private(path, token + "\n")
        return token
    return parse_admin_token(content, path)


def parse_admin_token(content: bytes, path: Path) -> str:
    """Return the token in the content of a token file.

    Raises:
        UntrustedFile: The content is not a token.
    """
    hint = "Delete the file and start the service, which then creates a new token."
    try:
        token = text_of(content)
        token.encode("ascii")
    except UnicodeError:
        raise UntrustedFile(
            f"The token file {path} does not contain a valid token: it must be ASCII.", hint=hint
        ) from None
    if not token:
        raise UntrustedFile(f"The token file {path} is empty.", hint=hint)
    if not token.isprintable() or " " in token:
        raise UntrustedFile(
            f"The token file {path} does not contain a valid token: it must be one line without "
            "spaces.",
            hint=hint,
        )
    if len(token) < MIN_LENGTH:
        raise UntrustedFile(
            f"The token in {path} has only {len(token)} characters; fewer than {MIN_LENGTH} can "
            "be guessed.",
            hint=hint,
        )
    return token


def _load(path: Path) -> dict[str, IssuedToken]:
    try:
        content = data_directory.read_private(path, MAX_FILE)
    except FileNotFoundError:
        return {}
    hint = "Restore the file from a backup, or delete it, which revokes all issued tokens."
    try:
        rows = _ROWS.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = f"{where}: {first['msg']}" if where else first["msg"]
        raise UntrustedFile(
            f"The file of issued tokens {path} is broken ({what}).", hint=hint
        ) from None
    tokens = {row.id: IssuedToken(**{**dict(row), "scopes": tuple(row.scopes)}) for row in rows}
    if len(tokens) < len(rows) or Principal("admin", frozenset()).id in tokens:
        raise UntrustedFile(
            f"The file of issued tokens {path} is broken (two tokens have the same id).", hint=hint
        )
    return tokens


def _tell(listeners: Iterable[Callable[[str], None]], name: str) -> None:
    for listener in tuple(listeners):
        listener(name)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
