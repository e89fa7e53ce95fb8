"""An error as a document."""

from __future__ import annotations

from pydantic import BaseModel, Field

from wintun_api.api.schemas.model import Model


class FieldError(Model):
    """One wrong field of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """An error as a document (RFC 9457)."""

    type: str = Field(examples=["urn:wintun-api:problem:adapter-not-found"])
    title: str
    status: int
    detail: str = Field(description="For people.")
    hint: str = Field("", description="What to do next.")
    instance: str = ""
    win32_code: int | None = Field(None, description="The driver's Win32 error, unsigned.")
    win32_code_hex: str | None = None
    errno: int | None = Field(None, description="The driver's errno on Linux.")
    function: str | None = Field(None, description="The driver's function that failed.")
    log: list[str] = Field([], description="The driver's log lines of the failed call.")
    reason: str | None = None
    field: str | None = None
    errors: list[FieldError] = []
