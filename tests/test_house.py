"""The shape of the house: imports point down, light things stay light, every name of the table resolves."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from stancekit import components

SOURCE = Path(__file__).parent.parent / "src" / "stancekit"

FLOORS = [
    ("errors", "files", "resources", "yamlfile"),
    ("schema", "codebook", "components"),
    ("text", "tasks", "data", "profile"),
    ("metrics", "stats", "models"),
    (
        "scoring",
        "config",
        "config_data",
        "config_names",
        "config_places",
        "datasets",
        "consensus",
        "ceiling",
        "hub",
        "runs",
        "tagged",
        "tagger",
        "asking",
    ),
    (
        "training",
        "experiment",
        "evaluation",
        "comparison",
        "reports",
        "publishing",
        "agreement",
        "adjudication",
        "auditing",
        "corpus",
        "ingestion",
        "sharing",
        "prompting",
        "sampling",
    ),
    ("cli", "__main__", "__init__"),
]
NEURAL = ("texts", "encoders", "learning", "heads")
"""The folders of `models/neural`, the lower ones first; the models stand above them."""
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
HEAVY = {
    "sklearn": ("models/", "stats/calibration.py"),
    "sklearn_crfsuite": ("models/",),
    "pycrfsuite": ("models/",),
    "torch": ("models/neural/",),
    "transformers": ("models/neural/",),
    "datasets": ("data/formats/",),
    "pyarrow": ("data/", "ingestion/tables.py"),
    "spacy": ("data/formats/",),
    "openpyxl": ("data/formats/",),
    "jinja2": ("reports/",),
    "matplotlib": ("reports/",),
    "pydantic": ("config.py", "config_data.py"),
    "datasketch": ("text/duplicates.py",),
    "trafilatura": ("ingestion/page.py",),
    "huggingface_hub": ("hub/huggingface.py", "models/neural/"),
    "typer": ("cli/",),
    "rich": ("cli/",),
}


def files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def imports(path: Path) -> list[tuple[str, bool]]:
    """Return the imported modules of a file, and whether each stands at its top level."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for branch in tree.body
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.dump(branch.test)
        for node in ast.walk(branch)
    }
    top = set(map(id, tree.body))
    found = []
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(_module(node.module, alias.name), id(node) in top) for alias in node.names]
    return found


def _module(package: str, name: str) -> str:
    """Return the module that `from package import name` loads: the package, or a file in it."""
    inner = SOURCE.parent.joinpath(*package.split("."), name)
    is_file = inner.with_suffix(".py").exists() or (inner / "__init__.py").exists()
    return f"{package}.{name}" if is_file or package == "stancekit" else package


def floor_of(module: str) -> int | None:
    parts = module.split(".")
    return FLOOR.get(parts[1]) if len(parts) > 1 else None


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_point_down(path: Path) -> None:
    own = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    assert own in FLOOR, f"{own} stands on no floor: add it to FLOORS"
    for module, _ in imports(path):
        if module.startswith("stancekit."):
            floor = floor_of(module)
            assert floor is None or floor <= FLOOR[own], f"{path.name} imports {module} from a higher floor"
    if own == "metrics":
        assert not any(m.startswith("stancekit.models") for m, _ in imports(path)), "metrics and models are strangers"
    if own == "models":
        assert not any(m.startswith("stancekit.metrics") for m, _ in imports(path)), "metrics and models are strangers"


def test_neural_imports_point_down() -> None:
    root, house = SOURCE / "models" / "neural", "stancekit.models.neural."
    floors = {name: number for number, name in enumerate(NEURAL)}
    assert {p.parent.name for p in root.glob("*/__init__.py")} == set(NEURAL)
    for path in root.rglob("*.py"):
        own = floors.get(path.parent.name, len(NEURAL))
        for module, _ in imports(path):
            if module.startswith(house):
                floor = floors.get(module.removeprefix(house).partition(".")[0], len(NEURAL))
                assert floor <= own, f"{path.name} imports {module} from a higher floor"


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_heavy_libraries_stay_in_their_files(path: Path) -> None:
    where = path.relative_to(SOURCE).as_posix()
    for module, _ in imports(path):
        allowed = HEAVY.get(module.split(".")[0])
        assert allowed is None or where.startswith(allowed), f"{where} must not import {module}"


def test_no_import_circles() -> None:
    graph: dict[str, set[str]] = {}
    for path in files():
        name = "stancekit." + ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        graph[name] = {m for m, top in imports(path) if top and m.startswith("stancekit.")}
    state: dict[str, int] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert state.get(name) != 1, " → ".join((*trail, name))
        if name in graph and name not in state:
            state[name] = 1
            for other in sorted(graph[name]):
                visit(other, (*trail, name))
            state[name] = 2

    for name in sorted(graph):
        visit(name, ())


HELP = """
import sys, stancekit.cli
sys.argv = ["stancekit", "--help"]
try:
    stancekit.cli.main()
except SystemExit:
    pass
"""
HEAVY_MODULES = ("sklearn", "torch", "pandas", "datasets", "pycrfsuite", "matplotlib", "huggingface_hub")


@pytest.mark.parametrize("code", ["import stancekit", HELP], ids=["import", "help"])
def test_light_things_load_nothing_heavy(code: str) -> None:
    code += f"\nimport sys\nprint([m for m in {HEAVY_MODULES} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


ROWS = [(kind, name) for kind, names in components.TABLE.items() for name in names]


def test_the_table_is_not_empty() -> None:
    assert len(ROWS) > 25


@pytest.mark.parametrize(("kind", "name"), ROWS)
def test_every_row_resolves(kind: str, name: str) -> None:
    assert callable(components.find(kind, name))
    assert components.find(kind, name).__doc__


def test_short_files() -> None:
    long = {p.relative_to(SOURCE).as_posix(): n for p in files() if (n := len(p.read_text().splitlines())) > 310}
    assert not long
