"""Remember the pools used before, across restarts.

Wintun lists adapters pool by pool (wintun.h: WintunEnumAdapters), so adapters cannot be found once
the name of their pool is forgotten.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from wintun_api import files
from wintun_api.drivers.limits import check_pool
from wintun_api.errors import StorageFailed
from wintun_api.files import UntrustedFile

logger = logging.getLogger(__name__)

MAX_POOLS = 1024
MAX_FILE = 1 << 20  # room for the largest number of the longest names


class KnownPools:
    """Keep a set of pool names in a small JSON file, or in memory without one. Any thread.

    The file is read once and replaced whenever a pool is added or forgotten. A change is written to
    the disk before it takes effect in memory, or it is refused.

    Args:
        path: The file.
        pools: Additional pools that are never forgotten.
        write: Writes a file that only its owner can read.
        read: Reads a file, up to a number of bytes, that only its owner can have written.

    Raises:
        UntrustedFile: The file is broken, or another user may have written it.
        OSError: The file cannot be read.
    """

    def __init__(
        self,
        path: Path | None,
        pools: Iterable[str] = (),
        write: Callable[[Path, str], None] | None = None,
        read: Callable[[Path, int], bytes] = files.read,
    ) -> None:
        self._path = path
        self._write = write or _write
        self._writing = threading.Lock()  # held during disk writes; never on the event loop
        self._given = frozenset(pools)
        self._saved = _load(path, read) if path is not None else frozenset[str]()
        self._names = self._saved | self._given

    @property
    def names(self) -> list[str]:
        """The names in alphabetical order."""
        return sorted(self._names)

    def knows(self, name: str) -> bool:
        """Return whether a pool would still be known after a restart."""
        return name in (self._names if self._path is None else self._saved)

    def add(self, name: str, consequence: str = "The pool was not added") -> None:
        """Remember a pool; it is on the disk when this returns.

        Args:
            name: The pool.
            consequence: The beginning of the message if it fails: a sentence without its full stop.

        Raises:
            StorageFailed: It could not be written, so the pool is not remembered.
        """
        with self._writing:
            names = self._names | {name}
            if self._path is not None and name not in self._saved:
                self._save(self._path, names, consequence)
                self._saved = names
            self._names = names

    def forget(self, name: str) -> None:
        """Forget a pool that no longer has adapters.

        If this cannot be written, the pool stays known, which only costs an empty listing.
        """
        with self._writing:
            names = self._names - {name} | self._given
            if self._path is not None and name in self._saved - self._given:
                try:
                    self._save(self._path, names, f"The pool {name!r} stays known")
                except StorageFailed:
                    return
                self._saved = names
            self._names = names

    def _save(self, path: Path, names: frozenset[str], consequence: str) -> None:
        if len(names) > MAX_POOLS and len(names) > len(self._saved):
            raise StorageFailed(
                f"{consequence}: the service already knows {MAX_POOLS} pools, which is the limit.",
                hint="Delete a pool that you do not need, or use a pool that already exists.",
            )
        try:
            self._write(path, json.dumps(sorted(names), ensure_ascii=False))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            logger.error("Cannot write the known pools to %s: %s", path, reason)  # noqa: TRY400
            raise StorageFailed(
                f"{consequence}: the file of known pools could not be written ({reason})."
            ) from error


def _load(path: Path, read: Callable[[Path, int], bytes]) -> frozenset[str]:
    try:
        return _parse(read(path, MAX_FILE))
    except FileNotFoundError:
        return frozenset()
    except UntrustedFile:
        raise
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise UntrustedFile(
            f"The file of known pools {path} is broken ({reason}).",
            hint="Restore the file from a backup, or delete it and name its pools with --pool.",
        ) from None


def _parse(content: bytes) -> frozenset[str]:
    rows = json.loads(content)
    if not isinstance(rows, list) or not all(isinstance(name, str) for name in rows):
        raise ValueError("it is not a list of names")
    return frozenset(check_pool(name) for name in rows)


def _write(path: Path, text: str) -> None:
    files.make_directory(path.parent)
    files.replace(path, text.encode())
