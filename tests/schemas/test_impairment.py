"""What is refused in the body of an impairment, and what is told about it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from wintun_api.choices import Distribution, PresetName
from wintun_api.schemas.impairment import (
    MAX_ALL_STEPS,
    MAX_RULES,
    MAX_STEPS,
    WAYS,
    ActiveRule,
    Impairment,
    ImpairmentSet,
    Match,
    Rule,
    SessionImpairment,
    Step,
    Way,
)

CHANNEL = {"p": 0.1, "r": 0.3}


def faults(body: object) -> dict[str, str]:
    """What is wrong with a body: the sentence by the place."""
    try:
        ImpairmentSet.model_validate(body)
    except ValidationError as error:
        return {".".join(map(str, one["loc"])): one["msg"] for one in error.errors()}
    return {}


# Members of one direction that contradict one another, and the one that is named.
CONTRADICTIONS = [
    ({"distribution": "normal"}, "distribution", "jitter_ms"),
    ({"distribution": "pareto", "delay_ms": 5}, "distribution", "jitter_ms"),
    ({"delay_correlation": 0.5, "delay_ms": 5}, "delay_correlation", "jitter_ms"),
    ({"loss_correlation": 0.5}, "loss_correlation", "loss"),
    ({"duplicate_correlation": 0.5}, "duplicate_correlation", "duplicate"),
    ({"corrupt_correlation": 0.5}, "corrupt_correlation", "corrupt"),
    (
        {"reorder_correlation": 0.5, "delay_ms": 5},
        "reorder_correlation",
        "reorder",
    ),
    ({"reorder": 0.5}, "reorder", "delay_ms"),
    ({"reorder_gap": 5, "delay_ms": 5}, "reorder_gap", "reorder"),
    ({"burst_bytes": 5}, "burst_bytes", "rate_bps"),
    ({"overhead_bytes": -4}, "overhead_bytes", "rate_bps"),
    ({"too_big_reply": True}, "too_big_reply", "max_size"),
    ({"loss": 0.1, "gilbert_elliott": CHANNEL}, "gilbert_elliott", "loss"),
    (
        {"loss_correlation": 0.1, "gilbert_elliott": CHANNEL},
        "loss_correlation",
        "loss",
    ),
]
PLACES: dict[str, Any] = {
    "received": lambda given: {"received": given},
    "injected": lambda given: {"received": {}, "injected": given},
    "rules.1.injected": lambda given: {"rules": [{}, {"injected": given}]},
    "scenario.steps.1.received": lambda given: {
        "scenario": {"steps": [{"at": 0}, {"at": 1, "received": given}]}
    },
    "rules.0.scenario.steps.0.injected": lambda given: {
        "rules": [{"scenario": {"steps": [{"at": 0, "injected": given}]}}]
    },
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("given", "member", "other"), CONTRADICTIONS)
def test_a_contradiction_is_named_where_it_is(
    place: str, given: dict[str, Any], member: str, other: str
) -> None:
    """Wherever a direction is described, the place of the member is told and what to do."""
    found = faults(PLACES[place](given))
    assert list(found) == [f"{place}.{member}"]
    assert f"`{other}`" in found[f"{place}.{member}"]
    assert "leave" in found[f"{place}.{member}"]


def test_all_contradictions_are_told_at_once() -> None:
    """One request is enough to learn of each."""
    given = {"distribution": "normal", "loss_correlation": 1, "burst_bytes": 1}
    found = faults({"received": given, "injected": {"too_big_reply": True}})
    assert set(found) == {
        "received.distribution",
        "received.loss_correlation",
        "received.burst_bytes",
        "injected.too_big_reply",
    }


def test_defaults_contradict_nothing() -> None:
    """What an answer writes can be sent again: every default, and null, in words."""
    whole = Impairment().model_dump(mode="json")
    assert whole["distribution"] == "uniform"
    assert faults({"received": whole, "injected": None, "preset": None, "rules": None}) == {}
    for given in (
        {"jitter_ms": 5, "distribution": "normal", "delay_correlation": 0.5},
        {"delay_ms": 5, "reorder": 0.2, "reorder_correlation": 0.5, "reorder_gap": 3},
        {"rate_bps": 100, "burst_bytes": 1, "overhead_bytes": -64},
        {"gilbert_elliott": CHANNEL, "loss": 0},
        {"max_size": 68, "too_big_reply": True},
        {"blackout": True},
    ):
        assert faults({"received": {**whole, **given}}) == {}


# A body, and the member that is named.
BAD_BODIES: list[tuple[object, str]] = [
    ({}, ""),
    ({"seed": 7}, ""),
    ({"on_change": "drop"}, ""),
    ({"match": {"port": 5}}, ""),
    ({"received": None, "injected": None}, ""),
    ([], ""),
    ("3g", ""),
    (None, ""),
    ({"preset": "4g"}, "preset"),
    ({"preset": ["3g"]}, "preset"),
    ({"preset": "3g", "received": {}}, "received"),
    ({"preset": "3g", "injected": {}}, "injected"),
    ({"preset": "3g", "scenario": {"steps": [{"at": 0}]}}, "scenario"),
    ({"received": {}, "scenario": {"steps": [{"at": 0}]}}, "received"),
    ({"injected": {}, "scenario": {"steps": [{"at": 0}]}}, "injected"),
    *(({"rules": [{}], name: {"steps": [{"at": 0}]}}, name) for name in ("scenario",)),
    ({"rules": [{}], "received": {}}, "received"),
    ({"rules": [{}], "injected": {}}, "injected"),
    ({"rules": [{}], "preset": "3g"}, "preset"),
    ({"rules": [{}], "match": {"port": 5}}, "match"),
    ({"rules": []}, "rules"),
    ({"rules": [{}] * (MAX_RULES + 1)}, "rules"),
    ({"rules": {"0": {}}}, "rules"),
    ({"rules": [[]]}, "rules.0"),
    ({"rules": [{"rules": [{}]}]}, "rules.0.rules"),
    ({"rules": [{"seed": 5}]}, "rules.0.seed"),
    ({"rules": [{"preset": "3g", "received": {}}]}, "rules.0.received"),
    ({"received": []}, "received"),
    ({"received": {"received": {}}}, "received.received"),
    ({"recieved": {}}, "recieved"),
    ({"received": {"delay": 5}}, "received.delay"),
    ({"received": {}, "seed": -1}, "seed"),
    ({"received": {}, "seed": 1 << 53}, "seed"),
    ({"received": {}, "seed": 1.5}, "seed"),
    ({"received": {}, "seed": True}, "seed"),
    ({"received": {}, "seed": "7"}, "seed"),
    ({"received": {}, "on_change": "keep"}, "on_change"),
    ({"received": {}, "on_change": None}, "on_change"),
    ({"received": {"gilbert_elliott": {"p": 0.1}}}, "received.gilbert_elliott.r"),
    ({"received": {"gilbert_elliott": {**CHANNEL, "h": 2}}}, "received.gilbert_elliott.h"),
    ({"received": {"gilbert_elliott": {**CHANNEL, "q": 0}}}, "received.gilbert_elliott.q"),
    ({"received": {"gilbert_elliott": [0.1, 0.3]}}, "received.gilbert_elliott"),
]


@pytest.mark.parametrize(("body", "place"), BAD_BODIES, ids=str)
def test_a_body_of_another_form_is_refused(body: object, place: str) -> None:
    """What says nothing, says it twice, or is no impairment, is refused where it is."""
    assert list(faults(body)) == [place]


def test_the_names_of_presets_are_told() -> None:
    """Who misspells a preset reads which there are."""
    text = faults({"preset": "4G"})["preset"]
    assert all(f"'{name}'" in text for name in PresetName)


NUMBERS = {
    **dict.fromkeys(
        (
            "delay_correlation",
            "loss",
            "loss_correlation",
            "duplicate",
            "duplicate_correlation",
            "corrupt",
            "corrupt_correlation",
            "reorder",
            "reorder_correlation",
        ),
        (0, 1),
    ),
    "delay_ms": (0, 600_000),
    "jitter_ms": (0, 600_000),
    "reorder_gap": (1, 1_000_000),
    "rate_bps": (100, 10**12),
    "burst_bytes": (0, 1 << 30),
    "overhead_bytes": (-64, 1500),
    "limit_packets": (1, 1_000_000),
    "limit_bytes": (1, 1 << 30),
    "max_size": (68, 65535),
}
NO_NUMBERS: list[object] = [
    True,
    False,
    "1",
    "1ms",
    [1],
    {},
    math.nan,
    math.inf,
    -math.inf,
    1e400,
    10**400,
]


def test_every_number_is_looked_at() -> None:
    """No number of a direction is missing in these tests."""
    others = {"distribution", "gilbert_elliott", "blackout", "too_big_reply"}
    assert set(Impairment.model_fields) == set(NUMBERS) | others


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_beyond_their_limits_are_refused(name: str) -> None:
    """The limits themselves are accepted; what is beyond, or is not a number, is named."""
    least, most = NUMBERS[name]
    for good in (least, most, float(least), float(most)):
        assert getattr(Impairment.model_validate({name: good}), name) == good
    for bad in (least - 0.001, most + 0.001, least - 1, most + 1, -(10**400), *NO_NUMBERS):
        assert list(faults({"received": {name: bad}})) == [f"received.{name}"], bad


@pytest.mark.parametrize("name", ["blackout", "too_big_reply"])
def test_switches_are_true_or_false(name: str) -> None:
    """Numbers and words are not."""
    others: list[object] = [0, 1, "true", "on", None, []]
    for bad in others:
        assert list(faults({"received": {"max_size": 100, name: bad}})) == [f"received.{name}"]


def test_white_space_around_words_is_removed() -> None:
    """As in every body of the API."""
    body = {
        "preset": " 3g ",
        "match": {"protocol": " UDP\n", "port": " 5000 - 5999 ", "address": "10.9.0.0/24 "},
    }
    found = ImpairmentSet.model_validate(body)
    assert found.preset is PresetName.MOBILE_3G
    assert found.match == Match(protocol="udp", port="5000-5999", address="10.9.0.0/24")
    spaced = {"received": {"jitter_ms": 1, "distribution": " normal"}}
    received = ImpairmentSet.model_validate(spaced).received
    assert received is not None
    assert received.distribution is Distribution.NORMAL


GOOD_MATCHES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"protocol": "TCP"}, {"protocol": "tcp"}),
    ({"protocol": 17}, {"protocol": "udp"}),
    ({"protocol": "17"}, {"protocol": "udp"}),
    ({"protocol": 58.0}, {"protocol": 58}),
    ({"protocol": 0}, {"protocol": 0}),
    ({"protocol": 255}, {"protocol": 255}),
    ({"protocol": 132, "port": 5}, {"protocol": 132, "port": 5}),
    ({"port": "53"}, {"port": 53}),
    ({"port": 0}, {"port": 0}),
    ({"port": "53-53"}, {"port": 53}),
    ({"source_port": "0-65535"}, {"source_port": "0-65535"}),
    ({"address": "10.9.0.7/32"}, {"address": "10.9.0.7"}),
    ({"address": "0.0.0.0/0"}, {"address": "0.0.0.0/0"}),
    ({"source": "FD09::/64"}, {"source": "fd09::/64"}),
    ({"destination": "fd09:0:0::7"}, {"destination": "fd09::7"}),
    ({"address": "10.0.0.0/255.0.0.0"}, {"address": "10.0.0.0/8"}),
    ({"address": "10.0.0.0/8", "source": "10.1.0.0/16", "destination": "192.0.2.1"},) * 2,
    ({"port": 5, "source_port": "1-9", "destination_port": 80},) * 2,
    ({}, {}),
]


@pytest.mark.parametrize(("given", "kept"), GOOD_MATCHES, ids=str)
def test_a_match_has_one_form(given: dict[str, Any], kept: dict[str, Any]) -> None:
    """Equal conditions are written alike, and what was written is read again."""
    assert faults({"match": given, "received": {}}) == {}
    found = Match.model_validate(given)
    assert found.model_dump(mode="json", exclude_unset=True) == kept
    assert Match.model_validate(kept) == found


BAD_PROTOCOLS: list[object] = ["sctp", "", -1, 256, "256", 6.5, True, [], {}]
BAD_PORTS: list[object] = [
    *(-1, 65536, "65536", "999999", 1.5, True, "http", "", "-", "5-", "-5", "9-5", "1-2-3"),
    *("1-65536", "0x50", "\u0665", [53], {}, math.nan, math.inf, 10**400),
]
BAD_PREFIXES: list[object] = [
    *("", "x", "10.9.0", "10.9.0.0/33", "10.9.0.0/", "/24", "10.9.0.1/24", "fd09::1/64"),
    *("fe80::1%eth0", "::/129", "10.9.0.0/24/24", "localhost", 167772160, True, [], {}),
]
BAD_MATCHES: list[tuple[dict[str, Any], str]] = [
    *(({"protocol": bad}, "protocol") for bad in BAD_PROTOCOLS),
    *(({name: bad}, name) for name in ("port", "source_port") for bad in BAD_PORTS),
    ({"destination_port": "5-"}, "destination_port"),
    *(({name: bad}, name) for name in ("address", "source") for bad in BAD_PREFIXES),
    ({"destination": "x"}, "destination"),
    ({"protocol": "icmp", "port": 5}, "port"),
    ({"protocol": 47, "source_port": 5}, "source_port"),
    ({"protocol": 58, "destination_port": "5-6"}, "destination_port"),
    ({"source": "10.0.0.0/8", "destination": "fd00::/8"}, "destination"),
    ({"address": "::/0", "source": "10.0.0.0/8"}, "source"),
    ({"port": 5, "source_port": "6-9", "destination_port": "1-4"}, "port"),
    (
        {"address": "10.2.0.0/16", "source": "10.1.0.0/16", "destination": "10.3.0.0/16"},
        "address",
    ),
    ({"host": "10.0.0.1"}, "host"),
]


@pytest.mark.parametrize(("match", "member"), BAD_MATCHES, ids=str)
def test_a_match_that_cannot_be_is_refused(match: dict[str, Any], member: str) -> None:
    """Texts that are not what they should be, and conditions that no packet has together."""
    assert list(faults({"match": match, "received": {}})) == [f"match.{member}"]
    assert list(faults({"rules": [{}, {"match": match}]})) == [f"rules.1.match.{member}"]


def test_bits_beyond_a_prefix_are_a_question() -> None:
    """The message has the prefix that was probably meant."""
    text = faults({"match": {"address": "10.9.0.7/24"}, "received": {}})["match.address"]
    assert "do you mean 10.9.0.0/24?" in text


BAD_SCENARIOS: list[tuple[dict[str, Any], str]] = [
    ({}, "steps"),
    ({"steps": []}, "steps"),
    ({"steps": {"at": 0}}, "steps"),
    ({"steps": [{"at": n} for n in range(MAX_STEPS + 1)]}, "steps"),
    ({"steps": [{}]}, "steps.0.at"),
    ({"steps": [{"at": -1}]}, "steps.0.at"),
    ({"steps": [{"at": True}]}, "steps.0.at"),
    ({"steps": [{"at": math.nan}]}, "steps.0.at"),
    ({"steps": [{"at": 1e9}]}, "steps.0.at"),
    ({"steps": [{"at": 0, "ramp": -1}]}, "steps.0.ramp"),
    ({"steps": [{"at": 0, "ramp": "1"}]}, "steps.0.ramp"),
    ({"steps": [{"at": 0, "preset": "3g"}]}, "steps.0.preset"),
    ({"steps": [{"at": 1}, {"at": 1}]}, "steps.1.at"),
    ({"steps": [{"at": 1}, {"at": 0.5}]}, "steps.1.at"),
    ({"steps": [{"at": 0}, {"at": 3}, {"at": 2}]}, "steps.2.at"),
    ({"steps": [{"at": 0, "ramp": 2}, {"at": 1}]}, "steps.0.ramp"),
    ({"steps": [{"at": 0}, {"at": 5, "ramp": 5.1}, {"at": 10}]}, "steps.1.ramp"),
    ({"steps": [{"at": 0}], "loop": True}, "length"),
    ({"steps": [{"at": 0}], "loop": True, "length": 0}, "length"),
    ({"steps": [{"at": 0}], "loop": True, "length": 1e-9}, "length"),
    ({"steps": [{"at": 0}], "loop": True, "length": 0.0999}, "length"),
    ({"steps": [{"at": 0}, {"at": 0.09}], "loop": True}, "length"),
    ({"steps": [{"at": 0, "ramp": 0.05}], "loop": True}, "length"),
    ({"steps": [{"at": 1}, {"at": 1.009}]}, "steps.1.at"),
    ({"steps": [{"at": 0}, {"at": 1}, {"at": 1.000002}]}, "steps.2.at"),
    ({"steps": [{"at": 0}, {"at": 10}], "length": 9.9}, "length"),
    ({"steps": [{"at": 0, "ramp": 10}], "length": 5, "loop": True}, "length"),
    ({"steps": [{"at": 0}], "length": -1}, "length"),
    ({"steps": [{"at": 0}], "length": math.inf}, "length"),
    ({"steps": [{"at": 0}], "loop": 1, "length": 5}, "loop"),
]


@pytest.mark.parametrize(("scenario", "member"), BAD_SCENARIOS, ids=lambda one: str(one)[:60])
def test_a_scenario_that_cannot_be_played_is_refused(scenario: dict[str, Any], member: str) -> None:
    """Steps out of order, ramps that overlap and loops without an end are named."""
    assert list(faults({"scenario": scenario})) == [f"scenario.{member}"]


@pytest.mark.parametrize(
    "scenario",
    [
        {"steps": [{"at": 0}]},
        {"steps": [{"at": 0}], "length": 0},
        {"steps": [{"at": 5}], "loop": True},
        {"steps": [{"at": 0}], "loop": True, "length": 0.1},
        {"steps": [{"at": 0}, {"at": 0.1}], "loop": True},
        {"steps": [{"at": 0}, {"at": 0.05}], "length": 0.05},
        {"steps": [{"at": n * 0.01} for n in range(MAX_STEPS)]},
        {"steps": [{"at": 0, "ramp": 1}], "loop": True},
        # In binary, 0.1 + 0.2 is more than 0.3.
        {"steps": [{"at": 0.1, "ramp": 0.2}, {"at": 0.3}]},
        {"steps": [{"at": 0.1, "ramp": 0.2}], "length": 0.3},
        {"steps": [{"at": n} for n in range(MAX_STEPS)]},
    ],
    ids=lambda one: str(one)[:60],
)
def test_scenarios_at_the_limits(scenario: dict[str, Any]) -> None:
    """What is just possible is accepted."""
    assert faults({"scenario": scenario}) == {}


def test_scenarios_together_have_a_limit() -> None:
    """Each answer and event has all steps, so their number is bounded over all rules."""
    scenario = {"steps": [{"at": n} for n in range(MAX_STEPS)]}
    rules = [{"scenario": scenario}] * (MAX_ALL_STEPS // MAX_STEPS)
    assert faults({"rules": rules}) == {}
    found = faults({"rules": [*rules, {"scenario": {"steps": [{"at": 0}]}}]})
    assert list(found) == ["rules"]
    assert str(MAX_ALL_STEPS) in found["rules"]


def test_a_step_writes_only_the_directions_that_it_changes() -> None:
    """A direction that is left out stays, and null ends it: the difference survives."""
    kept, ended = Step(at=0), Step(at=0, received=None)
    assert "received" not in kept.model_dump(mode="json")
    assert ended.model_dump(mode="json")["received"] is None
    assert Step.model_validate(ended.model_dump(mode="json")).model_fields_set >= {"received"}


def test_what_is_too_short_to_be_played_is_told_with_what_to_do() -> None:
    """The text has the least that is possible, and where that begins."""
    short = faults({"scenario": {"steps": [{"at": 0}], "loop": True, "length": 0.05}})
    assert short == {
        "scenario.length": "must be at least 0.1 s for a loop; say how long a round is"
    }
    close = faults({"scenario": {"steps": [{"at": 2}, {"at": 2.001}]}})
    assert "make it 2.01 s or later" in close["scenario.steps.1.at"]


def test_state_is_ignored_in_rules_only() -> None:
    """An answer as a whole cannot be sent; a rule's state has to be what an answer may have."""
    for name in ("now_received", "now_injected", "progress"):
        assert list(faults({"received": {}, name: None})) == [name]
        assert list(faults({"received": {}, name: "garbage"})) == [name]
        assert list(faults({"rules": [{"received": {}, name: "garbage"}]})) == [f"rules.0.{name}"]
        assert name not in ImpairmentSet.model_json_schema()["properties"]
    rules = [{"received": {}, "now_received": {"loss": 1}}]
    sent = ImpairmentSet.model_validate({"rules": rules}).model_dump(mode="json")
    assert "now_received" not in sent["rules"][0]


def test_rules_of_an_answer_can_be_sent() -> None:
    """What an answer says beside a rule is ignored; other unknown members are not."""
    rule: dict[str, Any] = {"match": None, "received": {}, "now_received": {}, "now_injected": None}
    assert faults({"rules": [{**rule, "progress": None}]}) == {}
    assert list(faults({"rules": [{**rule, "later": 1}]})) == ["rules.0.later"]
    assert set(ActiveRule.model_fields) == set(Rule.model_fields)


def test_answers_of_a_later_version_can_be_read() -> None:
    """A client ignores new members at every depth, and is not stricter than the service."""
    direction = {"loss": 0.1, "gilbert_elliott": {**CHANNEL, "later": 1}, "later": 1}
    count = {"packets": 0, "bytes": 0, "later": 1}
    counters = {
        name: 0 if name == "too_big_replies" else count
        for name in (
            *("offered", "duplicated", "delivered", "lost", "limit", "blackout", "too_large"),
            *("dropped", "delayed", "corrupted", "reordered", "too_big_replies", "later"),
        )
    }
    rule = {
        "match": {"port": 5, "later": 1},
        "preset": "6g",
        "received": direction,
        "injected": None,
        "scenario": {"steps": [{"at": 0, "later": 1}], "later": 1},
        "now_received": direction,
        "now_injected": None,
        "progress": None,
        "later": 1,
    }
    answer = {
        "session": "5f0c9d1e2b3a",
        "adapter": "deadbabe-cafe-beef-0123-456789abcdef",
        "summary": "",
        "seed": 7,
        "on_change": "deliver",
        "set_at": "2026-11-25T09:30:00Z",
        "rules": [rule],
        "received": counters,
        "injected": counters,
        "later": 1,
    }
    read = SessionImpairment.model_validate(answer, extra="ignore")
    assert read.rules[0].preset == "6g"
    assert read.rules[0].received is not None
    assert read.rules[0].received.loss == 0.1


def test_the_ways_are_members_of_a_rule() -> None:
    """A rule says what happens in ways that it has."""
    assert set(WAYS) | {"match"} == set(Way.model_fields)
