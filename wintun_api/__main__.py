"""Run the command line: `wintun-api`, or `python -m wintun_api`."""

from __future__ import annotations

import io
import os
import sys


def main() -> None:
    """Run the command of sys.argv; leave with its exit code."""
    from wintun_api.cli import app

    _fill_standard_descriptors()
    # A console of another code page must not make a name of an adapter an error.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app(prog_name="wintun-api")


def _fill_standard_descriptors() -> None:
    # Started without them, the first sockets would get their numbers; libuv aborts when it has to
    # close one of these.
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    main()
