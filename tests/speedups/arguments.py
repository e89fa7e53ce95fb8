"""Arguments for every function of the extension, made from the names of its parameters.

A new function needs nothing here if its parameters have names that others have; else a line in
`MAKERS`, and in `WRONG`. A scene is what one call sees: packets, a socket that has them, and
numbers that fit. `spoilt` replaces some of the arguments by hostile ones.
"""

from __future__ import annotations

import ctypes
import inspect
import socket
import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from struct import pack as pack_struct
from types import ModuleType
from typing import Any

from tests.posix import datagram_pair
from wintun_api.packet import build
from wintun_api.wire import Batch, pack

FLAGS = (0x10, 0x18, 0x11, 0x02, 0x04, 0x30, 0xC2)  # of TCP, most of them data that can be joined


def functions(module: object) -> dict[str, Callable[..., Any]]:
    """Return the functions of the extension's method table by name."""
    return {name: one for name, one in vars(module).items() if inspect.isbuiltin(one)}


def parameters(function: Callable[..., Any]) -> list[str]:
    """Return the names of a function's parameters, which its text begins with."""
    return list(inspect.signature(function).parameters)


@dataclass(slots=True)
class Scene:
    """What one call sees, all of it from one source of chance."""

    chance: Random
    packets: list[bytes] = field(default_factory=list)
    sockets: list[socket.socket] = field(default_factory=list)
    driver: Driver | None = None
    start: int = 0

    def __post_init__(self) -> None:
        count = self.chance.choice((0, 1, 1, 2, 3, 9, 40))
        self.packets = (
            flow(self.chance, count)
            if self.chance.random() < 0.5
            else [packet(self.chance) for _ in range(count)]
        )
        self.start = self.chance.choice((0, 0, 10, 33))

    def descriptor(self) -> int:
        """Return a socket that has the packets, as they are or behind a header each."""
        near, far = datagram_pair()
        self.sockets += [near, far]
        near.setblocking(False)
        far.setblocking(False)
        headed = self.chance.random() < 0.5
        for one in self.packets:
            try:
                far.send(vnet_header(self.chance, one) + one if headed else one)
            except (BlockingIOError, OSError):
                break
        if self.chance.random() < 0.1:
            far.close()
        return near.fileno()

    def close(self) -> None:
        """Close its sockets."""
        for one in self.sockets:
            one.close()


def packet(chance: Random) -> bytes:
    """Return a packet; some are none, or have a length that lies."""
    payload = chance.randbytes(chance.choice((0, 1, 8, 40, 200, 1400, 1401)))
    addresses = ("10.0.0.1", "10.0.0.2") if chance.random() < 0.5 else ("fd00::1", "fd00::2")
    kind = chance.randrange(6)
    if kind == 0:
        return chance.randbytes(chance.choice((0, 1, 19, 20, 39, 40, 60, 576, 9000, 65535)))
    made = bytearray(
        build.udp(*addresses, 1000, 53, payload)
        if kind == 1
        else build.tcp(*addresses, 1000, 80, payload=payload, flags=chance.choice(FLAGS))
    )
    if kind == 2:
        for _ in range(chance.randrange(1, 4)):
            made[chance.randrange(min(len(made), 60))] = chance.randrange(256)
    return bytes(made[: chance.randrange(len(made) + 1)] if kind == 3 else made)


def flow(chance: Random, count: int) -> list[bytes]:
    """Return segments of one connection in order; now and then one that does not fit."""
    addresses = ("10.0.0.1", "10.0.0.2") if chance.random() < 0.5 else ("fd00::1", "fd00::2")
    size, sequence = chance.choice((1, 100, 1400)), chance.choice((0, 1000, 2**32 - 3000))
    made = []
    for number in range(count):
        if chance.random() < 0.05:
            made.append(packet(chance))
            continue
        payload = chance.randbytes(size if number < count - 1 else chance.randrange(size + 1))
        if chance.random() < 0.3:
            made.append(build.udp(*addresses, 1000, 53, payload))
            continue
        flags = chance.choice(FLAGS) if chance.random() < 0.1 else FLAGS[0]
        made.append(
            build.tcp(*addresses, 1000, 80, payload=payload, flags=flags, sequence=sequence % 2**32)
        )
        sequence += len(payload)
    return made


def super_packet(chance: Random) -> bytes:
    """Return a packet larger than a network's."""
    addresses = ("10.0.0.1", "10.0.0.2") if chance.random() < 0.5 else ("fd00::1", "fd00::2")
    payload = chance.randbytes(chance.choice((0, 1, 3000, 20000, 65000)))
    if chance.random() < 0.7:
        return build.tcp(*addresses, 1000, 80, payload=payload, flags=chance.choice(FLAGS))
    return build.udp(*addresses, 1000, 53, payload)


def vnet_header(chance: Random, content: bytes) -> bytes:
    """Return a `virtio_net_hdr` for a packet: of a plain one, of segments, or nonsense."""
    kind = chance.randrange(4)
    if kind == 0 or len(content) < 40:
        return bytes(10)
    if kind == 1:
        return chance.randbytes(10)
    ip, four = (20, 1) if content[0] >> 4 == 4 else (40, 4)
    udp = content[9 if four == 1 else 6] == 17
    header, kinds = ip + (8 if udp else 20), 5 if udp else four
    size = chance.choice((1, 100, 536, 1400, 65535))
    fields = (header, size, ip, 6 if udp else 16)
    return bytes([1, kinds]) + b"".join(one.to_bytes(2, sys.byteorder) for one in fields)


def frames(chance: Random, packets: Sequence[bytes]) -> bytes:
    """Return messages of a WebSocket client with packets, masked, some of them damaged."""
    made = bytearray()
    for _ in range(chance.randrange(1, 4)):
        some = [one for one in packets if one][: chance.randrange(1, 5)]
        payload = pack(Batch(some)) if chance.random() < 0.5 else b"".join(some[:1])
        head = bytes([chance.choice((0x82, 0x82, 0x82, 0x81, 0x02, 0x80, 0x89, 0x88, 0xC2))])
        if len(payload) < 126:
            head += bytes([0x80 | len(payload)])
        elif len(payload) < 65536:
            head += b"\xfe" + len(payload).to_bytes(2, "big")
        else:
            head += b"\xff" + len(payload).to_bytes(8, "big")
        mask = chance.randbytes(4)
        long = (mask * (len(payload) // 4 + 1))[: len(payload)]
        masked = int.from_bytes(payload, "big") ^ int.from_bytes(long, "big")
        made += head + mask + masked.to_bytes(len(payload), "big")
    for _ in range(chance.choice((0, 0, 0, 1, 3))):
        made[chance.randrange(min(len(made), 64))] = chance.randrange(256)
    return bytes(made[: chance.choice((len(made), len(made), chance.randrange(len(made) + 1)))])


class Driver:
    """Wintun's functions as addresses, over memory of their own; sizes that they give may lie."""

    def __init__(self, chance: Random, packets: Sequence[bytes]) -> None:
        self._error, self._rest, self._given = 0, list(packets), 0
        self._chance, self._held = chance, {}  # type: ignore[var-annotated]
        kind = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE)
        pointer, number = ctypes.c_void_p, ctypes.c_uint32
        self._calls = {
            "receive": kind(pointer, pointer, ctypes.POINTER(number))(self._receive),
            "release": kind(None, pointer, pointer)(self._release),
            "allocate": kind(pointer, pointer, number)(self._allocate),
            "send": kind(None, pointer, pointer)(self._release),
            "last_error": kind(number)(lambda: self._error),
        }

    def address(self, name: str) -> int:
        """Return the address of a function."""
        return int(ctypes.cast(self._calls[name], ctypes.c_void_p).value or 0)

    def _memory(self, size: int) -> int:
        held = ctypes.create_string_buffer(max(size, 1))
        self._held[ctypes.addressof(held)] = held
        return ctypes.addressof(held)

    def _receive(self, _session: int, size: Any) -> int | None:
        if not self._rest:
            self._error = self._chance.choice((259, 38, 13))
            return None
        content = self._rest.pop(0)
        place = self._memory(len(content))
        ctypes.memmove(place, content, len(content))
        size[0] = len(content)
        if self._chance.random() < 0.05:  # a corrupt ring: more than any packet has
            size[0] = self._chance.choice((65536, 2**31, 2**32 - 1))
        return place

    def _allocate(self, _session: int, size: int) -> int | None:
        if self._chance.random() < 0.1:
            self._error = self._chance.choice((111, 38, 87))
            return None
        return self._memory(size)

    def _release(self, _session: int, place: int) -> None:
        del self._held[place]

    @property
    def held(self) -> int:
        """How many packets were not given back."""
        return len(self._held)


def piece(chance: Random, content: bytes) -> Any:
    """Return an object with this memory; others than an array have a byte more."""
    kind = chance.choice((bytes, bytearray, exact, exact, memoryview))
    return kind(exact(content))


def exact(content: bytes | array[int], kind: str = "B") -> array[int]:
    """Return an array of this memory and not a byte more: only a slice is not made larger."""
    made = array(kind)
    made.frombytes(content)
    return made[:]


# Operations of BPF: most are known to the extension, some are not.
OPERATIONS = (
    *(0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x80, 0x00, 0x60, 0x81, 0x01, 0x61, 0xB1, 0x02, 0x03),
    *(0x07, 0x87, 0x15, 0x1D, 0x25, 0x2D, 0x35, 0x3D, 0x45, 0x4D, 0x04, 0x0C, 0x14, 0x1C, 0x24),
    *(0x2C, 0x34, 0x3C, 0x44, 0x4C, 0x54, 0x5C, 0x64, 0x6C, 0x74, 0x7C, 0x84, 0x94, 0x9C, 0xA4),
    *(0xAC, 0x05, 0x05),
)
JA, DIVISIONS, MEMORY = 0x05, (0x34, 0x94), (0x60, 0x61, 0x02, 0x03)
OPERANDS = (0, 1, 2, 4, 8, 9, 19, 20, 24, 39, 40, 64, 1500, 65535, 2**31 - 1, 2**31, 2**32 - 1)


def instructions(chance: Random) -> bytes:
    """Return a program of BPF that can run; now and then one with a jump back."""
    count = chance.choice((1, 2, 3, 9, 40, 300))
    made = b""
    for at in range(count - 1):
        after = count - 2 - at  # the instructions between the next one and the end
        operation, operand = chance.choice(OPERATIONS), chance.choice(OPERANDS)
        if operation == JA:
            operand = chance.randrange(-min(at + 1, 3) if chance.random() < 0.1 else 0, after + 1)
        elif operation in DIVISIONS:
            operand = operand or 1
        elif operation in MEMORY:
            operand %= 16
        jumps = (chance.randrange(min(after, 255) + 1) for _ in range(2))
        made += pack_struct("=HBBI", operation, *jumps, operand % 2**32)
    return made + pack_struct("=HBBI", chance.choice((0x06, 0x16)), 0, 0, chance.choice(OPERANDS))


Make = Callable[[Scene, list[str]], Any]


def _lengths(scene: Scene, names: list[str]) -> Any:
    """The lengths of the packets where there is memory with them, else room for all."""
    if "memory" in names:
        return exact(array("H", map(len, scene.packets)).tobytes(), "H")
    return exact(bytes(2 * 70000), "H")


def _memory(scene: Scene, names: list[str]) -> Any:
    content = bytes(scene.start if "start" in names else 0) + b"".join(scene.packets)
    return piece(scene.chance, content + bytes(scene.chance.choice((0, 0, 7))))


def _indexes(scene: Scene, names: list[str]) -> Any:
    """Return places of packets where some are taken, else room for all of them."""
    count = len(scene.packets)
    if "taken" in names:
        places = sorted(scene.chance.sample(range(count), scene.chance.randrange(count + 1)))
        return exact(array("I", places).tobytes(), "I")
    return exact(bytes(4 * count), "I")


def _address(name: str, scene: Scene, names: list[str]) -> Any:
    del names
    if scene.driver is None:
        scene.driver = Driver(scene.chance, scene.packets)
    return scene.driver.address(name)


MAKERS: dict[str, Make] = {
    "descriptor": lambda scene, _: scene.descriptor(),
    "limit": lambda scene, _: scene.chance.choice((0, 1, 2, 64, 512, 4096)),
    "enough": lambda scene, _: scene.chance.choice((0, 1, 1500, 65535, 65536, 262144)),
    "lengths": _lengths,
    "times": lambda scene, _: scene.chance.choice((None, exact(bytes(4 * 70000), "I"))),
    "memory": _memory,
    "start": lambda scene, names: scene.start if "memory" in names else 0,
    "kinds": lambda scene, _: scene.chance.randrange(64),
    "header": lambda scene, _: piece(
        scene.chance, vnet_header(scene.chance, bytes([0x45]) + bytes(60))
    ),
    "packet": lambda scene, _: piece(scene.chance, super_packet(scene.chance)),
    "data": lambda scene, _: piece(scene.chance, frames(scene.chance, scene.packets)),
    "max_size": lambda scene, _: scene.chance.choice((0, 1, 125, 1500, 70000, 2**20)),
    "batched": lambda scene, _: scene.chance.random() < 0.5,
    "program": lambda scene, _: exact(instructions(scene.chance)),
    "originals": lambda scene, _: scene.chance.choice(
        (None, exact(scene.chance.randbytes(2 * len(scene.packets)), "H"))
    ),
    "indexes": _indexes,
    "taken": lambda scene, _: exact(bytes(2 * len(scene.packets)), "H"),
    "session": lambda scene, _: scene.chance.choice((1, 2**40)),
    "sequence": lambda scene, _: scene.chance.choice((0, 1, 2**63, 2**64 - 1)),
    "time_ns": lambda scene, _: scene.chance.choice((0, 10**18, 2**64 - 1)),
    "injected": lambda scene, _: scene.chance.random() < 0.5,
    **{
        name: partial(_address, name)
        for name in ("receive", "release", "allocate", "send", "last_error")
    },
}
NUMBERS = (-1, -(2**63), 2**64, 2**200, 1.5, "1", None, b"")
BUFFERS = (None, 1, "text", memoryview(bytes(64))[::2])
# What each parameter must refuse with an exception, whatever the others are.
WRONG: dict[str, tuple[object, ...]] = {
    **dict.fromkeys(("descriptor", "limit", "enough", "start", "kinds", "max_size"), NUMBERS),
    **dict.fromkeys(("receive", "release", "allocate", "send", "last_error", "session"), NUMBERS),
    **dict.fromkeys(("memory", "header", "packet", "data", "lengths"), BUFFERS),
    **dict.fromkeys(("program", "indexes", "taken"), BUFFERS),
    **dict.fromkeys(("times", "originals"), BUFFERS[1:]),  # which None stands for
    **dict.fromkeys(("sequence", "time_ns"), NUMBERS),
    **dict.fromkeys(("batched", "injected"), ()),  # anything is true or false
}
# What may be refused or taken, and never reads or writes where it must not.
HOSTILE: dict[str, Callable[[Random], object]] = {
    **dict.fromkeys(
        ("limit", "enough", "max_size", "kinds"),
        lambda chance: chance.choice((0, 1, 65534, 65537, 2**16, 2**20)),
    ),
    "start": lambda chance: chance.choice((1, 64, 2**31, 2**32, 2**62, 2**63 - 1)),
    "descriptor": lambda chance: chance.choice((2**31 - 1, 10**6)),  # which are not open
    **dict.fromkeys(
        ("memory", "data", "packet", "header"),
        lambda chance: piece(
            chance, chance.randbytes(chance.choice((0, 1, 9, 10, 11, 19, 20, 40, 63, 300)))
        ),
    ),
    "times": lambda chance: chance.choice(
        (
            exact(bytes(chance.randrange(9)), "B"),
            memoryview(bytearray(chance.randrange(2, 65)))[1:],
            exact(bytes(4 * chance.choice((0, 1, 5, 600))), "I"),
        )
    ),
    "program": lambda chance: chance.choice(
        (
            piece(chance, chance.randbytes(8 * chance.randrange(9))),
            piece(chance, instructions(chance)[:-1]),
            piece(chance, chance.randbytes(8) + instructions(chance)),
            memoryview(bytes(1) + instructions(chance))[1:],  # at an odd address
        )
    ),
    **dict.fromkeys(
        ("indexes", "taken", "originals"),
        lambda chance: chance.choice(
            (
                exact(b"", "I"),
                bytearray(chance.randrange(9)),
                memoryview(bytearray(chance.randrange(2, 65)))[1:],
                exact(chance.randbytes(4 * chance.randrange(40)), "I"),
                exact(array("I", range(chance.randrange(60))).tobytes(), "I"),
                exact(b"\xff" * 8, "I"),
            )
        ),
    ),
    "lengths": lambda chance: chance.choice(
        (
            bytearray(chance.randrange(9)),
            memoryview(bytearray(chance.randrange(2, 65)))[1:],  # at an odd address
            exact(chance.randbytes(2 * chance.randrange(40)), "H"),
            exact(bytes(2 * chance.choice((0, 1, 5, 600))), "H"),
            array("I", bytes(40)),
            bytes(10),
        )
    ),
}


def arguments(scene: Scene, names: list[str]) -> list[Any]:
    """Return good arguments for the parameters of these names."""
    return [MAKERS[name](scene, names) for name in names]


def spoilt(scene: Scene, names: list[str], given: list[Any]) -> list[Any]:
    """Return the arguments with some hostile ones among them."""
    chance, made = scene.chance, list(given)
    for at, name in enumerate(names):
        if name in HOSTILE and chance.random() < 0.4:
            made[at] = HOSTILE[name](chance)
    tables = [at for at, name in enumerate(names) if name in {"memory", "data", "lengths"}]
    if len(tables) > 1 and chance.random() < 0.1:  # one buffer twice
        made[tables[0]] = made[tables[1]]
    return made


def load(path: str, name: str = "wintun_api.speedups") -> ModuleType:
    """Load an extension that was built elsewhere."""
    from importlib.machinery import ExtensionFileLoader
    from importlib.util import module_from_spec, spec_from_file_location

    loader = ExtensionFileLoader(name, path)
    spec = spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module
