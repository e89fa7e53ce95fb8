"""The codes with which WebSockets are closed, each with its reason."""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Self


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
    ABNORMAL = 1006, "The connection ended without a close frame. This code is never sent."
    INVALID_DATA = 1007, "The text message is not valid UTF-8."
    POLICY_VIOLATION = 1008, "The client sends pings but does not read."
    TOO_BIG = 1009, "The message is too long, or has too many fragments."
    INTERNAL_ERROR = 1011, "An unexpected error occurred in the service; its log says more."
    TOKEN = 4001, "The token was revoked or has expired, or its sign-in has ended."
    SCOPE = 4003, "The token does not have the required scope."
    NO_SESSION = 4004, "No such session, or no such adapter."
    SLOW = 4008, "The client reads too slowly for its queue."
    ENDED = 4009, "The session has ended."
    BAD_FRAME = 4010, "The client sent something else than valid batch frames or packets."

    def __new__(cls, code: int, reason: str) -> Self:
        """Make a number of the code, and keep its reason beside it."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.reason = reason
        return member


# Every code that a client can receive in a close frame.
SENT = tuple(code for code in CloseCode if code is not CloseCode.ABNORMAL)
