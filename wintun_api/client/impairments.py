"""What is sent to set an impairment again, which an answer of the service describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wintun_api.schemas.impairment import SessionImpairment

# A rule says what happens in one of these ways; the first that it has is the way it was set.
_WAYS = (("preset",), ("scenario",), ("received", "injected"))


def members_of(impairment: SessionImpairment) -> dict[str, Any]:
    """Return the arguments of `set_impairment` that set the same rules with the same seed.

    A scenario begins again. Members that the service did not send are left out, because in a step
    of a scenario they differ from null.
    """
    said = impairment.model_dump(mode="json", exclude_unset=True)
    return {
        "seed": said["seed"],
        "on_change": said["on_change"],
        "rules": [_rule(one) for one in said["rules"]],
    }


def _rule(said: dict[str, Any]) -> dict[str, Any]:
    match = {} if said.get("match") is None else {"match": said["match"]}
    for way in _WAYS:
        found = {name: said[name] for name in way if said.get(name) is not None}
        if found:
            return {**match, **found}
    return match
