from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from simgauge.core.closed_form.catalogue import named_gauge
from simgauge.core.neighbors.topk import top_k
from simgauge.core.scores.pair_recall import holdout_split, pair_recall
from simgauge.core.spectral.spectrum import spectrum
from simgauge.datasets.python_imports import load_demo_data

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_demo_data.py"


@pytest.fixture(scope="module")
def data():
    return load_demo_data()


@pytest.fixture(scope="module")
def build():
    """The build script as a module; it is no part of the package."""
    spec = importlib.util.spec_from_file_location("build_demo_data", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_size_and_counts_are_what_the_documentation_says(data):
    assert 3_500 < data.n_users < 5_000
    assert 1_200 < data.n_items < 1_700
    assert 35_000 < data.nnz < 50_000
    assert set(data.matrix.data.tolist()) == {1.0}
    assert data.item_counts.min() >= 6
    assert data.user_counts.min() >= 2


def test_ids_are_unique_public_and_free_of_machine_paths(data):
    assert len(set(data.item_ids)) == data.n_items
    assert len(set(data.user_ids)) == data.n_users
    assert not [name for name in data.item_ids if any(part.startswith("_") for part in name.split("."))]
    assert not [file for file in data.user_ids if file.startswith(("/", "\\")) or ".." in file or ":" in file]
    assert all(file.endswith(".py") for file in data.user_ids)
    assert "site-packages" not in " ".join(data.user_ids)


def test_popularity_is_a_power_law(data):
    """Over two decades of ranks a straight line in logs explains the counts, and an exponential does not."""
    counts = np.sort(data.item_counts)[::-1].astype(float)
    ranks = np.arange(1, len(counts) + 1)
    middle = slice(4, 500)
    logs = np.log(counts[middle])
    power = np.corrcoef(np.log(ranks[middle]), logs)[0, 1] ** 2
    exponential = np.corrcoef(ranks[middle], logs)[0, 1] ** 2
    assert power > 0.98
    assert exponential < 0.9
    assert -1.3 < np.polyfit(np.log(ranks[middle]), logs, 1)[0] < -0.5


def test_neighbours_make_sense_and_projecting_back_recovers_more_held_out_use(data):
    training, held_out = holdout_split(data.matrix, 0.2, np.random.default_rng(0))
    decomposition = spectrum(training, 64)
    recall = {
        name: pair_recall(top_k(named_gauge(decomposition, 10.0, name).decoder, 20)[0], training, held_out)
        for name in ("whitened", "projected")
    }
    pooled = {name: result.hits.sum() / result.pairs.sum() for name, result in recall.items()}
    assert 0.08 < pooled["whitened"] < 0.16
    assert pooled["projected"] > 1.1 * pooled["whitened"]
    ids = data.item_ids.tolist()
    lists, _ = top_k(named_gauge(spectrum(data.matrix, 64), 10.0, "projected").decoder, 10)
    near = {name: {ids[j] for j in lists[ids.index(name)]} for name in ("socket", "urllib.parse.quote")}
    assert {"errno", "selectors", "select"} <= near["socket"]
    assert "urllib.parse.unquote" in near["urllib.parse.quote"]
    assert not near["socket"] & {"numpy", "pandas", "matplotlib.pyplot"}


def test_the_file_names_the_versions_it_was_made_from_and_is_small():
    path = Path(load_demo_data.__code__.co_filename).parent / "python_imports.parquet"
    table = pq.read_table(path)
    assert path.stat().st_size < 150_000
    assert table.column_names == ["file", "name"]
    versions = json.loads(table.schema.metadata[b"versions"])
    assert {"python", "numpy", "scipy", "sklearn"} <= set(versions)


@pytest.fixture
def tree(tmp_path):
    """A fake package: a submodule, spellings of one fact, a private name, a file that is no Python, a foreign
    folder."""
    root = tmp_path / "pack"
    files = {
        "__init__.py": "from pack.tools import trim\n",
        "tools/__init__.py": "def trim(): ...\n",
        "a.py": "import pack.tools\npack.tools.trim()\nimport json\n",
        "b.py": "from pack.tools import trim, _hidden\nfrom . import a\nfrom __future__ import annotations\n",
        "c.py": "import pack.tools as t\ndef f():\n    import os.path as p\n    return t.trim, p.join\n",
        "d.py": "from json import *\nimport pack as p\np.made_up()\n",
        "broken.py": "def (:\n",
        "site-packages/other.py": "import json\n",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_spellings_of_one_fact_are_one_fact(build, tree):
    found = build.scan(build.source_files({"pack": tree}))
    assert found["pack/a.py"] == {"pack.tools", "pack.tools.trim", "json"}
    assert found["pack/b.py"] == {"pack.tools.trim"}
    assert found["pack/c.py"] == {"pack.tools", "pack.tools.trim", "os.path", "os.path.join"}
    assert found["pack/d.py"] == {"json", "pack"}, "names of a top-level module are not counted"
    assert "pack/broken.py" not in found
    assert not [file for file in found if "site-packages" in file]


def test_rare_names_and_thin_files_leave_in_turn(build):
    names = {"1": {"a", "b"}, "2": {"a", "b"}, "3": {"a", "c"}, "4": {"c", "d"}}
    # d is in one file, so 4 keeps c alone and goes; then c is in one file, and so on
    assert build.frequent(names, 2, 2) == {"1": {"a", "b"}, "2": {"a", "b"}}
    assert build.frequent(names, 1, 1) == names


def test_a_rebuild_gives_the_same_bytes_wherever_the_tree_lies(build, tree, tmp_path):
    def built(root, target):
        build.write(build.frequent(build.scan(build.source_files({"pack": root})), 1, 1), target, {"pack": "1"})
        return target.read_bytes()

    moved = shutil.copytree(tree, tmp_path / "elsewhere" / "pack")
    first, second = built(tree, tmp_path / "first.parquet"), built(moved, tmp_path / "second.parquet")
    assert first == second
    assert str(tmp_path).encode() not in first
    names = build.scan(build.source_files({"pack": tree}))
    build.write(dict(reversed(build.frequent(names, 1, 1).items())), tmp_path / "reversed.parquet", {"pack": "1"})
    assert (tmp_path / "reversed.parquet").read_bytes() == first
    (moved / "a.py").write_text("import csv\n")
    assert built(moved, tmp_path / "third.parquet") != first
