"""kill -9 under load, again and again: what was answered before must be so after.

The service runs on kernel TUN devices in a network namespace of its own. While it runs, tokens are
made and revoked, adapters made in pools of their own, packets sent both ways. Then it is killed, at
a random moment, now and then before it has answered at all. What counts is what it had answered:
a token given must work, a token revoked must not, a pool or an adapter made must be there.
"""

from __future__ import annotations

import json
import random
import socket
import statistics
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.attack.attack import Attack
from tests.attack.raw_http import Closed, Malformed, source_address
from tests.attack.raw_websocket import BINARY, Refused, frame, open_socket
from tests.attack.target import Target
from wintun_api.packet import build
from wintun_api.wire import BATCH, Batch, pack

PART = "kill"
TOKENS = 40  # kept at a time
FAILED = (OSError, Closed, Malformed, Refused, RuntimeError, ValueError, KeyError)


@dataclass(slots=True)
class Answered:
    """What the service has said is so.

    Attributes:
        given: Secrets by the token's id, whose making was answered, and no revocation was begun.
        revoked: Secrets whose revocation was answered.
        doubtful: Ids of tokens whose revocation was begun, and not answered.
        adapters: Names by GUID.
        pools: Names.
    """

    given: dict[str, str] = field(default_factory=dict)
    revoked: list[str] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)
    adapters: dict[str, str] = field(default_factory=dict)
    pools: set[str] = field(default_factory=set)


def run(attack: Attack) -> None:
    """Kill it so many times."""
    from tests.drivers.linux.kernel import namespace, why_not

    if reason := why_not():
        attack.say(f"kill is left out: {reason}")
        attack.figure(PART, left_out=reason)
        return
    rounds = attack.count(5, 100)
    with namespace():
        target = Target(
            attack.directory / PART,
            python=attack.python,
            driver="linux",
            descriptors=None,
            **attack.environment,
        )
        try:
            _rounds(attack, target, rounds)
        finally:
            target.stop()


def _rounds(attack: Attack, target: Target, rounds: int) -> None:
    random_ = attack.random(PART)
    answered = Answered()
    starts = [target.start()]
    addresses = ["10.77.0.1/24", "10.78.0.1/24"]
    for number, address in enumerate(addresses):
        made = target.made("/v1/adapters", {"name": f"Lasting {number}", "addresses": [address]})
        answered.adapters[_guid(made)] = made["name"]
    packets = 0
    for number in range(rounds):
        packets += _load(attack, random_, target, answered, number)
        if number % 5 == 4:  # killed while it starts, too
            _kill_early(random_, target)
        took = target.start()
        starts.append(took)
        usual = statistics.median(starts[:5])
        if took > 4 * usual + 5:
            attack.found(
                PART, "a slow start after kill -9", f"{took:.1f} s; {usual:.1f} s is usual"
            )
        _check(attack, target, answered, number)
    _check_files(attack, target, everything=True)
    log = target.log.stat().st_size
    if log > 20_000 * (rounds + 1):
        attack.found(PART, "the log grows without bound", f"{log} bytes in {rounds} rounds")
    for kind, text in target.trouble().items():
        attack.found(PART, f"the log has trouble: {kind}", text)
    began = time.monotonic()
    target.stop()
    attack.figure(
        PART,
        kills=rounds,
        packets=packets,
        tokens_revoked=len(answered.revoked),
        start_seconds=f"median {statistics.median(starts):.2f}, most {max(starts):.2f}",
        stop_seconds=round(time.monotonic() - began, 2),
    )


def _guid(adapter: dict[str, Any]) -> str:
    return str(adapter["guid"]).strip("{}").lower()


def _load(
    attack: Attack, random_: random.Random, target: Target, answered: Answered, number: int
) -> int:
    """Put it under load, kill it in the middle, and return how many packets went."""
    sessions = []
    for guid in list(answered.adapters)[:2]:
        try:
            sessions.append(str(target.made("/v1/sessions", {"adapter": guid})["id"]))
        except FAILED as error:
            attack.found(PART, "no session on an adapter that was found again", str(error))
    stop = threading.Event()
    counts = [0] * 8
    threads = [
        threading.Thread(target=_tokens, args=(target, answered, stop, number), daemon=True),
        threading.Thread(target=_pools, args=(target, answered, stop, number), daemon=True),
        threading.Thread(target=_host, args=(stop, counts), daemon=True),
    ]
    threads += [
        threading.Thread(target=_client, args=(target, one, index, stop, counts), daemon=True)
        for index, one in enumerate(sessions)
    ]
    for thread in threads:
        thread.start()
    stop.wait(random_.uniform(0.2, 0.9))
    target.kill()
    stop.set()
    for thread in threads:
        thread.join(30)
    if sum(counts[1:3]) == 0:
        attack.found(PART, "no packet reached a client before the kill")
    return sum(counts)


def _tokens(target: Target, answered: Answered, stop: threading.Event, number: int) -> None:
    """Make and revoke tokens, and write down what was answered."""
    try:
        while not stop.is_set():
            made = target.made("/v1/tokens", {"scopes": ["read"], "label": f"round {number}"})
            answered.given[made["id"]] = made["token"]
            if len(answered.given) > TOKENS:
                oldest = next(iter(answered.given))
                secret = answered.given.pop(oldest)
                answered.doubtful.add(oldest)
                answer = target.call("DELETE", f"/v1/tokens/{oldest}")
                if answer.status == 204:
                    answered.doubtful.discard(oldest)
                    answered.revoked.append(secret)
    except FAILED:
        return


def _pools(target: Target, answered: Answered, stop: threading.Event, number: int) -> None:
    """Make an adapter in a pool of its own, and delete the one before."""
    try:
        made = target.made("/v1/adapters", {"name": f"Round {number}", "pool": f"Pool {number}"})
        answered.adapters[_guid(made)] = made["name"]
        answered.pools.add(f"Pool {number}")
        rest = list(answered.adapters)[2:-2]
        for guid in rest:
            if stop.is_set():
                return
            name = answered.adapters.pop(guid)
            if target.call("DELETE", f"/v1/adapters/{guid}").status != 200:
                answered.adapters[guid] = name
                return
    except FAILED:
        return


def _host(stop: threading.Event, counts: list[int]) -> None:
    """Let the host send to what lies behind both adapters."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        while not stop.is_set():
            for address in ("10.77.0.2", "10.78.0.2"):
                try:
                    sender.sendto(b"x" * 500, (address, 9))
                    counts[0] += 1
                except OSError:
                    stop.wait(0.001)


def _client(
    target: Target, session: str, index: int, stop: threading.Event, counts: list[int]
) -> None:
    """Receive and inject."""
    packet = build.udp(f"10.{77 + index}.0.2", f"10.{77 + index}.0.1", 4000, 9, b"y" * 300)
    sent = frame(BINARY, pack(Batch([packet] * 20)))
    try:
        path = f"/v1/sessions/{session}/packets"
        connection, _ = open_socket(target.port, path, target.admin, BATCH)
        with connection:
            while not stop.is_set():
                connection.sendall(sent)
                data = connection.recv(262144)
                if not data:
                    return
                counts[1 + index] += len(data) // 500
    except FAILED:
        return


def _kill_early(random_: random.Random, target: Target) -> None:
    """Start it and kill it before it answers."""
    timer = threading.Timer(random_.uniform(0.02, 0.7), target.kill)
    timer.start()
    with suppress(RuntimeError):  # as it was meant
        target.start()
    timer.join()
    target.kill()


def _check(attack: Attack, target: Target, answered: Answered, number: int) -> None:
    """Compare the new process with what the old one had answered."""
    when = f"kill {number + 1}"
    listed = target.call("GET", "/v1/tokens").json()
    rows = listed if isinstance(listed, list) else listed["tokens"]
    ids = {row["id"] for row in rows}
    if missing := set(answered.given) - ids:
        attack.found(PART, "tokens are gone that were given", f"{when}: {len(missing)}")
        for one in missing:
            answered.given.pop(one)
    for secret in list(answered.given.values())[-5:]:
        if target.call("GET", "/v1/system", token=secret).status != 200:
            attack.found(PART, "a given token does not work", when)
    for secret in answered.revoked[-10:]:
        source = source_address(attack.random(PART, secret))  # guesses may be limited by address
        status = target.call("GET", "/v1/system", token=secret, source=source).status
        if status == 429:
            break  # guesses are limited
        if status != 401:
            attack.found(PART, "a revoked token works again", f"{when}: {status}")
    # What was on its way when it was killed may or may not have happened: it is cleared away.
    for one in ids - set(answered.given):
        target.call("DELETE", f"/v1/tokens/{one}")
    answered.doubtful.clear()
    adapters = target.call("GET", "/v1/adapters").json()
    found = {_guid(one): one for one in (adapters if isinstance(adapters, list) else [])}
    if missing := set(answered.adapters) - set(found):
        names = [answered.adapters.pop(guid) for guid in missing]
        attack.found(PART, "adapters are gone that were made", f"{when}: {names}")
    for guid, name in answered.adapters.items():
        if guid in found and found[guid]["name"] != name:
            attack.found(PART, "an adapter has another name", f"{when}: {found[guid]['name']}")
    for guid in set(found) - set(answered.adapters):
        target.call("DELETE", f"/v1/adapters/{guid}")
    _check_files(attack, target, pools=answered.pools)


def _check_files(
    attack: Attack, target: Target, *, pools: set[str] | None = None, everything: bool = False
) -> None:
    """Read the data directory as another program would."""
    for name in ("tokens.json", "pools.json"):
        path = target.data / name
        try:
            content = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            if name == "tokens.json" or pools:
                attack.found(PART, f"{name} is missing")
            continue
        except (OSError, ValueError) as error:
            text = path.read_bytes()[:200]
            attack.found(PART, f"{name} is not whole JSON", f"{error}: {text!r}")
            continue
        missing = (pools or set()) - set(map(str, content)) if name == "pools.json" else set()
        if missing and pools:
            attack.found(PART, "pools are gone that were used", str(sorted(missing)[:10]))
            pools -= missing
        if path.stat().st_mode & 0o077:
            attack.found(PART, f"{name} is open to others", oct(path.stat().st_mode))
    files = sorted(path.name for path in target.data.rglob("*") if path.is_file())
    temporary = [name for name in files if name.startswith(".") or "tmp" in name]
    # The newest kill may have left one of each file; older ones must be cleared away.
    if everything:
        attack.figure(PART, files=len(files))
    if len(temporary) > 3:
        attack.found(PART, "temporary files pile up", str(temporary[:10]))
