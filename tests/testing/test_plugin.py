"""The plugin in the run of another project: options, header, marker, logs, skips, workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.testing.projects import ASK
from wintun_api import __version__
from wintun_api.testing.choices import TunDriver

# What the plugin loads in a run that does not use it.
OF_THE_PLUGIN = {
    "wintun_api",
    "wintun_api.testing",
    "wintun_api.testing.plugin",
    "wintun_api.testing.choices",
}


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """Another project's folder, with a function that asks the service."""
    pytester.makepyfile(ask=ASK)
    return pytester


def test_loading_costs_nothing(project: pytest.Pytester) -> None:
    """A run without the fixtures loads four small modules of the package."""
    project.makepyfile(
        """
        import sys

        def test_modules(pytestconfig):
            ours = {name for name in sys.modules if name.partition(".")[0] == "wintun_api"}
            assert pytestconfig.pluginmanager.has_plugin("wintun_api")
            print("\\nours", *sorted(ours))
        """
    )
    result = project.runpytest_subprocess("-s", "-p", "no:anyio", "-p", "no:xdist")
    result.assert_outcomes(passed=1)
    ours = next(line.split()[1:] for line in result.outlines if line.startswith("ours "))
    assert set(ours) == OF_THE_PLUGIN


def test_the_plugin_imports_pytest_alone() -> None:
    """Beside pytest, loading the plugin loads only its own modules."""
    code = "import sys, wintun_api.testing.plugin as _; print(*sys.modules)"
    alone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    only_pytest = subprocess.run(
        [sys.executable, "-c", "import sys, pytest; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    more = set(alone.stdout.split()) - set(only_pytest.stdout.split())
    assert more <= OF_THE_PLUGIN, more


def test_it_can_be_left_out(project: pytest.Pytester) -> None:
    """`-p no:wintun_api` leaves out its options, its fixtures and its line."""
    project.makepyfile("def test_nothing(): pass")
    result = project.runpytest_subprocess("-p", "no:wintun_api")
    result.assert_outcomes(passed=1)
    assert "wintun-api:" not in result.stdout.str()
    assert (
        "--tun-driver"
        not in project.runpytest_subprocess("-p", "no:wintun_api", "--help").stdout.str()
    )


def test_the_header_says_driver_and_version(project: pytest.Pytester) -> None:
    """The head of the report has a line with both."""
    result = project.runpytest_subprocess("--tun-driver", "rootless", "--collect-only")
    result.stdout.fnmatch_lines([f"wintun-api: {__version__}, driver rootless"])


def test_help_markers_and_fixtures_are_described(project: pytest.Pytester) -> None:
    """What the plugin adds is in pytest's own lists."""
    help_text = " ".join(project.runpytest_subprocess("--help").stdout.str().split())
    assert "--tun-driver={emulated,linux,rootless,wintun}" in help_text
    assert "tun_driver (string): the driver of the fixtures of wintun-api" in help_text
    project.runpytest_subprocess("--markers").stdout.fnmatch_lines(
        ["@pytest.mark.tun_driver(*names): the test needs one of these drivers*"]
    )
    fixtures = project.runpytest_subprocess("--fixtures").stdout
    fixtures.fnmatch_lines(["tun_service [[]session scope]*", "tun_adapter*", "tun_pair*"])


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize(
    ("given", "ini", "driver"),
    [
        ((), "", "emulated"),
        ((), "tun_driver = linux", "linux"),
        (("--tun-driver", "emulated"), "tun_driver = linux", "emulated"),
    ],
)
def test_the_driver_is_chosen(
    project: pytest.Pytester, given: tuple[str, ...], ini: str, driver: str
) -> None:
    """The option is stronger than the configuration file, and emulated is the default."""
    project.makeini(f"[pytest]\n{ini}\n")
    result = project.runpytest_subprocess("--collect-only", *given)
    result.stdout.fnmatch_lines([f"*driver {driver}"])


def test_a_driver_that_does_not_exist(project: pytest.Pytester) -> None:
    """A wrong name is an error of usage that names the right ones."""
    project.makeini("[pytest]\ntun_driver = tap\n")
    result = project.runpytest_subprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*tun_driver = tap: there is no such driver. Choose one of: *"])
    result = project.runpytest_subprocess("--tun-driver", "tap")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_the_marker_skips_other_drivers(project: pytest.Pytester) -> None:
    """A test for kernel drivers is skipped on the emulated one, with the reason."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.tun_driver("rootless", "linux")
        def test_kernel(tun_service):
            raise AssertionError

        @pytest.mark.tun_driver("emulated")
        def test_emulated():
            pass
        """
    )
    result = project.runpytest_subprocess("-rs", "--strict-markers")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*test_the_marker*.py:3: needs --tun-driver rootless or linux"])


def test_a_wrong_marker_is_an_error(project: pytest.Pytester) -> None:
    """A marker with a name that is not a driver's does not skip silently."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.tun_driver("kernel")
        def test_it():
            pass
        """
    )
    result = project.runpytest_subprocess()
    assert result.parseoutcomes().get("passed") is None
    assert "takes names of drivers" in result.stdout.str() + result.stderr.str()


def test_one_service_for_a_run(project: pytest.Pytester) -> None:
    """All tests of a process share a service, which answers with its own token."""
    project.makepyfile(
        """
        from ask import ask

        seen = set()

        def test_first(tun_service):
            seen.add(tun_service.url)
            assert ask(tun_service, "/v1/driver")["name"] == "emulated"

        def test_second(tun_service):
            assert seen == {tun_service.url}
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=2)


def test_the_log_is_in_the_report_of_a_failing_test(project: pytest.Pytester) -> None:
    """A test that fails shows what the service logged during it, and not what it did earlier."""
    project.makepyfile(
        """
        from ask import ask, logged

        def test_good(tun_service):
            logged(tun_service, ask(tun_service, "/v1/adapters", name="Earlier")["guid"])

        def test_bad(tun_service):
            adapter = ask(tun_service, "/v1/adapters", name="Later")
            logged(tun_service, adapter["guid"])
            print("made", adapter["guid"])
            assert not adapter

        def test_unrelated():
            assert False
        """
    )
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=2)
    text = result.stdout.str()
    guid = text.partition("made ")[2].split()[0]
    assert text.count("wintun-api log (emulated, call)") == 1
    log = text.partition("wintun-api log (emulated, call)")[2]
    assert (
        f"create_adapter (POST /v1/adapters) by token admin from 127.0.0.1: 201, adapter {guid}"
        in log
    )
    assert text.count("create_adapter") == 1


def test_workers_do_not_meet(project: pytest.Pytester) -> None:
    """Under pytest-xdist, workers have services, ports, names and subnets of their own."""
    project.makepyfile(
        """
        import json
        from pathlib import Path

        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_it(tun_service, number, _tun_subnets, request):
            found = {
                "worker": request.config.workerinput["workerid"],
                "url": tun_service.url,
                "pool": tun_service.pool,
                "log": str(tun_service.log.path),
                "name": tun_service.next_name(),
                "subnet": str(_tun_subnets.take().v4.network),
            }
            Path(__file__).with_name(f"{number}.json").write_text(json.dumps(found))
        """
    )
    result = project.runpytest_subprocess("-n", "2", "--dist", "load")
    result.assert_outcomes(passed=4)
    found = [json.loads(path.read_text()) for path in project.path.glob("*.json")]
    workers = {one["worker"] for one in found}
    assert len(workers) == 2
    for key in ("url", "pool", "log"):
        assert (
            len({(one["worker"], one[key]) for one in found})
            == len({one[key] for one in found})
            == 2
        )
    for key in ("name", "subnet"):
        assert len({one[key] for one in found}) == 4
    assert all(worker in {one["pool"].split("-")[1] for one in found} for worker in workers)


def test_a_driver_that_cannot_work_skips(project: pytest.Pytester) -> None:
    """Tests of a driver for another system are skipped with the driver's own reason."""
    other = TunDriver.LINUX if sys.platform == "win32" else TunDriver.WINTUN
    project.makepyfile("def test_it(tun_service): raise AssertionError")
    result = project.runpytest_subprocess("-rs", "--tun-driver", other.value)
    result.assert_outcomes(skipped=1)
    text = " ".join(result.stdout.str().split())
    reasons = {
        TunDriver.WINTUN: "Wintun only works on Windows. Use --tun-driver linux on Linux, or",
        TunDriver.LINUX: "The linux driver needs Linux; this is win32. Use --tun-driver wintun on",
    }
    assert f"--tun-driver {other.value}: {reasons[other]}" in text


def test_nothing_is_left(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a run its temporary directory and its processes are gone."""
    folder = project.path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("TEMP", str(folder))
    project.makepyfile(
        """
        def test_it(tun_service):
            print("pid", tun_service.pid, tun_service.log.path)
        """
    )
    result = project.runpytest_subprocess("-s")
    pid = next(line.split()[-2] for line in result.outlines if "pid " in line)
    assert not [one for one in folder.iterdir() if one.name.startswith("wintun-api")]
    if sys.platform == "linux":
        assert not Path(f"/proc/{pid}").exists()


def test_a_service_that_does_not_start(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that fails is an error with the log of the service, and does not hang."""
    broken = project.path / "broken"
    (broken / "typer").mkdir(parents=True)
    (broken / "typer" / "__init__.py").write_text("raise ImportError('this typer is broken')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(broken), str(project.path)]))
    project.makepyfile("def test_it(tun_service): pass")
    result = project.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    assert "The service did not start. Its log:" in result.stdout.str()
    assert "this typer is broken" in result.stdout.str()


def test_relative_folders_of_modules(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PYTHONPATH that is relative to the project finds its modules in the service as well."""
    hooks = project.path / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(
        "import os, pathlib\npathlib.Path(__file__).with_name(str(os.getpid())).touch()\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["hooks", "."]))
    project.makepyfile(
        """
        from pathlib import Path

        def test_it(tun_service):
            assert Path(__file__).with_name("hooks").joinpath(str(tun_service.pid)).exists()
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=1)
