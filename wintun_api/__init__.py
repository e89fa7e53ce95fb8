"""The local REST and WebSocket control plane for Wintun.

The package is built in floors; a module imports from lower floors, never from a higher one:

    0  errors, settings       the exception tree; one frozen Settings
       declaration            what is to be known of a setting, said once
       configuration          reads settings from flags, variables and a TOML file
       choices, limits        the enums and numbers that clients and the service share
       guide/                 the user's guide, as Markdown
    1  packet/, wire          pure bytes: checksum, decode, build; the batch frame
       capture/               pure bytes too: writes pcapng, reads pcap and pcapng
       schemas/               pydantic models of what travels as JSON, for clients too
    2  drivers/               the seam (base) and wintun/, emulated/, linux/; synchronous
    3  hub/                   registry, pumps, fan-out, events: asyncio and the only threads
    4  api/                   FastAPI, pydantic, WebSocket endpoints, security
    5  cli, __main__          arguments to Settings to uvicorn; client commands

Directions are seen from the application: *received* packets go from the host to the application,
*sent* or *injected* packets from the application to the host.
"""

__version__ = "0.1.0"
