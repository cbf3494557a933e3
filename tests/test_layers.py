"""The structure, checked by machine: imports point down, heavy libraries load late, files stay small."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "simgauge"

LAYERS = [
    {"errors", "progress", "wording"},
    {"parameters"},
    {"core"},
    {"storage", "labels"},
    {"embedding"},
    {"interactions"},
    {"read"},
    {"distributed"},
    {"gauge", "models", "neighbors", "bias"},
    {"datasets"},
    {"remedies"},
    {"findings"},
    {"evidence"},
    {"report"},
    {"auditing"},
    {"selection"},
    {"paper", "demo"},
    {"cli"},
]
"""From the bottom up; a module may import its own layer and those below."""

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
    "sklearn.utils",
}
"""Libraries that importing simgauge must not load."""

MAX_LINES = 330
MAX_FUNCTION_LINES = 60


def modules():
    return sorted(SOURCE.rglob("*.py"))


def layer_of(name: str) -> int:
    return next(level for level, names in enumerate(LAYERS) if name in names)


def imports_of(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("simgauge"):
            if node.module == "simgauge":
                yield from (f"simgauge.{alias.name}" for alias in node.names)
            else:
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("simgauge"))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path):
    own = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if own in ("__init__", "__main__"):
        return  # the public names, loaded late
    for module in imports_of(path):
        imported = module.split(".")[1]
        if imported == "__version__":
            continue
        assert layer_of(imported) <= layer_of(own), f"{own} imports {module}, which lies above it"


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
    assert done.returncode == 0, done.stderr
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
    assert done.returncode == 0, done.stderr


def test_every_public_name_exists_and_is_documented():
    import simgauge

    assert set(simgauge._HOME) == set(simgauge.__all__)
    assert simgauge.__all__ == sorted(simgauge.__all__)
    for name in simgauge.__all__:
        assert getattr(simgauge, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        simgauge.nonsense  # noqa: B018
