"""Fixtures for tests of programs that use the service, and a socket for Scapy.

    plugin     what pytest loads: fixtures, --tun-driver, the marker tun_driver
    choices    the drivers that tests choose from
    service    a service that gives adapters: the fixture tun_service
    process    its process, its client, and the programs beside it
    adapter    an adapter with a subnet of its own: the fixture tun_adapter
    pair       two hosts with a link between them: the fixture tun_pair
    impaired   the same with a bad network between them: the fixture impaired_link
    arrivals   what hosts really get
    link       the link, which forwards, records, drops, delays and alters
    subnets    subnets that no other test process has
    rootless   whether TUN devices are possible without rights, and how
    warden     the process that runs the service and cleans up behind it
    launch     the program that becomes the service, on a given socket
    log        what a service has logged
    report     shows the log in the report of a failing test
    scapy      WintunSocket: Scapy's functions on an adapter

The names below are for annotations in tests. The module of a name is imported at its first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wintun_api.testing.adapter import TunAdapter
    from wintun_api.testing.arrivals import Arrivals
    from wintun_api.testing.choices import TunDriver
    from wintun_api.testing.impaired import AsyncImpairedLink, ImpairedLink, ImpairedLinks, Network
    from wintun_api.testing.link import Crossing, Delayed, Delivery, Rule, Side, TunLink, Verdict
    from wintun_api.testing.log import ServiceLog
    from wintun_api.testing.pair import AsyncTunPair, TunPair
    from wintun_api.testing.process import NotPossible, ServiceProcess
    from wintun_api.testing.service import TunService

_HOMES = {
    "Arrivals": "arrivals",
    "AsyncImpairedLink": "impaired",
    "AsyncTunPair": "pair",
    "Crossing": "link",
    "Delayed": "link",
    "Delivery": "link",
    "ImpairedLink": "impaired",
    "ImpairedLinks": "impaired",
    "Network": "impaired",
    "NotPossible": "process",
    "Rule": "link",
    "ServiceLog": "log",
    "ServiceProcess": "process",
    "Side": "link",
    "TunAdapter": "adapter",
    "TunDriver": "choices",
    "TunLink": "link",
    "TunPair": "pair",
    "TunService": "service",
    "Verdict": "link",
}

__all__ = [
    "Arrivals",
    "AsyncImpairedLink",
    "AsyncTunPair",
    "Crossing",
    "Delayed",
    "Delivery",
    "ImpairedLink",
    "ImpairedLinks",
    "Network",
    "NotPossible",
    "Rule",
    "ServiceLog",
    "ServiceProcess",
    "Side",
    "TunAdapter",
    "TunDriver",
    "TunLink",
    "TunPair",
    "TunService",
    "Verdict",
]


def __getattr__(name: str) -> Any:
    """Import the module of a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
