"""The functions: each is described, typed and fuzzed, and refuses wrong arguments."""

from __future__ import annotations

import inspect
import sys
from array import array
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from tests.extension import extension
from tests.speedups.arguments import (
    MAKERS,
    WRONG,
    Scene,
    arguments,
    functions,
    parameters,
    spoilt,
)
from tests.speedups.fuzz import REFUSALS, call
from wintun_api import frames
from wintun_api.native import Speedups

SEEDS = range(1, 41)
PROTOCOL = {
    name: list(inspect.signature(method).parameters)[1:]
    for name, method in vars(Speedups).items()
    if inspect.isfunction(method) and not name.startswith("_")
}


@pytest.fixture(params=PROTOCOL)
def function(request: pytest.FixtureRequest) -> Any:
    """One function after the other."""
    found = functions(extension())
    if request.param not in found:
        pytest.skip("is not for this system")
    return found[request.param]


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Something for a call to see."""
    scene = Scene(Random(0))
    yield scene
    scene.close()


def test_the_protocol_lists_every_function() -> None:
    """The method table and `Speedups` have the same functions with the same parameters."""
    found = {name: parameters(one) for name, one in functions(extension()).items()}
    if sys.platform == "linux":
        assert found == PROTOCOL
    else:
        assert found.items() <= PROTOCOL.items()


@pytest.mark.parametrize("name", PROTOCOL)
def test_the_protocol_names_the_twin(name: str) -> None:
    """The text of each method says which Python code does the same, and this exists."""
    text = inspect.getdoc(getattr(Speedups, name)) or ""
    assert text.startswith("Twin: `"), text
    dotted = text.partition("`")[2].partition("`")[0].split(".")
    place: Any = None
    for end in range(len(dotted), 0, -1):
        try:
            place = __import__(".".join(["wintun_api", *dotted[:end]]), fromlist=["_"])
        except ModuleNotFoundError:
            continue
        break
    assert place is not None, text
    for attribute in dotted[end:]:
        place = getattr(place, attribute)
    assert callable(place)


def test_a_function_is_described(function: Any) -> None:
    """Its text is a sentence to begin with, and says what it returns."""
    first = (function.__doc__ or "").strip().partition("\n")[0]
    assert first.endswith("."), first
    assert "eturn" in function.__doc__


def test_every_parameter_is_fuzzed(function: Any) -> None:
    """Each parameter has a maker, and values that it must refuse."""
    names = set(parameters(function))
    assert names - MAKERS.keys() == set()
    assert names - WRONG.keys() == set()


def test_good_and_hostile_arguments(function: Any) -> None:
    """Good arguments are taken; hostile ones are taken or refused."""
    for seed in SEEDS:
        call(function, seed)


def test_wrong_arguments_are_refused(function: Any, scene: Scene) -> None:
    """A wrong type, a negative or a huge number is an exception."""
    names = parameters(function)
    for at, name in enumerate(names):
        for wrong in WRONG[name]:
            given = arguments(scene, names)
            given[at] = wrong
            with pytest.raises(REFUSALS):
                function(*given)


def test_wrong_counts_are_refused(function: Any, scene: Scene) -> None:
    """Too few, too many and named arguments are an exception."""
    names = parameters(function)
    given = arguments(scene, names)
    for wrong in ([], given[:-1], [*given, 1]):
        with pytest.raises(TypeError):
            function(*wrong)
    with pytest.raises(TypeError):
        function(**dict(zip(names, given, strict=True)))


@pytest.mark.parametrize("start", [21, 2**31, 2**63 - 1])
def test_a_start_behind_the_memory_is_refused(function: Any, scene: Scene, start: int) -> None:
    """Wherever the packets are said to begin, what is not in the memory is not read."""
    names = parameters(function)
    if "start" not in names or "memory" not in names:
        pytest.skip("reads no packets from memory")
    given = dict(zip(names, arguments(scene, names), strict=True))
    given |= {"memory": bytes(20), "start": start, "lengths": array("H", [65535] * 100)}
    with pytest.raises(ValueError, match="memory"):
        function(*given.values())


@pytest.mark.parametrize("offset", [0, 1])
def test_no_packets_have_no_alignment(offset: int) -> None:
    """An empty table may begin anywhere; on Windows that of an empty array does."""
    nothing = memoryview(bytes(2))[offset:offset]
    speedups = extension()
    assert speedups.packet_frames(b"", 0, nothing) == b""
    assert speedups.batch_frame(b"", 0, nothing, 1, 2, False) == frames.batch_frame(
        (), (), 1, 2, False
    )


def test_a_table_that_cannot_be_written_is_refused(function: Any, scene: Scene) -> None:
    """What a function fills must be writable."""
    names = parameters(function)
    if "lengths" not in names or "memory" in names:
        pytest.skip("fills no table")
    given = arguments(scene, names)
    given[names.index("lengths")] = bytes(140000)
    with pytest.raises(REFUSALS):
        function(*given)


def test_no_argument_is_held(function: Any) -> None:
    """After a call, and after one that raised, each argument is as free as before."""
    names = parameters(function)
    for seed in SEEDS:
        scene = Scene(Random(seed))
        given = arguments(scene, names)
        if seed % 2:
            given = spoilt(scene, names, given)
        objects = [one for one in given if not isinstance(one, int | None)]
        before = [sys.getrefcount(one) for one in objects]
        with suppress(*REFUSALS):
            function(*given)
        scene.close()
        assert [sys.getrefcount(one) for one in objects] == before
        for one in objects:
            if isinstance(one, array | bytearray):
                one.extend(one[:1])  # a buffer that is still exported cannot grow
