"""List the values that settings, models, command line and clients choose from.

Only enums are here. They need nothing but the standard library, so that `--help` stays quick and a
client can use them alone. The docstring of a set that clients see is its description in the API's
documents, unless `api/openapi/enums` has another one.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum, unique
from typing import Self


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


class Native(StrEnum):
    """Whether packets may be handled in C.

    `auto`: by the C extension, where the installation has it. `off`: in Python alone.
    """

    AUTO = "auto"
    OFF = "off"


class Offload(StrEnum):
    """Whether the host leaves the segmentation of TCP and UDP to a session, on Linux.

    `auto`: where the installation has the C extension. `on`: wherever the kernel supports it.
    `off`: never.
    """

    AUTO = "auto"
    ON = "on"
    OFF = "off"


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


class ClientKind(StrEnum):
    """What a client has open.

    `packets`: a packet socket. `capture`: a live capture, over WebSocket or HTTP. `events`: events
    over WebSocket. `sse`: server-sent events. `recorder`: the download of a session's recorder.
    `download`: the download of a file of a capture.
    """

    PACKETS = "packets"
    CAPTURE = "capture"
    EVENTS = "events"
    SSE = "sse"
    RECORDER = "recorder"
    DOWNLOAD = "download"


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


class IfExists(StrEnum):
    """Select what happens where an adapter with the name of a new one exists in its pool.

    `error`: the request is refused. `open`: the service opens the adapter and applies the settings
    that the request names. `replace`: the service deletes the adapter and creates it again.
    """

    ERROR = "error"
    OPEN = "open"
    REPLACE = "replace"


class Distribution(StrEnum):
    """The shape of the delays of an impairment, as of tc-netem.

    `uniform`: every delay between `delay - jitter` and `delay + jitter` is equally likely. Of the
    others, `delay` is the mean and `jitter` the standard deviation. `normal`: a bell. `pareto`: a
    few packets take much longer. `paretonormal`: a mixture, a quarter of a bell and three quarters
    of a pareto.
    """

    UNIFORM = "uniform"
    NORMAL = "normal"
    PARETO = "pareto"
    PARETONORMAL = "paretonormal"


class OnChange(StrEnum):
    """Select what happens to delayed packets when their impairment is changed or removed.

    `deliver`: they are delivered at once, in order. `drop`: they are dropped and counted.
    """

    DELIVER = "deliver"
    DROP = "drop"


class PresetName(StrEnum):
    """The name of a network that many people know, as an impairment."""

    DSL = "dsl"
    CABLE = "cable"
    MOBILE_3G = "3g"
    LTE = "lte"
    MOBILE_5G = "5g"
    SATELLITE_LEO = "satellite-leo"
    SATELLITE_GEO = "satellite-geo"
    HOTEL_WIFI = "hotel-wifi"
    TRAIN = "train"
    LOSSY_1 = "lossy-1"
    LOSSY_5 = "lossy-5"


class Times(StrEnum):
    """Select for what the service says when it was read.

    `burst`: the packets that were read together have one time. `packet`: each packet has its own.
    """

    BURST = "burst"
    PACKET = "packet"


class CaptureState(StrEnum):
    """Name the states of a named capture.

    `waiting`: it waits for its trigger. `running`: it writes packets. `stopped`: it has ended as it
    was asked to, or with the service. `failed`: it could not write any more. `repairing`: the
    service was killed while it ran and has started again; it reads the files, so the counts and the
    list of files are not complete yet. After that it is `stopped`.
    """

    WAITING = "waiting"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    REPAIRING = "repairing"

    @property
    def over(self) -> bool:
        """Whether it takes no more packets."""
        return self not in (CaptureState.WAITING, CaptureState.RUNNING)


class StopReason(StrEnum):
    """Say why a named capture has ended.

    `request`: a client stopped it. `packets`, `bytes`, `seconds`: it has as many as were asked for.
    `keep`: its files may not take more room. `service`: the service stopped, or was killed.
    `storage`: the disk is full or cannot be written. `total`: the captures of the service take all
    of the room that they may take.
    """

    REQUEST = "request"
    PACKETS = "packets"
    BYTES = "bytes"
    SECONDS = "seconds"
    KEEP = "keep"
    SERVICE = "service"
    STORAGE = "storage"
    TOTAL = "total"


class RecorderEnd(StrEnum):
    """Say why a recorder was switched off.

    `request`: a client switched it off. `room`: its session had ended, and another recorder needed
    its memory. `failure`: it failed, which is a defect of the service; the service's log says more.
    """

    REQUEST = "request"
    ROOM = "room"
    FAILURE = "failure"


class TriggerKind(StrEnum):
    """What begins a capture that waits.

    `event`: an event of the service. `loss`: packets are lost. `filter`: a packet passes a filter.
    `call`: a client calls `POST /v1/captures/{id}/trigger`, which begins every other one too.
    """

    EVENT = "event"
    LOSS = "loss"
    FILTER = "filter"
    CALL = "call"


class Tap(StrEnum):
    """Select on which side of an impairment a client watches a session.

    `after`: what the application and the host really get. `before`: what the host and the clients
    sent, before anything of it was delayed or lost.
    """

    AFTER = "after"
    BEFORE = "before"


class Full(StrEnum):
    """Select what happens to packets when the send ring is full."""

    DROP = "drop"
    WAIT = "wait"


class Ends(StrEnum):
    """Select what ends when the last client that holds an adapter has gone.

    `nothing`: the session and the adapter stay. `session`: the session ends, if a client that holds
    the adapter started it. `adapter`: the session ends and the adapter is deleted.
    """

    NOTHING = "nothing"
    SESSION = "session"
    ADAPTER = "adapter"

    @property
    def strength(self) -> int:
        """A number that is larger the more ends."""
        return list(Ends).index(self)


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
    SESSION_ABANDONED = "session.abandoned"
    SESSION_REJOINED = "session.rejoined"
    IMPAIRMENT_SET = "impairment.set"
    IMPAIRMENT_REMOVED = "impairment.removed"
    IMPAIRMENT_STEP = "impairment.step"
    IMPAIRMENT_LOSS = "impairment.loss"
    IMPAIRMENT_NEARLY_FULL = "impairment.nearly_full"
    RECORDER_SET = "recorder.set"
    RECORDER_REMOVED = "recorder.removed"
    CAPTURE_STARTED = "capture.started"
    CAPTURE_TRIGGERED = "capture.triggered"
    CAPTURE_STOPPED = "capture.stopped"
    CAPTURE_FAILED = "capture.failed"
    CAPTURE_DELETED = "capture.deleted"
    OPERATION_DONE = "operation.done"
    OPERATION_FAILED = "operation.failed"
    DRIVER_LOG = "driver.log"
    DRIVER_SLOW = "driver.slow"
    AUDIT_CHANGE = "audit.change"


@unique
class CloseCode(IntEnum):
    """Say why a WebSocket was closed.

    Codes below 4000 are those of RFC 6455, section 7.4.1, which leaves 4000 to 4999 to
    applications. `reason` is the sentence that is sent where nothing more particular is known; a
    close frame has room for 123 bytes of it.
    """

    reason: str

    NORMAL = 1000, "The service has nothing more to send, or the client closed the socket."
    GOING_AWAY = 1001, "The service is shutting down."
    PROTOCOL_ERROR = 1002, "The client sent something that is not a valid WebSocket frame."
    ABNORMAL = 1006, "The connection ended without a close frame. This code is never sent."
    INVALID_DATA = 1007, "The text message is not valid UTF-8."
    POLICY_VIOLATION = 1008, "The client sends pings but does not read."
    TOO_BIG = 1009, "The message is too long, or has too many fragments."
    INTERNAL_ERROR = 1011, "An unexpected error occurred in the service; its log says more."
    TOKEN = 4001, "The token was revoked or has expired, or its sign-in has ended."
    DISCONNECTED = 4002, "An administrator disconnected this client."
    SCOPE = 4003, "The token does not have the required scope."
    NO_SESSION = 4004, "No such session, or no such adapter."
    SLOW = 4008, "The client reads too slowly for its queue."
    ENDED = 4009, "The session has ended."
    BAD_FRAME = 4010, "The client sent something else than valid batch frames or packets."

    def __new__(cls, code: int, reason: str = "") -> Self:
        """Make a number of the code, and keep its reason beside it."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.reason = reason
        return member


# Every close code that a client can receive in a close frame.
SENT_CODES = tuple(code for code in CloseCode if code is not CloseCode.ABNORMAL)
