"""Filters that libpcap compiles, and those that it must never see the end of."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.libpcap import Install, need_libpcap
from wintun_api.capture.filters import binding
from wintun_api.capture.filters.compiler import (
    MAX_INSTRUCTIONS,
    MAX_WORDS,
    check_syntax,
    compile_filter,
)
from wintun_api.errors import FilterUnavailable, InvalidFilter
from wintun_api.limits import MAX_FILTER

WORDS = (
    *("tcp", "udp", "port", "host", "net", "and", "or", "not", "(", ")", "[", "]", "80", "=", "ip"),
    *("10.6.7.8", "::1", "len", "<", "-", "+", "/0", "portrange", "1-2", "\\tcp", "&", "0x1f", ":"),
    *("protochain", "less", "greater", "ip6", "vlan", "inbound", "ether", "é", '"', "'", "\\", "%"),
)


@pytest.fixture
def libpcap() -> None:
    """Leave the test out without it."""
    need_libpcap()


def refused(expression: str) -> InvalidFilter:
    """Return why a filter is not accepted."""
    with pytest.raises(InvalidFilter) as caught:
        compile_filter(expression)
    return caught.value


@pytest.mark.usefixtures("libpcap")
def test_a_program_has_instructions() -> None:
    """The filter is kept as it was written, with its program."""
    program = compile_filter("tcp port 443")
    assert program.expression == "tcp port 443"
    assert len(program) > 5


@pytest.mark.usefixtures("libpcap")
@pytest.mark.parametrize(
    ("expression", "offset", "reason"),
    [
        ("tcp prot 80", 4, "syntax error"),
        ("tcp port", 8, "syntax error"),
        ("tcp and", 7, "syntax error"),
        ("(tcp or udp", 11, "syntax error"),
        ("tcp or udp)", 10, "syntax error"),
        ("port 99999", 5, "99999"),
        ("port 80 or port 99999 or tcp", 16, "99999"),
        ("net 1.2.3.4/33", 11, "mask length"),
        ("ip[0]/0 = 1", 6, "division by zero"),
        ("tcp port 80 an host 10.6.7.8", 12, "syntax error"),
        ("tcp and host nosuch.invalid", 13, "nosuch.invalid"),
        ("ether host 1:2:3:4:5:6", 6, "ethernet"),
        ("ip broadcast", 3, "netmask"),
        ("inbound", 0, "inbound"),
        ("tcp and outbound", 8, "direction"),
        ("ip[-1] = 1", 3, "a byte that no packet has"),
        ("tcp or ip6[ -4 : 2 ] = 1", 11, "a byte that no packet has"),
        ("ip[4294967295] = 1", 3, "a byte that no packet has"),
        ("tcp\0", 3, "U+0000"),
        ("tcp\x1b[31m", 3, "U+001B"),
    ],
)
def test_where_it_is_wrong(expression: str, offset: int, reason: str) -> None:
    """The offset is where the first wrong word begins, or the end where something is missing."""
    error = refused(expression)
    assert reason in error.reason
    assert error.offset == offset


@pytest.mark.usefixtures("libpcap")
@pytest.mark.parametrize("expression", ["tcp prot 80", "port 99999", "a" * 300, "()", "tcp[" * 9])
def test_a_reason_is_part_of_a_sentence(expression: str) -> None:
    """The message is one line, and has no full stop of its own."""
    error = refused(expression)
    assert str(error).endswith(".")
    assert not error.reason.endswith(".")
    assert "\n" not in error.reason


@pytest.mark.usefixtures("libpcap")
@pytest.mark.parametrize(
    "expression",
    [
        "(" * MAX_FILTER,
        "(" * 2000 + "tcp" + ")" * 2000,
        " or ".join(["tcp"] * 580),
        "port 1" + " or 2" * 800,
        "not " * 1000 + "tcp",
        "!" * 4000 + "tcp",
        "ip[" + "-" * 4000 + "1] = 1",
        "ip[0]" + "+1" * 2000 + " = 1",
        "ip[" * 1000 + "0" + "]" * 1000 + " = 1",
        "\\" * MAX_FILTER,
        "'" * MAX_FILTER,
    ],
    ids=range(11),
)
def test_a_filter_has_so_many_words(expression: str) -> None:
    """One with more is refused before libpcap works on it for minutes, or nests without end."""
    error = refused(expression)
    assert f"{MAX_WORDS} words" in error.reason
    assert 0 < error.offset < len(expression)


@pytest.mark.usefixtures("libpcap")
def test_a_filter_has_so_many_characters() -> None:
    """One that is longer is refused at the first character that is too many."""
    assert refused("a" * (MAX_FILTER + 1)).offset == MAX_FILTER
    assert f"{MAX_FILTER:,} characters" in refused("a" * (MAX_FILTER + 1)).reason


@pytest.mark.usefixtures("libpcap")
def test_a_filter_may_have_all_its_words() -> None:
    """Many hosts, deep brackets and many negations are compiled."""
    hosts = " or ".join(f"10.6.{at // 250}.{at % 250}" for at in range(MAX_WORDS // 2))
    assert len(compile_filter(f"host {hosts}")) > MAX_WORDS // 2
    nested = "(" * 250 + "tcp" + ")" * 250
    assert compile_filter(nested).code == compile_filter("tcp").code
    assert compile_filter("not " * 500 + "tcp").code == compile_filter("tcp").code


@pytest.mark.usefixtures("libpcap")
def test_a_program_has_so_many_instructions() -> None:
    """A short filter whose program is large is refused."""
    ranges = "portrange 1-9" + "".join(f" or {at}-{at + 3}" for at in range(2, 202))
    assert "too large" in refused(ranges).reason
    some = "portrange 1-9" + "".join(f" or {at}-{at + 3}" for at in range(2, 62))
    assert len(compile_filter(some)) <= MAX_INSTRUCTIONS


@pytest.mark.usefixtures("libpcap")
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)))
def test_rubbish_is_compiled_or_refused(expression: str) -> None:
    """Whatever is written, the answer is a program, or a place within the filter."""
    fault = None
    try:
        compile_filter(expression)
    except InvalidFilter as error:
        fault = error
    assert fault is None or (fault.reason and 0 <= fault.offset <= len(expression))


def test_without_libpcap(installed: Install) -> None:
    """The error says what to install."""
    installed(None)
    with pytest.raises(FilterUnavailable, match="not installed") as caught:
        compile_filter("tcp")
    assert caught.value.hint == binding.INSTALL
    assert binding.version() is None


def test_another_package_of_this_name(installed: Install) -> None:
    """A module that is not the binding is the same clear error, and says what to do."""
    installed(ModuleType(binding.PACKAGE))
    with pytest.raises(FilterUnavailable, match="cannot be used") as caught:
        compile_filter("tcp")
    assert caught.value.hint == binding.AGAIN


@pytest.mark.usefixtures("libpcap")
@pytest.mark.parametrize(
    ("expression", "offset"),
    [
        ("tcp prot 80", 4),
        ("host office.example.com and tcp prot 80", 32),
        ("host office.example.com or", 26),
        ("(src a.example and dst b.example", 32),
    ],
)
def test_syntax_is_checked_without_names(expression: str, offset: int) -> None:
    """What is wrong whatever the names mean is found without looking one up, at its place."""
    with pytest.raises(InvalidFilter) as caught:
        check_syntax(expression)
    assert "syntax error" in caught.value.reason
    assert caught.value.offset == offset


@pytest.mark.usefixtures("libpcap")
def test_what_a_name_means_is_not_its_syntax() -> None:
    """A filter whose names may mean something passes the check."""
    for expression in ("host nosuch.invalid", "ip6 host nosuch.invalid", "gateway nosuch.invalid"):
        check_syntax(expression)
