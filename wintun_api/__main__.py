"""Run the command line: `wintun-api`, or `python -m wintun_api`."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO, cast


def main() -> None:
    """Run the command of sys.argv; leave with its exit code."""
    _fill_standard_descriptors()
    try:
        from wintun_api.cli import app
        from wintun_api.cli.log import Unfailing
    except KeyboardInterrupt:
        sys.exit(1)
    # A console of another code page must not make a name of an adapter an error.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if sys.stderr is not None:
        sys.stderr = cast(TextIO, Unfailing(sys.stderr))
    code: int | str | None = 1
    try:
        app(prog_name="wintun-api")
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:  # before or after what the command itself does about it
        code = 1
    except OSError as error:
        _tell(error)
    # What is still in the buffer is written here: at its own end the interpreter could only print
    # a traceback for what a full disk or a closed pipe does not take.
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
    except OSError as error:
        code = code or 1
        _tell(error)
    sys.exit(code)


def _tell(error: OSError) -> None:
    """Say on standard error why a command stopped, and let go of what cannot be written."""
    _discard_output()
    what = f"use {error.filename}" if error.filename else "write to standard output"
    with suppress(OSError, ValueError):
        print(f"Cannot {what}: {error.strerror or error}.", file=sys.stderr)  # noqa: T201


def _discard_output() -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
