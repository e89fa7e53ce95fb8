"""Write packets into Wireshark's pipe, until it is closed or Wireshark asks to stop."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from io import FileIO
from typing import TYPE_CHECKING, Any, Final

from wintun_api.extcap import departure, networks, parent
from wintun_api.extcap.interfaces import Interface, interface_of
from wintun_api.extcap.request import Request, WrongRequest
from wintun_api.extcap.service import Refused, adapters_of, connect, fault_of, words_of
from wintun_api.extcap.stopping import Stopped, Stopping
from wintun_api.extcap.succession import Succession
from wintun_api.extcap.toolbar import Toolbar

if TYPE_CHECKING:
    from wintun_api.client import Client
    from wintun_api.extcap.options import Chosen

CLOSED: Final = (22, 109, 232)  # EINVAL, ERROR_BROKEN_PIPE, ERROR_NO_DATA of a pipe of Windows
NEEDS: Final = "A capture needs --extcap-interface and --fifo."


def run(request: Request) -> None:
    """Capture until the pipe is closed or a signal comes.

    Raises:
        WrongRequest: The interface or the pipe is missing, or an option is wrong.
        Refused: There is no such adapter, or no more, nothing was recorded, or the service ends it.
        ClientError: The service does not answer, or refuses.
    """
    if request.fifo is None:
        raise WrongRequest(NEEDS)
    stopping = Stopping()
    stopping.listen()
    parent.end_with_it()
    toolbar = None
    if request.control_in is not None and request.control_out is not None:
        toolbar = Toolbar(request.control_in, request.control_out)
        toolbar.open()
    try:
        # It is opened first, because Wireshark waits for that, also where a request is wrong.
        with FileIO(request.fifo, "wb") as fifo:
            try:
                _copy(request, fifo, toolbar, stopping)
            finally:
                # Wireshark sends a signal when its pipe ends, which must not hide an error.
                stopping.ignore()
    except Stopped:
        return
    except OSError as error:
        if not isinstance(error, BrokenPipeError) and _code(error) not in CLOSED:
            raise Refused(f"Cannot write to Wireshark: {error.strerror or error}.") from error


def _copy(request: Request, fifo: FileIO, toolbar: Toolbar | None, stopping: Stopping) -> None:
    if request.interface is None:
        raise WrongRequest(NEEDS)
    chosen = request.chosen()
    network = networks.network_of(request.interface)
    if network is not None:
        expression = request.filter or ""
        with closing(networks.blocks(network, expression, chosen, toolbar, stopping)) as found:
            for blocks in found:
                with stopping.raised():  # Wireshark may have stopped to read
                    _write(fifo, blocks)
        if stopping.asked:
            return
        raise Refused("The bus has ended the capture.")
    with connect(chosen) as client:
        for blocks in _blocks(client, request, chosen, toolbar):
            _write(fifo, blocks)
    raise Refused("The service has ended the capture: it stops, or the token was revoked.")


def _blocks(
    client: Client, request: Request, chosen: Chosen, toolbar: Toolbar | None
) -> Iterator[bytes]:
    from wintun_api.capture.history import joined
    from wintun_api.client import operations

    adapters = adapters_of(client)
    interface = interface_of(str(request.interface), adapters)
    if interface is None:
        raise Refused(
            f"No adapter is called {request.interface} any more. Refresh the interfaces in "
            "Wireshark."
        )
    guids = None if interface.adapter is None else [interface.adapter]

    def capture(expression: str) -> AbstractContextManager[Iterator[bytes]]:
        call = operations.capture_adapters(
            guids,
            direction=chosen.direction,
            snaplen=chosen.snaplen,
            filter=expression or None,
            marks=chosen.marks or None,
        )
        return client.listen(call)

    asked = time.monotonic()
    expression = request.filter or ""
    captures = Succession(capture)
    captures.follow(expression)
    if toolbar is not None:
        toolbar.serve(expression, lambda another: _change(client, captures, another))
    if interface.adapter is not None:
        deleted = Refused(f"The {interface.display} was deleted.")
        departure.watch(client, interface.adapter, lambda: captures.end(deleted))
    recorders = _recorders(client, interface) if chosen.last else []
    if toolbar is None and not recorders:
        yield from captures.chunks()
        return
    with ExitStack() as stack:

        def recordings() -> Iterable[Iterable[bytes]]:
            for session in recorders:
                recorded = operations.read_recorder(
                    session,
                    since=f"-{chosen.last}s",
                    direction=chosen.direction,
                    filter=expression or None,
                )
                yield stack.enter_context(client.listen(recorded))

        yield from joined(captures.chunks(), recordings, asked=asked, snaplen=chosen.snaplen)


def _change(client: Client, captures: Succession, expression: str) -> str | None:
    """Change the filter of a capture; return what is wrong with the new one."""
    from wintun_api.client.problems import ClientError

    try:
        wrong = fault_of(client, expression) if expression else None
    except ClientError as error:
        return words_of(error)
    if wrong is None:
        captures.follow(expression)
    return wrong


def _recorders(client: Client, interface: Interface) -> list[str]:
    """Return the sessions whose recorder is on.

    Raises:
        Refused: There are none.
    """
    from wintun_api.client import operations

    sessions: list[dict[str, Any]] = client.send(operations.list_sessions().as_json())
    found = [
        str(one["id"])
        for one in sessions
        if interface.adapter in (None, one["adapter"]) and one.get("recorder")
    ]
    if not found:
        whose = "adapter" if interface.adapter is None else interface.display
        raise Refused(
            f"Nothing was recorded: no recorder of {whose} is on. Switch it on with wintun-api "
            "recorder ADAPTER on, or include none of the last seconds."
        )
    return found


def _write(fifo: FileIO, blocks: bytes) -> None:
    rest = memoryview(blocks)
    while rest:
        rest = rest[fifo.write(rest) or 0 :]


def _code(error: OSError) -> int | None:
    return getattr(error, "winerror", None) or error.errno
