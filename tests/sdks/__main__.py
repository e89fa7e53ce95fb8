"""Make clients of the API: `python -m tests.sdks go typescript --folder clients`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tests.sdks.build import compile_client
from tests.sdks.generate import generate
from tests.sdks.languages import DOCUMENT, LANGUAGES


def main() -> int:
    """Make the clients of these languages; 1 when a generator or a compiler refuses."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.sdks",
        description="Make clients of the API from its document, with openapi-generator and "
        "openapi-python-client. It needs uv, and Java for all but Python.",
    )
    parser.add_argument("languages", nargs="*", metavar="language", help=", ".join(LANGUAGES))
    parser.add_argument("--folder", type=Path, required=True, help="where the clients go")
    parser.add_argument("--document", type=Path, default=DOCUMENT, help="default: %(default)s")
    parser.add_argument("--compile", action="store_true", help="compile them, each with its walk")
    options = parser.parse_args()
    unknown = sorted(set(options.languages) - set(LANGUAGES))
    if unknown:
        parser.error(f"no such language: {', '.join(unknown)}; there are {', '.join(LANGUAGES)}")
    chosen = [LANGUAGES[name] for name in options.languages or LANGUAGES]
    folder: Path = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        generate(chosen, folder, options.document.resolve())
        for language in chosen if options.compile else ():
            compile_client(language, folder)
    except subprocess.CalledProcessError as refused:
        sys.stderr.write(f"{refused}\n{refused.stdout}{refused.stderr}\n")
        return 1
    except AssertionError as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    for language in chosen:
        sys.stdout.write(f"{folder / language.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
