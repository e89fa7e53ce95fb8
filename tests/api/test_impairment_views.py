"""An impairment in both directions: what a body asks for, and what an answer says of it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wintun_api.api.impairment_summary import MOST_RULES, summary_of
from wintun_api.api.impairment_views import impairment_of, plan_of, presets
from wintun_api.choices import PresetName
from wintun_api.hub.impairment.accounts import Accounts, Count
from wintun_api.hub.impairment.impairment import ImpairmentView, RuleView
from wintun_api.hub.impairment.parameters import KEPT, Parameters, Plan, Rule
from wintun_api.hub.impairment.presets import PRESETS
from wintun_api.hub.impairment.scenario import Progress, state_at
from wintun_api.schemas.impairment import Impairment, ImpairmentSet, SessionImpairment
from wintun_api.schemas.model import EXAMPLE_GUID

GUID = UUID(EXAMPLE_GUID)


def plan(body: dict[str, Any]) -> Plan:
    """What a body asks for."""
    return plan_of(ImpairmentSet.model_validate(body))


def view(asked: Plan, elapsed: float = 0.0) -> ImpairmentView:
    """What the hub says of a plan, some seconds after it was set."""
    rules = []
    for rule in asked.rules:
        if rule.scenario is None:
            rules.append(RuleView.of(rule))
        else:
            received, injected, progress = state_at(rule.scenario, elapsed)
            rules.append(RuleView.of(rule, (received, injected), progress))
    return ImpairmentView(
        session="5f0c9d1e2b3a",
        adapter=GUID,
        plan=asked,
        set_ns=1_700_000_000_123_456_789,
        rules=tuple(rules),
        received=Accounts(offered=Count(3, 300), too_big_replies=2),
        injected=Accounts(),
    )


def answer(body: dict[str, Any], elapsed: float = 0.0) -> dict[str, Any]:
    """What is answered to a body, as JSON."""
    return dict(impairment_of(view(plan(body), elapsed)).model_dump(mode="json"))


def summary(body: dict[str, Any], elapsed: float = 0.0) -> str:
    """The line about a body."""
    return str(answer(body, elapsed)["summary"])


def test_a_body_becomes_a_plan() -> None:
    """Each member is where the hub looks for it, with the units of the body."""
    asked = plan(
        {
            "seed": 7,
            "on_change": "drop",
            "match": {"protocol": "icmp", "source": "10.9.0.0/24", "address": "10.0.0.1"},
            "received": {"delay_ms": 60, "gilbert_elliott": {"p": 0.1, "r": 0.5}},
            "injected": {"rate_bps": 1000, "limit_bytes": 5},
        }
    )
    assert (asked.seed, asked.on_change.value) == (7, "drop")
    (rule,) = asked.rules
    assert rule.match is not None
    assert rule.match.protocols == frozenset((1, 58))
    assert (str(rule.match.source), str(rule.match.address)) == ("10.9.0.0/24", "10.0.0.1/32")
    assert rule.received is not None
    assert rule.received.gilbert_elliott is not None
    assert (rule.received.gilbert_elliott.h, rule.received.gilbert_elliott.k) == (0.0, 1.0)
    assert rule.injected == Parameters(rate_bps=1000, limit_bytes=5)


def test_a_seed_is_chosen_and_told() -> None:
    """Without a seed the service chooses one of those that a body may name."""
    seeds = {plan({"received": {}}).seed for _ in range(20)}
    assert len(seeds) > 10
    assert answer({"received": {}, "seed": 0})["seed"] == 0
    for seed in seeds:
        assert plan({"received": {}, "seed": seed}).seed == seed


@pytest.mark.parametrize("name", PresetName)
def test_a_preset_is_told_by_its_name_and_what_it_does_now(name: PresetName) -> None:
    """What was set is the name; what happens is told in full, and is the preset's."""
    said = answer({"preset": name.value, "match": {"port": 5}})
    (rule,) = said["rules"]
    assert (rule["preset"], rule["received"], rule["injected"]) == (name.value, None, None)
    assert rule["match"]["port"] == 5
    listed = {one.name: one.model_dump(mode="json") for one in presets()}[name.value]
    assert rule["now_received"] == listed["received"]
    assert rule["now_injected"] == listed["injected"]
    # What a preset does can be asked for without its name.
    again = plan({"received": listed["received"], "injected": listed["injected"]}).rules[0]
    assert (again.received, again.injected) == (PRESETS[name].received, PRESETS[name].injected)


def test_a_scenario_is_told_with_its_progress() -> None:
    """The steps as they were set, what holds now, and how far it is."""
    body: dict[str, Any] = {
        "scenario": {
            "steps": [
                {"at": 1, "received": {"delay_ms": 100}},
                {"at": 2, "ramp": 3, "received": {"delay_ms": 200}, "injected": {"loss": 0.9}},
                {"at": 6, "received": None},
            ],
            "loop": True,
            "length": 10,
        }
    }
    for elapsed, now, step, loops in (
        (0.5, (None, None), None, 0),
        (1.5, (100, None), 0, 0),
        (3.0, (pytest.approx(133.333333333), 0.3), 1, 0),
        (27.0, (None, 0.9), 2, 2),
    ):
        (rule,) = answer(body, elapsed)["rules"]
        assert [dict(step) for step in rule["scenario"]["steps"]] == [
            {"at": 1.0, "ramp": 0.0, "received": rule["scenario"]["steps"][0]["received"]},
            rule["scenario"]["steps"][1],
            {"at": 6.0, "ramp": 0.0, "received": None},
        ]
        delay = rule["now_received"] and rule["now_received"]["delay_ms"]
        loss = rule["now_injected"] and rule["now_injected"]["loss"]
        assert (delay, loss) == now
        assert rule["progress"] == {
            "elapsed": elapsed % 10,
            "step": step,
            "loops": loops,
            "finished": False,
        }
    rule = plan(body).rules[0]
    assert rule.scenario is not None
    assert [step.injected for step in rule.scenario.steps][::2] == [KEPT, KEPT]


def test_numbers_are_short() -> None:
    """No number has more digits than mean something, though it was added up."""
    body = {"scenario": {"steps": [{"at": 0, "ramp": 3, "received": {"loss": 0.3}}]}}
    now = answer(body, 0.1 + 0.2)["rules"][0]
    assert '"loss": 0.03,' in json.dumps(now["now_received"])
    assert '"elapsed": 0.3,' in json.dumps(now["progress"])


def test_a_length_is_told_where_it_says_something() -> None:
    """The end of the last step is null, as in a body that does not name it."""
    steps = [{"at": 0, "ramp": 2, "received": {}}]
    for length, told in ((None, None), (2, None), (5, 5.0)):
        said = answer({"scenario": {"steps": steps, "length": length}})
        assert said["rules"][0]["scenario"]["length"] == told


def test_what_was_left_out_is_told_as_its_default() -> None:
    """An answer has every member, and null where a body may have null for the default."""
    said = answer({"received": {"loss": 0.5}})["rules"][0]["received"]
    assert said == Impairment(loss=0.5).model_dump(mode="json")
    assert said["limit_bytes"] is None
    limited = answer({"received": {"limit_bytes": 5}})["rules"][0]["received"]
    assert limited["limit_bytes"] == 5


def test_counters_and_time() -> None:
    """Packets, bytes and replies of each direction, and the time in UTC."""
    said = answer({"received": {}})
    assert said["received"]["offered"] == {"packets": 3, "bytes": 300}
    assert said["received"]["too_big_replies"] == 2
    assert said["injected"]["offered"] == {"packets": 0, "bytes": 0}
    assert said["set_at"].startswith("2023-11-14T22:13:20")
    assert said["session"] == "5f0c9d1e2b3a"
    assert said["adapter"] == EXAMPLE_GUID


chances = st.just(0) | st.floats(0, 1).map(lambda one: round(one, 6))
directions = st.fixed_dictionaries(
    {},
    optional={
        "delay_ms": st.floats(0, 600_000) | st.integers(0, 600_000),
        "jitter_ms": st.integers(1, 100),
        "loss": chances,
        "duplicate": chances,
        "corrupt": chances,
        "rate_bps": st.none() | st.integers(100, 10**12),
        "limit_packets": st.integers(1, 10**6),
        "limit_bytes": st.none() | st.integers(1, 1 << 30),
        "blackout": st.booleans(),
        "max_size": st.none() | st.integers(68, 65535),
    },
)
sides = {"received": st.none() | directions, "injected": st.none() | directions}
ports = st.integers(0, 65535) | st.tuples(st.integers(0, 100), st.integers(100, 65535)).map(
    lambda pair: f"{pair[0]}-{pair[1]}"
)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "protocol": st.sampled_from(["tcp", "udp", 17, 132, "6"]),
        "source": st.sampled_from(["10.0.0.0/8", "10.0.0.1", "0.0.0.0/0"]),
        "destination": st.sampled_from(["192.0.2.0/24", "10.0.0.1/32"]),
        "port": ports,
        "destination_port": ports,
    },
)


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """Steps in order, whose ramps are over when the next one begins."""
    at, steps = 0.0, []
    for _ in range(draw(st.integers(1, 4))):
        at += draw(st.sampled_from((0.1, 1, 2.5)))
        ramp = draw(st.sampled_from((0, 0.2, 3)))
        steps.append({"at": at, "ramp": ramp, **draw(st.fixed_dictionaries({}, optional=sides))})
        at += ramp
    return {"steps": steps, "loop": draw(st.booleans())}


rules = st.fixed_dictionaries({}, optional={"match": st.none() | conditions}).flatmap(
    lambda head: st.one_of(
        st.fixed_dictionaries({}, optional=sides),
        st.sampled_from([{"preset": name.value} for name in PresetName]),
        scenarios().map(lambda one: {"scenario": one}),
    ).map(lambda way: {**head, **way})
)
bodies = st.lists(rules, min_size=1, max_size=4).map(lambda given: {"seed": 7, "rules": given})


@given(body=bodies, elapsed=st.floats(0, 30))
def test_what_is_answered_can_be_asked_for_again(body: dict[str, Any], elapsed: float) -> None:
    """The rules of any answer ask for the same plan, and any client can read it."""
    asked = plan(body)
    said = json.loads(impairment_of(view(asked, elapsed)).model_dump_json())
    again = {name: said[name] for name in ("seed", "on_change", "rules")}
    assert plan(again) == asked
    assert SessionImpairment.model_validate(said).model_dump(mode="json") == said
    assert "\n" not in said["summary"]
    assert said["summary"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "seed",
                        "rules",
                        "match",
                        "received",
                        "injected",
                        "preset",
                        "scenario",
                        "steps",
                    ),
                    *("at", "ramp", "loop", "length", "protocol", "port", "address", "delay_ms"),
                    *("loss", "gilbert_elliott", "p", "r", "max_size", "rate_bps", "on_change"),
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@given(body=anything)
def test_any_json_is_refused_or_understood(body: object) -> None:
    """Nothing but a refusal comes of a body, whatever it is."""
    with suppress(ValidationError):
        impairment_of(view(plan(body)))  # type: ignore[arg-type]


LINES = [
    ({"received": {}}, "nothing"),
    ({"received": {"delay_ms": 0, "loss": 0}, "injected": {}}, "nothing"),
    ({"rules": [{"match": {"port": 5}, "received": {}}, {"match": {"port": 6}}]}, "nothing"),
    (
        {"rules": [{"match": {"port": 5}}, {"received": {"loss": 1}}]},
        "port 5: nothing | received loss 100%",
    ),
    ({"received": {"delay_ms": 60}}, "received delay 60ms"),
    (
        {"received": {"delay_ms": 60, "jitter_ms": 5}, "injected": {"loss": 0.02}},
        "received delay 60ms jitter 5ms; injected loss 2%",
    ),
    (
        {
            "received": {
                "delay_ms": 1.5,
                "jitter_ms": 0.25,
                "distribution": "normal",
                "delay_correlation": 0.25,
                "loss": 0.001,
                "loss_correlation": 0.5,
            }
        },
        (
            "received delay 1.5ms jitter 250us distribution normal delay-correlation 25% loss 0.1% "
            "loss-correlation 50%"
        ),
    ),
    ({"injected": {"jitter_ms": 3}}, "injected jitter 3ms"),
    (
        {"injected": {"gilbert_elliott": {"p": 0.01, "r": 0.25, "h": 0.1, "k": 0.999}}},
        "injected gilbert-elliott 1%,25%,10%,99.9%",
    ),
    (
        {
            "injected": {
                "delay_ms": 10,
                "duplicate": 0.01,
                "corrupt": 0.02,
                "reorder": 0.25,
                "reorder_correlation": 0.5,
                "reorder_gap": 5,
            }
        },
        "injected delay 10ms duplicate 1% corrupt 2% reorder 25% reorder-correlation 50% gap 5",
    ),
    ({"received": {"rate_bps": 10_000_000}}, "received rate 10mbit"),
    (
        {"received": {"rate_bps": 384_000, "overhead_bytes": 18}},
        "received rate 384kbit overhead 18",
    ),
    (
        {"received": {"rate_bps": 500, "burst_bytes": 16384, "limit_packets": 50}},
        "received rate 500bit burst 16kb limit 50",
    ),
    ({"received": {"rate_bps": 2_500_000_000}}, "received rate 2.5gbit"),
    ({"received": {"limit_bytes": 76200}}, "received limit-bytes 76200b"),
    ({"received": {"blackout": True}}, "received blackout"),
    ({"received": {"max_size": 1280}}, "received max-size 1280b"),
    (
        {"received": {"max_size": 1280, "too_big_reply": True}},
        "received max-size 1280b too-big-reply",
    ),
    ({"match": {"protocol": 1}, "received": {"blackout": True}}, "protocol 1: received blackout"),
    ({"preset": "lossy-1"}, "preset lossy-1: received and injected loss 1%"),
    (
        {"match": {"protocol": "udp", "port": 53}, "received": {"loss": 0.5}},
        "protocol udp port 53: received loss 50%",
    ),
    (
        {
            "match": {
                "protocol": 6,
                "source": "10.0.0.0/8",
                "source_port": "1-5",
                "destination_port": 80,
            },
            "received": {"blackout": True},
        },
        ("protocol tcp source 10.0.0.0/8 source-port 1-5 destination-port 80: received blackout"),
    ),
    (
        {
            "rules": [
                {"match": {"address": "10.9.0.0/24"}},
                {"match": {"protocol": "icmp"}, "preset": "lossy-5"},
                {"received": {"loss": 1}, "injected": {"blackout": True}},
            ]
        },
        (
            "address 10.9.0.0/24: nothing | protocol icmp: preset lossy-5: received and injected "
            "loss 5% | received loss 100%; injected blackout"
        ),
    ),
]


@pytest.mark.parametrize(("body", "line"), LINES, ids=[line for _, line in LINES])
def test_the_summary_has_the_words_of_the_options(body: dict[str, Any], line: str) -> None:
    """One line, as it would be written after `wintun-api impair`."""
    assert summary(body) == line


def test_the_summary_of_a_scenario_says_which_step() -> None:
    """Steps are counted from one, for people."""
    steps = [{"at": 1, "received": {"loss": 0.1}}, {"at": 2, "received": {"loss": 0.5}}]
    once: dict[str, Any] = {"scenario": {"steps": steps}}
    assert summary(once, 0.5) == "step 0 of 2: nothing"
    assert summary(once, 1.5) == "step 1 of 2: received loss 10%"
    assert summary(once, 2.5) == "step 2 of 2, finished: received loss 50%"
    loop = {"scenario": {"steps": steps, "loop": True, "length": 3}, "match": {"port": 53}}
    assert summary(loop, 7.5) == "port 53: step 1 of 2, round 3: received loss 10%"


def test_the_summary_of_many_rules_is_short() -> None:
    """The line has the first rules, and how many more there are."""
    for count in (MOST_RULES, MOST_RULES + 1, 32):
        asked = [Rule(received=Parameters(loss=0.5)) for _ in range(count)]
        parts = summary_of(list(map(RuleView.of, asked))).split(" | ")
        more = count - MOST_RULES
        assert parts[:MOST_RULES] == ["received loss 50%"] * MOST_RULES
        assert parts[MOST_RULES:] == (
            [] if not more else [f"and {more} more rule{'s' if more > 1 else ''}"]
        )


def test_a_rule_without_progress_has_no_step() -> None:
    """A scenario that has not begun says nothing of steps."""
    rule = plan({"scenario": {"steps": [{"at": 0}]}}).rules[0]
    assert summary_of([RuleView.of(rule)]) == "nothing"
    begun = Progress(elapsed=0.0, step=0, loops=0, finished=True)
    assert summary_of([RuleView.of(rule, (None, None), begun)]) == "step 1 of 1, finished: nothing"
