"""The generators' own programs, with the settings that lie beside each walk."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path

from tests.sdks.languages import DOCUMENT, PACKAGE, Language

JAVA_PROGRAM = "openapi-generator-cli==7.26.0"  # a Java program inside a Python package
PYTHON_PROGRAM = "openapi-python-client==0.29.1"
# A body of two types is one too many for it: clients inject a packet, batches are for WebSocket.
LEFT_OUT = "Unsupported content type application/vnd.wintun-api.batch"
SETTINGS = ("generator.json", "generator.yaml", "node_modules", "package-lock.json", ".npmrc")


def generate(languages: Collection[Language], folder: Path, document: Path = DOCUMENT) -> None:
    """Make the clients of these languages in folders below this one, each with its walk.

    Raises:
        subprocess.CalledProcessError: A generator refused the document.
    """
    batch: list[Path] = []
    for language in languages:
        made = folder / language.name
        if made.exists():
            shutil.rmtree(made)
        shutil.copytree(language.here, made, ignore=shutil.ignore_patterns(*SETTINGS))
        settings = language.here / "generator.json"
        if settings.is_file():
            batch.append(folder / f"{language.name}.json")
            paths = {"inputSpec": str(document), "outputDir": str(made / PACKAGE)}
            batch[-1].write_text(json.dumps(json.loads(settings.read_text()) | paths))
        else:
            _python(document, language.here / "generator.yaml", made / "client")
    if batch:  # in one process: most of a generator's time is Java's start
        _run("uvx", "--from", JAVA_PROGRAM, "openapi-generator-cli", "batch", "--fail-fast", *batch)


def java_program() -> str:
    """Return the path of the generator's Java program."""
    where = "from openapi_generator_cli import __path__; print(__path__[0])"
    folder = _run("uvx", "--from", JAVA_PROGRAM, "python", "-c", where).strip()
    return f"{folder}/openapi-generator.jar"


def _python(document: Path, settings: Path, made: Path) -> None:
    program = ("uvx", "--from", PYTHON_PROGRAM, "openapi-python-client", "generate")
    said = _run(*program, "--path", document, "--config", settings, "--output-path", made)
    if said.count("WARNING") != said.count(LEFT_OUT):
        raise subprocess.CalledProcessError(0, PYTHON_PROGRAM, said, "")


def _run(*command: str | Path) -> str:
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        raise subprocess.CalledProcessError(
            done.returncode,
            " ".join(map(str, command[:4])),
            done.stdout[-4000:],
            done.stderr[-4000:],
        )
    return done.stdout
