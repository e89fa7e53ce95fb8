"""List the values that settings, models, command line and clients choose from.

Only enums are here. They need nothing but the standard library, so that `--help` stays quick and a
client can use them alone. The docstring of a set that clients see is its description in the API's
documents, unless `api/openapi/enums` has another one.
"""

from __future__ import annotations

from enum import StrEnum


class DriverName(StrEnum):
    """The name of a driver.

    `wintun`: wintun.dll on Windows. `linux`: the TUN driver of the Linux kernel. `emulated`: an
    emulation of Wintun, for tests and demonstrations.
    """

    WINTUN = "wintun"
    LINUX = "linux"
    EMULATED = "emulated"


class Generation(StrEnum):
    """The two shapes of Wintun's API; a function of one must not be called like the other's."""

    POOL = "pool"
    TUNNEL_TYPE = "tunnel-type"


class DriverGeneration(StrEnum):
    """The generation of the API that a driver follows.

    `pool`: wintun.dll 0.9 to 0.13. `tunnel-type`: wintun.dll 0.14. `kernel`: the Linux kernel.
    """

    POOL = "pool"
    TUNNEL_TYPE = "tunnel-type"
    KERNEL = "kernel"


class UnavailableCause(StrEnum):
    """A cause for which a driver cannot work on this machine."""

    WRONG_PLATFORM = "wrong_platform"
    LIBRARY_NOT_FOUND = "library_not_found"
    WRONG_ARCHITECTURE = "wrong_architecture"
    LIBRARY_UNUSABLE = "library_unusable"
    LIBRARY_UNSIGNED = "library_unsigned"
    LIBRARY_TAMPERED = "library_tampered"
    LIBRARY_UNVERIFIED = "library_unverified"
    UNTRUSTED_SIGNER = "untrusted_signer"
    NOT_ELEVATED = "not_elevated"
    NO_TUN_DEVICE = "no_tun_device"
    NETWORK_NOT_OWNED = "network_not_owned"


class ServiceLogLevel(StrEnum):
    """The lowest level of the lines that the service logs."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogLevel(StrEnum):
    """A level of the driver's log (wintun.h: WINTUN_LOGGER_LEVEL)."""

    INFO = "info"
    WARN = "warn"
    ERR = "err"


class Scope(StrEnum):
    """Name what a token allows. Each scope allows only itself, but admin allows everything."""

    READ = "read"
    CAPTURE = "capture"
    INJECT = "inject"
    METRICS = "metrics"
    ADMIN = "admin"


class Direction(StrEnum):
    """Select which packets a subscriber gets."""

    RECEIVED = "received"
    INJECTED = "injected"
    BOTH = "both"
    NONE = "none"

    def takes(self, *, injected: bool) -> bool:
        """Return whether packets of this direction are wanted."""
        return self is Direction.BOTH or self is (
            Direction.INJECTED if injected else Direction.RECEIVED
        )


class CaptureDirection(StrEnum):
    """Select which packets a capture contains."""

    RECEIVED = "received"
    INJECTED = "injected"
    BOTH = "both"


class Overflow(StrEnum):
    """Select what happens when a subscriber's queue is full."""

    DROP_OLDEST = "drop_oldest"
    DROP_NEWEST = "drop_newest"
    CLOSE = "close"
    BLOCK = "block"


class Full(StrEnum):
    """Select what happens to packets when the send ring is full."""

    DROP = "drop"
    WAIT = "wait"


class SessionState(StrEnum):
    """Name the states of a session; the docstring of `hub/session` shows the transitions."""

    STARTING = "starting"
    RUNNING = "running"
    ENDING = "ending"
    ENDED = "ended"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        """Whether the session will never run again."""
        return self in (SessionState.ENDED, SessionState.FAILED)


class EventType(StrEnum):
    """List the types of events; the part before the dot is the topic."""

    ADAPTER_CREATED = "adapter.created"
    ADAPTER_CHANGED = "adapter.changed"
    ADAPTER_DELETED = "adapter.deleted"
    ADAPTER_CREATE_FAILED = "adapter.create_failed"
    SESSION_STARTED = "session.started"
    SESSION_RESTARTED = "session.restarted"
    SESSION_ENDED = "session.ended"
    SESSION_FAILED = "session.failed"
    SESSION_LOSS = "session.loss"
    OPERATION_DONE = "operation.done"
    OPERATION_FAILED = "operation.failed"
    DRIVER_LOG = "driver.log"
    DRIVER_SLOW = "driver.slow"
    AUDIT_CHANGE = "audit.change"
