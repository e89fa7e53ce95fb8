"""End with the program that started this one.

On Windows the launcher is a batch file. Wireshark ends the shell that runs it, which does not end
this program; and a pipe that is closed is noticed only when the next packet is written.
"""

from __future__ import annotations

import sys


def end_with_it() -> None:
    """On Windows, end this process as soon as its parent has ended. Elsewhere signals do that."""
    if sys.platform == "win32":
        import _winapi
        import os
        import threading
        from multiprocessing.connection import wait

        try:
            handle = _winapi.OpenProcess(_winapi.SYNCHRONIZE, False, os.getppid())
        except OSError:  # it has ended already, or is another user's
            return

        def watch() -> None:
            wait([handle])
            os._exit(0)

        threading.Thread(target=watch, name="parent", daemon=True).start()
