"""The TLS certificate, taken up again when its files are renewed.

A new certificate is for connections that come after it; those that are open go on with the old
one. It is taken up at SIGHUP, and by itself: when a connection is accepted, and the files were not
looked at for a minute. A new one is loaded whole before it replaces the old one, so that files
which are broken, or of which only one was written yet, cost nothing but a line in the log.
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

INTERVAL = 60.0  # seconds between two looks at the files

# What tells one version of a file from another: device, number, size, and the time of its change.
Signature = tuple[tuple[int, int, int, int] | None, ...]


class Certificate:
    """The certificate of one service. Event loop thread only."""

    def __init__(
        self,
        context: ssl.SSLContext,
        load: Callable[[], ssl.SSLContext],
        certificate: Path,
        key: Path | None,
    ) -> None:
        """Begin with a context that was made of these files.

        Args:
            context: What is used until the files change.
            load: Makes a context of the files as they are now; raises OSError.
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
        """The context for a new connection, after a look at the files if it is time for one."""
        now = time.monotonic()
        if now - self._looked_at >= INTERVAL:
            self._looked_at = now
            if self._signature() != self._seen:
                self.renew()
        return self._context

    def renew(self) -> None:
        """Read the files now; where they cannot be used, say so and keep what there is."""
        # Before the files are read: what is written meanwhile is seen the next time.
        self._seen = self._signature()
        try:
            check_pem_files(*self._files)
            self._context = self._load()
        except OSError as error:  # ssl.SSLError is one
            logger.warning(
                "The TLS certificate stays as it was: %s cannot be used (%s). The service looks "
                "again when the files change.",
                " with ".join(map(str, self._files)),
                error,
            )
        else:
            logger.info("The TLS certificate was read again; new connections use it.")

    def _signature(self) -> Signature:
        return tuple(map(_signature, self._files))


def check_pem_files(*paths: Path | None) -> None:
    """Refuse what is not a regular file: a FIFO, for one, would be waited for.

    Raises:
        OSError: One of the paths is something else.
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
