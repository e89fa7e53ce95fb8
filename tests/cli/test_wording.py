"""What pydantic says about a wrong value, in plain words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from wintun_api.cli.wording import about_members, about_setting, about_value, with_plain_errors
from wintun_api.schemas.adapters import AdapterCreate
from wintun_api.schemas.captures import CaptureCreate
from wintun_api.schemas.recorder import RecorderSet
from wintun_api.schemas.sessions import SessionCreate
from wintun_api.schemas.tokens import TokenCreate

WRONG: dict[type[Any], list[dict[str, Any]]] = {
    RecorderSet: [{"seconds": 1e9}, {"seconds": 0}, {"bytes": 1}, {"bytes": "x"}, {"x": 1}],
    SessionCreate: [{}, {"adapter": "x"}, {"adapter": 5, "capacity": 5, "offload": "x"}],
    TokenCreate: [{"scopes": []}, {"scopes": ["x"]}, {"scopes": ["read"], "label": "x" * 101}],
    AdapterCreate: [{"name": "x" * 300}, {"name": 5}, {"name": "a", "mtu": 1e9, "dns": "x"}],
    CaptureCreate: [{"name": ""}, {"direction": "up"}, {"adapters": []}, {"stop": 5}],
}


@pytest.mark.parametrize(("model", "given"), [(one, it) for one in WRONG for it in WRONG[one]])
def test_no_word_of_pydantic(model: type[Any], given: dict[str, Any]) -> None:
    """What the checks of the API's documents say is a sentence about an option."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(given)
    errors = [{"field": str(one["loc"][0]), "message": one["msg"]} for one in caught.value.errors()]
    said = about_members({"errors": errors})
    assert not any(word in said for word in ("nput", "hould", "alid ", "ield ", "Value error"))
    assert said.startswith(("The value of --", "The name "))
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Input should be less than or equal to 65535", "It must be at most 65535."),
        ("Input should be a valid integer, unable to parse string", "It must be a whole number."),
        ("Value error, 'up' is not one of 'in', 'out'.", "'up' is not one of 'in', 'out'."),
        ("'x' is not a size such as 16kb.", "'x' is not a size such as 16kb."),
    ],
)
def test_a_value(said: str, told: str) -> None:
    """A value of an option is named by the line above; what is plain stays."""
    assert about_value(said) == told


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("--port: Input should be less than or equal to 65535.", "--port must be at most 65535."),
        ("WINTUN_API_NATIVE: Input should be 'a' or 'b'.", "WINTUN_API_NATIVE must be 'a' or 'b'."),
        ("--port and --tls-key do not go together.", "--port and --tls-key do not go together."),
    ],
)
def test_a_setting(said: str, told: str) -> None:
    """A setting is named by its flag, its variable or its key."""
    assert about_setting(said) == told


def test_a_sentence_of_the_service() -> None:
    """What the service says in its own words is kept, with the option before it."""
    errors = [{"field": "dns.0", "message": "'x' is not an address"}]
    assert about_members({"errors": errors}) == (
        "The value of --dns is not accepted: 'x' is not an address."
    )
    assert about_members({"errors": [{"field": "body", "message": "give one"}]}) == "give one."
    assert about_members({"detail": "Something else."}) == ""


def test_errors_in_json() -> None:
    """The list of errors in a problem document has the same words."""
    errors = [{"field": "mtu", "message": "Input should be less than or equal to 65535"}]
    assert with_plain_errors({"status": 422, "errors": errors}) == {
        "status": 422,
        "errors": [{"field": "mtu", "message": "must be at most 65535"}],
    }
    assert with_plain_errors({"status": 404}) == {"status": 404}
