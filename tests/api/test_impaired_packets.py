"""Packets of an impaired session through the API: both sides, acks, events, metrics, captures."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.api.scraping import scraped, value
from tests.capture.samples import statistics
from tests.conftest import Rig
from tests.hub.impairment.driven import ping, pings, pong_of
from tests.raw_websocket import open_websocket, raw_packets
from tests.running import RunningService
from tests.waiting import until
from wintun_api.capture.reader import Reader
from wintun_api.hub.events import QUEUE_SIZE
from wintun_api.wire import BATCH, BATCH_TYPE, PCAPNG, RAW_TYPE, Batch, pack

SIZE = 64


def impair(service: RunningService, session: str, **body: Any) -> dict[str, Any]:
    """Impair a session; return what the service answers."""
    answer = service.http.put(f"/v1/sessions/{session}/impairment", json={"seed": 7, **body})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def impairment(service: RunningService, session: str) -> dict[str, Any]:
    """Read the impairment of a session."""
    answer = service.http.get(f"/v1/sessions/{session}/impairment")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def whole(counters: dict[str, Any]) -> bool:
    """Return whether every packet and byte of a direction is accounted for."""
    return all(
        counters["offered"][unit] + counters["duplicated"][unit]
        == counters["delivered"][unit]
        + sum(
            counters[name][unit]
            for name in ("lost", "limit", "blackout", "too_large", "dropped", "delayed")
        )
        for unit in ("packets", "bytes")
    )


def test_what_a_client_gets(service: RunningService, session: str) -> None:
    """Pings are lost on the way to the host, and what it answers comes later."""
    impair(service, session, injected={"loss": 0.5}, received={"delay_ms": 50})
    with raw_packets(service, session) as client:
        began = time.monotonic()
        client.socket.send(pack(Batch(pings(200))))
        ack = client.text("ack")
        assert (ack["accepted"], ack["ring_full"], ack["failed"]) == (200, 0, 0)
        counters = impairment(service, session)["injected"]
        answers = client.receive(counters["delivered"]["packets"])
        assert time.monotonic() - began >= 0.05
        assert len(answers) == counters["delivered"]["packets"]
        assert 50 < counters["lost"]["packets"] < 150
    after = impairment(service, session)
    assert whole(after["received"]), after
    assert whole(after["injected"]), after
    counters = service.counters(session)
    assert counters["injected"]["packets"] == after["injected"]["delivered"]["packets"]
    assert counters["received"]["packets"] == after["received"]["offered"]["packets"]
    assert counters["lost"]["queue"] == 0


def test_the_report_of_a_request(service: RunningService, session: str) -> None:
    """POST tells that the network took the packets, as an ack does."""
    impair(service, session, injected={"delay_ms": 10_000}, received={"blackout": True})
    path = f"/v1/sessions/{session}/packets"
    body = pack(Batch([*pings(9), b"\x45"]))
    answer = service.http.post(path, content=body, headers={"Content-Type": BATCH_TYPE})
    assert answer.json()["accepted"] == 9
    assert answer.json()["rejected"] == {"too_short": 1}
    answer = service.http.post(path, content=ping(1), headers={"Content-Type": RAW_TYPE})
    assert answer.json()["accepted"] == 1
    delayed = impairment(service, session)["injected"]["delayed"]
    assert delayed == {"packets": 10, "bytes": 10 * SIZE}
    removed = service.http.delete(f"/v1/sessions/{session}/impairment").json()["injected"]
    assert removed["delivered"] == {"packets": 10, "bytes": 10 * SIZE}
    # The host answers after the impairment has gone, and a session without one has no answer.
    assert service.http.get(f"/v1/sessions/{session}/impairment").status_code == 404


@pytest.mark.parametrize("full", ["drop", "wait"])
def test_every_packet_is_told_in_an_ack(rig: Rig, full: str) -> None:
    """With a ring that is full now and then, the client's own count is right in the end."""
    service = rig.service
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    session = service.session(adapter, capacity=0x20000)["id"]
    impair(service, session, injected={"loss": 0.2, "duplicate": 0.2})
    with raw_packets(service, session, f"?full={full}&direction=none") as client:
        for first in range(0, 2000, 100):
            large = [ping(number, 1400) for number in range(first, first + 100)]
            client.socket.send(pack(Batch(large)))
        told = 0
        while told < 2000:
            ack = client.text("ack")
            told += ack["accepted"] + ack["ring_full"] + ack["failed"]
            assert min(ack["accepted"], ack["ring_full"], ack["failed"]) >= 0
        assert told == 2000
    counters = service.counters(session)
    accounts = impairment(service, session)["injected"]
    assert whole(accounts)
    gone = accounts["delivered"]["packets"] - counters["lost"]["ring_full"]
    assert counters["injected"]["packets"] == gone
    if full == "wait":
        assert counters["lost"]["ring_full"] == 0


def test_taps_on_both_sides(service: RunningService, session: str) -> None:
    """tap=before sees what was sent, tap=after what came; the numbers of both have no gaps."""
    impair(service, session, injected={"loss": 0.5})
    with (
        raw_packets(service, session, "?direction=injected&tap=before") as before,
        raw_packets(service, session, "?direction=injected&tap=after") as after,
        raw_packets(service, session, "?direction=none") as sender,
    ):
        assert (before.hello["tap"], after.hello["tap"]) == ("before", "after")
        for first in range(0, 300, 10):
            sender.socket.send(pack(Batch(pings(10, first))))
        assert before.receive(300) == pings(300)
        delivered = impairment(service, session)["injected"]["delivered"]["packets"]
        while sum(len(batch.packets) for batch in after.batches) < delivered:
            after.read()
        batches = after.batches
        assert len([packet for batch in batches for packet in batch.packets]) == delivered < 300
        following = [batch.sequence + len(batch.packets) for batch in batches]
        assert [batch.sequence for batch in batches[1:]] == following[:-1]
    with raw_packets(service, session, "?direction=injected&tap=before") as again:
        assert again.hello["next_sequence"]["injected"] == 300


@pytest.mark.parametrize("way", ["http", "socket"])
def test_captures_on_both_sides(service: RunningService, session: str, way: str) -> None:
    """A capture before an impairment has all packets, one after it those that left."""
    impair(service, session, injected={"blackout": True})
    files = {}
    for tap in ("before", "after"):
        query = f"?direction=injected&tap={tap}"
        if way == "http":
            with service.http.stream(
                "GET", f"/v1/sessions/{session}/capture.pcapng{query}&seconds=0.5"
            ) as answer:
                parts = answer.iter_raw()
                file = next(parts)
                send(service, session)
                files[tap] = file + b"".join(parts)
        else:
            with open_websocket(
                service, f"/v1/sessions/{session}/packets{query}", PCAPNG
            ) as socket:
                first = socket.recv(30)
                assert isinstance(first, bytes)
                until(lambda: service.http.get(f"/v1/sessions/{session}").json()["subscribers"])
                send(service, session)
                rest = socket.recv(30) if tap == "before" else b""
                assert isinstance(rest, bytes)
                files[tap] = first + rest
    if way == "http":
        assert (statistics(files["before"])[0], statistics(files["after"])[0]) == (5, 0)
    assert len(packets_in(files["before"])) == 5
    assert packets_in(files["after"]) == []


def send(service: RunningService, session: str) -> None:
    """Inject five pings, and wait for the ack."""
    with raw_packets(service, session, "?direction=none") as sender:
        sender.socket.send(pack(Batch(pings(5))))
        assert sender.text("ack")["accepted"] == 5


def packets_in(file: bytes) -> list[bytes]:
    """Return the packets of a capture."""
    return [packet.data for packet in Reader([file]) if packet.data is not None]


def test_another_tap_is_refused(service: RunningService, session: str) -> None:
    """The two sides have names, and there is no third."""
    answer = service.http.get(f"/v1/sessions/{session}/capture.pcapng?tap=middle")
    assert answer.status_code == 422
    assert "tap" in answer.text


def test_events(service: RunningService, session: str) -> None:
    """Set, a queue that is nearly full, steps, losses, and removed are told as they happen."""
    with open_websocket(service, "/v1/events") as socket:
        others: list[dict[str, Any]] = []

        def event(kind: str) -> dict[str, Any]:
            while True:
                for message in others:
                    if message["type"] == kind:
                        others.remove(message)
                        return dict(message["data"])
                others.append(json.loads(socket.recv(30)))

        assert json.loads(socket.recv(30))["type"] == "snapshot"
        impair(
            service,
            session,
            scenario={
                "steps": [
                    {"at": 0, "injected": {"delay_ms": 60_000, "limit_packets": 10}},
                    {"at": 2, "injected": {"blackout": True}},
                ],
                "length": 2.1,
            },
        )
        assert event("impairment.set")["rules"][0]["progress"]["step"] == 0
        with raw_packets(service, session, "?direction=none") as sender:
            sender.socket.send(pack(Batch(pings(12))))
            sender.text("ack")
        queue = event("impairment.nearly_full")
        assert (queue["direction"], queue["rule"], queue["limit_packets"]) == ("injected", 0, 10)
        step = event("impairment.step")
        assert step == {
            "session": session,
            "adapter": queue["adapter"],
            "summary": "step 2 of 2: injected blackout",
            "count": 1,
            "scenarios": [
                {
                    "rule": 0,
                    "steps": 2,
                    "progress": {"elapsed": 2.0, "step": 1, "loops": 0, "finished": False},
                }
            ],
        }
        end = event("impairment.step")
        assert end["scenarios"][0]["progress"]["finished"] is True
        assert end["summary"] == "step 2 of 2, finished: injected blackout"
        loss = event("impairment.loss")
        assert (loss["direction"], loss["cause"], loss["count"]) == ("injected", "limit", 2)
        service.http.delete(f"/v1/sessions/{session}/impairment")
        removed = event("impairment.removed")
        assert removed["injected"]["delivered"]["packets"] == 10
        assert whole(removed["injected"])


def test_events_stay_readable_after_large_plans(service: RunningService, session: str) -> None:
    """The history of many long scenarios is bounded, and a reader gets all of it at once."""
    state = {
        "delay_ms": 123.456,
        "jitter_ms": 12.5,
        "gilbert_elliott": {"p": 0.123, "r": 0.456, "h": 0.789, "k": 0.987},
    }
    steps = [{"at": 0.01 * n, "received": state, "injected": state} for n in range(256)]
    for _ in range(40):
        impair(service, session, scenario={"steps": steps, "loop": True, "length": 2.6})
    with open_websocket(service, "/v1/events") as socket:
        first = json.loads(socket.recv(30))
    size = 0
    kinds = set()
    with open_websocket(service, f"/v1/events?since={first['oldest'] - 1}") as socket:
        number = first["oldest"] - 1
        while number < first["id"]:
            text = socket.recv(30)
            message = json.loads(text)
            size += len(text)
            number = message["id"]
            kinds.add(message["type"])
    assert "impairment.set" in kinds
    assert "snapshot" not in kinds
    assert size < QUEUE_SIZE


def test_an_impairment_that_does_nothing_is_no_mark(service: RunningService, session: str) -> None:
    """The session says null for rules that touch no packet, and the impairment says nothing."""
    path = f"/v1/sessions/{session}"
    assert impair(service, session, received={"delay_ms": 0, "loss": 0})["summary"] == "nothing"
    assert service.http.get(path).json()["impairment"] is None
    scenario = {"steps": [{"at": 60, "received": {"loss": 1}}]}
    impair(service, session, scenario=scenario)
    assert service.http.get(path).json()["impairment"] == "step 0 of 1: nothing"


def test_metrics(service: RunningService, session: str) -> None:
    """Fates by direction, and what is delayed now; nothing of sessions that never were impaired."""
    assert not [name for name, _ in scraped(service.http) if "impairment" in name]
    impair(service, session, injected={"delay_ms": 60_000, "limit_packets": 3})
    with raw_packets(service, session, "?direction=none") as sender:
        sender.socket.send(pack(Batch(pings(5))))
        sender.text("ack")
    samples = scraped(service.http)
    who = {"adapter": "OfficeNet", "session": session, "direction": "injected"}
    assert value(samples, "impairment_packets_total", fate="offered", **who) == 5
    assert value(samples, "impairment_packets_total", fate="limit", **who) == 2
    assert value(samples, "impairment_bytes_total", fate="limit", **who) == 2 * SIZE
    assert value(samples, "impairment_delayed_packets", **who) == 3
    assert value(samples, "impairment_delayed_bytes", **who) == 3 * SIZE
    service.http.delete(f"/v1/sessions/{session}/impairment")
    samples = scraped(service.http)
    assert value(samples, "impairment_delayed_packets", **who) == 0
    assert value(samples, "impairment_packets_total", fate="delivered", **who) == 3


def test_a_session_says_that_it_is_impaired(service: RunningService, session: str) -> None:
    """Every view of it does, until that is over."""
    path = f"/v1/sessions/{session}"
    assert service.http.get(path).json()["impairment"] is None
    summary = impair(service, session, received={"delay_ms": 60})["summary"]
    assert service.http.get(path).json()["impairment"] == summary
    assert service.http.get("/v1/sessions").json()[0]["impairment"] == summary
    service.http.delete(f"{path}/impairment")
    assert service.http.get(path).json()["impairment"] is None


def test_a_scenario_plays_in_real_time(service: RunningService, session: str) -> None:
    """A loop of a blackout and a pause: pings are lost and answered in turn, again and again."""
    impair(
        service,
        session,
        scenario={
            "steps": [{"at": 0, "injected": {"blackout": True}}, {"at": 0.2, "injected": None}],
            "length": 0.4,
            "loop": True,
        },
    )
    with raw_packets(service, session, "?direction=received") as client:
        turns: list[int | None] = []
        deadline = time.monotonic() + 30
        number = 0
        while len(turns) < 5 and time.monotonic() < deadline:
            client.socket.send(pack(Batch([ping(number)])))
            number += 1
            client.text("ack")
            progress = impairment(service, session)["rules"][0]["progress"]
            if not turns or turns[-1] != progress["step"]:
                turns.append(progress["step"])
        other = 1 - (turns[0] or 0)
        assert turns == [turns[0], other, turns[0], other, turns[0]]
        assert impairment(service, session)["rules"][0]["progress"]["loops"] >= 1
        counters = impairment(service, session)["injected"]
        assert counters["blackout"]["packets"] > 0 < counters["delivered"]["packets"]
        answers = client.receive(counters["delivered"]["packets"])
        assert len(set(map(pong_of, answers))) == counters["delivered"]["packets"]


def test_subscribers_of_raw_packets_watch_before_too(service: RunningService, session: str) -> None:
    """Every subprotocol has both sides."""
    impair(service, session, injected={"blackout": True})
    path = f"/v1/sessions/{session}/packets?direction=injected&tap=before"
    with open_websocket(service, path) as watcher, open_websocket(service, path, BATCH) as other:
        other.recv(30)  # hello
        until(lambda: service.http.get(f"/v1/sessions/{session}").json()["subscribers"] == 2)
        send(service, session)
        assert [watcher.recv(30) for _ in range(5)] == pings(5)
