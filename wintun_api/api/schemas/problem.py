"""An error as a document."""

from __future__ import annotations

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from wintun_api.api.schemas.model import Model


class FieldError(Model):
    """One wrong field of a request."""

    field: str = Field(description="Where it is, with dots.", examples=["addresses.0"])
    message: str = Field(description="What is wrong with it.")


class Problem(Model):
    """An error as a document (RFC 9457). Members that do not apply are left out."""

    type: str = Field(
        description="One per cause, for programs.",
        examples=["urn:wintun-api:problem:adapter-not-found"],
    )
    title: str = Field(description="The cause in words.", examples=["No such adapter"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What went wrong this time, for people.")
    hint: str = Field("", description="What to do next, for people.")
    instance: str = Field("", description="The path of the request.")
    win32_code: int | SkipJsonSchema[None] = Field(
        None,
        description="The error number as the driver returned it, unsigned. It may be an HRESULT, "
        "an NTSTATUS or a code of SetupAPI; `code_kind` then says so.",
        examples=[1168],
    )
    win32_code_hex: str | SkipJsonSchema[None] = Field(
        None, description="The same in hexadecimal.", examples=["0x00000490"]
    )
    code_kind: str | SkipJsonSchema[None] = Field(
        None,
        description="HRESULT, NTSTATUS or SetupAPI; missing where the number is a plain Win32 "
        "code.",
        examples=["HRESULT"],
    )
    carried_win32_code: int | SkipJsonSchema[None] = Field(
        None,
        description="The Win32 code that an HRESULT such as 0x80070005 carries, by which the "
        "service has read it.",
        examples=[5],
    )
    configret: str | SkipJsonSchema[None] = Field(
        None, description="The answer of the device manager.", examples=["0x0000000D"]
    )
    errno: int | SkipJsonSchema[None] = Field(
        None, description="The driver's errno on Linux.", examples=[1]
    )
    function: str | SkipJsonSchema[None] = Field(
        None, description="The driver's function that failed.", examples=["WintunOpenAdapter"]
    )
    log: list[str] = Field(
        default_factory=list, description="The driver's log lines of the failed call."
    )
    reason: str | SkipJsonSchema[None] = Field(
        None,
        description="Why the driver is unavailable, or packets or frames were refused.",
        examples=["LIBRARY_NOT_FOUND"],
    )
    field: str | SkipJsonSchema[None] = Field(
        None, description="The one wrong field.", examples=["name"]
    )
    errors: list[FieldError] = Field(
        default_factory=list, description="All fields that do not fit the schema."
    )
