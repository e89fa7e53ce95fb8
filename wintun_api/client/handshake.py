"""Open a packet socket; every way in which that can fail has its exception."""

from __future__ import annotations

import logging
import ssl
from typing import Final, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from wintun_api.client.call import Reply, refusal
from wintun_api.client.location import Location, plain
from wintun_api.client.packet_socket import PacketSocket
from wintun_api.client.problems import NotTheService, ProblemError, ServiceUnreachable

# Larger than any message of the service; a program that is not the service could send more.
MAX_MESSAGE: Final = 64 * 1024 * 1024
HINT: Final = "See whether the service runs, and give its own address as `url`."


class _Connect(connect):
    """Connect to the service itself: it never redirects, and another place gets no token."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_socket(
    location: Location,
    url: str,
    protocol: str,
    *,
    open_timeout: float,
    close_timeout: float,
    max_unsent: int,
) -> PacketSocket:
    """Connect to a packet socket.

    Args:
        location: The service and the token.
        url: The address of the socket.
        protocol: The subprotocol.
        open_timeout: Seconds that the service has to accept.
        close_timeout: Seconds that it has to answer a close frame.
        max_unsent: Bytes that wait for the kernel before sending waits.

    Raises:
        ProblemError: The service has refused.
        NotTheService: Something else answers.
        ServiceUnreachable: Nothing answers.
    """
    opening = _Connect(
        url,
        subprotocols=[Subprotocol(protocol)],
        additional_headers={"Authorization": f"Bearer {location.token}"},
        compression=None,
        proxy=None,
        ssl=location.tls,
        open_timeout=open_timeout,
        close_timeout=close_timeout,
        ping_interval=None,  # the socket has its own, which knows when it is not read
        max_size=MAX_MESSAGE,
        write_limit=max_unsent,
        logger=_LOGGER,
        create_connection=cast("type[ClientConnection]", PacketSocket),
    )
    hint = location.advice or HINT
    try:
        socket = await opening
    except InvalidStatus as error:
        raise _refusal(location, error) from None
    except InvalidHandshake as error:
        raise _stranger(location, plain(error)) from error
    except TimeoutError as error:
        raise ServiceUnreachable(
            location.url, f"{location.url} does not answer within {open_timeout:g} s.", hint=hint
        ) from error
    except ssl.SSLError as error:
        raise ServiceUnreachable(
            location.url, f"TLS with {location.url} fails: {plain(error)}.", hint=hint
        ) from error
    except OSError as error:
        raise ServiceUnreachable(
            location.url, f"{location.url} does not answer: {plain(error)}.", hint=hint
        ) from error
    assert isinstance(socket, PacketSocket)
    if socket.subprotocol != protocol:
        socket.transport.abort()
        raise _stranger(location, "it does not speak the protocol of packets")
    return socket


def _refusal(location: Location, error: InvalidStatus) -> ProblemError | NotTheService:
    response = error.response
    headers = response.headers
    reply = Reply(
        response.status_code,
        bytes(response.body),
        retry_after=headers.get("Retry-After", ""),
        location=headers.get("Location", ""),
    )
    return refusal(reply, location.url)


def _stranger(location: Location, why: str) -> NotTheService:
    return NotTheService(
        location.url,
        f"Another program answers at {location.url}: {why}.",
        hint=location.advice or HINT,
    )


# What goes wrong is raised; `websockets` would also log it, with frames and headers at DEBUG.
_LOGGER: Final = logging.getLogger("wintun_api.client")
_LOGGER.addHandler(logging.NullHandler())
