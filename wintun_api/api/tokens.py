"""Who may do what: the admin token, and issued tokens with scopes.

Tokens are kept and compared as SHA-256, in constant time: no file holds an issued one.

A change is on the disk before it is made in memory and answered, or it is refused as a whole: a
token that was answered to be revoked stays revoked after a crash, and one that could not be written
never works.
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
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from wintun_api.api import data_directory
from wintun_api.api.data_directory import is_private, write_private
from wintun_api.errors import StorageFailed
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
MAX_FILE = 1 << 20  # 1024 tokens with the longest labels take less
LAST_SECOND = 253_402_300_799.0  # the end of the year 9999, the last that can be shown

# Of the admin token in its file.
MIN_LENGTH, MAX_LENGTH = 12, 4096


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


class _Row(BaseModel):
    """An issued token in the file. What a later version may add is not ignored: it may narrow."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: Annotated[str, Field(pattern="^[0-9A-Za-z_-]{1,64}$")]
    label: Annotated[str, Field(max_length=100)]
    scopes: Annotated[list[Annotated[Scope, Field(strict=False)]], Field(min_length=1)]
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    created: Annotated[float, Field(ge=0, le=LAST_SECOND, allow_inf_nan=False)]
    expires: Annotated[float, Field(ge=0, le=LAST_SECOND, allow_inf_nan=False)] | None


_ROWS = TypeAdapter(Annotated[list[_Row], Field(max_length=MAX_TOKENS)])


class TokenStore:
    """Authenticates tokens; issues and revokes tokens. Event loop thread only.

    Args:
        admin_token: The token of the token file.
        path: Where issued tokens are kept; in memory alone without one.
        issued: Issued tokens besides those of the file.

    Attributes:
        ended: Told the id of each token that was revoked or has expired.

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

    def authenticate(self, token: str) -> Principal | None:
        """Return who presents this token, None when nobody known does."""
        digest = _digest(token)
        found = self._admin if hmac.compare_digest(digest, self._admin_digest) else None
        for issued in self._issued.values():
            if hmac.compare_digest(digest, issued.digest):
                found = issued.principal()
        return found if found is not None and found.valid else None

    def current(self, principal: Principal) -> bool:
        """Say whether the principal's token is neither expired nor revoked.

        Cheap enough for every request, not for every packet: streams hold a lease.
        """
        return principal.valid and (principal.id == self._admin.id or principal.id in self._issued)

    async def issue(
        self, scopes: Iterable[Scope], label: str = "", lifetime: float | None = None
    ) -> tuple[str, IssuedToken]:
        """Make a token; return the secret, which is shown only now, and its record.

        Raises:
            ValueError: There are too many tokens; revoke some.
            StorageFailed: It could not be written, so there is no such token.
        """
        secret, token = draft(scopes, label, lifetime)

        async def change() -> None:
            self._drop_expired()
            if len(self._issued) >= MAX_TOKENS:
                raise ValueError(f"There are {MAX_TOKENS} tokens; revoke some first.")
            await self._save({**self._issued, token.id: token}, "The token was not made")
            self._issued[token.id] = token

        await self._alone(change())
        return secret, token

    def issued(self) -> list[IssuedToken]:
        """Return the issued tokens that have not expired."""
        self._drop_expired()
        return list(self._issued.values())

    async def revoke(self, token_id: str) -> bool:
        """Make an issued token void and end what it opened; return whether there was one.

        Raises:
            StorageFailed: That could not be written, so the token is still good.
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
        """Make one change at a time, to its end: also when the request that asked for it goes."""

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
            task.exception()  # a request that has gone does not ask for it

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
                f"{consequence}: writing the file of issued tokens failed ({reason})."
            ) from error

    def _drop_expired(self) -> None:
        for token in list(self._issued.values()):
            if not token.principal().valid:
                del self._issued[token.id]
                _tell(self.ended, token.id)


def draft(
    scopes: Iterable[Scope], label: str = "", lifetime: float | None = None
) -> tuple[str, IssuedToken]:
    """Return a new secret and the record of its token, which no store knows yet."""
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
    """Read the admin token from its file; a missing file is made, for its owner alone.

    What surrounds the token is cut off: a newline, spaces.

    Args:
        path: The file. It may be a link, as containers' secrets are.
        warn: Told, in a sentence, that other users can or could read the file.

    Raises:
        OSError: The file cannot be read or made.
        UntrustedFile: Another user may have written the file, or others can read it, or what it
            holds is not a token.
    """
    try:
        content = data_directory.read_secret(path, MAX_LENGTH, warn)
    except FileNotFoundError:
        if path.is_symlink():
            raise UntrustedFile(
                f"The token file {path} is a link to a file that does not exist.",
                hint="Delete the link, or make the file it leads to.",
            ) from None
        token = secrets.token_urlsafe(TOKEN_BYTES)
        write_private(path, token + "\n")
        return token
    return parse_admin_token(content, path)


def parse_admin_token(content: bytes, path: Path) -> str:
    """Return the token that a token file holds.

    Raises:
        UntrustedFile: It does not hold a token.
    """
    hint = "Delete the file and start the service, which then makes one with a good token."
    try:
        token = text_of(content)
        token.encode("ascii")
    except UnicodeError:
        raise UntrustedFile(
            f"The token file {path} does not hold a token: it must be ASCII.", hint=hint
        ) from None
    if not token:
        raise UntrustedFile(f"The token file {path} is empty.", hint=hint)
    if not token.isprintable() or " " in token:
        raise UntrustedFile(
            f"The token file {path} does not hold a token: there must be one line in it, without "
            "spaces.",
            hint=hint,
        )
    if len(token) < MIN_LENGTH:
        raise UntrustedFile(
            f"The token in {path} has {len(token)} characters; one of less than {MIN_LENGTH} can "
            "be guessed.",
            hint=hint,
        )
    return token


def _load(path: Path) -> dict[str, IssuedToken]:
    try:
        content = data_directory.read_private(path, MAX_FILE)
    except FileNotFoundError:
        return {}
    hint = "Delete the file, which makes all issued tokens void, or restore it from a backup."
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
