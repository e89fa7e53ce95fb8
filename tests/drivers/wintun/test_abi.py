from __future__ import annotations

import ctypes
from _ctypes import FUNCFLAG_PYTHONAPI
from uuid import UUID

import pytest

from wintun_api.drivers.windows import foreign
from wintun_api.drivers.windows.foreign import Check
from wintun_api.drivers.wintun import abi
from wintun_api.drivers.wintun.abi import Generation

POOL_EXPORTS = """
WintunAllocateSendPacket WintunCreateAdapter WintunDeleteAdapter WintunDeletePoolDriver
WintunEndSession WintunEnumAdapters WintunFreeAdapter WintunGetAdapterLUID WintunGetAdapterName
WintunGetReadWaitEvent WintunGetRunningDriverVersion WintunOpenAdapter WintunReceivePacket
WintunReleaseReceivePacket WintunSendPacket WintunSetAdapterName WintunSetLogger WintunStartSession
"""
TUNNEL_TYPE_EXPORTS = """
WintunAllocateSendPacket WintunCloseAdapter WintunCreateAdapter WintunDeleteDriver WintunEndSession
WintunGetAdapterLUID WintunGetReadWaitEvent WintunGetRunningDriverVersion WintunOpenAdapter
WintunReceivePacket WintunReleaseReceivePacket WintunSendPacket WintunSetLogger WintunStartSession
"""
POINTER = ctypes.sizeof(ctypes.c_void_p)


def row(generation: Generation, name: str) -> foreign.Prototype:
    (found,) = (one for one in abi.prototypes_of(generation) if one.name == name)
    return found


def test_pool_exports() -> None:
    """The pool generation has its 18 exports."""
    assert sorted(abi.exports_of(Generation.POOL)) == POOL_EXPORTS.split()
    assert len(abi.prototypes_of(Generation.POOL)) == 18


def test_tunnel_type_exports() -> None:
    """The tunnel-type generation has its 14 exports."""
    assert sorted(abi.exports_of(Generation.TUNNEL_TYPE)) == TUNNEL_TYPE_EXPORTS.split()
    assert len(abi.prototypes_of(Generation.TUNNEL_TYPE)) == 14


def test_generation_of() -> None:
    """Exports tell the generation, whatever else the file exports."""
    for generation in Generation:
        names = abi.exports_of(generation)
        assert abi.generation_of(names) is generation
        assert abi.generation_of(names | {"DllMain"}) is generation


@pytest.mark.parametrize("generation", list(Generation))
def test_mixture_refused(generation: Generation) -> None:
    """One export more or less, and it is no wintun.dll."""
    names = abi.exports_of(generation)
    others = abi.exports_of(Generation.POOL) ^ abi.exports_of(Generation.TUNNEL_TYPE)
    for name in names:
        assert abi.generation_of(names - {name}) is None
    for name in others - names:
        assert abi.generation_of(names | {name}) is None
    assert abi.generation_of(()) is None


def test_fixed_widths() -> None:
    """Types have the sizes of Windows wherever this runs."""
    assert ctypes.sizeof(foreign.BOOL) == ctypes.sizeof(foreign.DWORD) == 4
    assert ctypes.sizeof(foreign.DWORD64) == 8
    assert ctypes.sizeof(foreign.LPARAM) == POINTER
    for handle in (abi.AdapterHandle, abi.SessionHandle, foreign.EventHandle, foreign.WideString):
        assert ctypes.sizeof(handle) == POINTER
    assert ctypes.sizeof(abi.AdapterName) == 256


def test_guid_layout() -> None:
    """GUID has 16 bytes, its fields at 0, 4, 6 and 8."""
    assert ctypes.sizeof(foreign.Guid) == 16
    offsets = [getattr(foreign.Guid, name).offset for name, _ in foreign.Guid._fields_]
    assert offsets == [0, 4, 6, 8]


def test_guid_bytes() -> None:
    """A GUID in memory is the UUID's little-endian form, and comes back as it went."""
    guid = UUID("deadbabe-cafe-beef-0123-456789abcdef")
    structure = foreign.Guid.of(guid)
    assert structure.data1 == 0xDEADBABE
    assert (structure.data2, structure.data3) == (0xCAFE, 0xBEEF)
    assert bytes(structure.data4) == bytes.fromhex("0123456789abcdef")
    assert structure.uuid == guid


def test_luid_layout() -> None:
    """NET_LUID is one unsigned 64-bit value."""
    assert ctypes.sizeof(foreign.NetLuid) == 8
    assert foreign.NetLuid.value.offset == 0
    assert foreign.NetLuid(0xFFFF_FFFF_0000_0000).value == 0xFFFF_FFFF_0000_0000


@pytest.mark.parametrize("text", ["", "Demo", "Büro", "網路", "\U0001f30d\U0001f30d", "a" * 300])
def test_wide_strings(text: str) -> None:
    """Text crosses the boundary as UTF-16 with its terminator, surrogate pairs as two units."""
    seen: list[str] = []
    callback = abi.PoolLoggerCallback(lambda _level, message: seen.append(message.text))
    callback(0, text)
    assert seen == [text]
    content = foreign.WideString.from_param(text)
    units = ctypes.string_at(content, 2 * len(text.encode("utf-16-le")) // 2 + 2)
    assert units == text.encode("utf-16-le") + b"\0\0"


def test_null_wide_string() -> None:
    """A NULL string reads as an empty one."""
    assert foreign.WideString(None).text == ""


def test_handles_do_not_mix() -> None:
    """A handle of another kind is refused before the call."""
    end = foreign.function_type(row(Generation.POOL, "WintunEndSession"))(lambda _handle: None)
    end(abi.SessionHandle(1))
    with pytest.raises(ctypes.ArgumentError):
        end(abi.AdapterHandle(1))


def test_handles_keep_64_bits() -> None:
    """A handle is not cut to an int, as it would be without a result type."""
    wide = 0x7FF6_1234_5678 if POINTER == 8 else 0x7234_5678
    start = foreign.function_type(row(Generation.POOL, "WintunStartSession"))(lambda *_: wide)
    assert start(abi.AdapterHandle(1), 0x20000).value == wide


def test_argument_orders() -> None:
    """Pool comes first in the one generation; the other has neither it nor the reboot flag."""
    pool = row(Generation.POOL, "WintunCreateAdapter")
    tunnel_type = row(Generation.TUNNEL_TYPE, "WintunCreateAdapter")
    assert len(pool.argtypes) == 4
    assert tunnel_type.argtypes == pool.argtypes[:3]
    assert len(row(Generation.TUNNEL_TYPE, "WintunOpenAdapter").argtypes) == 1


def test_void_functions_cannot_fail() -> None:
    """What returns nothing has no check, and what can fail has one."""
    for one in abi.PROTOTYPES:
        if one.restype is None:
            assert one.check is Check.NONE
        elif one.name != "WintunGetReadWaitEvent":
            assert one.check is not Check.NONE


def test_packet_path() -> None:
    """The four packet functions keep the GIL, and no others."""
    assert {one.name for one in abi.PROTOTYPES if one.packet_path} == {
        "WintunReceivePacket",
        "WintunReleaseReceivePacket",
        "WintunAllocateSendPacket",
        "WintunSendPacket",
    }
    for one in abi.PROTOTYPES:
        keeps_gil = bool(foreign.function_type(one)._flags_ & FUNCFLAG_PYTHONAPI)
        assert keeps_gil is one.packet_path


def test_logger_shapes() -> None:
    """0.14 puts a 64-bit time between level and message."""
    lines: list[tuple[int, ...]] = []
    callback = abi.TunnelTypeLoggerCallback(
        lambda level, time, message: lines.append((level, time, len(message.text)))
    )
    callback(2, 0x01DC_0000_0000_0001, "text")
    assert lines == [(2, 0x01DC_0000_0000_0001, 4)]


def test_copy_bytes() -> None:
    """A packet with zeros in it is copied whole, and nothing beyond it is touched."""
    memory = ctypes.create_string_buffer(b"........", 8)
    foreign.copy_bytes(ctypes.addressof(memory), b"a\0b\0c", 5)
    assert memory.raw == b"a\0b\0c..."
