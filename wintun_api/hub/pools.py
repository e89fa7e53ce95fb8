"""The pools used before, kept over a restart.

Wintun lists adapters pool by pool (wintun.h: WintunEnumAdapters), so whoever forgets a pool's name
cannot find its adapters.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path

logger = logging.getLogger(__name__)


class KnownPools:
    """A set of pool names in a small JSON file; without a file it lives in memory.

    The file is read once and written when a pool is new; both are small and rare enough for the
    event loop.
    """

    def __init__(self, path: Path | None, pools: Iterable[str] = ()) -> None:
        self._path = path
        self._names = set(pools)
        if path is not None and path.is_file():
            try:
                self._names.update(str(name) for name in json.loads(path.read_text("utf-8")))
            except (OSError, ValueError, TypeError) as error:
                logger.warning("Cannot read the known pools from %s: %s", path, error)

    @property
    def names(self) -> list[str]:
        """The names in alphabetical order."""
        return sorted(self._names)

    def add(self, name: str) -> None:
        """Remember a pool."""
        if name in self._names:
            return
        self._names.add(name)
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(self.names, ensure_ascii=False), "utf-8")
        except OSError as error:
            logger.warning("Cannot write the known pools to %s: %s", self._path, error)
