"""What all models of the API share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Unknown members are refused, so that typing errors show."""

    model_config = ConfigDict(extra="forbid", frozen=True)
