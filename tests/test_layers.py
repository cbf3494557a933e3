"""The structure, checked by machine: imports point down, heavy libraries load late, files stay small."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "simgauge"

LAYERS = [
    {"errors", "frozen", "progress", "wording"},
    {"parameters"},
    {"core"},
    {"storage", "labels", "tabular"},
    {"embedding"},
    {"interactions"},
    {"read"},
    {"distributed"},
    {"gauge", "models", "neighbors", "bias", "deep", "cosine_training"},
    {"datasets"},
    {"remedies"},
    {"findings", "matching"},
    {"evidence"},
    {"report", "plot"},
    {"auditing"},
    {"selection"},
    {"evaluation"},
    {"stores"},
    {"shipping"},
    {"paper", "demo"},
    {"serving"},
    {"cli"},
]
"""From the bottom up; a module may import its own layer and those below."""

FLOORS = {
    "core": [
        {"tables"},
        {"matrices", "neighbors", "gauges", "scores", "inference"},
        {"spectral", "bounds", "geometry"},
        {"closed_form"},
    ],
    "read": [{"sources"}, {"events", "libraries"}, {"store", "vectors"}, {"the doors that users call"}],
}
"""Floors of the folders within a layer, from the ground up; a folder imports itself and the floors below, no neighbour.

Files that lie in no folder are the doors: they may import every floor, and no folder imports them.
"""

LAZY = {
    "torch",
    "dask",
    "distributed",
    "pyspark",
    "plotly",
    "matplotlib",
    "faiss",
    "duckdb",
    "typer",
    "jinja2",
    "rich",
    "mcp",
    "sklearn.utils",
}
"""Libraries that importing simgauge must not load."""

MAX_LINES = 330
MAX_FUNCTION_LINES = 60


def modules():
    return sorted(SOURCE.rglob("*.py"))


def layer_of(name: str) -> int:
    return next(level for level, names in enumerate(LAYERS) if name in names)


def source_of(module: str) -> Path | None:
    """File of a module of simgauge; None for what is no module, such as a function."""
    place = SOURCE.parent.joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def imports_of(path: Path):
    """Modules of simgauge that a file imports, at its top or within a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; write the whole name"
            for name in node.names:
                module = f"{node.module}.{name.name}"
                found = module if source_of(module) else node.module
                if found.startswith("simgauge") and module != "simgauge.__version__":
                    yield found
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("simgauge"))


def floor_of(layer: str, parts: tuple[str, ...]) -> int:
    """Floor of a file of a layer, given by its path within the layer."""
    floors = FLOORS[layer]
    return next((level for level, names in enumerate(floors) if parts[0] in names and len(parts) > 1), len(floors) - 1)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path):
    own = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if own in ("__init__", "__main__"):
        return  # the public names, loaded late
    for module in imports_of(path):
        imported = module.split(".")[1]
        assert layer_of(imported) <= layer_of(own), f"{own} imports {module}, which lies above it"


@pytest.mark.parametrize("layer", FLOORS)
def test_folders_of_a_layer_import_the_floors_below(layer):
    known = set().union(*FLOORS[layer])
    for path in sorted((SOURCE / layer).rglob("*.py")):
        parts = path.relative_to(SOURCE / layer).parts
        assert len(parts) == 1 or parts[0] in known, f"{layer}/{parts[0]} stands on no floor: add it to FLOORS"
        for module in imports_of(path):
            file = source_of(module)
            if file.parents[0] == path.parents[0] or not file.is_relative_to(SOURCE / layer):
                continue
            below = floor_of(layer, file.relative_to(SOURCE / layer).parts)
            assert below < floor_of(layer, parts), f"{'/'.join(parts)} imports {module}, which is not on a floor below"


def circle(edges: dict[str, set[str]]) -> list[str]:
    """Names along one circle of imports; empty where there is none."""
    done: set[str] = set()

    def follow(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        found = next((way for other in sorted(edges.get(name, ())) if (way := follow(other, [*trail, name]))), [])
        done.add(name)
        return found

    return next((way for name in sorted(edges) if (way := follow(name, []))), [])


@pytest.mark.parametrize("folder", sorted({path.parent for path in modules()}), ids=lambda path: path.name)
def test_what_a_folder_holds_imports_in_no_circle(folder):
    """Files and folders within a folder; so there is no circle of files, and none of folders, anywhere."""
    edges: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        own = path.relative_to(folder).parts[0].removesuffix(".py")
        for module in imports_of(path):
            file = source_of(module)
            if file.is_relative_to(folder):
                edges.setdefault(own, set()).add(file.relative_to(folder).parts[0].removesuffix(".py"))
        edges.get(own, set()).discard(own)
    assert not circle(edges), " -> ".join(circle(edges))


def test_a_circle_is_found_where_there_is_one():
    """The control of the test above."""
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_and_functions_stay_small(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES, "one idea per file"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = (node.end_lineno - body[0].lineno + 1) if body else 0
            assert length <= MAX_FUNCTION_LINES, f"{node.name} has {length} lines"


def test_a_bare_import_loads_nothing_heavy_and_writes_nothing(tmp_path):
    code = (
        "import sys, os; before = set(os.listdir('.')); import simgauge; "
        f"heavy = [name for name in {sorted(LAZY)!r} if name in sys.modules]; "
        "assert not heavy, heavy; assert set(os.listdir('.')) == before; print(simgauge.__version__)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}"
    assert list(tmp_path.iterdir()) == []


def test_fitting_and_auditing_loads_no_plots_and_no_databases(tmp_path):
    code = (
        "import sys, numpy as np, simgauge; "
        "m = simgauge.LinearAutoencoder(2).fit(np.eye(4) + 1.0); e = m.embedding(np.eye(4) + 1.0); "
        "simgauge.audit(e, k=2); "
        "heavy = [n for n in ('matplotlib', 'duckdb', 'torch', 'plotly', 'typer', 'jinja2') if n in sys.modules]; "
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0, f"{done.stderr}"


def test_the_three_lists_of_public_names_are_one():
    """Names that type checkers see, names that are loaded late, and names that `*` gives: with the same homes."""
    import simgauge

    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {name.asname or name.name: node.module for node in block.body for name in node.names}
    assert seen == {name: f"simgauge.{home}" for name, home in simgauge._HOME.items()}
    assert simgauge.__all__ == sorted(simgauge._HOME)


def test_every_public_name_exists_and_is_documented():
    import simgauge

    for name in simgauge.__all__:
        assert getattr(simgauge, name).__doc__, f"{name}"
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        simgauge.nonsense  # noqa: B018
