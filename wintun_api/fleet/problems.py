"""The exceptions of `fleet`: each says what is the case, and what to do next.

FleetError             base of them all
├── BusUnavailable     no server answers, or it has not what was asked for
├── BusDenied          the server does not allow it to this host; `subject`
├── KeyTaken           the key of a bucket is there already
├── NobodyAnswers      nothing answers a request; `subject`
├── KeyRefused         a key line cannot be read, or the server does not know it
├── ServerMissing      there is no nats-server on this machine
├── ServerFailed       nats-server does not start, or has ended by itself
├── LaboratoryInUse    another process uses the data directory of a bus
├── LaboratoryMissing  a data directory has no bus, or not the network
├── LedgerInUse        another agent counts in a ledger
├── LedgerFull         a ledger has no room for another host
├── HostMissing        no host of the network has a name, or several have it
├── AdapterMissing     the service does not have the adapter that joins
├── AdapterInUse       another agent has joined with the adapter
├── SessionMissing     no session runs on the adapter, and the token may not start one
├── TokenTooNarrow     the token of the service does not allow what an agent does
└── KeyInUse           another agent has joined with the same key
"""

from __future__ import annotations

from wintun_api.errors import WintunApiError


def how_to_install(extra: str) -> str:
    """Return how to install an extra of this package, as a sentence."""
    return f"Install it with: pip install '.[{extra}]' in the directory of the source code."


class FleetError(WintunApiError):
    """Base class of every error that `fleet` raises on purpose.

    Attributes:
        detail: A sentence that says what is the case.
        hint: A sentence that says what to do next; it may be empty.
    """

    def __init__(self, detail: str, *, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.detail = detail


class BusUnavailable(FleetError):
    """Report that no server answers, or that it has not what was asked for."""


class BusDenied(FleetError):
    """Report that the server does not allow something to this host.

    Attributes:
        subject: The subject that was refused.
    """

    def __init__(self, detail: str, *, subject: str, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.subject = subject


class KeyTaken(FleetError):
    """Report that a key of a bucket is there already."""


class NobodyAnswers(FleetError):
    """Report that nothing answers a request.

    Attributes:
        subject: Where the request was sent.
    """

    def __init__(self, detail: str, *, subject: str, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.subject = subject


class KeyRefused(FleetError):
    """Report that the key of a host cannot be read, or that the server does not know it."""


class ServerMissing(FleetError):
    """Report that there is no nats-server on this machine."""


class ServerFailed(FleetError):
    """Report that nats-server does not start, or has ended by itself."""


class LaboratoryInUse(FleetError):
    """Report that another process uses the data directory of a bus."""


class LaboratoryMissing(FleetError):
    """Report that a data directory has no bus, or that its bus has not the network."""


class LedgerInUse(FleetError):
    """Report that another agent counts in a ledger."""


class LedgerFull(FleetError):
    """Report that a ledger has no room for another pair of hosts."""


class HostMissing(FleetError):
    """Report that no host of a network is called so, or that several are."""


class AdapterMissing(FleetError):
    """Report that the service does not have the adapter that joins. The agent waits for it."""


class AdapterInUse(FleetError):
    """Report that another agent has joined with the same adapter, in whatever network."""


class SessionMissing(FleetError):
    """Report that no session runs, and that the token may not start one. The agent waits for it."""


class TokenTooNarrow(FleetError):
    """Report that the token of the service does not allow what an agent does."""


class KeyInUse(FleetError):
    """Report that another agent has joined with the same key, on this or another machine."""
