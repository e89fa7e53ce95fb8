"""Answer each kind of request of Wireshark: lines on standard output, or packets in its pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Final

from wintun_api import __version__
from wintun_api.extcap import networks, toolbar
from wintun_api.extcap import request as requests
from wintun_api.extcap.interfaces import interfaces_of
from wintun_api.extcap.networks import network_of
from wintun_api.extcap.options import OPTIONS, Chosen
from wintun_api.extcap.request import Request, WrongRequest
from wintun_api.extcap.sentences import sentence
from wintun_api.extcap.service import (
    ONLY_READS,
    Refused,
    adapters_of,
    connect,
    fault_of,
    may_capture,
    words_of,
)

DONE, FAILED, WRONG = 0, 1, 2
# Wireshark checks filters with the number that libpcap has for this (DLT_RAW); in the file it is
# LINKTYPE_RAW, 101.
DLT_RAW: Final = 14 if sys.platform.startswith("openbsd") else 12
HELP: Final = "https://www.wireshark.org/docs/man-pages/extcap.html"


def answer(arguments: Sequence[str]) -> int:
    """Answer a request and return the exit code.

    Errors are sentences on standard error, which Wireshark shows when a capture ends.
    """
    from wintun_api.errors import WintunApiError

    try:
        request = requests.read(arguments)
        for line in _lines(request):
            print(line)  # noqa: T201 - Wireshark reads it
        sys.stdout.flush()
    except WrongRequest as error:
        print(error, file=sys.stderr)  # noqa: T201
        return WRONG
    except Refused as error:
        print(error, file=sys.stderr)  # noqa: T201
        return FAILED
    except WintunApiError as error:
        from wintun_api.client.problems import ClientError

        said = words_of(error) if isinstance(error, ClientError) else str(error)
        print(said, file=sys.stderr)  # noqa: T201
        return FAILED
    except BrokenPipeError:
        return FAILED
    return DONE


def _lines(request: Request) -> Iterator[str]:
    if request.interfaces:
        yield from _interfaces(request.chosen())
    elif request.dlts:
        yield sentence("dlt", number=DLT_RAW, name="RAW", display="Raw IP")
    elif request.config:
        of_network = network_of(request.interface) is not None
        for number, option in enumerate(networks.OPTIONS if of_network else OPTIONS):
            yield from option.lines(number)
    elif request.capture:
        from wintun_api.extcap.capture import run

        run(request)
    elif request.filter is not None:
        yield from _faults(request.filter, request)
    else:
        raise WrongRequest("This is a program for Wireshark. See: wintun-api extcap --help")


def _interfaces(chosen: Chosen) -> Iterator[str]:
    """Yield the interfaces; without a service only networks, and the one for all adapters.

    That one is always there, so that the address and the token can be set in its options, and so
    that a capture from it can say what is wrong. Wireshark shows no error of a list, but
    `wintun-api extcap status` does.
    """
    from wintun_api.client.problems import ClientError

    adapters, of_networks = [], networks.networks()
    try:
        with connect(chosen) as client:
            adapters = adapters_of(client)
            if not may_capture(client):
                print(ONLY_READS, file=sys.stderr)  # noqa: T201
    except ClientError as error:
        said = words_of(error, only_networks=bool(of_networks))
        print(said, file=sys.stderr)  # noqa: T201
    yield sentence("extcap", version=__version__, display="wintun-api", help=HELP)
    for one in interfaces_of(adapters):
        yield sentence("interface", value=one.value, display=one.display)
    for name in of_networks:
        display = f"network {name} of wintun-api: all its hosts"
        yield sentence("interface", value=networks.PREFIX + name, display=display)
    yield from toolbar.lines()


def _faults(filter: str, request: Request) -> Iterator[str]:  # noqa: A002 - Wireshark's word
    """Yield what is wrong with a filter; Wireshark takes one without an answer as valid."""
    from wintun_api.client.problems import ClientError

    try:
        if network_of(request.interface) is not None:
            fault = networks.fault_of(filter)
        else:
            with connect(request.chosen()) as client:
                fault = fault_of(client, filter)
    except ClientError as error:
        fault = f"The filter cannot be checked. {words_of(error)}"
    if fault is not None:
        yield fault
