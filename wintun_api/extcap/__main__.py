"""Run the program as Wireshark does: `python -P -m wintun_api.extcap --extcap-interfaces`."""

from __future__ import annotations

import io
import sys

from wintun_api.extcap.answers import answer


def main() -> None:
    """Answer the request in sys.argv and exit."""
    # Wireshark reads and writes UTF-8, whatever the code page or the locale is.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(answer(sys.argv[1:]))


if __name__ == "__main__":
    main()
