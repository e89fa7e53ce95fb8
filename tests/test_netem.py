"""Impairments in the words of tc-netem become members of the API, and members become words."""

from __future__ import annotations

from typing import Any

import pytest

from wintun_api import netem, quantities
from wintun_api.schemas.impairment import Impairment

WORDS: dict[str, Any] = {
    "delay": "100ms",
    "jitter": "10ms",
    "distribution": "normal",
    "delay_correlation": "25%",
    "loss": "2%",
    "loss_correlation": "25%",
    "gilbert_elliott": "1%,25%,0.1,1",
    "duplicate": "1%",
    "duplicate_correlation": 0.5,
    "corrupt": "0.1%",
    "corrupt_correlation": 0,
    "reorder": "5%",
    "reorder_correlation": "50%",
    "gap": 5,
    "rate": "10mbit",
    "burst": "16kb",
    "overhead": "18",
    "limit": 500,
    "limit_bytes": "1mb",
    "blackout": True,
    "max_size": 1280,
    "too_big_reply": True,
}


def test_every_member_has_a_word() -> None:
    """The words cover the model, and every example fits it."""
    assert {word.member for word in netem.WORDS.values()} == set(Impairment.model_fields)
    assert set(WORDS) == set(netem.WORDS)
    members = netem.members(WORDS)
    assert set(members) == set(Impairment.model_fields)
    assert members["gilbert_elliott"] == {"p": 0.01, "r": 0.25, "h": 0.1, "k": 1}
    assert (members["delay_ms"], members["loss"], members["rate_bps"]) == (100, 0.02, 10_000_000)
    Impairment.model_validate(members)


def test_what_holds_by_itself_is_not_said() -> None:
    """The defaults of the model are left out of the line, and so is nothing at all."""
    assert netem.sentence(Impairment().model_dump(mode="json")) == "-"
    assert netem.sentence(None) == "-"
    service = {"limit_bytes": 64 << 20}  # what the service answers for null
    assert netem.sentence({**Impairment().model_dump(mode="json"), **service}) == "-"


def test_a_line_says_everything() -> None:
    """The line has every word with its value, as people write it."""
    line = netem.sentence(Impairment.model_validate(netem.members(WORDS)).model_dump(mode="json"))
    assert line == (
        "delay 100ms jitter 10ms distribution normal delay-correlation 25% loss 2% "
        "loss-correlation 25% gilbert-elliott 1%,25%,10%,100% duplicate 1% "
        "duplicate-correlation 50% corrupt 0.1% reorder 5% reorder-correlation 50% gap 5 "
        "rate 10mbit burst 16kb overhead 18 limit 500 limit-bytes 1mb blackout max-size 1280b "
        "too-big-reply"
    )


def test_members_of_the_api_are_passed_on() -> None:
    """A member of the API, and a name that is unknown, are left for the service to judge."""
    given = {"delay_ms": 5, "dealy": 3, "loss": None, "delay": None, "x-y": 1}
    assert netem.members(given) == {"delay_ms": 5, "dealy": 3, "x-y": 1}


@pytest.mark.parametrize("value", ["1%,25%", [0.01, 0.25], {"p": "1%", "r": 0.25}, "0.01,0.25"])
def test_a_channel(value: Any) -> None:
    """A channel is a text, a list or an object."""
    assert netem.members({"gilbert_elliott": value}) == {"gilbert_elliott": {"p": 0.01, "r": 0.25}}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("delay", "soon"),
        ("loss", 2),
        ("distribution", "gauss"),
        ("gilbert_elliott", "1%"),
        ("gilbert_elliott", "1%,2%,3%,4%,5%"),
        ("gilbert_elliott", 5),
        ("gilbert_elliott", {"p": "x"}),
        ("blackout", "yes"),
        ("gap", 1.5),
    ],
)
def test_wrong_values(word: str, value: Any) -> None:
    """The error names the word and what is wrong."""
    with pytest.raises(netem.WrongWord, match=f"^{word}: ") as caught:
        netem.members({word: value})
    assert caught.value.word == word


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"delay": "5ms"}, {"delay_ms": 600}),
        ({"limit": 5}, {"limit_packets": 5}),
        ({"limit_bytes": 5}, {"limit-bytes": 5}),
        ({"gap": 2}, {"reorder_gap": 2}),
    ],
)
def test_two_names_of_one_member(first: dict[str, Any], second: dict[str, Any]) -> None:
    """They contradict each other in either order, and both are named."""
    for given in ({**first, **second}, {**second, **first}):
        before, after = given
        with pytest.raises(netem.WrongWord) as caught:
            netem.members(given)
        assert str(caught.value) == (f"{after}: means the same as {before}; leave one of them out")


def test_words_with_dashes() -> None:
    """The words of options are understood as well as those of the API."""
    dashed = {name.replace("_", "-"): value for name, value in WORDS.items()}
    assert netem.members(dashed) == netem.members(WORDS)


@pytest.mark.parametrize("name", [name for name in netem.WORDS if netem.WORDS[name].bounds])
def test_bounds(name: str) -> None:
    """The bounds of a word are those of the model, and the error has its unit."""
    word = netem.WORDS[name]
    assert word.bounds is not None
    least, most = word.bounds
    for value in (least, most):
        Impairment.model_validate({word.member: netem.members({name: value})[word.member]})
    for value, said in (
        (least - 1, f"is too little; it must be {word.write(least)} at least"),
        (most + 1, f"is too much; it can be {word.write(most)} at most"),
    ):
        with pytest.raises(ValueError, match=word.member):
            Impairment.model_validate({word.member: value})
        with pytest.raises(netem.WrongWord, match=f"^{name}: {value} {said}$"):
            netem.members({name: value})


def test_all_numbers_have_bounds() -> None:
    """Each member that the model bounds is bounded as a word, by itself or as a probability."""
    for name, word in netem.WORDS.items():
        if name not in ("distribution", "gilbert_elliott", "blackout", "too_big_reply"):
            with pytest.raises(netem.WrongWord):
                netem.members({name: 10**15})
            assert word.bounds or word.read is quantities.probability
