"""What POSIX has and Windows lacks, typed for both; tests that need it are left out on Windows."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

ABSENT = "Windows has no such function."


def chown(path: Path, user: int, group: int, *, follow_symlinks: bool = True) -> None:
    """Give a file to another user."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506 - so that the type checker reads it on its own platform alone
        os.chown(path, user, group, follow_symlinks=follow_symlinks)


def mkfifo(path: Path) -> None:
    """Make a FIFO."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        os.mkfifo(path)


def open_reader(path: Path) -> int:
    """Open a FIFO to read from it, without waiting for a writer."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK)


def was_left(reader: int) -> bool:
    """Return whether a FIFO has had a writer, and has none any more."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        import select

        poll = select.poll()
        poll.register(reader, 0)
        return poll.poll(0) == [(reader, select.POLLHUP)]


def open_terminal() -> tuple[int, int]:
    """Open a pseudo-terminal: the reader's end, and the end of the program."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        import pty

        return pty.openpty()


def set_columns(terminal: int, columns: int) -> None:
    """Make a terminal so wide."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        import termios

        termios.tcsetwinsize(terminal, (24, columns))


def fork_on_terminal() -> tuple[int, int]:
    """Fork, with the child on a terminal of its own: 0 and nothing there, its ids here."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        import pty

        return pty.fork()


def hang_up(process: subprocess.Popen[bytes]) -> None:
    """Send SIGHUP."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        process.send_signal(signal.SIGHUP)


def page_size() -> int:
    """Return the size of a page of memory in bytes."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        return os.sysconf("SC_PAGE_SIZE")


def clock_ticks() -> int:
    """Return how many ticks of the kernel's accounts make a second."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        return os.sysconf("SC_CLK_TCK")


def user() -> int:
    """Return the number of the user whom this process acts for."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        return os.geteuid()


def cpu_of_children() -> float:
    """Return the CPU seconds of the children that have ended."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        import resource

        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime


def processors() -> set[int]:
    """Return the processors that this process may use."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        return os.sched_getaffinity(0)


def kill(process: int) -> None:
    """End a process at once, if it has not ended yet."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def kill_group(group: int) -> None:
    """End every process of a group at once."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        os.killpg(group, signal.SIGKILL)


def datagram_socket() -> socket.socket:
    """Open a datagram socket of this machine alone."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


def datagram_pair() -> tuple[socket.socket, socket.socket]:
    """Open two datagram sockets that are connected with each other."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)


def ioctl(control: socket.socket | int, number: int, request: bytes) -> bytes:
    """Ask the kernel by a number for what a structure says; return the structure as it then is."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        import fcntl

        return fcntl.ioctl(control, number, request)


def set_nonblocking(descriptor: int) -> None:
    """Let reads and writes of a descriptor come back at once."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        os.set_blocking(descriptor, False)


def stop(process: int) -> None:
    """Let a process stand still."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        os.kill(process, signal.SIGSTOP)


def go_on(process: int) -> None:
    """Let a process that stands still go on."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        os.kill(process, signal.SIGCONT)


def send_user_signal(process: int) -> None:
    """Send SIGUSR2."""
    if sys.platform == "win32":
        raise NotImplementedError(ABSENT)
    else:  # noqa: RET506
        os.kill(process, signal.SIGUSR2)
