"""Remember which adapters are to be deleted with their clients, across restarts.

Without this, the end of the service would leave such an adapter behind for good. The file is
written only when the set of these adapters changes, and an adapter is in it before it is held.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from uuid import UUID

from wintun_api import files
from wintun_api.errors import OutOfThreads, StorageFailed, WintunApiError
from wintun_api.hub.aside import aside
from wintun_api.limits import MAX_GRACE

logger = logging.getLogger(__name__)

MAX_HELD = 1024
MAX_HELD_FILE = 1 << 17  # room for so many adapters


class HoldMemory:
    """Keep GUIDs and grace periods in a small JSON file. Event loop thread only.

    Args:
        path: The file; None keeps nothing.
        write: Writes a file that only its owner can read.
        read: Reads a file, up to a number of bytes, that only its owner can have written.
    """

    def __init__(
        self,
        path: Path | None,
        write: Callable[[Path, str], None] | None = None,
        read: Callable[[Path, int], bytes] = files.read,
    ) -> None:
        self._path = path
        self._write = write or _write
        self._saved = _load(path, read) if path is not None else {}
        self._held = dict(self._saved)
        self._writing = asyncio.Lock()

    @property
    def held(self) -> Mapping[UUID, float]:
        """The grace period of each adapter in seconds, by GUID."""
        return self._held

    async def add(self, adapter: UUID, grace: float) -> None:
        """Remember an adapter; it is on the disk when this returns.

        Raises:
            StorageFailed: It could not be written, or there are too many; nothing has changed.
            OutOfThreads: The system did not start the thread that writes.
        """
        async with self._writing:
            before = self._held.get(adapter)
            if before is None and len(self._held) >= MAX_HELD:
                raise StorageFailed(
                    f"{MAX_HELD} adapters are already to be deleted with their clients, which is "
                    "the limit.",
                    hint="Use ends=session or ends=nothing, or delete adapters that you do not "
                    "need.",
                )
            self._held[adapter] = grace if before is None else max(before, grace)
            try:
                await self._save()
            except BaseException:
                if before is None:
                    self._held.pop(adapter, None)
                else:
                    self._held[adapter] = before
                raise

    def forget(self, adapter: UUID) -> None:
        """Forget an adapter; `write` takes it from the disk. Idempotent."""
        self._held.pop(adapter, None)

    async def write(self) -> None:
        """Write what was forgotten. If that fails, it is logged and the next change writes it."""
        async with self._writing:
            try:
                await self._save()
            except (StorageFailed, OutOfThreads) as error:
                logger.error("%s The next change writes it.", error)  # noqa: TRY400

    async def _save(self) -> None:
        held = dict(self._held)
        if self._path is None or held == self._saved:
            return
        rows = [{"adapter": str(one), "grace": grace} for one, grace in held.items()]
        try:
            await aside("holds", partial(self._write, self._path, json.dumps(rows)))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise StorageFailed(
                "The file of adapters that are deleted with their clients could not be written "
                f"({reason})."
            ) from error
        self._saved = held


def _load(path: Path, read: Callable[[Path, int], bytes]) -> dict[UUID, float]:
    """Read the file; a broken one counts as empty, so that no adapter is deleted by mistake."""
    try:
        return _parse(read(path, MAX_HELD_FILE))
    except FileNotFoundError:
        return {}
    except (WintunApiError, OSError, *files.BROKEN) as error:
        logger.warning(
            "The file %s of adapters that are deleted with their clients cannot be used (%s). "
            "Adapters that it named are kept.",
            path,
            error if isinstance(error, WintunApiError | OSError) else "it is broken",
        )
        return {}


def _parse(content: bytes) -> dict[UUID, float]:
    rows = json.loads(content)
    if not isinstance(rows, list) or len(rows) > MAX_HELD:
        raise ValueError("it is not a list of adapters")
    return {UUID(row["adapter"]): _grace(row["grace"]) for row in rows}


def _grace(seconds: object) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError("a grace period is not a number")
    if not math.isfinite(seconds) or not 0 <= seconds <= MAX_GRACE:
        raise ValueError("a grace period is out of range")
    return float(seconds)


def _write(path: Path, text: str) -> None:
    files.make_directory(path.parent)
    files.replace(path, text.encode())
