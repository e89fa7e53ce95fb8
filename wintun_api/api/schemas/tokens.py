"""What the API takes and gives of tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from wintun_api.api.schemas.model import Body, Model, Omittable
from wintun_api.api.tokens import IssuedToken, Scope

TEN_YEARS = 10 * 366 * 86400


class TokenCreate(Body):
    """A token to make."""

    scopes: list[Scope] = Field(
        min_length=1, description="What it shall allow.", examples=[["read", "capture"]]
    )
    label: str = Field(
        "", max_length=100, description="What the token is for.", examples=["grafana"]
    )
    expires_in: Omittable[Annotated[float, Field(gt=0, le=TEN_YEARS, strict=True)]] = Field(
        None, description="Seconds; without end when missing.", examples=[86400]
    )


class Token(Model):
    """An issued token, without its secret."""

    id: str = Field(description="Names it in paths.", examples=["9f86d081"])
    label: str = Field(description="What it is for.", examples=["grafana"])
    scopes: list[Scope] = Field(description="What it allows.")
    created_at: datetime = Field(description="UTC.")
    expires_at: datetime | None = Field(description="UTC; null for never.")

    @classmethod
    def of(cls, token: IssuedToken, **more: Any) -> Token:
        """Write a token of the store."""
        return cls(
            id=token.id,
            label=token.label,
            scopes=list(token.scopes),
            created_at=datetime.fromtimestamp(token.created, UTC),
            expires_at=None
            if token.expires is None
            else datetime.fromtimestamp(token.expires, UTC),
            **more,
        )


class CreatedToken(Token):
    """A token just made."""

    token: str = Field(description="The secret; it is shown only now.")
