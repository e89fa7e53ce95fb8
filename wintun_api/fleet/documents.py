"""JSON documents that strangers have written: bounded, and validated.

What a document says of its writer counts for nothing: the subject of the message tells who has
written it, or the key in the bucket.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_NUMBER: Final = 2**64 - 1

Word = Annotated[str, Field(max_length=128)]
Number = Annotated[int, Field(strict=True, ge=0, le=MAX_NUMBER)]


class Document(BaseModel):
    """Base class of these documents."""

    model_config = ConfigDict(frozen=True)


T = TypeVar("T", bound=Document)


def document_of(kind: type[T], data: bytes, limit: int) -> T | None:
    """Return the document in these bytes; None if they are not one, or are more than `limit`."""
    if len(data) > limit:
        return None
    try:
        return kind.model_validate_json(data)
    except ValidationError:
        return None
