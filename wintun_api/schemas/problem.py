"""An error as a document."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from wintun_api.errors import CodeKind
from wintun_api.schemas.model import Model

MEDIA_TYPE = "application/problem+json"  # RFC 9457


class ProblemType(StrEnum):
    """The type of a problem: one value for each cause that a client can tell apart.

    A type never disappears and never changes its meaning. Later versions of the service may add
    types; a client treats a type that it does not know by the `status` of the problem.
    """

    ACCESS_DENIED = "urn:wintun-api:problem:access-denied"
    ADAPTER_EXISTS = "urn:wintun-api:problem:adapter-exists"
    ADAPTER_NOT_FOUND = "urn:wintun-api:problem:adapter-not-found"
    ADAPTER_UNAVAILABLE = "urn:wintun-api:problem:adapter-unavailable"
    ADDRESS_EXISTS = "urn:wintun-api:problem:address-exists"
    BAD_CODING = "urn:wintun-api:problem:bad-coding"
    BAD_FRAME = "urn:wintun-api:problem:bad-frame"
    BAD_HANDSHAKE = "urn:wintun-api:problem:bad-handshake"
    BAD_HOST = "urn:wintun-api:problem:bad-host"
    BAD_REQUEST = "urn:wintun-api:problem:bad-request"
    BAD_VERSION = "urn:wintun-api:problem:bad-version"
    CAPTURE_NOT_FOUND = "urn:wintun-api:problem:capture-not-found"
    CAPTURE_OVER = "urn:wintun-api:problem:capture-over"
    CAPTURES_FULL = "urn:wintun-api:problem:captures-full"
    CONFLICT = "urn:wintun-api:problem:conflict"
    CONTENT_TOO_LARGE = "urn:wintun-api:problem:content-too-large"
    DRIVER_BUSY = "urn:wintun-api:problem:driver-busy"
    DRIVER_ERROR = "urn:wintun-api:problem:driver-error"
    DRIVER_IN_USE = "urn:wintun-api:problem:driver-in-use"
    DRIVER_UNAVAILABLE = "urn:wintun-api:problem:driver-unavailable"
    FILTERS_BUSY = "urn:wintun-api:problem:filters-busy"
    FILTER_UNAVAILABLE = "urn:wintun-api:problem:filter-unavailable"
    FORBIDDEN = "urn:wintun-api:problem:forbidden"
    FOREIGN_HOST = "urn:wintun-api:problem:foreign-host"
    FOREIGN_ORIGIN = "urn:wintun-api:problem:foreign-origin"
    FULL = "urn:wintun-api:problem:full"
    IMPAIRMENT_NOT_FOUND = "urn:wintun-api:problem:impairment-not-found"
    INTERNAL = "urn:wintun-api:problem:internal"
    INVALID_ARGUMENT = "urn:wintun-api:problem:invalid-argument"
    INVALID_FILTER = "urn:wintun-api:problem:invalid-filter"
    INVALID_PACKET = "urn:wintun-api:problem:invalid-packet"
    INVALID_REQUEST = "urn:wintun-api:problem:invalid-request"
    LARGE_HEAD = "urn:wintun-api:problem:large-head"
    LONG_TARGET = "urn:wintun-api:problem:long-target"
    METHOD_NOT_ALLOWED = "urn:wintun-api:problem:method-not-allowed"
    MISSING_SCOPE = "urn:wintun-api:problem:missing-scope"
    NOT_FOUND = "urn:wintun-api:problem:not-found"
    NOT_IMPLEMENTED = "urn:wintun-api:problem:not-implemented"
    NOT_SUPPORTED = "urn:wintun-api:problem:not-supported"
    OUT_OF_THREADS = "urn:wintun-api:problem:out-of-threads"
    RECORDERS_FULL = "urn:wintun-api:problem:recorders-full"
    RECORDER_NOT_FOUND = "urn:wintun-api:problem:recorder-not-found"
    REPEATED_HEADER = "urn:wintun-api:problem:repeated-header"
    REQUEST_TIMEOUT = "urn:wintun-api:problem:request-timeout"
    RING_CORRUPT = "urn:wintun-api:problem:ring-corrupt"
    RING_FULL = "urn:wintun-api:problem:ring-full"
    ROUTE_EXISTS = "urn:wintun-api:problem:route-exists"
    SESSION_ENDED = "urn:wintun-api:problem:session-ended"
    SESSION_EXISTS = "urn:wintun-api:problem:session-exists"
    SESSION_NOT_FOUND = "urn:wintun-api:problem:session-not-found"
    SETTING_REFUSED = "urn:wintun-api:problem:setting-refused"
    STOPPING = "urn:wintun-api:problem:stopping"
    STORAGE_FAILED = "urn:wintun-api:problem:storage-failed"
    TOO_MANY_CAPTURES = "urn:wintun-api:problem:too-many-captures"
    TOO_MANY_GUESSES = "urn:wintun-api:problem:too-many-guesses"
    TOO_MANY_READERS = "urn:wintun-api:problem:too-many-readers"
    TOO_MANY_REQUESTS = "urn:wintun-api:problem:too-many-requests"
    UNAUTHORIZED = "urn:wintun-api:problem:unauthorized"
    UNKNOWN_SUBPROTOCOL = "urn:wintun-api:problem:unknown-subprotocol"
    UNSUPPORTED_MEDIA_TYPE = "urn:wintun-api:problem:unsupported-media-type"


class FieldError(Model):
    """A field of a request that is wrong."""

    field: str = Field(
        description="The path of the field in the request, with dots between its parts.",
        examples=["addresses.0"],
    )
    message: str = Field(description="A sentence that says what is wrong with the field.")


class Problem(Model):
    """An error as a problem document (RFC 9457). Members that do not apply are left out."""

    type: ProblemType = Field(
        description="The type of the problem, for programs.",
        examples=["urn:wintun-api:problem:adapter-not-found"],
    )
    title: str = Field(
        description="The type of the problem in words.", examples=["No such adapter"]
    )
    status: int = Field(description="The HTTP status of the answer.", examples=[404])
    detail: str = Field(description="A sentence that says what went wrong this time.")
    hint: str = Field(default="", description="A sentence that says what to do next.")
    instance: str = Field(default="", description="The path of the request.")
    win32_code: int | SkipJsonSchema[None] = Field(
        default=None,
        description="The error number that the driver returned, as an unsigned 32-bit number. It "
        "can be an HRESULT, an NTSTATUS or a code of SetupAPI; `code_kind` then says which.",
        examples=[1168],
    )
    win32_code_hex: str | SkipJsonSchema[None] = Field(
        default=None,
        description="The number of `win32_code` in hexadecimal, with 8 digits.",
        examples=["0x00000490"],
    )
    code_kind: CodeKind | SkipJsonSchema[None] = Field(
        default=None,
        description="The kind of number that `win32_code` is. It is left out if the number is a "
        "plain Win32 error code.",
        examples=["HRESULT"],
    )
    carried_win32_code: int | SkipJsonSchema[None] = Field(
        default=None,
        description="The Win32 error code that an HRESULT such as 0x80070005 carries.",
        examples=[5],
    )
    configret: str | SkipJsonSchema[None] = Field(
        default=None,
        description="The error number that the Windows device manager returned (CONFIGRET), in "
        "hexadecimal with 8 digits.",
        examples=["0x0000000D"],
    )
    errno: int | SkipJsonSchema[None] = Field(
        default=None,
        description="The error number that Linux returned to the driver.",
        examples=[1],
    )
    function: str | SkipJsonSchema[None] = Field(
        default=None,
        description="The name of the driver's function that failed.",
        examples=["WintunOpenAdapter"],
    )
    filter: str | SkipJsonSchema[None] = Field(
        default=None,
        description="The filter that is wrong; a request can have several.",
        examples=["tcp prot 80"],
    )
    offset: int | SkipJsonSchema[None] = Field(
        default=None,
        description="Where the fault in a filter begins, in characters from its start, which is 0.",
        examples=[4],
    )
    adapter: str | SkipJsonSchema[None] = Field(
        None,
        description="The adapter that the problem is about: its GUID, or the name by which it was "
        "asked for.",
        examples=["deadbabe-cafe-beef-0123-456789abcdef"],
    )
    session: str | SkipJsonSchema[None] = Field(
        None,
        description="The id of the session that the problem is about: the one that has ended, or "
        "that the adapter already has.",
    )
    deleted: str | SkipJsonSchema[None] = Field(
        None,
        description="The GUID of the adapter that the request has deleted before it failed, "
        "because it was to be replaced.",
        examples=["deadbabe-cafe-beef-0123-456789abcdef"],
    )
    log: list[str] = Field(
        default_factory=list,
        description="The lines that the driver wrote to its log during the call that failed.",
    )
    reason: str | SkipJsonSchema[None] = Field(
        default=None,
        description="A word for the cause: why the driver is unavailable, why a packet is not a "
        "valid IP packet, or why a message is not a valid batch frame.",
        examples=["library_not_found"],
    )
    field: str | SkipJsonSchema[None] = Field(
        default=None, description="The name of the only field that is wrong.", examples=["name"]
    )
    errors: list[FieldError] = Field(
        default_factory=list,
        description="The fields of the request that are wrong, or that cannot be as they are: they "
        "do not fit the schema, or the name is taken, for example.",
    )
