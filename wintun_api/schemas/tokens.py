"""The requests and answers of the API that concern tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from wintun_api.choices import Scope
from wintun_api.schemas.model import Body, Model, Omittable
from wintun_api.visible import visible

TEN_YEARS = 10 * 366 * 86400


class TokenCreate(Body):
    """The token to create."""

    scopes: list[Scope] = Field(
        min_length=1,
        description="The scopes of the token, at least one.",
        examples=[["read", "capture"]],
    )
    label: Annotated[str, AfterValidator(visible)] = Field(
        default="",
        max_length=100,
        description="A text of at most 100 characters that says what the token is for, without "
        "characters that cannot be seen (Unicode categories Cc, Cf, Cs, Zl and Zp, except for "
        "joiners where Persian and Indic words need them).",
        examples=["grafana"],
    )
    expires_in: Omittable[Annotated[float, Field(gt=0, le=TEN_YEARS, strict=True)]] = Field(
        default=None,
        description="The time after which the token expires, in seconds, at most ten years. If it "
        "is left out, the token does not expire.",
        examples=[86400],
    )


class Token(Model):
    """An issued token without its secret."""

    id: str = Field(description="The id that identifies the token in paths.", examples=["9f86d081"])
    label: str = Field(description="A text that says what the token is for.", examples=["grafana"])
    scopes: list[Scope] = Field(description="The scopes of the token.")
    created_at: datetime = Field(description="The time at which the token was created, in UTC.")
    expires_at: datetime | None = Field(
        description="The time at which the token expires, in UTC; null if it does not expire."
    )


class CreatedToken(Token):
    """A new token with its secret."""

    token: str = Field(
        description="The secret to send as a bearer token. It is shown only in this answer."
    )
