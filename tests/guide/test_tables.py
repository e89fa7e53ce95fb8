"""The tables of the guide have what the code has: nothing is missing, nothing is invented."""

from __future__ import annotations

import re

import pytest

from tests.guide import reference
from tests.guide.blocks import ROOT, pages, source
from tests.running import RunningService
from wintun_api import guide
from wintun_api.api.access import access_of
from wintun_api.api.guide import slug
from wintun_api.api.holders import HoldQuery
from wintun_api.api.kinds import Kind
from wintun_api.api.openapi import refusals
from wintun_api.api.problems import kind_of
from wintun_api.api.streams import PacketQuery
from wintun_api.choices import SENT_CODES, EventType
from wintun_api.cli.impairment_options import option_of
from wintun_api.drivers.base import UnavailableReason
from wintun_api.drivers.wintun.abi import PROTOTYPES
from wintun_api.schemas.control import CONTROL
from wintun_api.schemas.events import DATA
from wintun_api.schemas.impairment import Impairment, ImpairmentCounters, Match
from wintun_api.settings import Settings
from wintun_api.wire import HEADER_LENGTH


def section(page: str, heading: str) -> str:
    """Return what is below a heading, up to the next of its level or above."""
    level = re.escape(heading.partition(" ")[0])
    text = source(page).partition(f"\n{heading}\n")[2]
    assert text, heading
    return re.split(rf"\n#{{1,{len(level.replace(chr(92), ''))}}} ", text)[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of the tables in a text, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    heads = {at - 1 for at, row in enumerate(cells) if set("".join(row)) <= set("-")}
    return [row for at, row in enumerate(cells) if not {at, at - 1} & heads and at not in heads]


def quoted(text: str) -> list[str]:
    """Return what stands in backquotes."""
    return re.findall(r"`([^`]+)`", text)


def first_column(text: str) -> list[str]:
    """Return what stands in backquotes in the first cells."""
    return [name for row in rows(text) for name in quoted(row[0])]


def test_the_files_are_the_topics() -> None:
    """Every page is in the table of contents once, and every entry has its page."""
    files = {path.stem for path in guide.FOLDER.glob("*.md")} - {guide.CONTENTS}
    names = [topic.name for topic in guide.topics()]
    assert sorted(names) == sorted(files)
    for topic in guide.topics():
        assert source(topic.name).startswith(f"# {topic.title}\n")
        assert topic.about.endswith(".")


def test_readme_is_one_page() -> None:
    """README is for people who have two minutes."""
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings."""
    text = re.sub(r"^```.*?^```", "", source(page), flags=re.MULTILINE | re.DOTALL)
    found: list[str] = []
    for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        found.append(slug(title.replace("`", ""), found))
    return set(found)


@pytest.mark.parametrize("page", pages())
def test_links_lead_somewhere(page: str) -> None:
    """Files, pages and headings that a page links to are there."""
    at = pages()[page]
    for link in re.findall(r"\]\(([^)\s]+)\)", source(page)):
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        target = (at.parent / name).resolve() if name else at
        assert target.exists(), link
        if anchor:
            (other,) = [one for one, path in pages().items() if path == target]
            assert anchor in anchors(other), link


def test_every_function_has_its_route() -> None:
    """The table of Wintun's functions leaves none out and invents none."""
    assert set(first_column(source("functions"))) == {row.name for row in PROTOTYPES}


@pytest.mark.parametrize("page", pages())
def test_routes_exist(service: RunningService, page: str) -> None:
    """Routes that a page names are routes of the service, whatever their parameters are called."""
    routes = [getattr(route, "path_format", "") for route in service.service.api.router.routes]
    known = {re.sub(r"\{[^}]+\}", "{}", path) for path in routes}
    for path in re.findall(r"`(?:GET|PUT|POST|PATCH|DELETE|WS) (/[^`?#]*)", source(page)):
        assert re.sub(r"\{[^}]+\}", "{}", path.split()[0]) in known, path


def test_rest_lists_every_route(service: RunningService) -> None:
    """Every route of the contract is in the table, with the scope that the door asks for."""
    listed: dict[tuple[str, str], list[str]] = {}
    for row in rows(section("rest", "## Every route")):
        for method, path in re.findall(r"(GET|PUT|POST|PATCH|DELETE|WS) (/[^`?]*)", row[0]):
            listed[method, path] = quoted(row[2])
    routes = {}
    for route in service.service.api.router.routes:
        path, access = getattr(route, "path_format", ""), access_of(route)
        if access is None or not path.startswith(("/v1", "/noauth", "/metrics")):
            continue
        for method in getattr(route, "methods", None) or ("WS",):
            routes[method, path] = access
    assert set(listed) == set(routes)
    for key, access in routes.items():
        expected = [] if access.scope is None else [access.scope.value]
        if key == ("WS", "/v1/sessions/{session_id}/packets"):
            expected = ["capture", "inject"]  # the endpoint decides
        if key == ("WS", "/v1/adapters/{guid}/packets"):
            expected = ["capture", "inject", "admin"]
        assert listed[key] == expected, key


@pytest.mark.parametrize("model", CONTROL, ids=lambda model: model.__name__)
def test_control_messages(model: type) -> None:
    """Each control message has a section with all its members."""
    fields = model.model_fields  # type: ignore[attr-defined]
    (kind,) = fields["type"].annotation.__args__
    text = section("packets", f"### {kind}")
    assert sorted(first_column(text)) == sorted(fields)


def test_members_of_members() -> None:
    """What `hello` holds inside of its members is named too."""
    text = section("packets", "### hello")
    for model in (field.annotation for field in CONTROL[0].model_fields.values()):
        for name in getattr(model, "model_fields", {}):
            assert f"`{name}`" in text, name


def test_query_parameters() -> None:
    """The table of the socket's parameters is whole."""
    text = section("packets", "## Query parameters")
    assert sorted(first_column(text)) == sorted(PacketQuery.model_fields)


def test_parameters_of_an_adapter_s_socket() -> None:
    """The table has what the socket takes beyond those of a session."""
    more = set(HoldQuery.model_fields) - set(PacketQuery.model_fields)
    assert sorted(first_column(section("packets", "## The socket of an adapter"))) == sorted(more)


def test_the_header_of_a_batch() -> None:
    """The offsets of the table and the sizes of its types add up to the header's length."""
    found = [
        (int(row[0]), int(row[1][1:]) // 8)
        for row in rows(section("packets", "## The batch frame"))
        if row[0].isdigit()
    ]
    place = 0
    for offset, size in found:
        assert offset == place
        place += size
    assert place == HEADER_LENGTH


def test_close_codes() -> None:
    """Every close code of the service has a row."""
    listed = {int(row[0]) for row in rows(section("packets", "## How a socket ends"))}
    assert listed == set(SENT_CODES)


def test_defaults_of_the_knobs() -> None:
    """The defaults in the table of knobs are those of the settings, in the units of people."""
    flags = {one.flag: one for one in Settings.declared().values()}
    table = {row[0]: row[1] for row in rows(section("performance", "## The knobs"))}
    knobs = {cell: quoted(cell) for cell in table if cell.startswith("`--")}
    assert knobs
    for cell, names in knobs.items():
        told = table[cell].split(", ")
        for name, said in zip(names, told, strict=False):
            default = flags[name].default_text
            if default != "0":  # what the system does then is said in words
                assert said.removesuffix(" s") in re.findall(r"[^()]+", default), (name, said)


def test_every_type_of_event() -> None:
    """The list of events is the code's, and says what the data of each is."""
    table = rows(section("events", "## Every type"))[: len(EventType)]
    found = {quoted(row[0])[0]: row[2] for row in table}
    assert list(found) == [kind.value for kind in EventType]
    names = {"Adapter": "the adapter", "Session": "the session", "Failure": "the failure",
             "Loss": "the loss", "Audit": "the audit record",
             "SessionImpairment": "the impairment", "Recorder": "the recorder",
                 "RecorderRemoval": "the recorder",
             "Capture": "the named capture"}  # fmt: skip
    for kind, model in DATA.items():
        said = found[kind.value]
        if model.__name__ in names:
            assert said.startswith(names[model.__name__]), kind
        else:
            assert set(quoted(said)) - {"info", "warn", "err"} == set(model.model_fields), kind


CARRIED = [
    ("the loss", EventType.SESSION_LOSS),
    ("the failure", EventType.OPERATION_FAILED),
    ("the audit record", EventType.AUDIT_CHANGE),
]


@pytest.mark.parametrize(("what", "kind"), CARRIED)
def test_members_of_events(what: str, kind: EventType) -> None:
    """What an event carries is named with all its members."""
    (said,) = [row[1] for row in rows(section("events", "## Every type")) if row[0] == what]
    missing = {name for name in DATA[kind].model_fields if f"`{name}`" not in said}
    assert missing == set()


def test_members_of_impairments() -> None:
    """The page of bad networks has every member with its option, every match, and every counter."""
    table = rows(section("impairment", "## Over REST"))
    said = {quoted(row[0])[0]: quoted(row[1])[0] for row in table}
    assert list(said) == list(Impairment.model_fields)
    assert said == {member: option_of(member) for member in said}
    text = section("impairment", "## Some packets only")
    assert set(Match.model_fields) <= set(quoted(text))
    assert first_column(section("impairment", "## Counters")) == list(
        ImpairmentCounters.model_fields
    )


def test_every_preset(service: RunningService) -> None:
    """The page of bad networks has every preset, and names sources that the service names."""
    table = rows(section("impairment", "## Presets"))
    presets = {one["name"]: one for one in service.http.get("/v1/impairments/presets").json()}
    assert [quoted(row[0])[0] for row in table] == list(presets)
    for name, _, origin in table:
        for word in re.findall(r"[A-Z][A-Za-z]{4,}", origin):
            assert word in presets[quoted(name)[0]]["source"], (name, word)


def test_every_type_of_problem() -> None:
    """Troubleshooting has a row for every type, and none that is not."""
    text = section("troubleshooting", "## Requests: every type of problem")
    assert sorted(first_column(text)) == sorted(kind.slug for kind in Kind)
    examples = {error for error, _ in refusals.ERRORS}
    assert {kind_of(error).slug for error in examples} <= set(first_column(text))


def test_every_reason_of_the_driver() -> None:
    """Troubleshooting says what to do about each reason."""
    text = section("troubleshooting", "## The driver is unavailable")
    assert sorted(first_column(text)) == sorted(UnavailableReason)


def test_the_settings_are_generated() -> None:
    """The page is what `python -m tests.guide.reference` writes, and has every setting."""
    assert source("settings") == reference.page()
    groups = reference.groups(Settings).values()
    named = [one.name for declared in groups for one in declared]
    assert sorted(named) == sorted(Settings.declared())


def test_every_cause_of_loss_between_hosts() -> None:
    """The page of many hosts says what to do about each cause, in the order of the code."""
    causes = pytest.importorskip("wintun_api.fleet.packets.accounts").Cause
    assert first_column(section("fleet", "## What became of every packet")) == list(causes)


def test_everything_else_that_an_agent_counts() -> None:
    """The page of many hosts says what each count is about, in the order of the code."""
    counts = pytest.importorskip("wintun_api.fleet.packets.counts")
    assert first_column(section("fleet", "### What else an agent counts")) == list(counts.NOTED)


def test_the_exit_codes_are_those_of_the_program() -> None:
    """The table has the program's own codes."""
    codes = pytest.importorskip("wintun_api.cli.exit_codes")
    listed = {int(row[0]) for row in rows(source("exit-codes"))}
    assert listed == {int(code) for code in codes.ExitCode}
