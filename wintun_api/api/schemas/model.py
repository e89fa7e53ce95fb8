"""What all models of the API share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic.json_schema import SkipJsonSchema

from wintun_api.paste import trimmed_values

T = TypeVar("T")

EXAMPLE_GUID = "deadbabe-cafe-beef-0123-456789abcdef"


class Model(BaseModel):
    """What the API gives: a later version may have more members, so clients ignore strange ones."""

    model_config = ConfigDict(frozen=True)


class Body(Model):
    """What the API takes: strange members are refused, so that typing errors show.

    White space around texts is not.
    """

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _trim(cls, given: Any) -> Any:
        return trimmed_values(given)


def _present(value: object) -> object:
    if value is None:
        raise ValueError("may be missing, but not null")
    return value


def _whole(value: object) -> object:
    # JSON knows one kind of number, and some languages write every one with a point.
    return int(value) if isinstance(value, float) and value.is_integer() else value


# To be written behind the limits of a strict integer, so that they stay in the schema.
WHOLE = BeforeValidator(_whole)
# For texts, numbers and GUIDs of paths and queries; bodies are trimmed as a whole.
TRIMMED = BeforeValidator(trimmed_values)
# A member of a body that may be missing, and is None then; the client's null is refused.
Omittable: TypeAlias = Annotated[T | SkipJsonSchema[None], BeforeValidator(_present)]


def from_ns(time_ns: int) -> datetime:
    """Return the UTC time of nanoseconds since 1970."""
    return datetime.fromtimestamp(time_ns / 1e9, UTC)
