"""The local REST and WebSocket control plane for Wintun.

Floors, from the ground up; a module imports lower floors, never a higher one:

    0  errors, settings       the exception tree; one frozen Settings
    1  packet/, wire          pure bytes: checksum, decode, build; the batch frame
       capture/               likewise: pcapng written, pcap and pcapng read
    2  drivers/               the seam (base) and wintun/, emulated/, linux/; synchronous
    3  hub/                   registry, pumps, fan-out, events: asyncio and the only threads
    4  api/                   FastAPI, pydantic, WebSocket endpoints, security
    5  cli, __main__          arguments to Settings to uvicorn; client commands

Directions are the application's: *received* is host to application, *sent* and *injected*
application to host.
"""

__version__ = "0.1.0"
