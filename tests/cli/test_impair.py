"""`wintun-api impair` against a real service: options, files, presets, and what is shown."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.cli.commands import COMMAND, environment, run
from tests.cli.conftest import Cli
from tests.running import TOKEN, RunningService
from wintun_api.cli import app, completion
from wintun_api.cli.impairment_options import in_options
from wintun_api.packet import build

PACKET = build.udp("10.9.0.2", "10.9.0.1", 40000, 7, b"hello")


@pytest.fixture
def session(service: RunningService) -> str:
    """The id of the session of the adapter Lab; HomeNet has no session."""
    service.adapter(name="HomeNet")
    adapter = service.adapter(name="Lab", addresses=["10.9.0.1/24"])
    return str(service.session(adapter)["id"])


def made(result: Result) -> Any:
    """What a command that worked wrote as JSON."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refusal(result: Result, code: int) -> list[str]:
    """The lines of a command that did not work."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    return result.stderr.splitlines()


def usage(result: Result) -> str:
    """What a command says about wrong usage, in one line."""
    assert result.exit_code == 2, result.output
    return " ".join(re.sub(r"[│╭╰─╮╯]", " ", result.stderr).split())


def rule(impairment: Any) -> Any:
    """The one rule of an impairment."""
    (one,) = impairment["rules"]
    return one


# What is set


def test_the_line_of_the_guide(cli: Cli, session: str) -> None:
    """Both directions get what the options say."""
    given = ("--delay", "100ms", "--jitter", "10ms", "--loss", "2%", "--seed", "7")
    found = made(cli("impair", "Lab", *given, "--json"))
    assert (found["session"], found["seed"], found["on_change"]) == (session, 7, "deliver")
    for direction in ("received", "injected"):
        one = rule(found)[direction]
        assert (one["delay_ms"], one["jitter_ms"], one["loss"]) == (100, 10, 0.02)


EVERY = {
    "--delay": ("0.1s", "delay_ms", 100),
    "--jitter": ("10000us", "jitter_ms", 10),
    "--distribution": ("normal", "distribution", "normal"),
    "--delay-correlation": ("25%", "delay_correlation", 0.25),
    "--loss": ("2%", "loss", 0.02),
    "--loss-correlation": ("0.25", "loss_correlation", 0.25),
    "--duplicate": ("1%", "duplicate", 0.01),
    "--duplicate-correlation": ("50%", "duplicate_correlation", 0.5),
    "--corrupt": ("0.1%", "corrupt", 0.001),
    "--corrupt-correlation": ("5%", "corrupt_correlation", 0.05),
    "--reorder": ("5%", "reorder", 0.05),
    "--reorder-correlation": ("6%", "reorder_correlation", 0.06),
    "--gap": ("5", "reorder_gap", 5),
    "--rate": ("10mbit", "rate_bps", 10_000_000),
    "--burst": ("16kb", "burst_bytes", 16384),
    "--overhead": ("-4", "overhead_bytes", -4),
    "--limit": ("500", "limit_packets", 500),
    "--limit-bytes": ("1mb", "limit_bytes", 1 << 20),
    "--max-size": ("1280", "max_size", 1280),
}
FLAGS = {"--blackout": "blackout", "--too-big-reply": "too_big_reply"}


def test_every_option_sets_its_member(cli: Cli) -> None:
    """All options together set all members, with their units."""
    words = [word for option, (text, _, _) in EVERY.items() for word in (option, text)]
    one = rule(made(cli("impair", "Lab", *words, *FLAGS, "--json")))["received"]
    assert {member: one[member] for _, member, _ in EVERY.values()} == {
        member: value for _, member, value in EVERY.values()
    }
    assert [one[member] for member in FLAGS.values()] == [True, True]


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("1%,25%", {"p": 0.01, "r": 0.25, "h": 0, "k": 1}),
        ("0.01, 0.25, 10%", {"p": 0.01, "r": 0.25, "h": 0.1, "k": 1}),
        ("1%,25%,10%,99%", {"p": 0.01, "r": 0.25, "h": 0.1, "k": 0.99}),
    ],
)
def test_a_channel(cli: Cli, text: str, channel: dict[str, float]) -> None:
    """A channel of Gilbert and Elliott has two to four probabilities."""
    found = made(cli("impair", "Lab", "--gilbert-elliott", text, "--json"))
    assert rule(found)["injected"]["gilbert_elliott"] == channel


@pytest.mark.parametrize("direction", ["received", "injected", "both"])
def test_direction(cli: Cli, direction: str) -> None:
    """One direction can be impaired alone."""
    one = rule(made(cli("impair", "Lab", "--loss", "1", "--direction", direction, "--json")))
    other = {"received": "injected", "injected": "received"}
    assert one["received" if direction == "both" else direction]["loss"] == 1
    assert direction == "both" or one[other[direction]] is None


def test_packets(cli: Cli) -> None:
    """A choice of packets is sent along; numbers are numbers."""
    given = ("--protocol", "udp", "--address", "10.9.0.0/24", "--port", "53")
    one = rule(made(cli("impair", "Lab", "--delay", "1ms", *given, "--json")))
    match = {name: value for name, value in one["match"].items() if value is not None}
    assert match == {"protocol": "udp", "address": "10.9.0.0/24", "port": 53}
    ranges = ("--protocol", "17", "--source-port", "5000-5999", "--destination", "10.9.0.1")
    one = rule(made(cli("impair", "Lab", "--delay", "1ms", *ranges, "--json")))
    match = {name: value for name, value in one["match"].items() if value is not None}
    assert match["source_port"] == "5000-5999"
    assert match["protocol"] in (17, "udp")


@pytest.mark.parametrize("which", ["Lab", "lab", "session", "guid"])
def test_the_adapter_by_any_name(cli: Cli, service: RunningService, which: str) -> None:
    """The adapter is found by its name, its GUID, or the id of its session."""
    (session,) = service.http.get("/v1/sessions").json()
    word = {"session": session["id"], "guid": session["adapter"]}.get(which, which)
    assert made(cli("impair", word, "--loss", "1%", "--json"))["session"] == session["id"]


def test_presets(cli: Cli) -> None:
    """Presets are listed with their sources, and set by name."""
    presets = made(cli("impair", "--presets", "--json"))
    assert {"3g", "lte", "dsl", "satellite-geo"} <= {one["name"] for one in presets}
    shown = cli("impair", "--presets").stdout.splitlines()
    for one in presets:
        assert f"{one['name']}  {one['title']}" in shown
        assert f"  {one['source']}" in shown
    found = made(cli("impair", "Lab", "--preset", "3g", "--seed", "1", "--json"))
    assert rule(found)["preset"] == "3g"
    assert "preset 3g" in cli("impair", "Lab").stdout
    detail, hint = refusal(cli("impair", "Lab", "--preset", "9g"), 2)
    assert detail.startswith("--preset: ")
    assert "3g" in detail
    assert hint


# Files

YAML = """
# A train that goes through a tunnel.
seed: 7
on_change: drop
rules:
- match: {protocol: udp, port: 53}
  received: &bad {delay: 50ms, loss: 2%}
  injected: *bad
- scenario:
    loop: true
    length: 2m
    steps:
    - at: 0
      received: {delay_ms: 20, rate: 10mbit}
    - at: 1:30
      ramp: 5s
      received: {<<: *bad, blackout: on}
"""


def test_a_file(cli: Cli, tmp_path: Path) -> None:
    """A file in YAML has rules, scenarios, anchors, and the words and units of the options."""
    path = tmp_path / "network.yaml"
    path.write_text(YAML)
    found = made(cli("impair", "Lab", "--file", str(path), "--json"))
    assert (found["seed"], found["on_change"]) == (7, "drop")
    first, second = found["rules"]
    assert first["received"]["delay_ms"] == first["injected"]["delay_ms"] == 50
    assert second["scenario"]["length"] == 120
    begin, tunnel = second["scenario"]["steps"]
    assert (begin["received"]["delay_ms"], begin["received"]["rate_bps"]) == (20, 10_000_000)
    assert (tunnel["at"], tunnel["ramp"], tunnel["received"]["blackout"]) == (90, 5, True)
    assert tunnel["received"]["loss"] == 0.02
    shown = cli("impair", "Lab").stdout
    assert "protocol udp, port 53" in shown
    assert "scenario, step 1 of 2" in shown


STEPS = [
    {"at": 0, "received": {"delay": "10ms"}},
    {"at": "1m", "injected": {"loss_correlation": 0.5, "loss": "1e-3"}},
]


@pytest.mark.parametrize(
    "content",
    [
        {"steps": STEPS, "loop": False},
        STEPS,
        {"scenario": {"steps": STEPS}},
    ],
    ids=["scenario", "steps", "body"],
)
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_a_scenario(cli: Cli, tmp_path: Path, content: Any, form: str) -> None:
    """A scenario is a list of steps, an object with steps, or all that the API takes."""
    import yaml

    text = json.dumps(content, indent="\t") if form == "json" else yaml.safe_dump(content)
    path = tmp_path / f"steps.{form}"
    path.write_text(text)
    found = made(cli("impair", "Lab", "--scenario", str(path), "--seed", "3", "--json"))
    assert found["seed"] == 3
    first, second = rule(found)["scenario"]["steps"]
    assert first["received"]["delay_ms"] == 10
    assert (second["at"], second["injected"]["loss"]) == (60, 0.001)


@pytest.fixture
def piped(service: RunningService, session: str) -> Callable[..., Result]:
    """Run a command with bytes on standard input."""

    def run_command(content: bytes, *arguments: str) -> Result:
        env = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN, "COLUMNS": "200"}
        return CliRunner().invoke(app, list(arguments), env=env, input=content)

    return run_command


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_standard_input(piped: Callable[..., Result], coding: str) -> None:
    """The file can come on standard input, as PowerShell writes it too."""
    content = "steps:\n- at: 0\n  received: {delay: 5ms}\n".encode(coding)
    found = made(piped(content, "impair", "Lab", "--scenario", "-", "--json"))
    assert rule(found)["scenario"]["steps"][0]["received"]["delay_ms"] == 5


BROKEN = {
    "brace.yaml": ("steps:\n- at: 0\n  received: {delay: 1\n- at", r"line 4, column 5: expected"),
    "tab.yaml": ("a:\n\tb: 1\n", r"line 2, column 1: found character"),
    "twice.yaml": ("loop: true\nsteps: []\nloop: false\n", r"line 3, column 1: the name 'loop' is"),
    "two.yaml": ("a: 1\n---\nb: 2\n", r"line 2, column 1: but found another document"),
    "tag.yaml": ("a: !!python/object/apply:os.system [x]\n", r"line 1, column 4: could not"),
    "control.yaml": ("a: 1\nb: \x07\n", r"line 2, column 4: YAML does not allow"),
    "comma.json": ('{\n "loop": true,\n}', r"line 2, column 14: \w+|line 3, column 1: "),
    "twice.json": ('{"loop": true, "loop": false}', r"the name 'loop' is there twice"),
    "number.json": ('{"loop": NaN}', r"nan at loop is not a number or a text"),
    "latin.yaml": ("a: 1\nb: \xe4\n", r"line 2: the text is not in UTF-8"),
    "empty.yaml": ("# nothing\n", "does not describe an impairment"),
    "text.yaml": ("delay 100ms", "does not describe an impairment"),
    "date.yaml": ("seed: 2026-01-01\n", r"at seed is not a number or a text"),
    "nodate.yaml": ("seed: 2026-13-41\n", r"month must be in"),
    "key.yaml": ("received: {5: 5}\n", r"the name 5 at received is not a text"),
    "deep.yaml": ("a: " + "[" * 5000, "nested too deeply"),
    "deep.json": ("[" * 100_000, "nested too deeply"),
    "self.yaml": ("a: &a [*a]\n", "nested too deeply"),
    "many.yaml": (
        "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + "".join(
            f"{one}: &{one} [{','.join([f'*{before}'] * 10)}]\n"
            for before, one in zip("abcdef", "bcdefg", strict=True)
        ),
        "has too many values",
    ),
    "long.yaml": ("#" * (1 << 20) + "\n", "is longer than 1048576 bytes"),
    "unit.yaml": ("received: {delay: 5 parsec}", r"received\.delay: '5 parsec' is not a time"),
    "rule.yaml": ("rules: [{injected: {loss: 2}}]", r"rule 1, injected\.loss: 2 is not from 0"),
    "step.yaml": ("- {at: soon}", r"yaml: step 1, at: 'soon' is not a time such as 30s"),
    "both.yaml": (
        "received: {delay: 5ms, delay_ms: 600}",
        r"received\.delay_ms: means the same as delay; leave one of them out",
    ),
    "port.yaml": ("match: {source_port: 1, source-port: 1}", r"match\.source-port: means the same"),
    "words.yaml": ("received: delay 5ms", r"received: 'delay 5ms' is not what happens to packets"),
    "bound.yaml": (
        "- {at: 0, injected: {delay: 700s}}",
        r"step 1, injected\.delay: 700s is too much; it can be 600s at most",
    ),
    "scenarios.yaml": ("steps: []\nscenario: {steps: []}", r"scenario: cannot be beside `steps`"),
    "clock.yaml": ("received: {delay: 1:30}", r"received\.delay: '1:30' is not a time"),
    "hex.yaml": (
        "received: {delay: 0x10}",
        r"line 1, column 19: 0x10 is not a decimal number; write 16",
    ),
    "octal.yaml": ("seed: 0o17", r"line 1, column 7: 0o17 is not a decimal number; write 15"),
    "no.yaml": ("received: {loss: no}", r"received\.loss: 'no' is not a probability"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file(cli: Cli, tmp_path: Path, name: str) -> None:
    """One sentence says what is wrong and where, and one what to do; nothing is set."""
    content, said = BROKEN[name]
    path = tmp_path / name
    path.write_text(content, encoding="latin-1")
    detail, hint = refusal(cli("impair", "Lab", "--file", str(path)), 2)
    assert detail.startswith(str(path))
    assert detail.endswith(".")
    assert re.search(said, detail), detail
    assert hint == "The guide shows such files: wintun-api guide impairment"
    assert made(cli("impair", "Lab", "--json")) is None


def test_a_file_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    """The error is that of the system."""
    (detail,) = refusal(cli("impair", "Lab", "--scenario", str(tmp_path / "none.yaml")), 1)
    assert detail.endswith("none.yaml: No such file or directory.")


REFUSED: dict[str, tuple[Any, str]] = {
    "unknown": ({"received": {"dealy_ms": 5}}, "received.dealy_ms: "),
    "member": ({"received": {"delay_ms": -5}}, "received.delay_ms: "),
    "rules": ({"rules": 5}, "rules: "),
    "no step": ({"scenario": {"steps": [5]}}, "step 1: "),
    "top": ({"colour": "red"}, "colour: "),
    "beside steps": ({"steps": [{"at": 0}], "colour": "red"}, "colour: "),
    "second step": ({"steps": [{"at": 1}, {"at": 1}]}, "step 2, at: must be later than the step "),
    "a list": ([{"at": 1}, {"at": 0}], "step 2, at: must be later than the step before"),
    "length": ({"steps": [{"at": 5}], "length": 1}, "length: is shorter than the steps"),
    "nested": ({"rules": [{"scenario": {"steps": [{"at": 5}], "length": 1}}]},
               "rule 1, scenario.length: is shorter"),
    "word": ({"rules": [{}, {"injected": {"reorder": "5%", "loss": 0}}]},
             "rule 2, injected.reorder: does nothing without `delay_ms`"),
    "words": ({"injected": {"gap": 2}}, "injected.gap: does nothing without `reorder`"),
    "dashes": ({"received": {"delay-correlation": "5%"}},
               "received.delay-correlation: does nothing without `jitter`"),
    "inside": ({"received": {"gilbert-elliott": {"p": 0.5}}}, "received.gilbert-elliott.r: "),
    "seed": ({"received": {"loss": 0}, "seed": -1}, "seed: "),
}  # fmt: skip


@pytest.mark.parametrize("which", REFUSED)
def test_what_the_service_refuses_of_a_file(cli: Cli, tmp_path: Path, which: str) -> None:
    """The error names the file and the member as the file has it, as for one that is broken."""
    content, said = REFUSED[which]
    path = tmp_path / "network.json"
    path.write_text(json.dumps(content))
    detail, hint = refusal(cli("impair", "Lab", "--file", str(path)), 2)
    assert detail.startswith(f"{path}: {said}"), detail
    assert hint == "The guide shows such files: wintun-api guide impairment"
    problem = json.loads(cli("impair", "Lab", "--file", str(path), "--json").stderr)
    assert (problem["status"], problem["exit_code"], problem["detail"]) == (422, 2, detail)


def test_what_the_service_refuses_beside_a_file(cli: Cli, tmp_path: Path) -> None:
    """What an option says is not said to be in the file."""
    path = tmp_path / "steps.yaml"
    path.write_text("- {at: 0, received: {delay: 5ms}}\n")
    given = ("--scenario", str(path), "--address", "10.9.0.0/99")
    detail, hint = refusal(cli("impair", "Lab", *given), 2)
    assert detail.startswith("--address: ")
    assert "--help" in hint


def test_the_words_of_options_in_a_file(cli: Cli, tmp_path: Path) -> None:
    """Every word that an option has, and that the command prints, can be in a file."""
    path = tmp_path / "network.yaml"
    words = {option[2:]: text for option, (text, _, _) in EVERY.items()}
    words |= {option[2:]: "yes" for option in FLAGS}
    path.write_text(json.dumps({"injected": words, "match": {"protocol": "udp", "source-port": 5},
                                "on-change": "drop"}))  # fmt: skip
    found = made(cli("impair", "Lab", "--file", str(path), "--json"))
    one = rule(found)
    assert {member: one["injected"][member] for _, member, _ in EVERY.values()} == {
        member: value for _, member, value in EVERY.values()
    }
    assert (one["injected"]["too_big_reply"], one["match"]["source_port"]) == (True, 5)
    assert found["on_change"] == "drop"
    path.write_text("received: {gilbert-elliott: '1%,2%'}\n")
    found = made(cli("impair", "Lab", "--file", str(path), "--json"))
    assert rule(found)["received"]["gilbert_elliott"]["r"] == 0.02


def test_what_stands_beside_steps(cli: Cli, tmp_path: Path) -> None:
    """A scenario can have its seed, its packets and what happens at a change in its file."""
    path = tmp_path / "steps.yaml"
    path.write_text(
        "seed: 5\non_change: drop\nmatch: {protocol: udp}\nloop: yes\nlength: 1:00\n"
        "steps: [{at: 0, received: {delay: 5ms}}]\n"
    )
    for option in ("--scenario", "--file"):
        found = made(cli("impair", "Lab", option, str(path), "--json"))
        assert (found["seed"], found["on_change"]) == (5, "drop")
        one = rule(found)
        assert one["match"]["protocol"] == "udp"
        assert (one["scenario"]["loop"], one["scenario"]["length"]) == (True, 60)
    found = made(cli("impair", "Lab", "--scenario", str(path), "--seed", "6", "--json"))
    assert found["seed"] == 6


def test_a_scenario_without_steps(cli: Cli, tmp_path: Path) -> None:
    """A file that has no steps is for --file, and nothing is set."""
    path = tmp_path / "network.yaml"
    path.write_text("received: {delay: 5ms}\n")
    detail, hint = refusal(cli("impair", "Lab", "--scenario", str(path)), 2)
    assert detail == f"{path} has no steps, so it is not a scenario."
    assert "--file" in hint
    assert made(cli("impair", "Lab", "--json")) is None


@pytest.mark.parametrize("option", ["--file", "--scenario"])
def test_an_empty_name_of_a_file(cli: Cli, option: str) -> None:
    """An option without a name is not taken for the present directory."""
    said = " ".join(refusal(cli("impair", "Lab", option, ""), 2))
    assert f"Invalid value for '{option}': It is empty. Give the path of a file." in said


def test_plain_words_of_yaml(cli: Cli, tmp_path: Path) -> None:
    """Words and numbers are what people mean by them, in quotation marks or not."""
    path = tmp_path / "network.yaml"
    path.write_text(
        "seed: 010\nreceived: {delay: 1e1, rate: 1_000_000, limit: 0100, blackout: off, loss: .5}\n"
        'injected: {blackout: "yes", max-size: 1_280, too-big-reply: On}\n'
        "match: {address: '1:2:3:4:5:6:7:8'}\n"
    )
    found = made(cli("impair", "Lab", "--file", str(path), "--json"))
    received, injected = rule(found)["received"], rule(found)["injected"]
    assert found["seed"] == 10
    assert (received["delay_ms"], received["rate_bps"], received["limit_packets"]) == (
        10, 1_000_000, 100,
    )  # fmt: skip
    assert (received["loss"], received["blackout"], injected["blackout"]) == (0.5, False, True)
    assert (injected["max_size"], injected["too_big_reply"]) == (1280, True)
    assert rule(found)["match"]["address"] == "1:2:3:4:5:6:7:8"


# What is shown


def test_not_impaired(cli: Cli) -> None:
    """A session that is not impaired is said to be so; that is not a failure."""
    for arguments, said in ((), "Lab is not impaired."), (("--off",), "Lab was not impaired."):
        result = cli("impair", "Lab", *arguments)
        assert (result.exit_code, result.stdout, result.stderr.strip()) == (0, "", said)
        assert made(cli("impair", "Lab", *arguments, "--json")) is None


def test_the_table(cli: Cli, session: str) -> None:
    """What holds now is shown in the words of the options, with both directions."""
    result = cli("impair", "Lab", "--delay", "100ms", "--rate", "10mbit", "--seed", "7")
    lines = result.stdout.splitlines()
    assert lines[0] == f"Lab is impaired: session {session}, seed 7, on change deliver."
    assert lines[2].split() == ["Rule", "Packets", "Received", "Injected", "From"]
    assert lines[3].count("delay 100ms rate 10mbit") == 2
    shown = cli("impair", "Lab").stdout.splitlines()
    assert shown[:4] == lines
    assert shown[5].split()[:2] == ["Packets", "Received"]
    assert "too big replies" in shown[-1]


def test_counters(cli: Cli, service: RunningService, session: str) -> None:
    """The counters are those of the packets that passed, and the last ones come with --off."""
    cli("impair", "Lab", "--blackout", "--direction", "injected")
    for _ in range(3):
        cli("inject", "Lab", "--hex", PACKET.hex())
    rows = {
        line.split()[0]: line.split()[1:] for line in cli("impair", "Lab").stdout.splitlines()[5:]
    }
    assert rows["offered"] == ["0", "0", "3", str(3 * len(PACKET))]
    assert rows["blackout"] == ["0", "0", "3", str(3 * len(PACKET))]
    result = cli("impair", "Lab", "--off")
    assert result.stdout.startswith("Lab is no longer impaired. What happened:\n")
    assert re.search(r"^blackout +0 +0 +3 ", result.stdout, re.M)
    assert service.http.get(f"/v1/sessions/{session}/impairment").status_code == 404


# Wrong usage


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--loss", "2"), "for --loss: 2 is not from 0 to 1 or from 0% to 100%; write 2% for 2 in"),
        (("--loss", "few"), "for --loss: 'few' is not a probability such as 2% or 0.02."),
        (("--delay", "1 parsec"), "for --delay: '1 parsec' is not a time such as 100ms"),
        (("--rate", "fast"), "for --rate: 'fast' is not a rate such as 10mbit"),
        (("--burst", "1.5 apples"), "for --burst: '1.5 apples' is not a size"),
        (("--gilbert-elliott", "1%"), "for --gilbert-elliott: '1%' is not p,r[,h[,k]]"),
        (("--delay", "700s"), "for --delay: 700s is too much; it can be 600s at most."),
        (("--delay", "-5ms"), "for --delay: -5ms is too little; it must be 0ms at least."),
        (("--limit-bytes", "2gb"), "for --limit-bytes: 2gb is too much; it can be 1gb at most."),
        (("--rate", "2tbit"), "for --rate: 2tbit is too much; it can be 1tbit at most."),
        (("--max-size", "20"), "for --max-size: 20 is too little; it must be 68b at least."),
        (("--distribution", "gauss"), "--distribution"),
        (("--gap", "1.5"), "for --gap: 1.5 is not a whole number."),
        (("--seed", "-1", "--loss", "0"), "--seed"),
        (("--preset", "3g", "--loss", "1%"), "--preset cannot be used together with --loss."),
        (("--off", "--delay", "1"), "--off cannot be used together with --delay."),
        (("--off", "--presets"), "--off cannot be used together with --presets."),
        (("--off", "--seed", "1"), "--seed cannot be used together with --off."),
        (("--file", "x", "--scenario", "y"), "--scenario cannot be used together with --file."),
        (("--file", "x", "--port", "1"), "--port cannot be used together with --file."),
        (("--preset", "3g", "--direction", "both"), "--direction cannot be used together with"),
        (("--seed", "1"), "--seed has no effect alone: say what is to happen, such as --delay"),
        (("--on-change", "drop"), "--on-change has no effect alone"),
        (("--port", "1"), "--port has no effect alone"),
        (("--direction", "both"), "--direction has no effect alone"),
    ],
)
def test_wrong_usage(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    """It is refused before anything is sent, with one sentence."""
    assert said in usage(cli("impair", "Lab", *arguments, WINTUN_API_URL="http://127.0.0.1:1"))
    problem = json.loads(cli("impair", "Lab", *arguments, "--json").stderr)
    assert (problem["exit_code"], problem["title"]) == (2, "Wrong usage")


def test_an_adapter_is_needed(cli: Cli) -> None:
    """Without an adapter the command says what it needs."""
    assert "Give the name of an adapter, or --presets." in usage(cli("impair"))


def test_no_session(cli: Cli) -> None:
    """Where no session runs, the hint says how to start one; where no adapter is, how to look."""
    detail, hint = refusal(cli("impair", "HomeNet", "--delay", "1ms"), 5)
    assert detail == "The adapter 'HomeNet' has no session."
    assert hint == "Start one with: wintun-api sessions start HomeNet"
    detail, hint = refusal(cli("impair", "Nowhere"), 5)
    assert detail.startswith("No session has the id 'Nowhere'")
    assert "wintun-api sessions list" in hint


def test_a_session_that_has_ended(cli: Cli, service: RunningService, session: str) -> None:
    """A session that ended with its adapter cannot be impaired."""
    service.http.delete(f"/v1/sessions/{session}")
    detail, hint = refusal(cli("impair", "Lab", "--delay", "1ms"), 5)
    assert detail == "The adapter 'Lab' has no session."
    assert hint.endswith("wintun-api sessions start Lab")


def test_a_token_without_the_scope(cli: Cli, service: RunningService) -> None:
    """A token that only reads can look at an impairment, and cannot set one."""
    from wintun_api.choices import Scope

    token = service.token(Scope.READ)
    assert made(cli("impair", "Lab", "--json", WINTUN_API_TOKEN=token)) is None
    for arguments in (("--delay", "1ms"), ("--off",)):
        lines = refusal(cli("impair", "Lab", *arguments, WINTUN_API_TOKEN=token), 4)
        assert "admin" in lines[0]


def test_what_the_service_refuses_of_options(cli: Cli) -> None:
    """The error names the option, once for both directions."""
    detail, hint = refusal(cli("impair", "Lab", "--reorder", "5%"), 2)
    assert detail.startswith("--reorder: ")
    assert detail.count("--reorder") == 1
    assert hint.endswith("--help says what it takes.")
    detail, _ = refusal(cli("impair", "Lab", "--delay", "1ms", "--address", "10.9.0.0/99"), 2)
    assert detail.startswith("--address: ")


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("received.reorder: It needs `delay_ms`; injected.reorder: It needs `delay_ms`",
         "--reorder: It needs --delay"),
        ("injected.gilbert_elliott.p: Too large", "--gilbert-elliott.p: Too large"),
        ("match.port: It needs `protocol`", "--port: It needs --protocol"),
        ("The session x is not impaired.", "The session x is not impaired."),
    ],
)  # fmt: skip
def test_members_become_options(detail: str, said: str) -> None:
    """What the API says of its members is said of the options that set them."""
    assert in_options(detail) == said


# Marks, events, completion


def test_marks(cli: Cli) -> None:
    """Every view of an impaired adapter says that it is impaired, and no view of another one."""
    views = (
        ("adapters", "list"),
        ("adapters", "show", "Lab"),
        ("sessions", "list"),
        ("sessions", "show", "Lab"),
        ("status",),
    )

    def marked() -> list[bool]:
        shown = (cli(*view).stdout for view in views)
        return [bool(re.search("impaired|^impairment +[^- ]", text, re.M)) for text in shown]

    assert not any(marked())
    cli("impair", "Lab", "--delay", "100ms")
    assert all(marked())
    (row,) = (line for line in cli("adapters", "list").stdout.splitlines() if "impaired" in line)
    assert row.startswith("Lab ")
    assert "impaired" not in cli("adapters", "show", "HomeNet").stdout
    assert re.search("^impairment +.*delay 100ms", cli("adapters", "show", "Lab").stdout, re.M)
    cli("impair", "Lab", "--off")
    assert not any(marked())
    cli("impair", "Lab", "--delay", "0")
    assert not any(marked())
    assert "Lab has an impairment that does nothing" in cli("impair", "Lab").stdout


def test_events(cli: Cli, service: RunningService, session: str, tmp_path: Path) -> None:
    """What happens to an impairment is a line each, with the name of the adapter."""
    steps = tmp_path / "steps.yaml"
    steps.write_text("- {at: 0, received: {delay: 5ms}}\n- {at: 0.01, received: {delay: 6ms}}\n")
    cli("impair", "Lab", "--delay", "100ms", "--seed", "7")
    cli("impair", "Lab", "--scenario", str(steps))
    cli("impair", "Lab", "--off")
    lines = cli("events", "--type", "impairment").stdout.splitlines()
    said = [re.sub(r"^\S+ \S+ +\d+ +", "", line) for line in lines]
    assert re.search(rf"^impairment.set +{session} of Lab: .*delay 100ms.*, seed 7$", said[0])
    assert re.search(
        rf"^impairment.removed +{session} of Lab is no longer impaired; lost", said[-1]
    )
    assert not any("{" in line for line in said)


EVENTS: dict[str, tuple[dict[str, Any], str]] = {
    "impairment.loss": (
        {"direction": "received", "cause": "limit", "count": 5},
        "5f0c of Lab: 5 received packets, limit",
    ),
    "impairment.nearly_full": (
        {"direction": "injected", "rule": 0, "packets": 900, "bytes": 9000,
         "limit_packets": 1000, "limit_bytes": 65536},
        "5f0c of Lab: 900 of 1000 packets and 9000 of 65536 bytes are delayed, injected, rule 1",
    ),
    "impairment.step": (
        {"summary": "step 2 of 2: received delay 5ms"},
        "5f0c of Lab: step 2 of 2: received delay 5ms",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", EVENTS)
def test_lines_of_events(kind: str) -> None:
    """Each kind has a line that people can read."""
    from wintun_api.cli.events import Names

    data, said = EVENTS[kind]
    names = Names({"id": 0, "adapters": [{"guid": "g", "name": "Lab"}]})
    message: Any = {
        "type": kind,
        "id": 1,
        "time": "2026-01-01T00:00:00Z",
        "data": {"session": "5f0c", "adapter": "g", **data},
    }
    assert names.line(message).endswith(f"  {said}") or names.line(message).endswith(f" {said}")


@pytest.fixture
def complete(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Return what bash would offer for a line."""
    monkeypatch.setattr(completion, "QUICK", 30.0)

    def offers(line: str) -> list[str]:
        result = cli(
            _WINTUN_API_COMPLETE="complete_bash",
            COMP_WORDS=line,
            COMP_CWORD=str(len(line.split(" ")) - 1),
        )
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout.split()

    return offers


def test_completion(complete: Callable[[str], list[str]]) -> None:
    """Adapters with a session, presets, shapes, directions and protocols complete."""
    assert complete("wintun-api imp") == ["impair"]
    assert complete("wintun-api impair L") == ["Lab"]
    assert complete("wintun-api impair Lab --distribution par") == ["pareto", "paretonormal"]
    assert complete("wintun-api impair Lab --direction inj") == ["injected"]
    assert complete("wintun-api impair Lab --on-change d") == ["deliver", "drop"]
    assert complete("wintun-api impair Lab --protocol ud") == ["udp"]
    assert complete("wintun-api impair Lab --preset sat") == ["satellite-leo", "satellite-geo"]


def test_help_is_quick(tmp_path: Path) -> None:
    """YAML is not read before a file is, nor is the client."""
    code = (
        "import sys; from wintun_api.cli import app; app(['impair', '--help'], "
        "standalone_mode=False); print(*sorted(sys.modules), file=sys.stderr)"
    )
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--gilbert-elliott" in done.stdout
    assert not {"yaml", "httpx", "wintun_api.cli.impairment_file"} & set(done.stderr.split())


def test_a_program_of_its_own(tmp_path: Path, service: RunningService, session: str) -> None:
    """As a process it reads a file from a pipe."""
    import subprocess

    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    done = subprocess.run(
        [*COMMAND, "impair", "Lab", "--file", "-", "--json"],
        input='{"received": {"loss": "2%"}, "seed": 9}',
        env=environment(tmp_path, **variables),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["seed"] == 9
    shown = run(tmp_path, "impair", "Lab", **variables)
    assert "loss 2%" in shown.stdout
