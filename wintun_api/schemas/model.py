"""What all models of the API share."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias, TypeVar, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue, SkipJsonSchema
from pydantic_core import CoreSchema

from wintun_api.paste import trimmed_values

T = TypeVar("T")

EXAMPLE_GUID = "deadbabe-cafe-beef-0123-456789abcdef"


class Model(BaseModel):
    """An answer of the API. A later version may add members, which older clients ignore."""

    model_config = ConfigDict(frozen=True)


class Body(Model):
    """The body of a request. An unknown member is refused, so that a misspelt name is noticed.

    White space around a text is removed. Numbers are finite, as in JSON; Python reads others too.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _trim(cls, given: Any) -> Any:
        return trimmed_values(given)


class Sparse(Model):
    """A model that writes only the members that were given."""

    @model_serializer(mode="wrap")
    def _given(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {
            name: value for name, value in serialize(self).items() if name in self.model_fields_set
        }

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the members, not the function that leaves some of them out."""
        return handler(cast(CoreSchema, {**schema, "serialization": None}))


def _present(value: object) -> object:
    if value is None:
        raise ValueError("may be left out, but must not be null")
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
