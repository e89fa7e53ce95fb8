"""Reload the TLS certificate when its files are renewed.

A new certificate is used for new connections; open connections keep the old one. It is reloaded at
SIGHUP, and automatically when a connection is accepted and the files were not checked for a minute.
The new certificate is loaded completely before it replaces the old one, so files that are broken or
only partly written cause nothing but a line in the log.
"""

from __future__ import annotations

import errno
import logging
import os
import ssl
import time
from collections.abc import Callable
from pathlib import Path

logger = logging.getLogger(__name__)

INTERVAL = 60.0  # seconds between two checks of the files

# What distinguishes one version of a file from another: device, inode, size, time of change.
Signature = tuple[tuple[int, int, int, int] | None, ...]


class Certificate:
    """Hold the certificate of one service. Event loop thread only."""

    def __init__(
        self,
        context: ssl.SSLContext,
        load: Callable[[], ssl.SSLContext],
        certificate: Path,
        key: Path | None,
    ) -> None:
        """Start with a context that was created from these files.

        Args:
            context: The context to use until the files change.
            load: Creates a context from the present files; raises OSError.
            certificate: The PEM file of the certificate, and of the key where `key` is None.
            key: The PEM file of the key.
        """
        self._context = context
        self._load = load
        self._files = (certificate,) if key is None else (certificate, key)
        self._seen = self._signature()
        self._looked_at = time.monotonic()

    @property
    def context(self) -> ssl.SSLContext:
        """The context for a new connection; the files are checked first if that is due."""
        now = time.monotonic()
        if now - self._looked_at >= INTERVAL:
            self._looked_at = now
            if self._signature() != self._seen:
                self.renew()
        return self._context

    def renew(self) -> None:
        """Read the files now; if they cannot be used, log this and keep the old certificate."""
        # Taken before the files are read, so a change during the reading is noticed next time.
        self._seen = self._signature()
        try:
            check_pem_files(*self._files)
            self._context = self._load()
        except OSError as error:  # ssl.SSLError is one
            logger.warning(
                "The service keeps the old TLS certificate: %s cannot be used (%s). It tries again "
                "when the files change.",
                " with ".join(map(str, self._files)),
                error,
            )
        else:
            logger.info("The TLS certificate was reloaded; new connections use it.")

    def _signature(self) -> Signature:
        return tuple(map(_signature, self._files))


def check_pem_files(*paths: Path | None) -> None:
    """Refuse anything that is not a regular file: opening a FIFO, for example, would block.

    Raises:
        OSError: One of the paths is not a regular file.
    """
    for path in paths:
        if path is not None and path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def _signature(path: Path) -> tuple[int, int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  what a link leads to may change as well
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
