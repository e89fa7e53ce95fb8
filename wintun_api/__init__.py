"""The local REST and WebSocket control plane for Wintun.

The package is built in floors; a module imports from lower floors, never from a higher one:

    0  errors             the exception tree
       settings           one frozen Settings
       declaration        what is to be known of a setting, said once
       configuration      reads settings from flags, variables and a TOML file
       variables          the environment variables; a misspelt one is refused
       address            the address of a service, as clients on the same machine write it
       config_file        checks who may have written the file of settings
       choices, limits    the enums and numbers that clients and the service share
       paste              removes what people copy along with a token, a number or a name
       visible            tells which characters of a name cannot be seen
       files              private files: who may have written them, and how they are replaced
       lock_file          lets one process at a time use a directory
       moments            the times that requests and commands name
       quantities         times, probabilities, rates and sizes with units, as tc takes them
       netem              impairments in the words of tc-netem, as people write them
       native             whether packets are handled in C (speedups.c) or in Python
       guide/             the user's guide, as Markdown
    1  packet/            pure bytes: check, decode and build IP packets
       wire               pure bytes: the batch frame
       frames             pure bytes: writes many WebSocket frames at a time
       chunks             pure bytes: the packets in what a WebSocket client sends
       capture/           pure bytes: writes pcapng, reads pcap and pcapng
       schemas/           pydantic models of what travels as JSON, for clients too
    2  drivers/           the seam; wintun/, windows/, emulated/, linux/; synchronous
    3  hub/               registry, pumps, fan-out, events
    4  api/               FastAPI, WebSocket endpoints, security
       client/            the typed client of the API, for Python programs
       webui/             the dashboard, built from web/
    5  cli/               client commands; arguments to Settings to uvicorn
       fleet/             many hosts in one network over NATS: `wintun-api join`
       extcap/            the program with which Wireshark captures, over the client
       testing/           pytest fixtures and a Scapy socket, over the client
       __main__           the command `wintun-api`

Directions are seen from the application: *received* packets go from the host to the application,
*sent* or *injected* packets from the application to the host.
"""

__version__ = "0.1.0"
