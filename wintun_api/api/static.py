"""Serve files that do not change while the service runs: compressed once, and asked for by tag."""

from __future__ import annotations

import gzip
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from fastapi import Request, Response

TAG = re.compile(r'(?:W/)?("[^"]*")')


@dataclass(frozen=True)
class StaticFile:
    """Hold the content of a file, and answer requests for it.

    What is measured is what is sent: a browser that takes gzip gets these bytes, and one that has
    them already gets none.
    """

    content: bytes
    kind: str

    @cached_property
    def packed(self) -> bytes:
        """The content after gzip, the same bytes whenever they are made."""
        return gzip.compress(self.content, 9, mtime=0)

    @cached_property
    def _digest(self) -> str:
        return sha256(self.content).hexdigest()[:20]

    def answer(self, request: Request) -> Response:
        """Answer with the content, or say that the client has it."""
        packs = accepts_gzip(request.headers.get("accept-encoding", ""))
        # A tag names these very bytes, so each encoding has its own.
        tag = f'"{self._digest}{"-gz" if packs else ""}"'
        headers = {"ETag": tag, "Vary": "Accept-Encoding"}
        if tag in TAG.findall(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        if packs:
            headers["Content-Encoding"] = "gzip"
        body = self.packed if packs else self.content
        return Response(body, headers=headers, media_type=self.kind)


def read(path: Path, kind: str) -> StaticFile:
    """Read a file, and compress it, so that no request has to wait for that."""
    file = StaticFile(path.read_bytes(), kind)
    _ = file.packed
    return file


def endpoint(file: StaticFile) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of a file."""

    async def serve(request: Request) -> Response:
        return file.answer(request)

    return serve


def accepts_gzip(header: str) -> bool:
    """Return whether an Accept-Encoding takes gzip (RFC 9110, section 12.5.3)."""
    weights: dict[str, bool] = {}
    for part in header.lower().split(","):
        name, *parameters = (one.strip() for one in part.split(";"))
        refused = any(re.fullmatch(r"q\s*=\s*0(\.0*)?", one) for one in parameters)
        weights[name] = not refused
    return weights.get("gzip", weights.get("*", False))
