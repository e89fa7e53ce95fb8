"""The languages whose clients are made, with what makes, compiles and runs them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

HERE = Path(__file__).parent
DOCUMENT = HERE.parent.parent / "openapi" / "openapi.json"
PACKAGE = "wintunapi"  # the folder of the generated client, beside the walk

Command: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    Attributes:
        name: Also of the folder here and of the folder that is made.
        needs: Programs that compile or run it.
        compile: Commands in the made folder; `{here}` is the language's folder
            here, `{jar}` the generator's Java program.
        run: The walk, in the made folder; None where it is only compiled.
        names: File of the client, and what a reader expects in it.
    """

    name: str
    needs: Command
    compile: tuple[Command, ...]
    run: Command | None
    names: dict[str, tuple[str, ...]]

    @property
    def here(self) -> Path:
        """The settings of the generator, and the walk."""
        return HERE / self.name


TSC = "{here}/node_modules/.bin/tsc"
UV = ("uv", "run", "--no-project", "--isolated", "--with", "./client")
# The generator's own Java program has Jackson inside.
JAVAC = "javac -nowarn -cp {jar} -d classes $(find . -name '*.java')"
JAVA_SOURCES = "wintunapi/src/main/java/wintunapi"
LANGUAGES = {
    language.name: language
    for language in (
        Language(
            "go",
            needs=("go",),
            compile=(("go", "vet", "./..."), ("go", "build", "-o", "walk", ".")),
            run=("./walk",),
            names={
                "wintunapi/api_adapters.go": (") CreateAdapter(",),
                "wintunapi/model_session_state.go": ("SESSIONSTATE_RUNNING SessionState =",),
                "wintunapi/model_traffic.go": ("Bytes int64",),
                "wintunapi/model_problem.go": ("type Problem struct",),
            },
        ),
        Language(
            "typescript",
            needs=("node", "npm"),
            compile=((TSC, "-p", ".", "--typeRoots", "{here}/node_modules/@types"),),
            run=("node", "build/walk.js"),
            names={
                "wintunapi/apis/AdaptersApi.ts": ("async createAdapter(",),
                "wintunapi/models/SessionState.ts": ("running: 'running'",),
                "wintunapi/models/Lost.ts": ("ring: number | null",),
                "wintunapi/models/Problem.ts": ("export interface Problem {",),
            },
        ),
        Language(
            "python",
            needs=("uv",),
            compile=((*UV, "--with", "mypy", "mypy", "--strict", "walk.py"),),
            run=(*UV, "python", "walk.py"),
            names={
                "client/wintunapi/api/adapters/create_adapter.py": ("def sync(",),
                "client/wintunapi/models/session_state.py": ("class SessionState(StrEnum):",),
                "client/wintunapi/models/lost.py": ("ring: int | None",),
                "client/wintunapi/models/problem.py": ("class Problem:",),
            },
        ),
        Language(
            "java",
            needs=("java", "javac"),
            compile=(("sh", "-c", JAVAC),),
            run=("java", "-cp", "classes:{jar}", "Walk"),
            names={
                f"{JAVA_SOURCES}/api/AdaptersApi.java": ("public Adapter createAdapter(",),
                f"{JAVA_SOURCES}/model/SessionState.java": ('RUNNING("running")',),
                f"{JAVA_SOURCES}/model/Traffic.java": ("private Long bytes;",),
                f"{JAVA_SOURCES}/model/Problem.java": ("public class Problem {",),
            },
        ),
        Language(
            "ruby",
            needs=("ruby",),
            compile=(("sh", "-c", "find . -name '*.rb' -print0 | xargs -0 -n 1 ruby -wc"),),
            run=("ruby", "walk.rb"),
            names={
                "wintunapi/lib/wintunapi/api/adapters_api.rb": ("def create_adapter(",),
                "wintunapi/lib/wintunapi/models/session_state.rb": ('RUNNING = "running"',),
                "wintunapi/lib/wintunapi/models/lost.rb": ("attr_accessor :ring",),
                "wintunapi/lib/wintunapi/models/problem.rb": ("class Problem <",),
            },
        ),
        Language(
            "csharp",  # which Debian has no compiler for
            needs=(),
            compile=(),
            run=None,
            names={
                "wintunapi/src/WintunApi/Api/AdaptersApi.cs": ("Adapter CreateAdapter(",),
                "wintunapi/src/WintunApi/Model/SessionState.cs": ("Running = 2",),
                "wintunapi/src/WintunApi/Model/Traffic.cs": ("public long Bytes",),
                "wintunapi/src/WintunApi/Model/Problem.cs": ("public partial class Problem",),
            },
        ),
        Language(
            "rust",  # whose crates Debian has not
            needs=(),
            compile=(),
            run=None,
            names={
                "wintunapi/src/apis/adapters_api.rs": ("pub async fn create_adapter(",),
                "wintunapi/src/models/session_state.rs": ("Running,",),
                "wintunapi/src/models/traffic.rs": ("pub bytes: i64",),
                "wintunapi/src/models/problem.rs": ("pub struct Problem {",),
            },
        ),
    )
}
