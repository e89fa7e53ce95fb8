"""The pools used before, kept over a restart.

Wintun lists adapters pool by pool (wintun.h: WintunEnumAdapters), so adapters cannot be found any
more once the name of their pool is forgotten.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from wintun_api import files
from wintun_api.drivers.limits import check_pool
from wintun_api.errors import WintunApiError

logger = logging.getLogger(__name__)

MAX_POOLS = 1024
MAX_FILE = 1 << 20  # so many of the longest names fit


class KnownPools:
    """A set of pool names in a small JSON file; without a file it lives in memory. Any thread.

    The file is read once and replaced when a pool is new. One that cannot be believed costs its
    memory, not the service: a warning says so. So does one that cannot be written: the pool is
    known until the service ends, and the next new pool writes them all.
    """

    def __init__(
        self,
        path: Path | None,
        pools: Iterable[str] = (),
        write: Callable[[Path, str], None] | None = None,
    ) -> None:
        self._path = path
        self._write = write or _write
        self._lock = threading.Lock()
        self._writing = threading.Lock()  # for as long as a disk takes; not on the event loop
        self._names = set(pools)
        self._saved = _load(path) if path is not None else set()
        self._names |= self._saved

    @property
    def names(self) -> list[str]:
        """The names in alphabetical order."""
        return sorted(self._names)

    def knows(self, name: str) -> bool:
        """Say whether a pool would be known after a restart too."""
        return name in (self._names if self._path is None else self._saved)

    def note(self, name: str) -> None:
        """Remember a pool in memory; `add` writes it to the disk as well."""
        with self._lock:
            self._names = self._names | {name}

    def add(self, name: str) -> None:
        """Remember a pool; it is on the disk when this returns, or a warning was logged."""
        with self._writing:
            self.note(name)
            names = self._names
            if self._path is None or name in self._saved:
                return
            try:
                self._write(self._path, _text(names))
            except (OSError, ValueError) as error:
                logger.warning(
                    "Cannot write the known pools to %s: %s. The service may not find adapters of "
                    "the pool %r after a restart, unless --pool names it.",
                    self._path,
                    getattr(error, "strerror", None) or error,
                    name,
                )
            else:
                self._saved = names


def _load(path: Path) -> set[str]:
    try:
        names = _parse(files.read(path, MAX_FILE))
    except FileNotFoundError:
        return set()
    except RecursionError:
        logger.warning("Cannot use the known pools in %s: it is nested too deeply.", path)
    except (OSError, WintunApiError, ValueError) as error:
        logger.warning("Cannot use the known pools in %s: %s", path, error)
    else:
        return names
    return set()


def _parse(content: bytes) -> set[str]:
    rows = json.loads(content)
    if not isinstance(rows, list) or not all(isinstance(name, str) for name in rows):
        raise ValueError("it is not a list of names")
    return {check_pool(name) for name in rows}


def _text(names: set[str]) -> str:
    if len(names) > MAX_POOLS:
        raise ValueError(f"there are more than {MAX_POOLS}")
    return json.dumps(sorted(names), ensure_ascii=False)


def _write(path: Path, text: str) -> None:
    files.make_directory(path.parent)
    files.replace(path, text.encode())
