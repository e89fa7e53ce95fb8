"""Run nats-server as a child until a signal. It is started once; what ends it is told."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from ipaddress import ip_address
from typing import Any, Final

from wintun_api.fleet.problems import ServerFailed
from wintun_api.fleet.race import first_of
from wintun_api.fleet.server import administration
from wintun_api.fleet.server.configuration import kept_bytes
from wintun_api.fleet.server.laboratory import Laboratory, note
from wintun_api.fleet.server.log import ServerLog
from wintun_api.fleet.server.plan import Listening, Plan
from wintun_api.fleet.server.program import Program
from wintun_api.lock_file import LockFile
from wintun_api.quantities import size_text

STOP_PATIENCE: Final = 10.0  # seconds that the server may take to end

# Ctrl-C in a terminal reaches all processes of a group; the server is ended by this one alone.
if sys.platform == "win32":
    ENDING = (signal.SIGINT, signal.SIGBREAK)
    _APART: dict[str, Any] = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
else:
    ENDING = (signal.SIGINT, signal.SIGTERM)
    _APART: dict[str, Any] = {"start_new_session": True}


async def run(
    program: Program,
    laboratory: Laboratory,
    planned: Callable[[Plan | None], Plan],
    started: Callable[[Plan, int], None],
) -> None:
    """Run the server until SIGINT or SIGTERM; on Windows until Ctrl-C or Ctrl-Break.

    Call it in the main thread, which gets the signals.

    Args:
        program: The nats-server.
        laboratory: Its data directory, which is made if it is missing.
        planned: Returns the plan of the server, made of the one that is there, if one is.
        started: Called with the plan and the id of the process as soon as hosts can connect.

    Raises:
        ServerFailed: It does not start, or has ended by itself.
        LaboratoryInUse: Another server uses the directory.
        FleetError: Something that it needs is missing.
        UntrustedFile: Other users could have written a file.
        OSError: A file cannot be read or written.
    """
    laboratory.prepare()
    with _signals() as stopped:
        async with AsyncExitStack() as change:
            await change.enter_async_context(laboratory.changing())
            plan = planned(laboratory.plan() if laboratory.has_plan() else None)
            with laboratory.running(plan.listening.own_url) as lock:
                _write(plan, laboratory)
                async with _child(program, laboratory, lock) as (server, log):
                    note(lock, plan.listening.own_url, server.pid)
                    if await first_of(log.ready.wait(), server.wait(), stopped.wait()) == 0:
                        await administration.prepare_all(plan, laboratory.trusted(plan))
                        await change.aclose()
                        started(plan, server.pid)
                        await first_of(stopped.wait(), server.wait())
                    await _check_running(server, log)


def _write(plan: Plan, laboratory: Laboratory) -> None:
    """Write what the server reads, unless it could not run with it."""
    _check_port(plan.listening)
    _check_room(plan, laboratory)
    if plan.listening.tls:
        laboratory.write_certificate(plan)
    laboratory.write(plan)


async def _check_running(server: Process, log: ServerLog) -> None:
    if server.returncode is not None:
        await log.ended()
        if server.returncode < 0:  # another program has ended it, whatever it said before
            raise ServerFailed(
                f"nats-server was ended by the signal {_name_of(-server.returncode)}.",
                hint="Start the bus again. The system sends SIGKILL when memory runs out.",
            )
        reason = log.last or f"its exit code is {server.returncode}"
        raise ServerFailed(
            f"nats-server has ended by itself: {reason}.",
            hint="Start the bus again when the cause is removed.",
        )


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


@asynccontextmanager
async def _child(
    program: Program, laboratory: Laboratory, lock: LockFile
) -> AsyncIterator[tuple[Process, ServerLog]]:
    """Start the server, and end it in order when the context ends."""
    command = [*_tied(), str(program.path), "-c", str(laboratory.configuration)]
    inherited: dict[str, Any] = {} if sys.platform == "win32" else {"pass_fds": (lock.descriptor,)}
    try:
        server = await asyncio.create_subprocess_exec(
            command[0],
            *command[1:],
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            **_APART,
            **inherited,
        )
    except OSError as error:
        raise ServerFailed(f"{program.path} does not run: {error.strerror or error}.") from None
    assert server.stderr is not None
    log = ServerLog(server.stderr)
    try:
        yield server, log
    finally:
        await _end(server)
        await log.ended()


def _tied() -> tuple[str, ...]:
    """Return a program that has the system end the server with this process, however it ends.

    It is of util-linux, so it is on most machines with Linux. Without it, a server outlives a bus
    that was killed; the lock keeps another one from its streams then.
    """
    program = shutil.which("setpriv") if sys.platform == "linux" else None
    if program is None:
        return ()
    tied = (program, "--pdeathsig", "TERM")
    tried = subprocess.run(  # noqa: S603 - other programs of this name lack the option
        [*tied, "true"], stdin=DEVNULL, capture_output=True, check=False
    )
    return tied if tried.returncode == 0 else ()


async def _end(server: Process) -> None:
    if server.returncode is not None:
        return
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            server.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            server.terminate()
    try:
        async with asyncio.timeout(STOP_PATIENCE):
            await server.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            server.kill()
        await server.wait()


@contextmanager
def _signals() -> Iterator[asyncio.Event]:
    """Set an event for a signal that ends programs; go on when the terminal is closed."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {}
    if sys.platform == "win32":
        for number in ENDING:
            before[number] = signal.signal(
                number, lambda *_: loop.call_soon_threadsafe(stopped.set)
            )
    else:
        for number in ENDING:
            loop.add_signal_handler(number, stopped.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
    try:
        yield stopped
    finally:
        if sys.platform == "win32":
            for number, handler in before.items():
                signal.signal(number, handler)
        else:
            for number in (*ENDING, signal.SIGHUP):
                loop.remove_signal_handler(number)


def _check_room(plan: Plan, laboratory: Laboratory) -> None:
    """Refuse what cannot fit on the disk, whatever else is on it."""
    kept, room = kept_bytes(plan), shutil.disk_usage(laboratory.path).total
    if kept > room:
        raise ServerFailed(
            f"The bus may keep {size_text(kept)}, but the disk of {laboratory.path} has only "
            f"{size_text(room)}.",
            hint="Ask for less with --captures-bytes, or choose another disk with --data-dir.",
        )


def _check_port(listening: Listening) -> None:
    """Say in plain words what nats-server would say in its own."""
    address = ip_address(listening.address)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family) as tried:
        if sys.platform == "win32":
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((listening.address, listening.port))
        except OSError as error:
            raise ServerFailed(
                f"Cannot listen on {listening.address} port {listening.port}: "
                f"{error.strerror or error}.",
                hint="Choose another address or port with --listen ADDRESS:PORT.",
            ) from None
