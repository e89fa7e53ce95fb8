"""Run the command line: `wintun-api`, or `python -m wintun_api`."""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Run the command of sys.argv; leave with its exit code."""
    from wintun_api.cli import app

    # A console of another code page must not make a name of an adapter an error.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app(prog_name="wintun-api")


if __name__ == "__main__":
    main()
