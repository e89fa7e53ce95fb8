"""No access beyond an object, no undefined operation and no leak, whatever the arguments are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.speedups.building import SANITIZERS, VARIABLE, compile_it
from wintun_api import native

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(sys.platform != "linux", reason="preloads GCC's sanitizers"),
]

PROJECT = Path(__file__).parent.parent.parent
CALLS = int(os.environ.get("FUZZ_CALLS", "3000"))
PATIENCE = 1800.0

# Functions with a fault, as they could get into the file.
PLANTED = """
PyDoc_STRVAR(planted_doc, "planted(memory, start, lengths)\\n--\\n\\nReturn something. Planted.");

static PyObject *planted(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    (void)self;
    if (!expect(given, 3))
        return NULL;
    Py_buffer memory, table;
    if (PyObject_GetBuffer(arguments[0], &memory, PyBUF_SIMPLE) < 0)
        return NULL;
    if (!get_table(arguments[2], &table, PyBUF_SIMPLE)) {
        PyBuffer_Release(&memory);
        return NULL;
    }
    long sum = 0;
    {FAULT}
    PyBuffer_Release(&memory);
    PyBuffer_Release(&table);
    return PyLong_FromLong(sum);
}

"""
SUM = "for (Py_ssize_t at = 0; at < {}; at++) sum += ((const uint8_t *)memory.buf)[at];"
FAULTS = {
    "none": (SUM.format("memory.len"), ""),
    "a byte too far": (SUM.format("memory.len + 1"), "heap-buffer-overflow"),
    "a shift too far": ("sum = 1 << (table.len + 31);", "shift exponent"),
    "a reference": ("sum = 1; Py_INCREF(arguments[0]);", "Memory is kept by"),
    "an object": ("sum = !PyBytes_FromStringAndSize(NULL, table.len);", "Memory is kept by"),
}
THE_MODULE = "/* ---- The module ---- */"
TABLE = "static PyMethodDef functions[] = {\n"


def environment(**more: str) -> dict[str, str]:
    """Return the variables of a process whose memory is watched."""
    libraries = [
        subprocess.run(
            ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    return {
        **os.environ,
        "LD_PRELOAD": " ".join(libraries),
        "PYTHONMALLOC": "malloc",  # each object has its own memory
        # What the interpreter never frees is not the extension's; tests.speedups.fuzz compares.
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "WINTUN_API_NATIVE": "auto",
        **more,
    }


def fuzz(library: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Fuzz a library in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tests.speedups.fuzz", str(library), *arguments],
        cwd=PROJECT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension with sanitizers."""
    return compile_it(tmp_path_factory.mktemp("sanitized") / "speedups.so", *SANITIZERS)


def test_every_function_under_fire(library: Path, tmp_path: Path) -> None:
    """Thousands of calls with good and hostile arguments end in an answer or an exception."""
    last = tmp_path / "last"
    done = fuzz(library, "--count", str(CALLS), "--last", str(last))
    print(done.stdout)
    assert done.returncode == 0, f"{done.stdout}\nThe last call: {last.read_text()}"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(tmp_path: Path, fault: str) -> None:
    """A function that was added is called without being listed, and each kind of fault is found."""
    code, sign = FAULTS[fault]
    text = native.SOURCE.read_text("utf-8")
    planted = PLANTED.replace("{FAULT}", code) + THE_MODULE
    text = text.replace(THE_MODULE, planted).replace(TABLE, f"{TABLE}    FUNCTION(planted),\n")
    source = tmp_path / "speedups.c"
    source.write_text(text, "utf-8")
    made = compile_it(tmp_path / "planted.so", *SANITIZERS, source=source)
    done = fuzz(made, "--only", "planted", "--count", "60")
    assert "planted" in done.stdout
    assert (done.returncode != 0) == bool(sign), done.stdout
    assert sign in done.stdout


def twins() -> list[str]:
    """Return the tests that compare the extension with its twins."""
    return sorted(
        str(path.relative_to(PROJECT))
        for path in (PROJECT / "tests").rglob("test_*.py")
        if "from tests.extension import" in path.read_text("utf-8")
        and path.parent.name not in {"api", "bench", "cli", "windows"}  # which start programs
        and path.name != "test_offload.py"  # whose traffic takes minutes
        and path != Path(__file__)
    )


def test_there_are_tests_of_the_twins() -> None:
    """They are found by what they import."""
    assert len(twins()) >= 3


@pytest.mark.parametrize("test", twins())
def test_the_tests_of_the_twins(library: Path, tmp_path: Path, test: str) -> None:
    """What the extension and its twins must both do is done without a fault."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "tests.speedups.replaced"),
            *("-p", "no:cacheprovider", "--basetemp", str(tmp_path / "temp"), test),
            *("-k", "not lack_of_memory"),  # the sanitizers reserve more than its limit
        ],
        cwd=PROJECT,
        env=environment(**{VARIABLE: str(library)}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    print(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout
