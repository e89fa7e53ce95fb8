"""Run the command line: `wintun-api`, or `python -m wintun_api`."""

from __future__ import annotations

import codecs
import io
import os
import sys
from contextlib import suppress
from typing import TextIO, cast

INTERRUPTED = 130  # as in cli.exit_codes, for a Ctrl-C before that is imported


def main() -> None:
    """Run the command in sys.argv and exit with its exit code."""
    _read_names_as_utf8()
    _fill_standard_descriptors()
    try:
        from wintun_api.cli import app
        from wintun_api.cli.log import Unfailing
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    # An adapter name must not cause an error on a console with another code page.
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
    except KeyboardInterrupt:  # the command's own handler was not in place
        code = INTERRUPTED
    except OSError as error:
        _tell(error)
    # Write what is still in the buffer here: if the disk is full or the pipe is closed, the
    # interpreter could only print a traceback when it exits.
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
    except OSError as error:
        if code:  # the command has failed already, and has said why
            _discard_output()
        else:
            code = 1
            _tell(error)
    sys.exit(code)


def _read_names_as_utf8() -> None:
    """Start Python again in UTF-8 mode (PEP 540) if it can only use ASCII in names of files.

    In the C locale with PYTHONUTF8=0, Python cannot open a path from a settings file, and cannot
    send a name from the command line to the service. The process id stays the same.
    """
    # On Windows there is no such locale, and -X utf8=0 says that this is not wanted.
    if sys.platform != "win32" and "utf8" not in sys._xoptions:  # noqa: SLF001 - documented
        if codecs.lookup(sys.getfilesystemencoding()).name != "ascii":
            return
        with suppress(OSError):
            os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606


def _tell(error: OSError) -> None:
    """Say on standard error why a command stopped, and drop what cannot be written."""
    from typer import Exit

    from wintun_api.cli.output import fail

    _discard_output()
    what = f"use {error.filename}" if error.filename else "write to standard output"
    with suppress(OSError, ValueError, Exit):
        fail(f"Cannot {what}: {error.strerror or error}.")


def _discard_output() -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fill_standard_descriptors() -> None:
    # In a process started without them, the first sockets would get these descriptor numbers, and
    # libuv aborts when it has to close one of them.
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    main()
