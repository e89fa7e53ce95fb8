"""Bad networks: what delays, loses and changes the packets of a session."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Self, TypeAlias
from uuid import UUID

from pydantic import Field, StrictBool, StrictFloat, StrictInt, model_validator

from wintun_api.choices import Distribution, OnChange, PresetName
from wintun_api.limits import DEFAULT_LIMIT_PACKETS, MAX_PACKET
from wintun_api.schemas.contradiction import Fault, below, raise_for, refused, without
from wintun_api.schemas.model import EXAMPLE_GUID, WHOLE, Body, Model, Sparse
from wintun_api.schemas.selection import (
    WITH_PORTS,
    PortsValue,
    PrefixText,
    ProtocolValue,
    network_of,
    ports_of,
    protocols_of,
)
from wintun_api.schemas.sessions import Traffic

MAX_DELAY_MS = 600_000
MAX_RULES = 32
MAX_STEPS = 256  # of one scenario
MAX_ALL_STEPS = 1024  # of all scenarios of a session, because each answer and event has them
MAX_LIMIT_PACKETS = 1_000_000
MAX_LIMIT_BYTES = 1 << 30
MAX_SEED = (1 << 53) - 1  # what every JSON reader keeps
MAX_SCENARIO = 7 * 86400  # seconds
# Seconds that differ by less are the same; sums of decimal fractions are not exact.
SAME = 1e-6
LEAST_STEP = 0.01  # seconds between two steps
LEAST_LOOP = 0.1  # seconds of a scenario that begins again

Number: TypeAlias = Annotated[StrictFloat, Field(allow_inf_nan=False)]
Probability: TypeAlias = Annotated[Number, Field(ge=0, le=1)]
Milliseconds: TypeAlias = Annotated[Number, Field(ge=0, le=MAX_DELAY_MS)]
Seconds: TypeAlias = Annotated[Number, Field(ge=0, le=MAX_SCENARIO)]


# How a rule says what happens.
WAYS = ("received", "injected", "preset", "scenario")
IGNORED = "What an answer says beside the rule. It is ignored, so that `rules` can be sent again."


class GilbertElliott(Body):
    """Losses in bursts: a channel that is in a good or in a bad state, as of tc-netem `gemodel`."""

    p: Probability = Field(description="The probability that a good channel becomes bad.")
    r: Probability = Field(description="The probability that a bad channel becomes good.")
    h: Probability = Field(
        default=0.0, description="The probability that a packet passes a bad channel."
    )
    k: Probability = Field(
        default=1.0, description="The probability that a packet passes a good channel."
    )


class Impairment(Body):
    """What happens to the packets of one direction, in the words of tc-netem.

    Probabilities are numbers from 0 to 1. Everything is optional; what is left out does nothing.
    """

    delay_ms: Milliseconds = Field(
        default=0, description="The delay of each packet in milliseconds.", examples=[60]
    )
    jitter_ms: Milliseconds = Field(
        default=0,
        description="How much delays vary, in milliseconds; `distribution` says in which shape. A "
        "delay is never less than 0. Without `rate_bps`, packets can overtake each other.",
        examples=[5],
    )
    distribution: Distribution = Field(
        default=Distribution.UNIFORM, description="The shape of the delays."
    )
    delay_correlation: Probability = Field(
        default=0, description="How much the delay of a packet is like that of the packet before."
    )
    loss: Probability = Field(
        default=0, description="The probability that a packet is lost.", examples=[0.02]
    )
    loss_correlation: Probability = Field(
        default=0,
        description="How much losses come together: the correlation of the loss of a packet with "
        "that of the packet before. `loss` stays the share of packets that are lost.",
    )
    gilbert_elliott: GilbertElliott | None = Field(
        default=None, description="Losses in bursts, instead of `loss`."
    )
    duplicate: Probability = Field(
        default=0, description="The probability that a packet is delivered twice."
    )
    duplicate_correlation: Probability = Field(
        default=0, description="How much duplicated packets come together, as of `loss`."
    )
    corrupt: Probability = Field(
        default=0,
        description="The probability that one bit of a packet is inverted. Checksums are left as "
        "they are, and so is the version of IP in the first four bits.",
    )
    corrupt_correlation: Probability = Field(
        default=0, description="How much corrupted packets come together, as of `loss`."
    )
    reorder: Probability = Field(
        default=0,
        description="The probability that a packet is sent at once, before those that are delayed. "
        "It needs `delay_ms`.",
    )
    reorder_correlation: Probability = Field(
        default=0, description="How much reordered packets come together, as of `loss`."
    )
    reorder_gap: Annotated[StrictInt, Field(ge=1, le=1_000_000), WHOLE] = Field(
        default=1,
        description="How many packets come from one that is reordered to the next one that can be: "
        "with 5, four are delayed, and then each is sent at once with the probability `reorder`, "
        "until one was. With a probability of 1, every fifth packet is reordered.",
    )
    rate_bps: Annotated[StrictInt, Field(ge=100, le=1_000_000_000_000), WHOLE] | None = Field(
        default=None,
        description="The rate in bits per second at which packets leave, in the order in which "
        "they came; null for no limit.",
        examples=[10_000_000],
    )
    burst_bytes: Annotated[StrictInt, Field(ge=0, le=MAX_LIMIT_BYTES), WHOLE] = Field(
        default=0,
        description="How many bytes may leave at once after a pause, before the rate holds.",
        examples=[16384],
    )
    overhead_bytes: Annotated[StrictInt, Field(ge=-64, le=1500), WHOLE] = Field(
        default=0,
        description="Bytes that the link adds to each packet and that count for the rate, such as "
        "18 for Ethernet; less than 0 if it compresses headers.",
    )
    limit_packets: Annotated[StrictInt, Field(ge=1, le=MAX_LIMIT_PACKETS), WHOLE] = Field(
        default=DEFAULT_LIMIT_PACKETS,
        description="How many packets may be delayed at a time. One that comes when there are so "
        "many is dropped and counted in `limit`. A delay of 100 ms at 10,000 packets per second "
        "needs 1000.",
    )
    limit_bytes: Annotated[StrictInt, Field(ge=1, le=MAX_LIMIT_BYTES), WHOLE] | None = Field(
        default=None,
        description="How many bytes of packets may be delayed at a time; null for 64 MiB. Only "
        "the bytes of the packets count; in memory each needs about 250 bytes more.",
    )
    blackout: StrictBool = Field(
        default=False, description="Whether every packet is lost, as if a cable was pulled."
    )
    max_size: Annotated[StrictInt, Field(ge=68, le=MAX_PACKET), WHOLE] | None = Field(
        default=None,
        description="The largest packet in bytes that passes; larger ones vanish, as on a path "
        "that does not tell senders its MTU. Null for no limit.",
        examples=[1280],
    )
    too_big_reply: StrictBool = Field(
        default=False,
        description="Whether the sender of a packet larger than `max_size` is told so by ICMP: "
        "`Fragmentation Needed` if it set Don't Fragment (RFC 1191), or `Packet Too Big` in IPv6 "
        "(RFC 8201). IPv6 hosts do not go below 1280 bytes, so with a "
        "smaller `max_size` they go on sending packets that are lost.",
    )

    def faults(self) -> Iterator[Fault]:
        """Give what contradicts itself. A default contradicts nothing."""
        if not self.jitter_ms:
            if self.distribution is not Distribution.UNIFORM:
                yield without("distribution", "jitter_ms")
            if self.delay_correlation:
                yield without("delay_correlation", "jitter_ms")
        for event in ("loss", "duplicate", "corrupt", "reorder"):
            if getattr(self, f"{event}_correlation") and not getattr(self, event):
                yield without(f"{event}_correlation", event)
        if self.gilbert_elliott is not None and self.loss:
            yield refused(
                "gilbert_elliott", "cannot be combined with `loss`; leave one of them out"
            )
        if self.reorder and not self.delay_ms:
            yield without("reorder", "delay_ms")
        if self.reorder_gap != 1 and not self.reorder:
            yield without("reorder_gap", "reorder")
        if self.rate_bps is None:
            for name in ("burst_bytes", "overhead_bytes"):
                if getattr(self, name):
                    yield without(name, "rate_bps")
        if self.too_big_reply and self.max_size is None:
            yield without("too_big_reply", "max_size")


class Match(Body):
    """The packets that a rule concerns: those that have everything that is named here.

    In a tunnel, the outer packet counts. Fragments of a packet after the first one have no ports.
    """

    protocol: ProtocolValue | None = Field(
        default=None,
        description="The protocol inside IP, behind extension headers: `tcp`, `udp`, `icmp` (of "
        "either version of IP) or a number from 0 to 255.",
        examples=["udp"],
    )
    address: PrefixText | None = Field(
        default=None,
        description="An address or prefix that the source or the destination is in.",
        examples=["10.9.0.0/24"],
    )
    source: PrefixText | None = Field(
        default=None,
        description="An address or prefix that the source is in.",
        examples=["10.9.0.7"],
    )
    destination: PrefixText | None = Field(
        default=None,
        description="An address or prefix that the destination is in.",
        examples=["fd09::/64"],
    )
    port: PortsValue | None = Field(
        default=None,
        description="A port, or a range such as `5000-5999`, that the source or the destination "
        "has. Of all protocols, TCP, UDP, UDP-Lite, SCTP and DCCP have ports.",
        examples=[53],
    )
    source_port: PortsValue | None = Field(
        default=None,
        description="A port or a range of ports that the source has.",
        examples=["49152-65535"],
    )
    destination_port: PortsValue | None = Field(
        default=None,
        description="A port or a range of ports that the destination has.",
        examples=[443],
    )

    def faults(self) -> Iterator[Fault]:
        """Give what no packet can have together."""
        ports = {
            name: ports_of(value)
            for name in ("port", "source_port", "destination_port")
            if (value := getattr(self, name)) is not None
        }
        if self.protocol is not None and not protocols_of(self.protocol) & WITH_PORTS:
            for name in ports:
                yield refused(
                    name, f"does not exist in the protocol {self.protocol}; leave one of them out"
                )
        if len(ports) == 3:
            first, last = ports["port"]
            sides = (ports["source_port"], ports["destination_port"])
            if all(last < low or high < first for low, high in sides):
                yield refused(
                    "port",
                    "is outside `source_port` and `destination_port`; leave one of the three out",
                )
        networks = {
            name: network_of(value)
            for name in ("address", "source", "destination")
            if (value := getattr(self, name)) is not None
        }
        if len({network.version for network in networks.values()}) > 1:
            *_, (name, network) = networks.items()
            yield refused(
                name,
                f"is of IPv{network.version}, but another prefix is not; use one version of IP",
            )
        elif len(networks) == 3:
            address = networks["address"]
            if not any(address.overlaps(networks[name]) for name in ("source", "destination")):
                yield refused(
                    "address",
                    "is outside `source` and `destination`; leave one of the three out",
                )


class Step(Sparse, Body):
    """A step of a scenario: from `at` on, the network is like this.

    A direction that is left out stays as it was; null ends what was done to it.
    """

    at: Seconds = Field(
        description="The second at which the step begins, from the start of the scenario.",
        examples=[10],
    )
    ramp: Seconds = Field(
        default=0,
        description="Over how many seconds numbers change linearly to those of the step; 0 for at "
        "once. What is not a number changes at `at`, and so does a limit that begins or ends. The "
        "ramp must be over when the next step begins.",
        examples=[5],
    )
    received: Impairment | None = Field(
        default=None, description="The packets from the host to the application."
    )
    injected: Impairment | None = Field(
        default=None, description="The packets from the application to the host."
    )


class Scenario(Body):
    """A list of steps, played once or in a loop from the moment at which it is set.

    Before its first step nothing happens to packets; in a loop, each time. Without a loop, the
    state of the last step stays.
    """

    steps: list[Step] = Field(
        min_length=1,
        max_length=MAX_STEPS,
        description=f"The steps, each at least {LEAST_STEP} s later than the previous one.",
    )
    loop: StrictBool = Field(default=False, description="Whether it begins again at its end.")
    length: Seconds | None = Field(
        default=None,
        description="The length of the scenario in seconds; null for the end of its last step. A "
        f"loop needs at least {LEAST_LOOP} s. If its last step has no ramp, say how long it is: "
        "else that step ends as it begins.",
    )

    @property
    def end(self) -> float:
        """The second at which the last step, or its ramp, is over."""
        last = self.steps[-1]
        return last.at + last.ramp

    def faults(self) -> Iterator[Fault]:
        """Give what contradicts itself in steps and length."""
        for number, step in enumerate(self.steps):
            for side in ("received", "injected"):
                yield from below(("steps", number, side), getattr(step, side))
        for number, (step, following) in enumerate(zip(self.steps, self.steps[1:], strict=False)):
            if following.at <= step.at:
                yield refused(
                    ("steps", number + 1, "at"),
                    f"must be later than the step before, which is at {step.at:g} s",
                )
            elif following.at - step.at < LEAST_STEP - SAME:
                yield refused(
                    ("steps", number + 1, "at"),
                    f"is less than {LEAST_STEP} s later than the step before, which is at "
                    f"{step.at:g} s; make it {step.at + LEAST_STEP:g} s or later, or leave out one "
                    "of the two",
                )
            elif step.at + step.ramp > following.at + SAME:
                yield refused(
                    ("steps", number, "ramp"),
                    f"ends after the next step begins at {following.at:g} s; make it "
                    f"{following.at - step.at:g} s at most",
                )
        if self.length is not None and self.length < self.end - SAME:
            yield refused(
                "length", f"is shorter than the steps, which end at {self.end:g} s; make it longer"
            )
        elif self.loop and (self.end if self.length is None else self.length) < LEAST_LOOP - SAME:
            yield refused(
                "length", f"must be at least {LEAST_LOOP} s for a loop; say how long a round is"
            )


class Way(Body):
    """What happens to some packets: a preset, a scenario, or what is said for each direction.

    To the packets of a rule that says nothing of them, nothing happens.
    """

    match: Match | None = Field(
        default=None, description="The packets that are concerned; null for all."
    )
    preset: PresetName | None = Field(
        default=None,
        description="The name of one of `GET /v1/impairments/presets`, instead of `received` and "
        "`injected`.",
        examples=["3g"],
    )
    received: Impairment | None = Field(
        default=None, description="The packets from the host to the application."
    )
    injected: Impairment | None = Field(
        default=None, description="The packets from the application to the host."
    )
    scenario: Scenario | None = Field(
        default=None, description="Steps in time, instead of `received` and `injected`."
    )

    def faults(self) -> Iterator[Fault]:
        """Give what contradicts itself, here and in everything that belongs to the rule."""
        sides = [name for name in ("received", "injected") if getattr(self, name) is not None]
        if self.preset is not None:
            for name in (*sides, *(["scenario"] if self.scenario else [])):
                yield refused(name, "cannot be combined with `preset`; leave one of them out")
        elif self.scenario is not None:
            for name in sides:
                yield refused(name, "cannot be combined with `scenario`; leave one of them out")
        for name in ("match", "received", "injected", "scenario"):
            yield from below((name,), getattr(self, name))


class Progress(Model):
    """How far a scenario is."""

    elapsed: float = Field(description="Seconds since it began, or began again.")
    step: int | None = Field(
        description="The index in `steps` of the step that holds now; null before the first one."
    )
    loops: int = Field(description="How often it has begun again.")
    finished: bool = Field(description="Whether its last step has ended and it does not loop.")


class Rule(Way):
    """One of several rules: which packets it concerns, and what happens to them.

    It can be sent as an answer has it: what the answer says beside the rule is ignored.
    """

    now_received: Impairment | None = Field(default=None, exclude=True, description=IGNORED)
    now_injected: Impairment | None = Field(default=None, exclude=True, description=IGNORED)
    progress: Progress | None = Field(default=None, exclude=True, description=IGNORED)


class ImpairmentSet(Way):
    """The bad network of a session: one rule, or a list of rules of which the first match counts.

    Packets that no rule matches are not touched.
    """

    seed: Annotated[StrictInt, Field(ge=0, le=MAX_SEED), WHOLE] | None = Field(
        default=None,
        description="The number from which all chance follows: with the same one, the same happens "
        "to the n-th packet of a direction and a rule, on every run, system and driver. Null lets "
        "the service choose one, which the answer names.",
        examples=[7],
    )
    on_change: OnChange = Field(
        default=OnChange.DELIVER,
        description="What happens to packets that are delayed when this is changed or removed.",
    )
    rules: list[Rule] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_RULES,
        description="Several rules instead of one. The first one that matches a packet counts. "
        f"Their scenarios have {MAX_ALL_STEPS} steps together at most.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        raise_for(type(self).__name__, self._all_faults())
        return self

    def _all_faults(self) -> Iterator[Fault]:
        ways = [name for name in WAYS if getattr(self, name) is not None]
        if self.rules is None:
            if not ways:
                yield refused(
                    (), "is empty; give `received`, `injected`, `preset`, `scenario` or `rules`"
                )
            yield from self.faults()
            return
        for name in (*(["match"] if self.match else []), *ways):
            yield refused(name, "cannot be combined with `rules`; put it into one of them")
        steps = sum(len(rule.scenario.steps) for rule in self.rules if rule.scenario)
        if steps > MAX_ALL_STEPS:
            yield refused(
                "rules",
                f"have {steps} steps in all; {MAX_ALL_STEPS} is the most, so leave some out",
            )
        for number, rule in enumerate(self.rules):
            yield from below(("rules", number), rule)


class ActiveRule(Model):
    """A rule as it was set, with what it does now.

    The rules of an answer can be sent again.
    """

    match: Match | None = Field(description="The packets that are concerned; null for all.")
    preset: str | None = Field(
        description="The name of the preset; null without one.", examples=["3g"]
    )
    received: Impairment | None = Field(
        description="What was set for the packets from the host to the application."
    )
    injected: Impairment | None = Field(
        description="What was set for the packets from the application to the host."
    )
    scenario: Scenario | None = Field(description="Steps in time; null without them.")
    now_received: Impairment | None = Field(
        description="What happens now to the packets from the host to the application."
    )
    now_injected: Impairment | None = Field(
        description="What happens now to the packets from the application to the host."
    )
    progress: Progress | None = Field(description="How far its scenario is; null without one.")


class ImpairmentCounters(Model):
    """What happened to the packets of one direction since a session was first impaired.

    At every moment `offered` + `duplicated` = `delivered` + `lost` + `limit` + `blackout` +
    `too_large` + `dropped` + `delayed`, in packets and in bytes.
    """

    offered: Traffic = Field(description="Packets that came, whether a rule matched them or not.")
    duplicated: Traffic = Field(description="Copies that were made of them.")
    delivered: Traffic = Field(description="Packets that left.")
    lost: Traffic = Field(description="Packets that were lost by `loss` or `gilbert_elliott`.")
    limit: Traffic = Field(
        description="Packets that came when `limit_packets` or `limit_bytes` were delayed."
    )
    blackout: Traffic = Field(description="Packets that were lost in a blackout.")
    too_large: Traffic = Field(description="Packets that were larger than `max_size`.")
    dropped: Traffic = Field(
        description="Packets that were delayed when the impairment was changed or removed with "
        "`on_change=drop`, or when the session ended and they could not be delivered."
    )
    delayed: Traffic = Field(description="Packets that are delayed now.")
    corrupted: Traffic = Field(description="Packets with one inverted bit, copies included.")
    reordered: Traffic = Field(description="Packets that were sent before others by `reorder`.")
    too_big_replies: int = Field(description="ICMP messages that told a sender of `max_size`.")


class SessionImpairment(Model):
    """The bad network of a session: what was set, what it does now, and what it did."""

    session: str = Field(description="The id of the session.", examples=["5f0c9d1e2b3a"])
    adapter: UUID = Field(description="The GUID of the session's adapter.", examples=[EXAMPLE_GUID])
    summary: str = Field(
        description="What it does now, in one line and in the words of `wintun-api impair`.",
        examples=["received delay 60ms jitter 5ms loss 2%; injected rate 10mbit"],
    )
    seed: int = Field(description="The number from which all chance follows.")
    on_change: OnChange = Field(
        description="What happens to packets that are delayed when this is changed or removed."
    )
    set_at: datetime = Field(description="The time at which it was set, in UTC.")
    rules: list[ActiveRule] = Field(description="The rules, of which the first match counts.")
    received: ImpairmentCounters = Field(
        description="The packets from the host to the application."
    )
    injected: ImpairmentCounters = Field(
        description="The packets from the application to the host."
    )


class Preset(Model):
    """A network that many people know, with the numbers for it and where they are from."""

    name: str = Field(description="Its name, as for `preset`.", examples=["3g"])
    title: str = Field(description="What it is, in a few words.")
    source: str = Field(description="Where its numbers are from.")
    received: Impairment = Field(description="The packets from the host to the application.")
    injected: Impairment = Field(description="The packets from the application to the host.")
